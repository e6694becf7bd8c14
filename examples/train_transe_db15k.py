"""TransE on DB15K.

python examples/train_transe_db15k.py --epochs 10
"""

from dataclasses import dataclass

from lbmkgc_models.runs.experiment import run_experiment
from openke.module.loss import MarginLoss
from openke.module.model import TransE
from openke.runs.experiment import ExperimentSettings
from openke.runtime.script import run_script


@dataclass(frozen=True, kw_only=True)
class Settings(ExperimentSettings):
    """Train TransE on DB15K; Table 1 does not publish its settings, these are this project's."""

    epochs: int = 200
    dim: int = 250
    negatives: int = 32
    lr: float = 1e-3
    margin: float = 5.0
    """How much better than a negative a positive must be."""


def main(settings: Settings) -> None:
    run_experiment(
        "TransE",
        "DB15K",
        settings,
        lambda store, features: TransE(
            store.entity_count, store.relation_count, dim=settings.dim, p_norm=1, norm_flag=True
        ),
        MarginLoss(margin=settings.margin),
        uses="structure",
    )


if __name__ == "__main__":
    run_script(Settings, main)
