"""The work: every entity without a picture gets one, in any number of runs and processes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from lbmkgc_models.features.lvmc.pipeline import Sdxl
from lbmkgc_models.features.lvmc.record import PictureRecord, fault_of, is_made, save, save_failure
from lbmkgc_models.features.lvmc.summary import Summary, write_summary
from lbmkgc_models.features.lvmc.tasks import Task
from lbmkgc_models.features.lvmc.worker import Rank
from openke.runtime.progress import counting

IN_A_ROW = 20
"""Entities that fail one after the other before the cause is taken to be a common one."""


def generate(
    tasks: Sequence[Task],
    out: Path,
    sdxl: Sdxl,
    *,
    batch_size: int = 1,
    rank: Rank | None = None,
    limit: int | None = None,
    overwrite: bool = False,
    progress: bool = True,
) -> Summary:
    """Draw the pictures that are not there yet.

    Each is written to ``out / folder_name(entity) / generated.png`` with ``generated.json`` beside
    it. A run that was stopped anywhere goes on where it was: a picture with its record is kept, one
    without is drawn again. An entity that fails gets a ``failed.json`` and is tried again by the
    next run. At the end ``manifest.json`` has the counts and ``failed.tsv`` the failures.

    Parameters
    ----------
    tasks
        Of all entities without a picture: see :func:`.tasks_of`.
    out
        Folder of generated pictures.
    sdxl
        The models; their weights are read only if there is something to draw.
    batch_size
        Pictures drawn at once.
    rank
        The process's part of the work; all of it by default.
    limit
        Draw for the first so many tasks only.
    overwrite
        Draw again what was made with other settings.
    progress
        Show how far it is.

    Raises
    ------
    ValueError
        Numbers below 1; pictures that were made with other settings; many failures in a row.
    OSError
        The weights cannot be read, or the disk is full.
    MemoryError
        The GPU's memory does not hold a batch.
    """
    for name, number in (("batch_size", batch_size), ("limit", limit)):
        if number is not None and number < 1:
            raise ValueError(f"{name} is {number}, expected at least 1")
    mine = (rank or Rank()).share(tasks[:limit])
    todo = [task for task in mine if not _is_made(task, sdxl, overwrite)]
    if todo:
        sdxl.load()
    failed = 0
    done = len(mine) - len(todo)
    with counting("drawing", len(mine), "pictures", done=done, show=progress) as count:
        for task, drawn in _draw_all(sdxl, todo, batch_size):
            failed = failed + 1 if isinstance(drawn, str) else 0
            if isinstance(drawn, str):
                save_failure(task.folder, task.entity, drawn)
            else:
                save(task.folder, drawn, _record(task, sdxl))
            if failed == IN_A_ROW:
                raise ValueError(
                    f"{failed} entities failed one after the other, the last, {task.entity}, with: "
                    f"{drawn}; the cause is likely not theirs"
                )
            count(1)
    return write_summary(out, tasks, sdxl.settings)


def _is_made(task: Task, sdxl: Sdxl, overwrite: bool) -> bool:
    try:
        return is_made(task.folder, task.entity, task.prompt, task.seed, sdxl.settings)
    except ValueError:
        if overwrite:
            return False
        raise


def _draw_all(
    sdxl: Sdxl, tasks: Sequence[Task], batch_size: int
) -> Iterator[tuple[Task, NDArray[np.float32] | str]]:
    """Yield each task with its picture, or with what went wrong."""
    for first in range(0, len(tasks), batch_size):
        batch = tasks[first : first + batch_size]
        yield from zip(batch, _draw(sdxl, batch), strict=True)


def _draw(sdxl: Sdxl, batch: Sequence[Task]) -> list[NDArray[np.float32] | str]:
    try:
        pictures = sdxl.draw([_read(task, sdxl) for task in batch], [task.seed for task in batch])
    except torch.cuda.OutOfMemoryError as error:
        raise MemoryError(
            f"the GPU's memory does not hold a batch of {len(batch)} ({error}); try a smaller "
            "--batch-size, --slicing, --cpu-offload or a smaller --size"
        ) from error
    except (OSError, MemoryError):
        raise
    except Exception as error:  # whatever goes wrong with one entity must not stop the others
        if len(batch) == 1:
            return [f"{type(error).__name__}: {error}"]
        return [outcome for task in batch for outcome in _draw(sdxl, [task])]
    return [fault_of(picture) or picture for picture in pictures]


def _read(task: Task, sdxl: Sdxl) -> str:
    """Return the part of a task's prompt that is read."""
    if not task.prompt:
        raise ValueError("the entity has neither a label nor a description")
    return sdxl.split(task.prompt)[0]


def _record(task: Task, sdxl: Sdxl) -> PictureRecord:
    return PictureRecord(
        entity=task.entity,
        prompt=task.prompt,
        prompt_cut=sdxl.split(task.prompt)[1],
        seed=task.seed,
        settings=sdxl.settings,
        dtype=str(sdxl.dtype).removeprefix("torch."),
        device=sdxl.device.type,
    )
