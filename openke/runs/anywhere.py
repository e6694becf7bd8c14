"""A run by its folder, or by its name on the Hugging Face Hub."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from openke.runs.experiment import Experiment
from openke.runs.load import Run, load_run
from openke.runtime.names import did_you_mean

SHOWN = 5
"""Runs that are named where another is not there."""


def load(run: Path | str, data: Path | None = None, **options: Any) -> Run:
    """Load a run: ``openke.load("runs/shop")``, or ``openke.load("me/shop-model")`` from the Hub.

    Parameters
    ----------
    run
        The folder of a run; where neither it nor the folder above it is there, a name on the Hub,
        OWNER/NAME.
    data
        See :func:`.load_run`; a run of the Hub brings its own.
    **options
        Further ones of :func:`.load_run`; for a run of the Hub those of
        :func:`openke.from_pretrained`.

    Raises
    ------
    FileNotFoundError
        There is neither. Where the folder above is there, the Hub is not asked.
    OSError, ValueError
        It is no run.
    """
    folder = Path(run)
    if not folder.exists() and len(folder.parts) > 1 and folder.parent.is_dir():
        raise FileNotFoundError(_mistyped(folder))
    if data is not None or folder.exists() or folder.is_absolute() or len(folder.parts) != 2:
        return load_run(folder, data, **options)
    try:
        from openke.runs import hub  # late: it needs a package that few have
    except ImportError as error:
        raise _nowhere(run, error) from None
    try:
        return hub.from_pretrained(folder.as_posix(), **options)
    except hub.NOT_THERE as error:
        raise _nowhere(run, error) from None


def _mistyped(folder: Path) -> str:
    """Return what is said of a folder that is not there, where the one above it is."""
    runs = sorted(path.parent.name for path in folder.parent.glob(f"*/{Experiment.SETTINGS}"))
    others = f" and {len(runs) - SHOWN} more" if len(runs) > SHOWN else ""
    has = f"has the runs {', '.join(runs[:SHOWN])}{others}" if runs else "has no run"
    said = f"{folder}: no such folder{did_you_mean(folder.name, runs)}; {folder.parent} {has}"
    if len(folder.parts) > 2 or folder.is_absolute():
        return said
    return f"{said}; of the Hub: openke.from_pretrained({folder.as_posix()!r})"


def _nowhere(run: Path | str, error: Exception) -> FileNotFoundError:
    said = " ".join(str(error).split())  # the Hub says it in several lines
    return FileNotFoundError(f"{run}: no such folder of a run here; and on the Hub: {said}")
