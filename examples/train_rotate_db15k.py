"""RotatE on DB15K.

python examples/train_rotate_db15k.py --epochs 10
"""

from dataclasses import dataclass

from lbmkgc_models.runs.experiment import run_experiment
from openke.module.loss import SigmoidLoss
from openke.module.model import RotatE
from openke.runs.experiment import ExperimentSettings
from openke.runtime.script import run_script


@dataclass(frozen=True, kw_only=True)
class Settings(ExperimentSettings):
    """Train RotatE on DB15K; Table 1 does not publish its settings, these are this project's."""

    epochs: int = 200
    dim: int = 250
    negatives: int = 64
    lr: float = 1e-3
    margin: float = 12.0
    """gamma of the score."""
    adv_temperature: float = 1.0
    """beta of self-adversarial weighting."""


def main(settings: Settings) -> None:
    run_experiment(
        "RotatE",
        "DB15K",
        settings,
        lambda store, features: RotatE(
            store.entity_count, store.relation_count, dim=settings.dim, margin=settings.margin
        ),
        SigmoidLoss(adv_temperature=settings.adv_temperature),
        uses="structure",
    )


if __name__ == "__main__":
    run_script(Settings, main)
