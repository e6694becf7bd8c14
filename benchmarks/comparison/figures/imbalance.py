"""Figure 5 anew: how many entities have a description, and how many a picture."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

from comparison.figures.canvas import open_canvas, save, write_beside
from comparison.runs import Bench
from comparison.table_rows import KNOWN_DATASETS
from lbmkgc_models.feature_store.labels import read_labels
from lbmkgc_models.feature_store.store import ModalFeatures
from openke.datasets.search import find_dataset
from openke.runtime.files import write_text
from openke.runtime.json_text import read_json_file

FOLDER = "figure5"
"""Of results."""
DESCRIBED, PICTURED = "a description", "a picture"
GROUPS = {DESCRIBED: "C1", PICTURED: "C0"}
"""What an entity may have, and its color."""
Shown = Mapping[str, Mapping[str, float]]
"""By data set the percent of entities that have something, what there is none of left out."""


def run(seeds: Sequence[int], bench: Bench) -> None:
    """Count in every data set that is found."""
    for dataset in KNOWN_DATASETS:
        try:
            directory = find_dataset(dataset, bench.data)
        except ValueError as error:
            print(f"left out: {error}", flush=True)
            continue
        counts = json.dumps({"dataset": dataset, **count(directory)}, indent=1)
        write_text(bench.results / f"{dataset}.json", f"{counts}\n")


def count(directory: Path) -> dict[str, int]:
    """Return how many entities there are, and how many have a description and a picture."""
    labels = read_labels(directory)
    counts = {
        "entities": len(labels),
        DESCRIBED: sum(bool(label.description) for label in labels),
    }
    pictures = directory / "features" / "image"
    if pictures.is_dir():
        names = [label.name for label in labels]
        counts[PICTURED] = int(ModalFeatures.load(pictures, names).has.sum())
    return {name: found for name, found in counts.items() if found}


def shown(results: Path) -> Shown:
    """Return what is drawn.

    Raises
    ------
    FileNotFoundError
        Nothing was counted.
    """
    found = {}
    for dataset in KNOWN_DATASETS:
        path = results / FOLDER / f"{dataset}.json"
        if path.is_file():
            counts = read_json_file(path)
            entities = counts["entities"]
            found[f"{dataset}\n{entities:,} entities"] = {
                name: 100 * counts[name] / entities for name in GROUPS if name in counts
            }
    if not found:
        raise FileNotFoundError(
            f"nothing in {results / FOLDER}: run benchmarks/figures.py --figure 5 --run first"
        )
    return found


def draw(path: Path, numbers: Shown) -> None:
    """Draw a bar for each data set and what its entities may have."""
    figure, (axis,) = open_canvas(1, 8, 1.4 + 0.55 * len(numbers))
    for place, shares in enumerate(numbers.values()):
        for index, (name, color) in enumerate(GROUPS.items()):
            at, share = place + 0.38 * (index - 0.5), shares.get(name)
            if share is None:
                write_beside(axis, "none", 0, at, color=color)
                continue
            axis.barh(at, share, 0.34, color=color)
            write_beside(axis, f"{share:.0f} %", share, at, color=color)
    for name, color in GROUPS.items():
        axis.plot([], [], "s", color=color, label=name)
    axis.set_yticks(range(len(numbers)), [*numbers])
    axis.invert_yaxis()
    axis.set_xlim(0, 110)
    axis.set_xlabel("entities that have it, %")
    axis.grid(alpha=0.3, axis="x")
    figure.legend(loc="outside lower center", ncols=len(GROUPS), frameon=False)
    figure.suptitle("What entities have beside a name; where there is none, none was at hand")
    save(figure, path, numbers)
