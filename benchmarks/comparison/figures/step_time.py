"""Figure 9 anew: how long a training step takes, by system."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from comparison.figures.canvas import SMALL, open_rows, save, write_beside
from openke.runtime.json_text import read_json_file

if TYPE_CHECKING:
    from matplotlib.axes import Axes

NEGATIVES = 16
"""Those of each triple that are shown, where a system was timed with as many."""
Shown = Mapping[str, Any]
"""A title, and the label and the milliseconds of each system, by this project and by PyTorch alone,
eager and compiled; of a GPU a title, and those of each system by this project."""


def shown(results: Path) -> Shown:
    """Return a step of each system in speed_training.json, by time.

    Raises
    ------
    FileNotFoundError
        Nothing was timed yet.
    """
    source = results / "speed_training.json"
    if not source.is_file():
        raise FileNotFoundError(f"{source}: run benchmarks/speed_training.py first")
    content = read_json_file(source)
    made = content["environment"]
    machine = made.get("processor") or made.get("machine", "CPU")
    return {
        **_on_gpu(results / "speed_gpu.json"),
        "title": f"{content['title']}\n{machine}, {content['threads']} threads",
        "rows": [
            [
                f"{row['work']}, {row['size']:,} negatives",
                *(1000 * row[key] for key in ("seconds", "plain_seconds", "compiled_seconds")),
            ]
            for row in _one_size_each(content["rows"])
        ],
    }


def _on_gpu(source: Path) -> dict[str, Any]:
    """Return a step of each system in speed_gpu.json, the fastest way of each kind of number."""
    if not source.is_file():
        return {}
    content = read_json_file(source)
    settings = content["settings"]
    steps = [
        [f"{row['model']}, {row['way']}", row["ms a step"]]
        for row in sorted(content["rows"], key=lambda row: float(row["ms a step"]))
    ]
    step = f"A training step on {settings['dataset']}, batch {settings['batch_size']}"
    title = f"{step}; d: coordinates, K: negatives\n{content['gpu']}"
    return {"gpu": {"title": title, "rows": steps}}


def draw(path: Path, numbers: Shown) -> None:
    """Draw a step of each system by this project and in PyTorch alone, and on a GPU below."""
    rows = numbers["rows"]
    gpu = numbers.get("gpu", {"rows": []})
    figure, axes = open_rows([len(rows), *([len(gpu["rows"])] if gpu["rows"] else [])])
    _beside(axes[0], numbers["title"], rows)
    for axis in axes[1:]:
        labels, steps = zip(*gpu["rows"], strict=True)
        _labels(axis, gpu["title"], labels)
        for place, step in zip(range(len(steps), 0, -1), steps, strict=True):
            axis.plot(step, place, "o", color="C0")
            write_beside(axis, f"{step:.1f}", step, place, color="C0", right=7)
    save(figure, path, numbers)


def _beside(axis: Axes, title: str, rows: Sequence[tuple[str, float, float, float]]) -> None:
    labels, own, eager, compiled = zip(*rows, strict=True)
    places = range(len(rows), 0, -1)
    axis.hlines(places, own, compiled, color="0.8", zorder=0)
    axis.plot(own, places, "o", color="C0", label="this project")
    axis.plot(compiled, places, "x", color="C1", markeredgewidth=2, label="PyTorch, compiled")
    axis.plot(eager, places, "|", color="C1", alpha=0.6, label="PyTorch, eager")
    for place, mine, other in zip(places, own, compiled, strict=True):
        away = 7 if mine > other else -7
        write_beside(axis, f"{mine:,.0f}", mine, place, color="C0", right=away)
        write_beside(axis, f"{other:,.0f}", other, place, color="C1", right=-away)
    axis.legend(fontsize=SMALL)
    _labels(axis, title, labels)


def _labels(axis: Axes, title: str, labels: Sequence[str]) -> None:
    axis.set_xscale("log")
    axis.margins(x=0.1)
    axis.set_yticks(range(len(labels), 0, -1), labels, fontsize=SMALL)
    axis.set_ylim(0.4, len(labels) + 0.7)
    axis.xaxis.set_major_formatter("{x:,g}")
    axis.xaxis.set_minor_formatter("")
    axis.set_xlabel("milliseconds a step, logarithmic", fontsize=9)
    axis.grid(alpha=0.3, axis="x")
    axis.set_title(title, fontsize=9)


def _one_size_each(rows: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """Return one row of each system, by time."""
    chosen: dict[str, Mapping[str, Any]] = {}
    for row in rows:
        known = chosen.get(row["work"])
        if known is None or abs(row["size"] - NEGATIVES) < abs(known["size"] - NEGATIVES):
            chosen[row["work"]] = row
    return sorted(chosen.values(), key=lambda row: float(row["seconds"]))
