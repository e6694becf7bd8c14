"""Table 1 as a picture: the MRR of each row beside the paper's."""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from comparison.entries import Entry, Paper, read_entries, read_paper
from comparison.figures.canvas import SMALL, open_canvas, save, write_beside
from comparison.table_rows import DATASETS

LEAST = 15.0
"""Where the axis begins, in percent; what is less is written at its edge."""
APART = 0.14
"""How far the two marks of a row are from its middle, that none hides the other."""
Shown = Mapping[str, Any]
"""Rows in order; by data set and row the mean of seeds and the paper's MRR, in percent."""


def shown(results: Path) -> Shown:
    """Return what is drawn of the results there are."""
    paper = read_paper()
    return of_entries(read_entries(results / "table1", paper), paper)


def of_entries(entries: Sequence[Entry], paper: Paper) -> Shown:
    """Return what is drawn of these, in their order."""
    known = [entry for entry in entries if entry.dataset in DATASETS]
    panels = {
        dataset: {
            _label(entry): _point(entry, paper) for entry in known if entry.dataset == dataset
        }
        for dataset in DATASETS
        if any(entry.dataset == dataset for entry in known)
    }
    return {"order": list(dict.fromkeys(_label(entry) for entry in known)), "panels": panels}


def _label(entry: Entry) -> str:
    return f"{entry.name}, {entry.mode}"


def _point(entry: Entry, paper: Paper) -> tuple[float, float | None]:
    claimed = paper.get((entry.name, entry.dataset))
    return statistics.mean(entry.metric("mrr")), claimed["mrr"] if claimed else None


def draw(path: Path, numbers: Shown) -> None:
    """Draw rows from top to bottom, a panel a data set."""
    names, panels = numbers["order"], numbers["panels"]
    places = {name: len(names) - index for index, name in enumerate(names)}
    figure, axes = open_canvas(
        len(panels), 2.2 + 3.2 * len(panels), 1.2 + 0.27 * len(names), sharex=True, sharey=True
    )
    for axis, (dataset, rows) in zip(axes, panels.items(), strict=True):
        for place in list(places.values())[::2]:
            axis.axhspan(place - 0.5, place + 0.5, color="0.95", zorder=0)
        for name, (mean, claimed) in rows.items():
            place, text = places[name] + APART, f"{mean:.1f}"
            if mean < LEAST:
                axis.plot(LEAST, place, "<", color="C0", clip_on=False)
                write_beside(axis, text, LEAST, place, right=8)
            else:
                axis.plot(mean, place, "o", color="C0")
                write_beside(axis, text, mean, place, right=8)
            if claimed is not None:
                axis.plot(claimed, places[name] - APART, "x", color="C1", markeredgewidth=2)
        axis.set_title(dataset, fontsize=10)
        axis.set_xlabel("MRR on test, %")
        axis.grid(alpha=0.4, axis="x")
    axes[0].set_yticks([*places.values()], [*places], fontsize=SMALL)
    axes[0].set_ylim(0.5, len(names) + 0.5)
    most = max(mean for rows in panels.values() for mean, *_ in rows.values())
    axes[0].set_xlim(LEAST - 1.5, max(most, LEAST) + 8)
    own = axes[0].plot(
        [], [], "o", color="C0", label="this project, mean of its seeds; no mark: not run"
    )
    less = axes[0].plot([], [], "<", color="C0", label=f"less than {LEAST:.0f}")
    paper = axes[0].plot([], [], "x", color="C1", markeredgewidth=2, label="the paper's Table 1")
    figure.legend(
        handles=[*own, *less, *paper], loc="outside lower center", fontsize=SMALL, ncols=3
    )
    figure.suptitle("Table 1: MRR of each row, here and in the paper", fontsize=11)
    save(figure, path, numbers)
