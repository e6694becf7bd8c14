"""LBMKGC on DB15K with names and descriptions, trained against all entities.

python examples/train_lbmkgc_db15k_1vsall.py --hold-out 0.1 --validate-every 1
"""

from dataclasses import dataclass

from lbmkgc_models.experiment import run_recipe
from openke.config.experiment import ExperimentSettings
from openke.config.recipe import Recipe
from openke.script import run_script


@dataclass(frozen=True, kw_only=True)
class Settings(ExperimentSettings):
    """Train LBMKGC's fusion in front of ComplEx; the settings are this project's."""

    epochs: int = 24
    dim: int = 200
    negatives: int = 1
    """Not used: every entity is a negative."""
    lr: float = 0.1
    batch_size: int = 1000
    """Questions in a step; each triple asks two."""
    text_encoder: str = "minilm+spelling"
    """What makes the text features; "": what is there, or minilm."""
    penalty: float = 0.05
    """Weight of the N3 penalty."""
    drop_structure: float = 0.1
    """Share of the entities of a step that do with their text alone."""


def main(settings: Settings) -> None:
    fusion = {
        "dim": settings.dim,
        "interaction": "ComplEx",
        "interaction_settings": {"init_scale": 1e-3},
        "gate": "sum",
        "projection": "linear",
        "modal_scale": 1e-3,
        "drop_structure": settings.drop_structure,
        "drop_unseen": True,
        "score_mentions": True,
    }
    recipe = Recipe(
        model="LBMKGC",
        model_settings=fusion,
        training="1vsall",
        reciprocal=True,
        penalty={"name": "N3", "weight": settings.penalty},
        optimizer={"name": "adagrad", "lr": settings.lr},
        epochs=settings.epochs,
        batch_size=settings.batch_size,
    )
    run_recipe(recipe, "DB15K", settings)


if __name__ == "__main__":
    run_script(Settings, main)
