"""Figure 6 anew: aligned features, and completed ones, in systems that are not LBMKGC."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from comparison.ablations import FEATURES
from comparison.completed_pictures import ALIGNED, RANDOM, RETRIEVED, make_features
from comparison.entries import Entry, read_entries
from comparison.figures.canvas import SMALL, open_canvas, save
from comparison.figures.two_panels import TITLES, Shown, cells, panels, seeds_of
from comparison.runs import Bench, run_row
from comparison.table import Table
from comparison.table_rows import BUNDLED, TUNED, Row
from comparison.variants import variant
from openke.datasets.search import find_dataset

FOLDER = "figure6"
"""Of results."""
MADE_BY = "figures.py --figure 6 --run"
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
        variant(system, f"{system} {kind}", {"features.folder": (FEATURES / kind).as_posix()})
        for kind in MADE
        for system in SYSTEMS
    ]


def run(seeds: Sequence[int], bench: Bench) -> None:
    """Make the features, and do what is missing of the rows."""
    directory = find_dataset(BUNDLED)
    make_features(directory / "features", FEATURES, str(directory))
    for row in rows():
        run_row(row, seeds, bench)


def shown(results: Path) -> Shown:
    """Return what is drawn of the results there are; of Table 1 as many seeds as of the others.

    Raises
    ------
    FileNotFoundError
        There are none.
    """
    own = read_entries(results / FOLDER, {}, made_by=MADE_BY)
    seeds = max(len(entry.runs) for entry in own)
    found = {entry.name: entry for entry in own}
    for entry in read_entries(results / "table1", {}):
        if (entry.dataset, entry.mode) == (BUNDLED, TUNED):
            found[f"{entry.name} {ENCODED}"] = replace(entry, runs=entry.runs[:seeds])
    return panels({system: _of(system, found) for system in SYSTEMS})


def _of(system: str, found: dict[str, Entry]) -> dict[str, Entry]:
    """Return entries by kind, none where there is nothing to compare with."""
    by_kind = {kind: found[name] for kind in KINDS if (name := f"{system} {kind}") in found}
    return by_kind if by_kind.keys() & set(MADE) else {}


def draw(path: Path, numbers: Shown) -> None:
    """Draw the mean of seeds, a group a system."""
    figure, axes = open_canvas(len(numbers), 10, 4.4)
    for axis, (panel, systems) in zip(axes, numbers.items(), strict=True):
        known = [kind for kind in KINDS if any(kind in by_kind for by_kind in systems.values())]
        for index, kind in enumerate(known):
            for place, by_kind in enumerate(systems.values()):
                if kind not in by_kind:
                    continue
                at = place + 0.2 * (index - (len(known) - 1) / 2)
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
        axis.set_title(TITLES[panel], fontsize=10)
    axes[0].set_ylabel("MRR on test, %")
    marks = axes[0].get_legend_handles_labels()
    figure.legend(*marks, loc="outside lower center", fontsize=9, ncols=len(KINDS))
    figure.suptitle(f"{BUNDLED}, {seeds_of(numbers)}: pictures and texts of other systems")
    save(figure, path, numbers)


def table(numbers: Shown) -> Table:
    """Return the same numbers."""
    title = "Figure 6: aligned and completed features in other systems"
    return Table(title, ["MRR, %", *KINDS], cells(numbers, KINDS), EXPLAINED)
