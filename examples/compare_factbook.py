"""LBMKGC, RotatE and TransE side by side on the bundled graph of the world's countries.

Trains each row and prints one table, perceptual relations apart: those are what pictures show. The
last two rows say what pictures are worth beside text where each relation weighs them for itself.

    python examples/compare_factbook.py --seeds 0 1 2 3 4
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import torch

from lbmkgc_models.runs.choose_features import gather_features
from lbmkgc_models.runs.side_by_side import Part, compare, mrr_table
from openke.data.store import Split, TripleStore
from openke.datasets.search import find_dataset
from openke.runs.recipe import Recipe
from openke.runtime.environment import environment
from openke.runtime.files import write_text
from openke.runtime.script import run_script
from openke.runtime.words import counted

ROWS: Mapping[str, tuple[str, tuple[str, ...]]] = {
    "LBMKGC": ("LBMKGC", ("image", "text")),
    "LBMKGC without pictures": ("LBMKGC", ("text",)),
    "LBMKGC without text": ("LBMKGC", ("image",)),
    "RotatE": ("RotatE", ()),
    "TransE": ("TransE", ()),
}
"""What is trained by one recipe: a model and the modalities it sees."""
TEXT, PICTURES = "text", "image"
MIXED: Mapping[str, tuple[str, str]] = {
    "text and pictures, weighed": (TEXT, PICTURES),
    "text and text, weighed": (TEXT, TEXT),
}
"""Two LBMKGC that each see one modality, trained against all entities and weighed by relation."""
EPOCHS = {TEXT: 8, PICTURES: 5}
"""As many as benchmarks/table1.py chose on valid for its rows like these."""


@dataclass(frozen=True, kw_only=True)
class Settings:
    """Rows of the table and settings of their training."""

    rows: tuple[str, ...] = (
        *("LBMKGC", "LBMKGC without pictures", "RotatE", "TransE"),
        *MIXED,
    )
    """Rows of the table; "LBMKGC without text" is another. Settings below are those of the rows
    that are trained by one recipe; what is weighed has its own."""
    seeds: tuple[int, ...] = (0,)
    """Seeds; with several the table shows means and standard deviations."""
    epochs: int = 30
    """Passes over the train split."""
    dim: int = 100
    """Complex coordinates of an entity; TransE gets as many reals."""
    negatives: int = 64
    """Negatives of each positive triple."""
    lr: float = 2e-3
    """Learning rate of Adam."""
    batch_size: int = 512
    """Positive triples in a step."""
    margin: float = 9.0
    """gamma of the scores."""
    attention: Literal["scalar", "elementwise", "mean"] = "scalar"
    """How LBMKGC weighs pictures and text."""
    split: Split = "test"
    """What is ranked; choose settings by valid, without the weighed rows: they are fitted to it."""
    device: str = "auto"
    """auto, cpu, cuda, cuda:1, mps."""
    dataset: str = "Factbook"
    """Name of a data set with features beside it."""
    data: Path | None = None
    """Folder of the data set; else OPENKE_DATA, benchmarks/, the cache and a download."""
    features: Path | None = None
    """Folder of feature stores; by default those beside the data set."""
    out: Path = Path("runs/factbook")
    """Folder for comparison.json."""

    def __post_init__(self) -> None:
        """Check the names of rows."""
        for row in self.rows:
            if row not in {*ROWS, *MIXED}:
                known = ", ".join(map(repr, (*ROWS, *MIXED)))
                raise ValueError(f"--rows {row!r}: expected some of {known}")
        if not self.rows or not self.seeds:
            raise ValueError("--rows and --seeds: expected at least one of each")


def parts_of(row: str, settings: Settings) -> list[Part]:
    """Return the models of a row."""
    if row in MIXED:
        return [Part(against_all(modality), (modality,)) for modality in MIXED[row]]
    model, modalities = ROWS[row]
    return [Part(recipe(model, settings), modalities)]


def against_all(modality: str) -> Recipe:
    """Return the recipe of a part of what is weighed.

    N3 is of what is fused where texts are read, and of the structure alone where pictures are.
    """
    return Recipe.from_dict(
        {
            "model": {
                "name": "LBMKGC",
                "interaction": "ComplEx",
                "dim": 200,
                "interaction_settings": {"init_scale": 1e-3},
                "gate": "sum",
                "projection": "linear",
                "modal_scale": 1e-3,
                "penalized": "fused" if modality == TEXT else "structure",
            },
            "training": {
                "objective": "1vsall",
                "reciprocal": True,
                "penalty": {"name": "N3", "weight": 0.03},
                "optimizer": "adagrad",
                "lr": 0.1,
                "epochs": EPOCHS[modality],
                "batch_size": 1000,
            },
        }
    )


def recipe(model: str, settings: Settings) -> Recipe:
    """Return the one recipe that models of :data:`ROWS` are trained by: RotatE's."""
    return Recipe.from_dict(
        {
            "model": {
                "name": model,
                "dim": 2 * settings.dim if model == "TransE" else settings.dim,
                "margin": settings.margin,
                "epsilon": 2.0,
                **({"norm_flag": False} if model == "TransE" else {}),
                **({"attention": settings.attention} if model == "LBMKGC" else {}),
            },
            "training": {
                "objective": "negative sampling",
                "loss": {"name": "SigmoidLoss", "adv_temperature": 1.0},
                "sampling": {"neg_ent": settings.negatives, "bern_flag": True, "filter_flag": True},
                "optimizer": "adam",
                "lr": settings.lr,
                "epochs": settings.epochs,
                "batch_size": settings.batch_size,
            },
        }
    )


def main(settings: Settings) -> None:
    directory = find_dataset(settings.dataset, settings.data)
    store = TripleStore.open(directory)
    found = gather_features(store, directory, features=settings.features, device=settings.device)
    print(found.summary)
    results = compare(
        {row: parts_of(row, settings) for row in settings.rows},
        store,
        found.features,
        settings.seeds,
        split=settings.split,
        device=settings.device,
    )
    epochs = [counted(settings.epochs, "epoch")] if set(settings.rows) & set(ROWS) else []
    if set(settings.rows) & set(MIXED):
        epochs.append(f"in weighed rows {EPOCHS[TEXT]} on text and {EPOCHS[PICTURES]} on pictures")
    print(
        f"\n{store.name} {settings.split}, filtered, realistic ranks, {', '.join(epochs)}, "
        f"{counted(len(settings.seeds), 'seed')}, "
        f"{counted(torch.get_num_threads(), 'thread')}\n\n{mrr_table(results)}\n"
    )
    paths = {"data": directory.name, "features": settings.features and settings.features.name}
    paths["out"] = settings.out.name
    content = {
        "settings": {**vars(settings), **paths},
        "environment": environment(),
        "mrr_percent": results,
    }
    write_text(settings.out / "comparison.json", json.dumps(content, indent=2) + "\n")
    print(f"written to {settings.out / 'comparison.json'}")


if __name__ == "__main__":
    run_script(Settings, main)
