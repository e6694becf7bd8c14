"""IKRL on DB15K.

python examples/train_ikrl_db15k.py --epochs 10
"""

from dataclasses import dataclass

from lbmkgc_models.model.ikrl import IKRL
from lbmkgc_models.runs.experiment import run_experiment
from openke.module.loss import MarginLoss
from openke.runs.experiment import ExperimentSettings
from openke.runtime.script import run_script


@dataclass(frozen=True, kw_only=True)
class Settings(ExperimentSettings):
    """Train IKRL on DB15K; Table 1 does not publish its settings, these are this project's."""

    epochs: int = 200
    dim: int = 250
    negatives: int = 32
    lr: float = 1e-3
    margin: float = 20.0
    """How much better than a negative a positive must be; a score sums four energies."""


def main(settings: Settings) -> None:
    run_experiment(
        "IKRL",
        "DB15K",
        settings,
        lambda store, features: IKRL(
            store.entity_count, store.relation_count, features, dim=settings.dim
        ),
        MarginLoss(margin=settings.margin),
        uses="one modality",
    )


if __name__ == "__main__":
    run_script(Settings, main)
