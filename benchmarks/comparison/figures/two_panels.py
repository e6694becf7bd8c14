"""Figures with two panels, of all relations and of perceptual ones: a value a system and place."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from comparison.entries import Entry
from comparison.figures.canvas import open_canvas, save, seeds_said, widen
from comparison.picture_graphs import KINDS
from comparison.table_rows import BUNDLED
from lbmkgc_models.runs.side_by_side import spread

if TYPE_CHECKING:
    from matplotlib.axes import Axes

EVERY, PERCEPTUAL = "MRR", KINDS[0]
TITLES = {EVERY: "all relations", PERCEPTUAL: "perceptual relations"}
ByPlace = Mapping[str, Sequence[float]]
"""By place on the axis the values of seeds, in percent."""
Shown = Mapping[str, Mapping[str, ByPlace]]
"""By panel and system."""


def panels(systems: Mapping[str, Mapping[str, Entry]]) -> Shown:
    """Return what is drawn of entries by system and place."""
    read = {EVERY: Entry.metric, PERCEPTUAL: Entry.of_kind}
    return {
        panel: {
            system: {place: values(entry, panel.lower()) for place, entry in by_place.items()}
            for system, by_place in systems.items()
            if by_place
        }
        for panel, values in read.items()
    }


def draw_panels(
    path: Path,
    numbers: Shown,
    what: str,
    mark: Callable[[Axes, Mapping[str, ByPlace]], None],
    legend: int = 0,
) -> None:
    """Draw the panels beside each other.

    Parameters
    ----------
    path
        Of the PNG.
    numbers
        What is drawn.
    what
        Title, behind the graph and the number of seeds.
    mark
        Draws a panel's systems.
    legend
        How many columns a legend below the panels has; 0 for none.
    """
    figure, axes = open_canvas(len(numbers), 10, 4.4)
    for axis, (panel, systems) in zip(axes, numbers.items(), strict=True):
        mark(axis, systems)
        widen(axis)
        axis.set_title(TITLES[panel], fontsize=10)
    axes[0].set_ylabel("MRR on test, %")
    if legend:
        marks = axes[0].get_legend_handles_labels()
        figure.legend(*marks, loc="outside lower center", fontsize=9, ncols=legend)
    figure.suptitle(f"{BUNDLED}, {seeds_of(numbers)}: {what}")
    save(figure, path, numbers)


def seeds_of(numbers: Shown) -> str:
    """Return how many seeds the values are of."""
    return seeds_said(
        len(values) for by_place in numbers[EVERY].values() for values in by_place.values()
    )


def cells(numbers: Shown, places: Sequence[str]) -> list[list[str]]:
    """Return a line for each system, values of perceptual relations in brackets."""
    return [
        [
            system,
            *(
                f"{spread(by_place[place])} ({statistics.mean(perceptual[place]):.2f})"
                if place in by_place
                else "–"
                for place in places
            ),
        ]
        for system, by_place in numbers[EVERY].items()
        for perceptual in [numbers[PERCEPTUAL][system]]
    ]
