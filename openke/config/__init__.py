"""OpenKE's room for Trainer and Tester, kept as a façade; today they live in rooms of their own.

Training is in :mod:`openke.training`, evaluation in :mod:`openke.evaluation`, recipes, folders of
runs and prediction are in :mod:`openke.runs`.
"""

from openke.aliases import former_paths, homes_of, openke_paths
from openke.evaluation.report import RankingReport
from openke.evaluation.tester import Tester
from openke.training.callback import Callback
from openke.training.callbacks import Checkpoint, EarlyStopping, Log, Validation
from openke.training.history import History
from openke.training.trainer import Trainer

__all__ = [
    "Callback",
    "Checkpoint",
    "EarlyStopping",
    "History",
    "Log",
    "RankingReport",
    "Tester",
    "Trainer",
    "Validation",
]

openke_paths(__name__, homes_of([Trainer, Tester]))
former_paths(
    {
        "openke.config.callbacks": "openke.training.callbacks",
        "openke.config.device": "openke.runtime.device",
        "openke.config.experiment": "openke.runs.experiment",
        "openke.config.optim": "openke.training.optimizers",
        "openke.config.precision": "openke.training.precision",
        "openke.config.predict": "openke.runs.predict",
        "openke.config.recipe": "openke.runs.recipe",
        "openke.config.report": "openke.evaluation.report",
        "openke.config.run": "openke.runs.load",
        "openke.config.schedule": "openke.training.schedule",
        "openke.config.tester": "openke.evaluation.tester",
        "openke.config.trainer": "openke.training.trainer",
    },
    {"structural": "openke.runs.recipe.structural_model"},
)
