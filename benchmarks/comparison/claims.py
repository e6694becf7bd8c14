"""What the paper claims, set against differences that were measured on graphs with pictures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from comparison.ablations import WHOLE
from comparison.entries import Entry
from comparison.paired import Difference
from comparison.picture_graphs import INTERVALS, KINDS, compare
from comparison.table import Table
from comparison.table_rows import BUNDLED, PICTURE_GRAPHS, TUNED


class Claim(NamedTuple):
    """That one row is better than another."""

    says: str
    better: str
    worse: str


OF_PARTS = (
    Claim("pictures help", WHOLE, "without pictures"),
    Claim("text helps", WHOLE, "without text"),
    Claim("structure helps", WHOLE, "without structure"),
    Claim("aligned features are better (CMoA)", WHOLE, "without CMoA"),
    Claim("the gate and the attention help (CGuAF)", WHOLE, "without CGuAF"),
    Claim("completed pictures beat random ones (LvMC)", "pictures retrieved", "pictures at random"),
    Claim("completed pictures beat none (LvMC)", "pictures retrieved", WHOLE),
)
"""Claims of Table 2, between its rows."""
OF_SYSTEMS = (
    Claim("it is better than AdaMF-MAT, the best baseline there", WHOLE, "AdaMF-MAT"),
    Claim("it is better than RotatE", WHOLE, "RotatE"),
    Claim("features help its own interaction", WHOLE, "ComplEx"),
    Claim("pictures help it", WHOLE, "LBMKGC without pictures"),
    Claim("text helps it", WHOLE, "LBMKGC without text"),
)
"""Claims of Table 1, between its rows."""
EXPLAINED = (
    "Each claim of the paper is a difference of MRR between two rows of the tables above, and "
    f"{INTERVALS} It *holds* where a difference has a star and is positive, on all relations or on "
    "perceptual ones alone; the *opposite* holds where it is negative; without a star it is *not "
    "shown*, which is no proof of the contrary. LvMC itself, pictures drawn for an entity, needs "
    "weights that were not at hand: *retrieved* is the picture nearest to the text. "
    f"Claims of parts are about {WHOLE} in the paper's form (Table 2), claims of systems about the "
    "rows of Table 1."
)


def claims_table(table1: Sequence[Entry], table2: Sequence[Entry]) -> Table:
    """Return each claim whose two rows have two seeds in common, on each graph."""
    parts = {entry.name: entry for entry in table2}
    rows = _rows(OF_PARTS, parts, BUNDLED, "part")
    for graph in PICTURE_GRAPHS:
        systems = {
            entry.name: entry for entry in table1 if (entry.dataset, entry.mode) == (graph, TUNED)
        }
        rows += _rows(OF_SYSTEMS, systems, graph, "system")
    header = ("claim", "of a", "graph", "rows", "all relations", KINDS[0], "verdict")
    return Table("Which claims of the paper hold on real pictures", header, rows, EXPLAINED)


def _rows(
    claims: Sequence[Claim], entries: Mapping[str, Entry], graph: str, what: str
) -> list[tuple[str, ...]]:
    rows = []
    for says, better, worse in claims:
        if better not in entries or worse not in entries:
            continue
        every, perceptual = (
            compare(entries[better], entries[worse], kind) for kind in ("", KINDS[0])
        )
        if every is not None and perceptual is not None:
            cells = (f"{better} – {worse}", str(every), str(perceptual))
            rows.append((says, what, graph, *cells, verdict(every, perceptual)))
    return rows


def verdict(every: Difference, perceptual: Difference) -> str:
    """Return what two differences say of a claim that they are positive."""
    places = {"all relations": every, f"{KINDS[0]} relations": perceptual}
    found = {name: d.mean > 0 for name, d in places.items() if d.significant}
    if not found:
        return "not shown"
    if len(set(found.values())) == 2:
        return " but ".join(f"{_said(up)} on {name}" for name, up in found.items())
    said = _said(next(iter(found.values())))
    return said if len(found) == 2 else f"{said} on {next(iter(found))}"


def _said(positive: bool) -> str:
    return "holds" if positive else "the opposite"
