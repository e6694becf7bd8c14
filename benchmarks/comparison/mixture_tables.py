"""What mixtures are worth: on graphs with pictures by kind of relation, else beside their parts."""

from __future__ import annotations

import statistics
from pathlib import Path

from comparison.entries import Entry
from comparison.mixtures import CONTROLS, ROWS, read_mixtures
from comparison.picture_graphs import INTERVALS, KINDS, difference
from comparison.table import Table
from comparison.table_rows import HOLD_OUT, PICTURE_GRAPHS
from lbmkgc_models.runs.side_by_side import spread

EXPLAINED = (
    "Models of Table 1, each trained alone with a seed of its own, answer together: their scores "
    "are weighed for each relation, and the weights fitted to {dev}. "
)
WITH_PICTURES = (
    "*Text* is LBMKGC without "
    "pictures; *pictures* LBMKGC without text, with N3 of the structure alone. Filtered test, "
    "realistic ranks, %; mean ± standard deviation over seeds; then the mean difference of MRR "
    "from as many models of text over the same seeds, and "
    f"{INTERVALS}"
)
OF_PARTS = (
    "Filtered test, realistic ranks, %; mean ± standard deviation over seeds. *Dev* is the MRR of "
    "each half of {dev} by weights that were fitted to the other: by it mixtures are chosen. Then "
    "the same of the parts alone, in the order of their names. Sees: what a row reads beside the "
    "triples, and which texts. Gain: over the part that is best on dev."
)


def mixture_table(folder: Path, dataset: str) -> Table:
    """Return what mixtures are worth on a data set."""
    entries = read_mixtures(folder, dataset)
    if dataset in PICTURE_GRAPHS:
        return _by_kind(dataset, entries)
    return _beside_parts(dataset, entries)


def _by_kind(dataset: str, entries: list[Entry]) -> Table:
    by_name = {entry.name: entry for entry in entries}
    header = ("mixture", "MRR", *KINDS, "Hits@1", "Hits@10", "seeds", "difference", KINDS[0])
    rows = []
    for entry in entries:
        control = by_name.get(CONTROLS[len(ROWS[dataset][entry.name])])
        compared = ("–", "–")
        if control is not None:
            compared = (difference(entry, control), difference(entry, control, KINDS[0]))
        rows.append(
            (
                *(entry.name, spread(entry.metric("mrr"))),
                *(spread(entry.of_kind(kind)) for kind in KINDS),
                *(spread(entry.metric(f"hits@{k}")) for k in (1, 10)),
                *(str(len(entry.runs)), *compared),
            )
        )
    note = EXPLAINED.format(dev="valid") + WITH_PICTURES
    return Table(f"{dataset}: mixtures", header, rows, note)


def _beside_parts(dataset: str, entries: list[Entry]) -> Table:
    header = (
        *("mixture", "sees", "dev", "MRR", "Hits@1", "Hits@10", "unseen", "seeds"),
        *("parts' dev", "parts' MRR", "gain"),
    )
    rows = []
    for entry in entries:
        alone = {
            name: [
                [100 * part[name] for part in parts]
                for parts in zip(*(run["alone"] for run in entry.runs), strict=True)
            ]
            for name in ("dev_mrr", "mrr")
        }
        mrr = entry.metric("mrr")
        best = max(alone["dev_mrr"], key=statistics.mean)
        gain = statistics.mean(mrr) - statistics.mean(alone["mrr"][alone["dev_mrr"].index(best)])
        rows.append(
            (
                *(entry.name, entry.sees),
                spread(entry.values(lambda run: 100 * run["dev_mrr"])),
                *(spread(mrr), *(spread(entry.metric(f"hits@{k}")) for k in (1, 10))),
                *(spread(entry.unseen("unseen")), str(len(entry.runs))),
                *(_means(alone[name]) for name in ("dev_mrr", "mrr")),
                f"{gain:+.2f}",
            )
        )
    held_out = bool(HOLD_OUT.get(dataset))
    dev = "a tenth of train that their parts did not see" if held_out else "valid"
    short = "that tenth" if held_out else "valid"
    note = f"{EXPLAINED.format(dev=dev)}{OF_PARTS.format(dev=short)}"
    return Table(f"{dataset}: mixtures", header, rows, note)


def _means(values: list[list[float]]) -> str:
    return ", ".join(f"{statistics.mean(part):.2f}" for part in values)
