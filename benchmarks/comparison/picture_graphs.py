"""The graphs with pictures in the results: by kind of relation, and what is better than what."""

from __future__ import annotations

import statistics
from collections.abc import Sequence

from comparison.entries import Entry, with_other_features
from comparison.paired import Difference, crossed_difference, paired_difference
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
    f"Texts are labels. Settings are those of {BUNDLED}; only the epochs were chosen here, those "
    "of PairRE with more patience.",
}
MEASURED = (
    "Filtered test, realistic ranks, %; mean ± standard deviation over seeds. The answer to a "
    "*perceptual* relation is what a picture of the head may show. Seconds are those of training "
    "one seed, mostly on one core of a CPU. Rows are by MRR. Sees: what a row reads beside the "
    "triples. A + behind epochs: valid was best at the last that the settings allow, so that more "
    "might be better."
)
SEARCHED = (
    "Trials: those of `tune.py`, by MRR on valid, which began with settings chosen by hand; rows "
    "without a number still have these. Rows have as many trials each, but not as many epochs: a "
    "row's file says how many at most. LBMKGC without something has LBMKGC's settings, MMKRL with "
    "noise has MMKRL's."
)
INTERVALS = (
    "its 95 % interval, a star where that leaves out zero: in [square] brackets over seeds and "
    "test triples; in (round) ones over seeds alone, where tests left no ranks, so that with other "
    "questions its star may go. Each test triple counts as a question by itself, though many are "
    "about one country or emoji: the true intervals are somewhat wider."
)
OTHER_FEATURES = (
    "{rows} saw features with other checksums than the other rows with features: made apart from "
    "those, and an encoder rounds otherwise on another kind of processor. Results do not say how "
    "far apart they are: a difference between the two groups may be of the features, too."
)
COMPARED = (
    f"Mean difference of MRR over the same seeds, and {INTERVALS} With as many comparisons as "
    "here, one star in twenty rows without a difference is chance."
)


def picture_tables(entries: Sequence[Entry], graph: str, known: Sequence[str] = ()) -> list[Table]:
    """Return the tables of a graph's tuned rows; none where there are no results.

    Which of the ``known`` models have no row is said.
    """
    found = best_first(entries, graph)
    if not found:
        return []
    tables = [_measured(found, graph, known)]
    compared = _compared(found, graph)
    return [*tables, compared] if compared.rows else tables


def best_first(entries: Sequence[Entry], graph: str) -> list[Entry]:
    """Return a graph's tuned rows by their mean MRR."""
    found = [entry for entry in entries if (entry.dataset, entry.mode) == (graph, TUNED)]
    return sorted(found, key=lambda entry: -statistics.mean(entry.metric("mrr")))


def _measured(entries: Sequence[Entry], graph: str, known: Sequence[str]) -> Table:
    searched = any(entry.trials for entry in entries)
    rows = [
        (
            *(entry.name, entry.sees, spread(entry.metric("mrr"))),
            *(spread(entry.of_kind(kind)) for kind in KINDS),
            *(spread(entry.metric(f"hits@{k}")) for k in (1, 10)),
            *(str(len(entry.runs)), entry.shown_epochs),
            f"{statistics.mean(entry.values(lambda run: run['seconds'])):.0f}",
            *((str(entry.trials or "–"),) if searched else ()),
        )
        for entry in entries
    ]
    header = ("model", "sees", "MRR", *KINDS, "Hits@1", "Hits@10", "seeds", "epochs", "seconds")
    absent = [name for name in known if name not in {entry.name for entry in entries}]
    note = f"{WHAT[graph]} {MEASURED}"
    if others := with_other_features(entries):
        note += f" {OTHER_FEATURES.format(rows=', '.join(others))}"
    note += f" Not run: {', '.join(absent)}." if absent else ""
    if not searched:
        return Table(graph, header, rows, note)
    return Table(graph, (*header, "trials"), rows, f"{note} {SEARCHED}")


def _compared(entries: Sequence[Entry], graph: str) -> Table:
    """Return the differences of each row from the references, over all relations and each kind."""
    references = [entry for name in REFERENCES for entry in entries if entry.name == name]
    header = ["model"]
    for reference in references:
        header += [f"over {reference.name}", *KINDS]
    rows = []
    for entry in entries:
        cells = []
        for reference in references:
            cells += [difference(entry, reference, kind) for kind in ("", *KINDS)]
        if any(cell != "–" for cell in cells):
            rows.append((entry.name, *cells))
    return Table(f"{graph}: differences", header, rows, COMPARED)


def difference(entry: Entry, reference: Entry, kind: str = "") -> str:
    """Return how much higher a row's MRR is over the same seeds, of all or a kind of relations."""
    found = None if entry is reference else compare(entry, reference, kind)
    return "–" if found is None else str(found)


def compare(entry: Entry, reference: Entry, kind: str = "") -> Difference | None:
    """Return the difference over the seeds that both have; None below two of these.

    Over questions, too, where there are the ranks of all of these, else over seeds alone.
    """
    own, other = entry.by_seed(kind), reference.by_seed(kind)
    seeds = own.keys() & other.keys()
    if seeds <= entry.ranks.keys() & reference.ranks.keys():
        return crossed_difference(entry.by_question(kind), reference.by_question(kind))
    return paired_difference(own, other)
