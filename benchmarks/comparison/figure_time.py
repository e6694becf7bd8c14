"""Figure 9 anew: how long a training step takes, by system."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from openke.runtime.files import write_whole

NEGATIVES = 16
"""Those of each triple that are shown, where a system was timed with as many."""


def draw_time(path: Path, source: Path) -> None:
    """Draw a step of each system in ``speed_training.json``, by this project and in plain PyTorch.

    Raises
    ------
    FileNotFoundError
        Nothing was timed yet.
    """
    import matplotlib.pyplot as plt  # late: it takes a second, which --help need not wait for
    from matplotlib.ticker import ScalarFormatter

    if not source.is_file():
        raise FileNotFoundError(f"{source}: run benchmarks/speed_training.py first")
    content = json.loads(source.read_text(encoding="utf-8"))
    rows = _shown(content)
    plt.switch_backend("agg")
    figure, axis = plt.subplots(figsize=(7, 0.9 + 0.32 * len(rows)), layout="constrained")
    places = range(len(rows), 0, -1)
    own = [1000 * row["seconds"] for row in rows]
    plain = [1000 * row["plain_seconds"] for row in rows]
    axis.hlines(places, own, plain, color="0.8", zorder=0)
    axis.plot(own, places, "o", color="C0", label="this project")
    axis.plot(plain, places, "x", color="C7", label="plain PyTorch")
    for place, value in zip(places, own, strict=True):
        axis.annotate(f"{value:.0f}", (value, place), xytext=(0, 5), **_small("center"))
    axis.set_xscale("log")
    axis.set_yticks(
        places, [f"{row['work']}, {row['size']:,} negatives" for row in rows], fontsize=8
    )
    axis.set_ylim(0.4, len(rows) + 0.9)
    axis.xaxis.set_major_formatter(ScalarFormatter())
    axis.set_xlabel("milliseconds a step, logarithmic", fontsize=9)
    axis.grid(alpha=0.3, axis="x")
    axis.legend(fontsize=8)
    axis.set_title(f"{content['title']}\n{_machine(content)}", fontsize=9)
    write_whole(path, lambda stream: figure.savefig(stream, dpi=120, format="png"))
    plt.close(figure)


def _shown(content: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """Return one row of each system, by time."""
    chosen: dict[str, Mapping[str, Any]] = {}
    for row in content["rows"]:
        known = chosen.get(row["work"])
        if known is None or abs(row["size"] - NEGATIVES) < abs(known["size"] - NEGATIVES):
            chosen[row["work"]] = row
    return sorted(chosen.values(), key=lambda row: float(row["seconds"]))


def _machine(content: Mapping[str, Any]) -> str:
    made = content["environment"]
    return f"{made.get('processor') or made.get('machine', 'CPU')}, {content['threads']} threads"


def _small(align: str) -> dict[str, Any]:
    return {"textcoords": "offset points", "fontsize": 7, "ha": align}
