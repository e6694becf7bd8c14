"""A folder that one process writes into at a time."""

from __future__ import annotations

import json
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

from filelock import FileLock, Timeout

from openke.runtime.files import folder_for, read_text, write_text
from openke.runtime.json_text import read_json

LOCK, HOLDER = ".lock", ".lock-holder.json"
"""The file that is locked, and the one that says by whom; a killed process leaves them."""


@contextmanager
def held(folder: Path) -> Iterator[None]:
    """Be the only process that writes into a folder, which is made where it is not there.

    The operating system gives the lock back when its process ends, however it does: one that was
    killed holds nothing. What it left half-written is cleared away. A new folder that is empty at
    the end is removed.

    Raises
    ------
    FileExistsError
        Another process holds the folder; says which one and since when.
    """
    with folder_for(folder):
        lock = FileLock(folder / LOCK, timeout=0)
        try:
            lock.acquire()
        except Timeout:
            raise FileExistsError(
                f"{folder}: {_holder(folder)} is writing there now: wait until it is done, or name "
                "another folder by --out"
            ) from None
        with _named(folder, lock):
            yield


@contextmanager
def _named(folder: Path, lock: FileLock) -> Iterator[None]:
    """Say who holds a lock, and give it back in the end."""
    try:
        mine = {
            "process": os.getpid(),
            "host": socket.gethostname(),
            "since": datetime.now().isoformat(" ", "seconds"),
        }
        write_text(folder / HOLDER, json.dumps(mine) + "\n")  # and sweeps the folder
        yield
    finally:
        for name in (HOLDER, LOCK):  # before the lock is given back: the next one makes its own
            (folder / name).unlink(missing_ok=True)
        lock.release()


def _holder(folder: Path) -> str:
    try:
        holder = read_json(read_text(folder / HOLDER))
        return f"process {holder['process']} on {holder['host']}, since {holder['since']},"
    except (OSError, ValueError, KeyError, TypeError):  # it has only just begun, or is ending
        return "another process"
