"""The plots beside the page, as PNG."""

from __future__ import annotations

from collections.abc import Sequence
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lbmkgc_models.features.optional_packages import extra
from lbmkgc_models.features.report.coverage import CLASSES, Coverage
from openke.runtime.files import write_whole

COLOURS = {
    "both": "#1b7f79",
    "generated": "#d9822b",
    "text": "#4f6fc4",
    "image": "#a2559c",
    "none": "#9aa0a6",
}
"""Of the classes of coverage, on the page too; told apart also by the colour-blind."""
MAP = "viridis"

Matrix = NDArray[np.float32]


def limits(matrices: Sequence[Matrix]) -> tuple[float, float]:
    """Return one colour scale for all matrices: but a hundredth of all cosines lie within."""
    low, high = np.quantile(np.concatenate([each.ravel() for each in matrices]), [0.005, 0.995])
    return float(low), float(max(high, low + 1e-6))


def matrix_png(matrix: Matrix, scale: tuple[float, float]) -> bytes:
    """Return a matrix as a picture, a pixel an entry, nothing around it."""
    content = BytesIO()
    extra("matplotlib.image").imsave(
        content, matrix, vmin=scale[0], vmax=scale[1], cmap=MAP, format="png"
    )
    return content.getvalue()


def scale_png() -> bytes:
    """Return the colour scale from low to high, one pixel high."""
    return matrix_png(np.linspace(0, 1, 256, dtype=np.float32)[None], (0.0, 1.0))


def save_coverage(path: Path, rows: Sequence[Coverage], dataset: str) -> None:
    """Draw shares of entities by class, a bar a group."""
    figure = _figure(8, 1.3 + 0.5 * len(rows))
    axes = figure.subplots()
    left = np.zeros(len(rows))
    for name, title in CLASSES.items():
        shares = np.array([100 * row.share(name) for row in rows])
        if shares.any():
            axes.barh([row.group for row in rows], shares, left=left, color=COLOURS[name])
            axes.plot([], [], "s", color=COLOURS[name], label=title)
        left += shares
    axes.invert_yaxis()
    axes.set(xlim=(0, 100), xlabel="share of entities, %", title=f"{dataset}: modalities")
    figure.legend(loc="outside lower center", ncols=3, frameon=False)
    _save(figure, path)


def save_matrices(
    path: Path, matrices: Sequence[tuple[str, Matrix]], scale: tuple[float, float]
) -> None:
    """Draw similarity matrices side by side on one colour scale."""
    figure = _figure(5 * len(matrices), 4.4)
    axes = figure.subplots(1, len(matrices), squeeze=False)
    for place, (title, matrix) in zip(axes[0], matrices, strict=True):
        drawn = place.imshow(matrix, vmin=scale[0], vmax=scale[1], cmap=MAP)
        place.set(title=title, xlabel="text of entity", ylabel="picture of entity")
    figure.colorbar(drawn, ax=axes, label="cosine")
    _save(figure, path)


def _figure(width: float, height: float) -> Any:
    # Not through pyplot, whose choice of a screen belongs to whoever calls.
    return extra("matplotlib.figure").Figure(figsize=(width, height), layout="constrained")


def _save(figure: Any, path: Path) -> None:
    content = BytesIO()
    # Without the version of the library, so that the same features draw the same file.
    figure.savefig(content, format="png", dpi=120, bbox_inches="tight", metadata={"Software": None})
    write_whole(path, lambda stream: stream.write(content.getvalue()))
