"""LBMKGC on DB15K with names and descriptions, trained against all entities.

python examples/train_lbmkgc_db15k_1vsall.py --hold-out 0.1 --validate-every 1
"""

from dataclasses import dataclass

from train_complex_db15k import Settings as ComplExSettings
from train_complex_db15k import against_all

from lbmkgc_models.runs.experiment import run_recipe
from openke.runtime.script import run_script


@dataclass(frozen=True, kw_only=True)
class Settings(ComplExSettings):
    """Train LBMKGC's fusion in front of ComplEx; the settings are this project's."""

    epochs: int = 35
    text_encoder: str = "minilm+spelling"
    """What makes the text features; "": what is there, or minilm."""
    drop_structure: float = 0.1
    """Share of the entities of a step that do with their text alone."""


def main(settings: Settings) -> None:
    recipe = against_all(
        "LBMKGC",
        settings,
        interaction="ComplEx",
        interaction_settings={"init_scale": 1e-3},
        gate="sum",
        projection="linear",
        modal_scale=1e-3,
        drop_structure=settings.drop_structure,
        drop_unseen=True,
        score_mentions=True,
    )
    run_recipe(recipe, "DB15K", settings)


if __name__ == "__main__":
    run_script(Settings, main)
