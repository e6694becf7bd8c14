"""How the speed scripts measure, and how they show what they measured."""

from __future__ import annotations

import json
import math
import multiprocessing
import resource
import statistics
import sys
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any, TypeVar

import torch
from tabulate import tabulate

from openke.runtime.environment import environment
from openke.runtime.files import write_text, write_whole

RESULTS = Path(__file__).parents[1] / "results"
ACROSS = 5
"""Panels of a plot side by side."""
Found = TypeVar("Found")
APART = 1.3
"""How many times larger the next size is, at least, of one that is written below an axis."""


@dataclass(frozen=True, kw_only=True)
class SpeedSettings:
    """Options that every speed script takes."""

    threads: int = 2
    """Threads of both sides."""
    out: Path = RESULTS
    """Folder for NAME.json and NAME.png."""
    quick: bool = False
    """Fewer and smaller sizes, to see that the script runs; nothing is written."""

    def __post_init__(self) -> None:
        """Check the values."""
        if self.threads < 1:
            raise ValueError(f"--threads {self.threads}: expected at least 1")


@dataclass(frozen=True, kw_only=True)
class Measurement:
    """One piece of work at one size, by this project and by the plain implementation."""

    work: str
    size: int
    seconds: float
    plain_seconds: float
    memory_mb: float
    """What the process grew by at its peak, in MB (10^6 bytes)."""
    plain_memory_mb: float
    note: str = ""
    compiled_seconds: float | None = None
    """Of the plain implementation as ``torch.compile`` makes it, where that was measured."""

    @property
    def ratio(self) -> float:
        """How many times faster than the plain implementation, or than its faster form."""
        other = self.plain_seconds if self.compiled_seconds is None else self.compiled_seconds
        return min(self.plain_seconds, other) / self.seconds


def repeated(work: Callable[[], object], *, least: int = 3, seconds: float = 1.5) -> float:
    """Return the median duration of ``work``, in seconds, after one run that does not count."""
    work()
    durations: list[float] = []
    started = time.perf_counter()
    while len(durations) < least or time.perf_counter() - started < seconds:
        before = time.perf_counter()
        work()
        durations.append(time.perf_counter() - before)
    return statistics.median(durations)


def alone(work: Callable[..., Found], *arguments: Any, threads: int) -> tuple[Found, float]:
    """Return what ``work(*arguments)`` returns and the memory it took, run in a fresh process.

    The memory is the growth of the peak, in MB, over that of the process before the call: code and
    libraries do not count.
    """
    context = multiprocessing.get_context("spawn")  # nothing of this process's memory is inherited
    with ProcessPoolExecutor(1, mp_context=context) as pool:
        return pool.submit(_measured, work, arguments, threads).result()


def _measured(
    work: Callable[..., Found], arguments: tuple[Any, ...], threads: int
) -> tuple[Found, float]:
    torch.set_num_threads(threads)
    before = _peak_mb()
    found = work(*arguments)
    return found, _peak_mb() - before


def _peak_mb() -> float:
    status = Path("/proc/self/status")
    if status.is_file():  # Linux: what getrusage says there begins with the parent's peak
        line = next(x for x in status.read_text().splitlines() if x.startswith("VmHWM"))
        return int(line.split()[1]) * 1024 / 1e6
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / 1e6 if sys.platform == "darwin" else peak * 1024 / 1e6


def compared(
    work: str,
    size: int,
    ours: tuple[Callable[..., float], tuple[Any, ...]],
    plain: tuple[Callable[..., float], tuple[Any, ...]],
    *,
    threads: int,
    note: str = "",
    compiled: tuple[Callable[..., float], tuple[Any, ...]] | None = None,
) -> Measurement:
    """Measure all sides of one row, one after the other, and print it."""
    seconds, memory = alone(ours[0], *ours[1], threads=threads)
    plain_seconds, plain_memory = alone(plain[0], *plain[1], threads=threads)
    compiled_seconds = None
    if compiled is not None:
        compiled_seconds, _ = alone(compiled[0], *compiled[1], threads=threads)
    row = Measurement(
        work=work,
        size=size,
        seconds=seconds,
        plain_seconds=plain_seconds,
        memory_mb=memory,
        plain_memory_mb=plain_memory,
        note=note,
        compiled_seconds=compiled_seconds,
    )
    also = "" if compiled_seconds is None else f", compiled {_time(compiled_seconds)}"
    times = f"{_time(seconds)}, plain {_time(plain_seconds)}{also}"
    print(f"{work}, {size:,}: {times}, x{row.ratio:.1f}", flush=True)
    return row


def finish(
    name: str,
    title: str,
    size_name: str,
    rows: Sequence[Measurement],
    settings: SpeedSettings,
    *,
    write: bool = True,
) -> None:
    """Print the table; write it as JSON with machine and versions, and the growth as a plot."""
    columns: dict[str, list[str]] = {
        "work": [row.work for row in rows],
        size_name: [f"{row.size:,}" for row in rows],
        "time": [_time(row.seconds) for row in rows],
        "plain": [_time(row.plain_seconds) for row in rows],
        "compiled": [_time(row.compiled_seconds) for row in rows if row.compiled_seconds],
        "ratio": [f"{row.ratio:.1f}" for row in rows],
        "MB": [f"{row.memory_mb:.0f}" for row in rows],
        "plain MB": [f"{row.plain_memory_mb:.0f}" for row in rows],
        "note": [row.note for row in rows] if any(row.note for row in rows) else [],
    }
    shown = {title: cells for title, cells in columns.items() if cells}
    print(f"\n{title}, {settings.threads} threads\n")
    align = ("left",) + ("right",) * (len(shown) - 1)
    print(tabulate(shown, "keys", disable_numparse=True, colalign=align))
    if settings.quick or not write:
        return
    content = {
        "title": title,
        "size": size_name,
        "threads": settings.threads,
        "environment": environment(),
        "rows": [{**asdict(row), "ratio": row.ratio} for row in rows],
    }
    write_text(settings.out / f"{name}.json", json.dumps(content, indent=2) + "\n")
    _plot(settings.out / f"{name}.png", title, size_name, rows)
    print(f"\nwritten to {settings.out / name}.json and .png")


def _plot(path: Path, title: str, size_name: str, rows: Sequence[Measurement]) -> None:
    import matplotlib.pyplot as plt  # late: it takes a second, which --help need not wait for
    from matplotlib.ticker import NullFormatter

    plt.switch_backend("agg")
    works = list(dict.fromkeys(row.work for row in rows))
    across = min(len(works), ACROSS)
    down = -(-len(works) // across)
    size = (max(5, 2.9 * across), 0.5 + 2.9 * down)  # a single panel has room for its title
    figure, grid = plt.subplots(
        *(down, across), figsize=size, sharey=True, squeeze=False, layout="constrained"
    )
    for axis in grid.flat[len(works) :]:
        axis.set_visible(False)
    for axis, work in zip(grid.flat, works, strict=False):
        chosen = sorted((row for row in rows if row.work == work), key=lambda row: row.size)
        sizes = [row.size for row in chosen]
        axis.loglog(sizes, [row.plain_seconds for row in chosen], "o--", label="plain", color="C7")
        fast = [row.compiled_seconds for row in chosen if row.compiled_seconds]
        if fast:
            axis.loglog(sizes, fast, "o:", label="plain, compiled", color="C7", mfc="white")
        axis.loglog(sizes, [row.seconds for row in chosen], "o-", label="this project", color="C0")
        axis.set_title(work, fontsize=9)
        axis.set_xlabel(size_name)
        shown = [size for size, next in pairwise([*sizes, math.inf]) if next > APART * size]
        axis.set_xticks(shown, [f"{size:,}" for size in shown], fontsize=7)
        axis.xaxis.set_minor_formatter(NullFormatter())
        axis.yaxis.set_major_formatter("{x:g}")
        axis.grid(alpha=0.3)
    for row_of_axes in grid:
        row_of_axes[0].set_ylabel("seconds, logarithmic")
    marks = grid[0][0].get_legend_handles_labels()
    figure.legend(*marks, loc="outside lower center", ncols=3, fontsize=9)
    figure.suptitle(title, fontsize=10)
    write_whole(path, lambda stream: figure.savefig(stream, dpi=120, format="png"))
    plt.close(figure)


def _time(seconds: float) -> str:
    if seconds < 1e-3:
        return f"{seconds * 1e6:.0f} µs"
    return f"{seconds * 1e3:.1f} ms" if seconds < 1 else f"{seconds:.2f} s"
