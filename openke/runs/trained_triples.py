"""The triples that a run was trained on."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from openke.data.store import TripleStore
from openke.datasets.search import find_dataset
from openke.runs.saved import Saved


def find_triples(folder: Path, saved: Saved, data: Path | None) -> tuple[TripleStore, TripleStore]:
    """Return the triples of a run's data set, and those of them that it was trained on.

    Raises
    ------
    FileNotFoundError
        The data set is not there.
    ValueError
        It has other triples than in training.
    """
    trained = saved["data"]
    directory = trained.get("directory")
    if data is not None or directory is None or not Path(directory).is_dir():
        directory = find_dataset(trained["name"], data)
    whole = TripleStore.open(directory)
    store = trained_on(whole, saved)
    if store.fingerprint != trained["fingerprint"]:
        raise ValueError(
            f"{folder}: was trained on other triples than {directory} holds: give the data set of "
            "that time by --data"
        )
    return whole, store


def trained_on(whole: TripleStore, saved: Mapping[str, Any]) -> TripleStore:
    """Return what a run trained on, of the triples of its data set."""
    loader = saved["loader"]
    held_out = loader.get("hold_out")
    return whole.hold_out(held_out, loader["seed"]) if held_out else whole
