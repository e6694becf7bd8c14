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
    OSError, ValueError
        There is neither, or it is no run.
    """
    folder = Path(run)
    if data is not None or folder.exists() or folder.is_absolute() or len(folder.parts) != 2:
        return load_run(folder, data, **options)
    from openke.runs.hub import from_pretrained  # late: it needs a package that few have

    return from_pretrained(folder.as_posix(), **options)
