"""Finished training runs on a small graph, for the tests of what is done with them."""

from __future__ import annotations

from pathlib import Path

from openke.data import TestDataLoader, TrainDataLoader, TripleStore
from openke.module.loss import SigmoidLoss
from openke.module.model import Model, RotatE
from openke.module.strategy import NegativeSampling
from openke.runs.experiment import Experiment, ExperimentSettings
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
    settings = ExperimentSettings(
        epochs=1,
        device="cpu",
        hold_out=hold_out,
        text_encoder=text_encoder,
        data=directory.parent,
        out=folder,
    )
    experiment = Experiment(settings, folder)
    loader = TrainDataLoader(TripleStore.open(directory), batch_size=32, hold_out=hold_out)
    if model is None:
        model = RotatE(loader.get_ent_tot(), loader.get_rel_tot(), dim=5, margin=4.0)
    strategy = NegativeSampling(model, SigmoidLoss())
    experiment.train(strategy, loader, "adam")
    experiment.test(strategy, TestDataLoader(loader.store))
    return model
