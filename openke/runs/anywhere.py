"""A run by its folder, or by its name on the Hugging Face Hub."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from openke.runs.load import Run, load_run


def load(run: Path | str, data: Path | None = None, **options: Any) -> Run:
    """Load a run: ``openke.load("runs/shop")``, or ``openke.load("me/shop-model")`` from the Hub.

    Parameters
    ----------
    run
        The folder of a run; where there is no such folder, a name on the Hub, OWNER/NAME.
    data
        See :func:`.load_run`; a run of the Hub brings its own.
    **options
        Further ones of :func:`.load_run`; for a run of the Hub those of
        :func:`openke.from_pretrained`.

    Raises
    ------
    FileNotFoundError
        There is neither.
    OSError, ValueError
        It is no run.
    """
    folder = Path(run)
    if data is not None or folder.exists() or folder.is_absolute() or len(folder.parts) != 2:
        return load_run(folder, data, **options)
    try:
        from openke.runs import hub  # late: it needs a package that few have
    except ImportError as error:
        raise _nowhere(run, error) from error
    try:
        return hub.from_pretrained(folder.as_posix(), **options)
    except hub.NOT_THERE as error:
        raise _nowhere(run, error) from error


def _nowhere(run: Path | str, error: Exception) -> FileNotFoundError:
    said = " ".join(str(error).split())  # the Hub says it in several lines
    return FileNotFoundError(f"{run}: no such folder of a run here; and on the Hub: {said}")
