"""LBMKGC on DB15K with the published settings.

python examples/train_lbmkgc_db15k.py --epochs 10 --dim 200
"""

from dataclasses import dataclass
from functools import partial

from lbmkgc_models.model.lbmkgc import LBMKGC
from lbmkgc_models.runs.experiment import run_experiment
from openke.module.loss import SigmoidLoss
from openke.runs.experiment import ExperimentSettings
from openke.runtime.script import run_script


@dataclass(frozen=True, kw_only=True)
class Settings(ExperimentSettings):
    """Train LBMKGC on DB15K; the defaults are those of the published run (days on a CPU)."""

    epochs: int = 1250
    dim: int = 500
    negatives: int = 128
    lr: float = 2e-5
    margin: float = 12.0
    """gamma of the score."""
    adv_temperature: float = 4.0
    """beta of self-adversarial weighting."""
    regul_rate: float = 1e-5
    """Weight of the mean squares of e_s and r."""


def train(dataset: str, settings: Settings) -> None:
    run_experiment(
        "LBMKGC",
        dataset,
        settings,
        lambda store, features: LBMKGC(
            store.entity_count,
            store.relation_count,
            features,
            dim=settings.dim,
            margin=settings.margin,
        ),
        SigmoidLoss(adv_temperature=settings.adv_temperature),
        regul_rate=settings.regul_rate,
    )


if __name__ == "__main__":
    run_script(Settings, partial(train, "DB15K"))
