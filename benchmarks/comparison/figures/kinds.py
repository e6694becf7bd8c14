"""Table 1 on the graphs with pictures, as a picture: each row's MRR by kind of relation."""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence
from pathlib import Path

from comparison.entries import NOTHING, Entry, read_entries, read_paper
from comparison.figures.canvas import SMALL, open_canvas, save
from comparison.picture_graphs import KINDS, best_first
from comparison.table_rows import PICTURE_GRAPHS

MARKS = dict(zip(KINDS, (("o", "C1"), ("s", "C0")), strict=True))
APART = 0.15
"""How far the two marks of a row are from its middle, that none hides the other."""
Row = tuple[str, Mapping[str, float], int]
"""A row's label, the mean MRR of each kind in percent, and how many seeds it is of."""
Shown = Mapping[str, Sequence[Row]]
"""By graph its rows, best first."""


def shown(results: Path) -> Shown:
    """Return what is drawn of the results there are."""
    return of_entries(read_entries(results / "table1", read_paper()))


def of_entries(entries: Sequence[Entry]) -> Shown:
    """Return what is drawn of the tuned rows among these; a graph without any is left out."""
    panels = {}
    for graph in PICTURE_GRAPHS:
        if found := best_first(entries, graph):
            panels[graph] = [_row(entry) for entry in found]
    return panels


def _row(entry: Entry) -> Row:
    means = {kind: statistics.mean(entry.of_kind(kind)) for kind in KINDS}
    sees = f" ({entry.sees})" if entry.sees != NOTHING else ""
    return f"{entry.name}{sees}", means, len(entry.runs)


def draw(path: Path, numbers: Shown) -> None:
    """Draw a panel a graph, with rows from top to bottom and a mark a kind."""
    most = max(len(rows) for rows in numbers.values())
    figure, axes = open_canvas(len(numbers), 5.6 * len(numbers), 1.3 + 0.25 * most)
    for axis, (graph, rows) in zip(axes, numbers.items(), strict=True):
        for place, (_, means, seeds) in enumerate(rows):
            if place % 2 == 0:
                axis.axhspan(place - 0.5, place + 0.5, color="0.95", zorder=0)
            places = [place - APART, place + APART]
            axis.plot([*means.values()], places, "-", color="0.6", linewidth=1)
            for (kind, mean), beside in zip(means.items(), places, strict=True):
                mark, color = MARKS[kind]
                face = color if seeds > 1 else "white"
                axis.plot(mean, beside, mark, color=color, markerfacecolor=face, markersize=5)
        axis.set_yticks(range(len(rows)), [name for name, *_ in rows], fontsize=SMALL)
        axis.set_ylim(most - 0.5, -0.5)
        axis.set_title(graph, fontsize=10)
        axis.set_xlabel("MRR on test, %")
        axis.grid(alpha=0.4, axis="x")
    handles = [
        axes[0].plot([], [], mark, color=color, label=f"{kind} relations")[0]
        for kind, (mark, color) in MARKS.items()
    ]
    handles += axes[0].plot([], [], "o", color="0.4", markerfacecolor="white", label="one seed")
    figure.legend(handles=handles, loc="outside lower center", fontsize=SMALL, ncols=len(handles))
    figure.suptitle(
        "Graphs with pictures: MRR of each row by kind of relation, best of all relations first",
        fontsize=11,
    )
    save(figure, path, numbers)
