"""Figures with two panels, of all relations and of perceptual ones: a value a system and place."""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence

from comparison.entries import Entry
from comparison.figures.canvas import seeds_said
from comparison.picture_graphs import KINDS
from lbmkgc_models.runs.side_by_side import spread

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
