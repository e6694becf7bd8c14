"""Where figures are drawn, and how they are saved: with a digest of the numbers they show."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from openke.runtime.files import write_whole

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

DIGEST = "Source"
"""The PNG's text that has the digest."""
SMALL = 8
"""Points of a font for what stands beside a mark or a tick."""
LINE = 0.04
"""Height of a line of small text, as a share of an axis."""
LEAST_POINTS = 3.0
"""Of MRR that an axis shows: what less would magnify is no more than another seed changes."""


def open_canvas(
    columns: int, width: float, height: float, **more: Any
) -> tuple[Figure, list[Axes]]:
    """Return a figure of so many panels side by side, and these; sizes are in inches."""
    import matplotlib.pyplot as plt  # late: it takes a second, which --help need not wait for

    plt.switch_backend("agg")
    figure, axes = plt.subplots(
        *(1, columns), figsize=(width, height), squeeze=False, layout="constrained", **more
    )
    return figure, list(axes[0])


def open_rows(lines: Sequence[int], width: float = 8) -> tuple[Figure, list[Axes]]:
    """Return a figure of panels one below the other, each as high as its lines, and these."""
    import matplotlib.pyplot as plt

    plt.switch_backend("agg")
    figure, axes = plt.subplots(
        *(len(lines), 1),
        figsize=(width, sum(1.0 + 0.32 * count for count in lines)),
        height_ratios=[3.0 + count for count in lines],
        squeeze=False,
        layout="constrained",
    )
    return figure, list(axes[:, 0])


def save(figure: Figure, path: Path, shown: Any) -> None:
    """Write a PNG of the figure, which shows these numbers."""
    import matplotlib.pyplot as plt

    about = {DIGEST: digest(shown)}
    write_whole(path, lambda stream: figure.savefig(stream, dpi=120, format="png", metadata=about))
    plt.close(figure)


def digest(shown: Any) -> str:
    """Return a SHA-256 of JSON values."""
    return hashlib.sha256(json.dumps(shown, sort_keys=True).encode()).hexdigest()


def seeds_said(counts: Iterable[int]) -> str:
    """Return how many seeds there are, of those of each mark."""
    least, most = min(found := list(counts)), max(found)
    if least == most:
        return "one seed" if most == 1 else f"{most} seeds"
    return f"{least} to {most} seeds"


def widen(axis: Axes, least: float = LEAST_POINTS) -> None:
    """Show at least so much of the y-axis, with what is drawn in its middle."""
    low, high = axis.get_ylim()
    if (more := least - (high - low)) > 0:
        axis.set_ylim(low - more / 2, high + more / 2)


def write_beside(
    axis: Axes, text: str, x: float, y: float, *, color: str = "black", right: float = 6
) -> None:
    """Write text right of a point, ``right`` points of a font away; left of it where negative."""
    axis.annotate(
        *(text, (x, y)),
        xytext=(right, 0),
        textcoords="offset points",
        ha="left" if right > 0 else "right",
        va="center",
        fontsize=SMALL,
        color=color,
    )


def write_ends(axis: Axes, ends: Mapping[str, tuple[float, float, str]]) -> None:
    """Write names right of the ends of lines, by x, y and color, none upon another."""
    low, high = axis.get_ylim()
    last = low
    for name, (x, y, color) in sorted(ends.items(), key=lambda end: end[1][1]):
        last = max(y, last + (high - low) * LINE)
        write_beside(axis, name, x, last, color=color, right=7)
