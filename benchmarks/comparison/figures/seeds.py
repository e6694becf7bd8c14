"""Figure 7 anew: what another seed changes, one panel a data set."""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence
from pathlib import Path

from comparison.entries import read_entries, read_paper
from comparison.figures.canvas import SMALL, open_canvas, save
from comparison.table_rows import KNOWN_DATASETS, TUNED

MODEL = "LBMKGC"
METRICS = {"mrr": "MRR", "hits@1": "Hits@1", "hits@3": "Hits@3", "hits@10": "Hits@10"}
BOX_FROM = 5
"""Seeds from which a box says more than its points."""
Shown = Mapping[str, Mapping[str, Sequence[float]]]
"""By data set and metric the value of each seed, in percent."""


def shown(results: Path, model: str = MODEL) -> Shown:
    """Return what is drawn of a model's tuned rows that have two seeds or more.

    Raises
    ------
    ValueError
        There are none.
    """
    entries = read_entries(results / "table1", read_paper())
    found = {
        dataset: {metric: entry.metric(metric) for metric in METRICS}
        for dataset in KNOWN_DATASETS
        for entry in entries
        if (entry.name, entry.dataset, entry.mode) == (model, dataset, TUNED)
        and len(entry.runs) > 1
    }
    if not found:
        raise ValueError(f"no results of {model!r} with two seeds or more: run table1.py first")
    return found


def draw(path: Path, numbers: Shown, model: str = MODEL) -> None:
    """Draw each metric, a point a seed, and a box from five seeds on."""
    figure, axes = open_canvas(len(numbers), 2.6 * len(numbers) + 0.6, 3.4, sharey=True)
    for axis, (dataset, metrics) in zip(axes, numbers.items(), strict=True):
        for place, values in enumerate(metrics.values()):
            center = statistics.mean(values)
            moved = [value - center for value in values]
            if len(values) >= BOX_FROM:
                quiet = {"color": "0.5"}
                axis.boxplot(
                    moved,
                    positions=[place],
                    widths=0.5,
                    showfliers=False,
                    boxprops=quiet,
                    whiskerprops=quiet,
                    capprops=quiet,
                    medianprops={"color": "C1"},
                )
            axis.plot([place] * len(moved), moved, "o", color="C0", alpha=0.7, markersize=5)
        labels = [
            f"{METRICS[metric]}\n{statistics.mean(values):.1f} %"
            for metric, values in metrics.items()
        ]
        axis.set_xticks(range(len(labels)), labels, fontsize=SMALL)
        axis.axhline(0, color="0.8", linewidth=0.8, zorder=0)
        axis.set_title(f"{dataset}, {len(metrics['mrr'])} seeds", fontsize=10)
        axis.grid(alpha=0.3, axis="y")
        axis.set_xlim(-0.6, len(labels) - 0.4)
    widest = max(abs(limit) for limit in axes[0].get_ylim())
    axes[0].set_ylim(-widest, widest)
    axes[0].set_ylabel("difference from the mean, points")
    figure.suptitle(
        f"{model} of Table 1 on test: how far each seed (dot) is from the mean of all, written "
        "below; boxes have the quartiles",
        fontsize=10,
    )
    save(figure, path, numbers)
