"""Figure 6 anew: aligned features, and completed ones, in systems that are not LBMKGC."""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from comparison.ablations import features_of
from comparison.completed_pictures import ALIGNED, RANDOM, RETRIEVED
from comparison.entries import Entry, read_entries
from comparison.figures.canvas import SMALL
from comparison.figures.own_runs import find, of_common_seeds, train
from comparison.figures.two_panels import ByPlace, Shown, cells, draw_panels, panels
from comparison.runs import Bench
from comparison.table import Table
from comparison.table_rows import BUNDLED, TUNED, Row
from comparison.variants import variant

if TYPE_CHECKING:
    from matplotlib.axes import Axes

FOLDER = "figure6"
"""Of results."""
SYSTEMS = ("TBKGC", "IKRL", "AdaMF", "QEB")
ENCODED = "as encoded"
MADE = (ALIGNED, RETRIEVED, RANDOM)
"""Kinds of features that are trained on here; rows of Table 1 have them as they were encoded."""
KINDS = (ENCODED, *MADE)
EXPLAINED = (
    f"{BUNDLED}, test: MRR, and in brackets that of perceptual relations, %. Pictures and texts as "
    "they were encoded (Table 1); *aligned* (CMoA); aligned, with a picture for every entity: "
    "*retrieved*, that nearest to its text, or *random*. Pictures are not generated. IKRL sees "
    "pictures alone. Settings are those of Table 1, epochs chosen on valid."
)


def rows() -> list[Row]:
    """Return what has to be trained."""
    return [
        variant(
            system,
            f"{system} {kind}",
            {"features.folder": (features_of(BUNDLED) / kind).as_posix()},
        )
        for kind in MADE
        for system in SYSTEMS
    ]


def run(seeds: Sequence[int], bench: Bench) -> None:
    """Make the features, and do what is missing of the rows."""
    train(rows(), seeds, bench, {features_of(BUNDLED): 0.0})


def shown(results: Path) -> Shown:
    """Return what is drawn of the results there are.

    Raises
    ------
    FileNotFoundError
        There are none.
    """
    found = find(results, FOLDER, _of_table1)
    return panels({system: _of(system, found) for system in SYSTEMS})


def _of_table1(results: Path) -> dict[str, Entry]:
    return {
        f"{entry.name} {ENCODED}": entry
        for entry in read_entries(results / "table1", {})
        if (entry.dataset, entry.mode) == (BUNDLED, TUNED)
    }


def _of(system: str, found: Mapping[str, Entry]) -> dict[str, Entry]:
    """Return entries of the same seeds by kind, none where there is nothing to compare with."""
    by_kind = {kind: found[name] for kind in KINDS if (name := f"{system} {kind}") in found}
    return of_common_seeds(by_kind) if by_kind.keys() & set(MADE) else {}


def draw(path: Path, numbers: Shown) -> None:
    """Draw the mean of seeds, a group a system."""
    draw_panels(
        path,
        numbers,
        "systems whose pictures and texts are as encoders made them, or else",
        _marks,
        legend=len(KINDS),
    )


def _marks(axis: Axes, systems: Mapping[str, ByPlace]) -> None:
    known = [kind for kind in KINDS if any(kind in by_kind for by_kind in systems.values())]
    for index, kind in enumerate(known):
        for place, by_kind in enumerate(systems.values()):
            if kind not in by_kind:
                continue
            at = place + 0.23 * (index - (len(known) - 1) / 2)
            values = by_kind[kind]
            mean = statistics.mean(values)
            axis.plot([at] * len(values), values, ".", color=f"C{index}", alpha=0.5)
            axis.plot(at, mean, "o", color=f"C{index}")
            axis.annotate(
                *(f"{mean:.1f}", (at, max(values))),
                xytext=(0, 6),
                textcoords="offset points",
                ha="center",
                fontsize=SMALL,
            )
        axis.plot([], [], "o", color=f"C{index}", label=kind)
    axis.set_xticks(range(len(systems)), [*systems])
    axis.set_xlim(-0.5, len(systems) - 0.5)
    axis.margins(y=0.12)
    axis.grid(alpha=0.3, axis="y")


def table(numbers: Shown) -> Table:
    """Return the same numbers."""
    title = "Figure 6: aligned and completed features in other systems"
    return Table(title, ["MRR, %", *KINDS], cells(numbers, KINDS), EXPLAINED)
