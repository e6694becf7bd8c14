"""The curves of a training as one picture: its loss above, what the valid split says below."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from openke.runtime.files import write_whole
from openke.training.history import History

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

MEASURED = (
    ("valid_hits@1", "Hits@1", "tab:orange"),
    ("valid_mrr", "MRR", "tab:blue"),
    ("valid_hits@10", "Hits@10", "tab:green"),
)
"""Column, its name in the picture, colour; from the lowest line to the highest."""
CHOSEN_BY = "valid_mrr"
FEW = 20
"""Points up to which each gets a dot: a line alone hides how many there are."""


def write_curves(history: History, path: Path) -> None:
    """Write the curves of a training into a PNG, see :func:`draw_curves`; without epochs, nothing.

    Parameters
    ----------
    history
        The records of a training, see :meth:`.Trainer.run`.
    path
        The picture, replaced whole.

    Raises
    ------
    OSError
        The file cannot be written.
    """
    if history.records:
        figure = draw_curves(history)
        write_whole(path, lambda stream: figure.savefig(stream, format="png"))


def draw_curves(history: History) -> Figure:
    """Draw loss and dev metrics over the epochs, of which there is one at least.

    Metrics are in percent; the epoch with the best MRR of the valid split is marked. The figure is
    made without pyplot, so a program's own figures and backend stay as they are.
    """
    from matplotlib.figure import Figure  # late: slow to load
    from matplotlib.ticker import MaxNLocator

    measured = [row for row in MEASURED if any(row[0] in record for record in history.records)]
    panels = 2 if measured else 1
    figure = Figure(figsize=(7, 2.6 * panels), dpi=120, layout="constrained")
    axes = list(figure.subplots(panels, 1, sharex=True, squeeze=False)[:, 0])
    _draw(axes[0], history, "loss", "tab:gray")
    axes[0].set_ylabel("mean training loss")
    if measured:
        for column, name, colour in measured:
            _draw(axes[1], history, column, colour, scale=100)
            axes[1].lines[-1].set_label(name)
        _name_lines(axes[1])
        axes[1].set_ylabel("valid split, %")
        axes[1].set_ylim(bottom=0)
        _mark_best(axes, history)
    axes[-1].set_xlabel("epoch")
    last = int(history.records[-1]["epoch"])
    for each in axes:
        each.grid(alpha=0.3)
        each.spines[["top", "right"]].set_visible(False)
        each.xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))
        each.set_xlim(0.5, last + 0.5)
    return figure


def _draw(axes: Axes, history: History, column: str, colour: str, scale: float = 1) -> None:
    rows = [record for record in history.records if column in record]
    axes.plot(
        [record["epoch"] for record in rows],
        [scale * record[column] for record in rows],
        color=colour,
        marker="o" if len(rows) <= FEW else "",
        markersize=4,
    )


def _name_lines(axes: Axes) -> None:
    """Write the names of the lines behind their last points, apart where these are close."""
    top = axes.get_ylim()[1]
    apart = 0.09 * top
    heights = [float(np.asarray(line.get_ydata())[-1]) for line in axes.lines]
    order = sorted(range(len(heights)), key=heights.__getitem__)
    for below, above in pairwise(order):
        heights[above] = max(heights[above], heights[below] + apart)
    heights[order[-1]] = min(heights[order[-1]], top)
    for above, below in pairwise(reversed(order)):
        heights[below] = min(heights[below], heights[above] - apart)
    for line, height in zip(axes.lines, heights, strict=True):
        axes.annotate(
            str(line.get_label()),
            (1.01, height),
            xycoords=axes.get_yaxis_transform(),
            color=line.get_color(),
            va="center",
            annotation_clip=False,
        )


def _mark_best(axes: Sequence[Axes], history: History) -> None:
    best = history.best(CHOSEN_BY)
    if best is None:
        return
    for each in axes:
        each.axvline(best["epoch"], color="tab:blue", linestyle=":", linewidth=1.2)
    axes[0].set_title(
        f"best epoch: {best['epoch']:.0f} of {len(history.records)}, "
        f"MRR {100 * best[CHOSEN_BY]:.2f} %",
        fontsize=10,
        color="tab:blue",
        loc="left",
    )
