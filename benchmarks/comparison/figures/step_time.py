"""Figure 9 anew: how long a training step takes, by system."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from comparison.figures.canvas import SMALL, open_rows, save, write_beside
from openke.runtime.json_text import read_json_file
from openke.runtime.words import counted

if TYPE_CHECKING:
    from matplotlib.axes import Axes

NEGATIVES = 16
"""Those of each triple that are shown, where a system was timed with as many."""
Shown = Mapping[str, Any]
"""A title, and the label and the milliseconds of each system, by this project and by PyTorch alone,
eager or compiled; and panels with a title and the milliseconds of systems by this project."""


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
    machine = _machine(content["environment"])
    return {
        "title": f"{content['title']}\n{machine}, {counted(content['threads'], 'thread')}",
        "rows": [
            [
                f"{row['work']}, {row['size']:,} negatives",
                1000 * row["seconds"],
                1000 * min(row["plain_seconds"], row["compiled_seconds"]),
            ]
            for row in _one_size_each(content["rows"])
        ],
        "panels": [
            panel(read_json_file(path))
            for name, panel in (("speed_systems", _of_all), ("speed_gpu", _on_gpu))
            if (path := results / f"{name}.json").is_file()
        ],
    }


def _of_all(content: Mapping[str, Any]) -> dict[str, Any]:
    """Return a step of each system in speed_systems.json."""
    machine, threads = _machine(content["environment"]), content["threads"]
    steps = [
        [f"{row['system']}, {row['batch']:,} queries", 1000 * row["step"]]
        for row in sorted(content["rows"], key=lambda row: float(row["step"]))
    ]
    title = f"A step against all entities of {content['dataset']}, settings as published"
    of = f"time of the processor, {machine}, {counted(threads, 'thread')}"
    return {"title": f"{title}\n{of}", "rows": steps}


def _machine(environment: Mapping[str, Any]) -> str:
    return environment.get("processor") or environment.get("machine", "CPU")


def _on_gpu(content: Mapping[str, Any]) -> dict[str, Any]:
    """Return a step of each system in speed_gpu.json, in each way that it was timed."""
    settings = content["settings"]
    steps = [
        [f"{row['model']}, {row['way']}", row["ms a step"]]
        for row in sorted(content["rows"], key=lambda row: float(row["ms a step"]))
    ]
    step = f"A training step on {settings['dataset']}, batch {settings['batch_size']}"
    title = f"{step}; d: coordinates, K: negatives\n{content['gpu']}"
    return {"title": title, "rows": steps}


def draw(path: Path, numbers: Shown) -> None:
    """Draw a step of each system by this project and in PyTorch alone, and the panels below."""
    rows, panels = numbers["rows"], numbers["panels"]
    figure, axes = open_rows([len(rows), *(len(panel["rows"]) for panel in panels)])
    _beside(axes[0], numbers["title"], rows)
    for axis, panel in zip(axes[1:], panels, strict=True):
        labels, steps = zip(*panel["rows"], strict=True)
        _labels(axis, panel["title"], labels)
        for place, step in zip(range(len(steps), 0, -1), steps, strict=True):
            axis.plot(step, place, "o", color="C0")
            write_beside(
                axis, f"{step:,.{1 if step < 1000 else 0}f}", step, place, color="C0", right=7
            )
    save(figure, path, numbers)


def _beside(axis: Axes, title: str, rows: Sequence[tuple[str, float, float]]) -> None:
    labels, own, plain = zip(*rows, strict=True)
    places = range(len(rows), 0, -1)
    axis.hlines(places, own, plain, color="0.8", zorder=0)
    axis.plot(own, places, "o", color="C0", label="this project")
    which = "PyTorch alone, the faster of eager and compiled"
    axis.plot(plain, places, "x", color="C1", markeredgewidth=2, label=which)
    for place, mine, other in zip(places, own, plain, strict=True):
        away = 7 if mine > other else -7
        write_beside(axis, f"{mine:,.0f}", mine, place, color="C0", right=away)
        write_beside(axis, f"{other:,.0f}", other, place, color="C1", right=-away)
    axis.legend(fontsize=SMALL)
    _labels(axis, title, labels)


def _labels(axis: Axes, title: str, labels: Sequence[str]) -> None:
    from matplotlib.ticker import LogLocator  # late, as of the canvas

    axis.set_xscale("log")
    axis.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    axis.margins(x=0.13)
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
