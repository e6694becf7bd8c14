"""Training and evaluation: Trainer, its callbacks, Tester and RankingReport."""

from openke.aliases import homes_of, openke_paths
from openke.config.callback import Callback
from openke.config.callbacks import Checkpoint, EarlyStopping, Log, Validation
from openke.config.history import History
from openke.config.report import RankingReport
from openke.config.tester import Tester
from openke.config.trainer import Trainer

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
