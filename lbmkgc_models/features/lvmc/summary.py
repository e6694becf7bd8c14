"""``manifest.json`` and ``failed.tsv`` of a folder of generated pictures."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from lbmkgc_models.feature_store.manifest import Value, today
from lbmkgc_models.features.lvmc.record import FAILURE, PICTURE, RECORD, read_object
from lbmkgc_models.features.lvmc.tasks import Task
from openke.runtime.files import write_text
from openke.runtime.words import counted

MANIFEST, FAILED = "manifest.json", "failed.tsv"


@dataclass(frozen=True)
class Summary:
    """Counts of the entities of a data set that have no picture of their own."""

    wanted: int
    made: int
    failed: int

    @property
    def left(self) -> int:
        """Return how many were neither made nor tried."""
        return self.wanted - self.made - self.failed

    def __str__(self) -> str:
        return (
            f"{counted(self.wanted, 'entity')} without a picture: {self.made:,} generated, "
            f"{self.failed:,} failed, {self.left:,} left"
        )


def write_summary(out: Path, tasks: Sequence[Task], settings: Mapping[str, Value]) -> Summary:
    """Write how far the work is, and what failed, and return the counts.

    Every process does this when it ends, so that the last one writes the whole. Two may end at
    once: what is written is compared with what is there then, until they agree.

    Raises
    ------
    OSError
        The folder cannot be written.
    """
    while True:
        summary, failures = _look(tasks)
        manifest = {
            **asdict(summary),
            "left": summary.left,
            "settings": dict(settings),
            "created": today(),
        }
        write_text(out / MANIFEST, json.dumps(manifest, indent=2, ensure_ascii=False) + "\n")
        if failures:
            write_text(out / FAILED, "".join(f"{name}\t{why}\n" for name, why in failures))
        else:
            (out / FAILED).unlink(missing_ok=True)
        if _look(tasks) == (summary, failures):
            return summary


def count(tasks: Sequence[Task]) -> Summary:
    """Return the counts alone; pictures are not opened."""
    return _look(tasks)[0]


def _look(tasks: Sequence[Task]) -> tuple[Summary, list[tuple[str, str]]]:
    made, failures = 0, []
    for task in tasks:
        failure = read_object(task.folder / FAILURE)
        if (task.folder / RECORD).is_file() and (task.folder / PICTURE).is_file():
            made += 1
        elif failure is not None:
            failures.append((task.entity, " ".join(str(failure.get("error")).split())))
    return Summary(len(tasks), made, len(failures)), failures
