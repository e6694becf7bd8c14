"""ComplEx on DB15K, trained against all entities with reciprocal relations.

python examples/train_complex_db15k.py --hold-out 0.1 --validate-every 1
"""

from dataclasses import dataclass
from typing import Any

from lbmkgc_models.runs.experiment import run_recipe
from openke.runs.experiment import ExperimentSettings
from openke.runs.recipe import Recipe
from openke.runtime.script import run_script


@dataclass(frozen=True, kw_only=True)
class Settings(ExperimentSettings):
    """Train ComplEx on DB15K as Lacroix et al. (ICML 2018) do; the settings are this project's."""

    epochs: int = 15
    dim: int = 200
    negatives: int = 1
    """Not used: every entity is a negative."""
    lr: float = 0.1
    batch_size: int = 1000
    """Questions in a step; each triple asks two."""
    penalty: float = 0.05
    """Weight of the N3 penalty."""


def against_all(model: str, settings: Settings, **model_settings: Any) -> Recipe:
    """Return the training of a model that ``settings`` describe."""
    return Recipe(
        model=model,
        model_settings={"dim": settings.dim, **model_settings},
        training="1vsall",
        reciprocal=True,
        penalty={"name": "N3", "weight": settings.penalty},
        optimizer={"name": "adagrad", "lr": settings.lr},
        epochs=settings.epochs,
        batch_size=settings.batch_size,
    )


def main(settings: Settings) -> None:
    recipe = against_all("ComplEx", settings, init_scale=1e-3)
    run_recipe(recipe, "DB15K", settings, uses="structure")


if __name__ == "__main__":
    run_script(Settings, main)
