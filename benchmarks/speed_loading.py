"""Measure how long a data set takes to open, and its memory, against NumPy.

Opening reads, checks, removes duplicates and indexes known answers. Writes figures and a plot.

    python benchmarks/speed_loading.py
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from common.measuring import SpeedSettings, compared, finish, repeated
from common.plain_data import PlainStore

from openke.data.store import TripleStore
from openke.datasets.search import find_dataset
from openke.runtime.script import run_script

SIZES = (20_000, 200_000, 2_000_000, 20_000_000)
"""Train triples of the synthetic graphs; a quarter as many entities."""
RELATIONS = 1000


@dataclass(frozen=True, kw_only=True)
class Settings(SpeedSettings):
    """Options of this script."""

    dataset: str = "DB15K"
    """Name of a real data set, measured beside the synthetic ones."""
    data: Path | None = None
    """Folder of the data set; else OPENKE_DATA, benchmarks/, the cache and a download."""


def write_graph(folder: Path, triples: int) -> None:
    """Write a random graph in OpenKE's format: degrees follow a power law, as real ones do."""
    random = np.random.default_rng(0)
    entities = triples // 4
    (folder / "entity2id.txt").write_text(f"{entities}\n")
    (folder / "relation2id.txt").write_text(f"{RELATIONS}\n")
    for split, rows in (("train", triples), ("valid", 1000), ("test", 1000)):
        ends = (entities * random.random((rows, 2)) ** 3).astype(np.int64)
        columns = np.column_stack([ends, random.integers(RELATIONS, size=rows)])
        with (folder / f"{split}2id.txt").open("w") as file:
            file.write(f"{rows}\n")
            for block in np.array_split(columns, max(1, rows // 1_000_000)):
                file.write("\n".join(map("%d %d %d".__mod__, map(tuple, block.tolist()))) + "\n")


def ours(folder: Path, once: bool) -> float:
    """Return the seconds of opening a folder."""
    return _timed(lambda: TripleStore.open(folder), once)


def plain(folder: Path, once: bool) -> float:
    """Return the seconds of the same with NumPy."""
    return _timed(lambda: PlainStore(folder), once)


def _timed(work: Callable[[], object], once: bool) -> float:
    if not once:
        return repeated(work)
    before = time.perf_counter()
    kept = work()
    seconds = time.perf_counter() - before
    del kept
    return seconds


def main(settings: Settings) -> None:
    folder = find_dataset(settings.dataset, settings.data)
    triples = len(TripleStore.open(folder).triples("train"))
    rows = [
        compared(
            settings.dataset,
            triples,
            (ours, (folder, False)),
            (plain, (folder, False)),
            threads=settings.threads,
        )
    ]
    for size in SIZES[: 1 if settings.quick else None]:
        with tempfile.TemporaryDirectory() as name:
            write_graph(Path(name), size)
            once = size > 1_000_000
            rows.append(
                compared(
                    "synthetic",
                    size,
                    (ours, (Path(name), once)),
                    (plain, (Path(name), once)),
                    threads=settings.threads,
                )
            )
    finish("speed_loading", "Opening a data set", "train triples", rows, settings)


if __name__ == "__main__":
    run_script(Settings, main)
