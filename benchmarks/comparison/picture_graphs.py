"""The graphs with pictures in the results: by kind of relation, and what is better than what."""

from __future__ import annotations

import statistics
from collections.abc import Sequence

from comparison.entries import Entry
from comparison.paired import paired_difference
from comparison.table import Table
from comparison.table_rows import BUNDLED, EMOJI, TUNED
from lbmkgc_models.runs.side_by_side import spread

KINDS = ("perceptual", "conceptual")
REFERENCES = ("RotatE", "LBMKGC")
"""Rows that every other is set against."""
WHAT = {
    BUNDLED: f"{BUNDLED} is the bundled graph; the paper does not have it. Texts are labels and "
    "descriptions.",
    EMOJI: f"{EMOJI} is a graph of emoji, made by `openmoji_build.py`; the paper does not have it. "
    f"Texts are labels. Settings are those of {BUNDLED}; only the epochs were chosen here.",
}
MEASURED = (
    "Filtered test, realistic ranks, %; mean ± standard deviation over seeds. The answer to a "
    "*perceptual* relation is what a picture of the head may show. Seconds are those of training "
    "one seed, mostly on one core of a CPU. Rows are by MRR. Sees: what a row reads beside the "
    "triples."
)
COMPARED = (
    "Mean difference of MRR over the same seeds, and in brackets its 95 % interval by a paired "
    "t-test; a star where that leaves out zero. With as many comparisons as here, one star in "
    "twenty rows without a difference is chance. Seeds say what another start of training "
    "changes, not what other test triples would."
)


def picture_tables(entries: Sequence[Entry], graph: str) -> list[Table]:
    """Return the tables of a graph's tuned rows; none where there are no results."""
    found = [entry for entry in entries if (entry.dataset, entry.mode) == (graph, TUNED)]
    if not found:
        return []
    found.sort(key=lambda entry: -statistics.mean(entry.metric("mrr")))
    tables = [_measured(found, graph)]
    compared = _compared(found, graph)
    return [*tables, compared] if compared.rows else tables


def _measured(entries: Sequence[Entry], graph: str) -> Table:
    rows = [
        (
            *(entry.name, entry.sees, spread(entry.metric("mrr"))),
            *(spread(entry.of_kind(kind)) for kind in KINDS),
            *(spread(entry.metric(f"hits@{k}")) for k in (1, 10)),
            *(str(len(entry.runs)), str(entry.epochs)),
            f"{statistics.mean(entry.values(lambda run: run['seconds'])):.0f}",
        )
        for entry in entries
    ]
    header = ("model", "sees", "MRR", *KINDS, "Hits@1", "Hits@10", "seeds", "epochs", "seconds")
    return Table(graph, header, rows, f"{WHAT[graph]} {MEASURED}")


def _compared(entries: Sequence[Entry], graph: str) -> Table:
    """Return the differences of each row from the references, over all and perceptual relations."""
    references = [entry for name in REFERENCES for entry in entries if entry.name == name]
    header = ["model"]
    for reference in references:
        header += [f"over {reference.name}", "perceptual"]
    rows = []
    for entry in entries:
        cells = []
        for reference in references:
            cells += [
                difference(entry, reference),
                difference(entry, reference, KINDS[0]),
            ]
        if any(cell != "–" for cell in cells):
            rows.append((entry.name, *cells))
    return Table(f"{graph}: differences", header, rows, COMPARED)


def difference(entry: Entry, reference: Entry, kind: str = "") -> str:
    """Return how much higher a row's MRR is over the same seeds, of all or a kind of relations."""
    if entry is reference:
        return "–"

    def by_seed(of: Entry) -> dict[int, float]:
        values = of.of_kind(kind) if kind else of.metric("mrr")
        return {run["seed"]: value for run, value in zip(of.runs, values, strict=True)}

    found = paired_difference(by_seed(entry), by_seed(reference))
    return "–" if found is None else str(found)
