"""Figure 3 anew: what is left when a share of the pictures is dropped, by what replaces them."""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from comparison.ablations import WHOLE
from comparison.completed_pictures import ALIGNED, RANDOM, RETRIEVED
from comparison.entries import Entry
from comparison.figures.canvas import widen, write_ends
from comparison.figures.own_runs import find, of_common_seeds, of_table2, train
from comparison.figures.two_panels import ByPlace, Shown, cells, draw_panels, panels
from comparison.runs import Bench
from comparison.table import Table
from comparison.table_rows import BUNDLED, Row
from comparison.variants import PAPERS_LBMKGC, variant

if TYPE_CHECKING:
    from matplotlib.axes import Axes

FOLDER = "figure3"
"""Of results."""
FEATURES = Path("runs/figure3/features")
"""Where features are made, from where the script is run."""
SHARES = (0, 25, 50, 75, 100)
"""Percent of the pictures that are dropped."""
SYSTEMS: Mapping[str, tuple[str, str]] = {
    "LBMKGC masks": (PAPERS_LBMKGC, ALIGNED),
    "LBMKGC retrieves": (PAPERS_LBMKGC, RETRIEVED),
    "TBKGC": ("TBKGC", ALIGNED),
    "AdaMF-MAT random": ("AdaMF-MAT", RANDOM),
}
"""By what stands for a missing picture: whose settings, and the kind of features."""
TABLE2 = {"LBMKGC masks": WHOLE, "LBMKGC retrieves": "pictures retrieved"}
"""Rows of Table 2 that are those where nothing is dropped."""
EXPLAINED = (
    f"{BUNDLED}, test: MRR, and in brackets that of perceptual relations, %, when a share of its "
    "pictures is dropped; two thirds of the entities have none from the start. Features are "
    "aligned (CMoA) on what pictures are left. LBMKGC, in the form of Table 2, *masks* what is "
    "missing, or *retrieves* the picture nearest to the text; pictures are not generated. TBKGC "
    "has the entity's vector of structure instead, AdaMF-MAT *random* features. Without any "
    "picture nothing is aligned, and LBMKGC and TBKGC read text alone. Settings are those of the "
    "rows above, epochs chosen on valid."
)


def rows() -> list[Row]:
    """Return what has to be trained, where Table 2 does not have it.

    Where every picture is gone, nothing can be retrieved.
    """
    return [
        variant(base, _name(system, share), _changes(kind, share))
        for system, (base, kind) in SYSTEMS.items()
        for share in SHARES
        if (kind, share) != (RETRIEVED, 100) and not (share == 0 and system in TABLE2)
    ]


def _name(system: str, share: int) -> str:
    return f"{system} {share}"


def _changes(kind: str, share: int) -> Mapping[str, Any]:
    if (kind, share) == (ALIGNED, 100):
        return {"features.modalities": ["text"]}
    return {"features.folder": (FEATURES / str(share) / kind).as_posix()}


def run(seeds: Sequence[int], bench: Bench) -> None:
    """Make the features, and do what is missing of the rows."""
    train(rows(), seeds, bench, {FEATURES / str(share): share / 100 for share in SHARES})


def shown(results: Path) -> Shown:
    """Return what is drawn of the results there are.

    Raises
    ------
    FileNotFoundError
        There are none.
    """
    found = find(results, FOLDER, _with_all_pictures)
    return panels({system: _of(system, found) for system in SYSTEMS})


def _with_all_pictures(results: Path) -> dict[str, Entry]:
    found = of_table2(results)
    return {_name(system, 0): found[name] for system, name in TABLE2.items() if name in found}


def _of(system: str, found: Mapping[str, Entry]) -> dict[str, Entry]:
    """Return entries of the same seeds by share."""
    names = {str(share): _name(system, share) for share in SHARES}
    return of_common_seeds({share: found[name] for share, name in names.items() if name in found})


def draw(path: Path, numbers: Shown) -> None:
    """Draw the mean of seeds by share, a line a system."""
    draw_panels(
        path, numbers, "a share of the pictures dropped, and what then stands for them", _lines
    )


def _lines(axis: Axes, systems: Mapping[str, ByPlace]) -> None:
    ends = {}
    for place, system in enumerate(SYSTEMS):
        by_share = systems.get(system)
        if not by_share:
            continue
        shares = [int(share) for share in by_share]
        means = [statistics.mean(values) for values in by_share.values()]
        axis.plot(shares, means, "o-", color=f"C{place}")
        ends[system] = (SHARES[-1], means[-1], f"C{place}")
    widen(axis)  # names keep a share of what the axis shows apart
    write_ends(axis, ends)
    axis.set_xticks(SHARES)
    axis.set_xlim(-5, 150)
    axis.set_xlabel("dropped of the pictures that there are, %")
    axis.grid(alpha=0.3)


def table(numbers: Shown) -> Table:
    """Return the same numbers."""
    header = ["MRR, %", *(f"{share} % dropped" for share in SHARES)]
    found = cells(numbers, [str(share) for share in SHARES])
    return Table("Figure 3: fewer pictures", header, found, EXPLAINED)
