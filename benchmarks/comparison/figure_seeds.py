"""Figure 7 anew: what another seed changes, one panel a data set."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from pathlib import Path

from comparison.entries import Entry
from comparison.table_rows import KNOWN_DATASETS, TUNED
from openke.runtime.files import write_whole

METRICS = {"mrr": "MRR", "hits@1": "Hits@1", "hits@3": "Hits@3", "hits@10": "Hits@10"}
BOX_FROM = 5
"""Seeds from which a box says more than its points."""


def draw_seeds(path: Path, entries: Sequence[Entry], model: str) -> None:
    """Draw each metric of a model's tuned rows, a point a seed, and a box from five seeds on.

    Raises
    ------
    ValueError
        No results of the model with two seeds or more.
    """
    import matplotlib.pyplot as plt  # late: it takes a second, which --help need not wait for

    plt.switch_backend("agg")
    found = [
        entry
        for dataset in KNOWN_DATASETS
        for entry in entries
        if (entry.name, entry.dataset, entry.mode) == (model, dataset, TUNED)
        and len(entry.runs) > 1
    ]
    if not found:
        raise ValueError(f"no results of {model!r} with two seeds or more: run table1.py first")
    figure, axes = plt.subplots(
        *(1, len(found)),
        figsize=(2.6 * len(found) + 0.6, 3.2),
        sharey=True,
        squeeze=False,
        layout="constrained",
    )
    for axis, entry in zip(axes[0], found, strict=True):
        for place, metric in enumerate(METRICS):
            values = entry.metric(metric)
            center = statistics.mean(values)
            moved = [value - center for value in values]
            if len(values) >= BOX_FROM:
                axis.boxplot(moved, positions=[place], widths=0.5, showfliers=False)
            axis.plot([place] * len(moved), moved, "o", color="C0", alpha=0.7, markersize=5)
        labels = [
            f"{name}\n{statistics.mean(entry.metric(metric)):.1f}"
            for metric, name in METRICS.items()
        ]
        axis.set_xticks(range(len(METRICS)), labels, fontsize=8)
        axis.axhline(0, color="0.8", linewidth=0.8, zorder=0)
        axis.set_title(f"{entry.dataset}, {len(entry.runs)} seeds", fontsize=10)
        axis.grid(alpha=0.3, axis="y")
        axis.set_xlim(-0.6, len(METRICS) - 0.4)
    widest = max(abs(limit) for limit in axes[0][0].get_ylim())
    axes[0][0].set_ylim(-widest, widest)
    axes[0][0].set_ylabel("difference from the mean, points")
    figure.suptitle(f"{model} on test: the mean of each metric (%), and each seed", fontsize=10)
    write_whole(path, lambda stream: figure.savefig(stream, dpi=120, format="png"))
    plt.close(figure)
