"""Finished training runs on a small graph, for the tests of what is done with them."""

from __future__ import annotations

from pathlib import Path

from openke.data import TripleStore
from openke.module.model import Model
from openke.runs.experiment import Experiment, RunOptions
from openke.runs.recipe import Recipe, structural_model
from tests.contracts.graphs import graph
from tests.openke.data.test_train_data_loader import write_openke

LABELS = ["Ann", "Bob", "Ann"]
"""Labels of the first entities; two share one."""


def data_folder(folder: Path) -> Path:
    """Write a small graph with some labels as folder/TOY and return that."""
    directory = folder / "TOY"
    directory.mkdir(parents=True)
    write_openke(graph(triples=120), directory)
    lines = [f"{i}\tentity {i}\t{label}\t" for i, label in enumerate(LABELS)]
    (directory / "labels.tsv").write_text("\n".join(lines) + "\n")
    (directory / "relation_labels.tsv").write_text("0\trelation 0\tknows\n")
    return directory


def trained(
    folder: Path,
    directory: Path,
    model: Model | None = None,
    hold_out: float = 0.0,
    text_encoder: str = "",
) -> Model:
    """Train a model for an epoch, leaving its run in ``folder``."""
    store = TripleStore.open(directory)
    name = "RotatE" if model is None else type(model).__name__
    settings = {"dim": 5, "margin": 4.0} if model is None else {}
    recipe = Recipe.from_dict(
        {
            "model": {"name": name, **settings},
            "data": {"name": directory.name, "hold_out": hold_out},
            "features": {"text_encoder": text_encoder},
            "training": {
                "objective": "negative sampling",
                "loss": "SigmoidLoss",
                "optimizer": "adam",
                "lr": 1e-3,
                "epochs": 1,
                "batch_size": 32,
            },
        }
    )
    given = model
    make = structural_model if given is None else lambda *_: given
    experiment = Experiment(recipe, RunOptions(device="cpu", data=directory.parent), folder)
    trainer = experiment.train(store, make)
    experiment.test(trainer, trainer.data_loader.store)
    return trainer.strategy.model
