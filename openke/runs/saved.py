"""What ``settings.json`` says of a run, checked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from openke.runs.experiment import Experiment, check_run
from openke.runtime.files import is_there, read_text
from openke.runtime.json_text import read_json
from openke.runtime.values import Count, Natural, Share, check_arguments, check_value

Saved = dict[str, Any]
"""The content of ``settings.json``, see :class:`.Experiment`."""


@dataclass(frozen=True, kw_only=True)
class SavedModel:
    """What is needed of a saved model's identity."""

    model: str
    relations: Count
    settings: Mapping[str, Any]


@dataclass(frozen=True, kw_only=True)
class SavedData:
    """What is needed of the triples a run was trained on."""

    name: str
    fingerprint: str
    directory: str | None = None
    facts: bool = True
    """Whether ``packed`` has them."""


@dataclass(frozen=True, kw_only=True)
class SavedLoader:
    """What is needed of the loader of a run."""

    seed: Natural
    hold_out: Share | None = None


NEEDED: dict[str, type] = {"model": SavedModel, "data": SavedData, "loader": SavedLoader}
"""Parts of ``settings.json`` without which no run is loaded."""


def read_saved(folder: Path, *, checked: bool = True) -> Saved:
    """Return the settings of a run that has ended.

    Without ``checked`` its files may have changed since they were sealed.

    Raises
    ------
    FileNotFoundError
        The folder is not that of a finished run, or a file of it is gone.
    ValueError
        The settings of no run, or a file that was changed.
    """
    for name in (Experiment.SETTINGS, Experiment.WEIGHTS):
        if not is_there(folder / name):
            hub = not folder.exists() and len(folder.parts) == 2 and not folder.is_absolute()
            raise FileNotFoundError(
                f"{folder / name}: no such file; expected the output folder of a training run that "
                "has ended"
                + ("; a run on the Hugging Face Hub: openke.from_pretrained" if hub else "")
            )
    if checked:
        check_run(folder)
    path = folder / Experiment.SETTINGS
    text = read_text(path)
    try:
        saved: Saved = read_json(text)
        check_value("its content", saved, Mapping)
        for part, kind in NEEDED.items():
            check_value(part, saved.get(part), Mapping)
            needed = {f.name: saved[part][f.name] for f in fields(kind) if f.name in saved[part]}
            check_arguments(part, needed, kind)
        _check_name(saved["data"]["name"])
    except ValueError as error:
        raise ValueError(f"{path}: not the settings of a run: {error}") from error
    return saved


def _check_name(name: str) -> None:
    """Raise ``ValueError`` where a data set's name leads out of the folder that is named by it."""
    if name in ("", "..") or Path(name).name != name:
        raise ValueError(f"data.name is {name!r}, expected the name of a folder, without a path")
