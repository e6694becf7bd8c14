"""What figures with runs of their own have in common: how these are made, and found again."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from comparison.completed_pictures import make_features
from comparison.entries import Entry, check_same_features, read_entries
from comparison.runs import Bench, choose, run_row
from comparison.table_rows import BUNDLED, Row
from openke.datasets.search import find_dataset

Borrow = Callable[[Path], Mapping[str, Entry]]
"""Reads a table's entries among results, by the names that they have in the figure."""


def train(
    rows: Iterable[Row], seeds: Sequence[int], bench: Bench, features: Mapping[Path, float]
) -> None:
    """Do what is missing of rows on the bundled graph.

    Parameters
    ----------
    rows
        What to train.
    seeds
        Those that are tested; with none, the number of epochs is chosen on valid and no more.
    bench
        Where results go.
    features
        Folders of features that the rows read, and the share of the pictures dropped in each.
    """
    directory = find_dataset(BUNDLED, bench.data)
    for folder, share in features.items():
        make_features(directory / "features", folder, str(directory), share)
    for row in rows:
        if seeds:
            run_row(row, seeds, bench)
        else:
            choose(row, bench)


def find(results: Path, folder: str, borrow: Borrow) -> dict[str, Entry]:
    """Return the entries of a figure and those that it borrows of a table, by name.

    Raises
    ------
    FileNotFoundError
        The figure has no results.
    """
    number = folder.removeprefix("figure")
    own = read_entries(results / folder, {}, made_by=f"figures.py --figure {number} --run")
    found = {**borrow(results), **{entry.name: entry for entry in own}}
    check_same_features([*found.values()])
    return found


def of_common_seeds(by_place: Mapping[str, Entry]) -> dict[str, Entry]:
    """Return entries with the seeds that all of them have; nothing where there is none."""
    seeds = [{run["seed"] for run in entry.runs} for entry in by_place.values()]
    common = set.intersection(*seeds) if seeds else set()
    return {
        place: replace(entry, runs=[run for run in entry.runs if run["seed"] in common])
        for place, entry in by_place.items()
        if common
    }


def of_table2(results: Path) -> dict[str, Entry]:
    """Return the entries of Table 2 on the bundled graph by name."""
    found = read_entries(results / "table2", {}, made_by="table2.py")
    return {entry.name: entry for entry in found if entry.dataset == BUNDLED}
