"""What a training run left behind, as a model again."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any

from safetensors import SafetensorError

from openke.data.store import TripleStore
from openke.datasets.search import find_dataset
from openke.module.model import Model
from openke.module.model.reciprocal import Reciprocal
from openke.runs.experiment import Experiment
from openke.runs.recipe import KNOWN_MODELS, structural_model
from openke.runs.weights import read_weights
from openke.runtime.device import choose_device
from openke.runtime.values import Count, Natural, Share, check_arguments, check_value
from openke.training.checkpoint import differences

REBUILDERS = "openke.rebuilders"
"""Entry points of what makes models that need more than triples: "features" -> :data:`Rebuild`."""
FEATURES = "features"

Saved = dict[str, Any]
"""The content of ``settings.json``, see :class:`.Experiment`."""
Rebuild = Callable[[TripleStore, Saved, Path | None], Model]
"""Makes a fresh model from the triples, what was saved and a folder of features.

``saved["model"]["relations"]`` says how many relations it has: with reciprocal ones, twice those of
the triples.
"""


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


@dataclass(frozen=True, kw_only=True)
class SavedLoader:
    """What is needed of the loader of a run."""

    seed: Natural
    hold_out: Share | None = None


NEEDED: dict[str, type] = {"model": SavedModel, "data": SavedData, "loader": SavedLoader}
"""Parts of ``settings.json`` without which no run is loaded."""


@dataclass(frozen=True)
class Run:
    """A trained model, in evaluation mode, the triples it was trained on and its settings."""

    folder: Path
    model: Model
    store: TripleStore
    saved: Saved
    whole: TripleStore
    """The triples as the data set has them: another store where a part of train was held out."""


def load_run(
    folder: Path | str,
    data: Path | None = None,
    *,
    features: Path | None = None,
    device: str | None = None,
    rebuild: Rebuild | None = None,
) -> Run:
    """Rebuild the model of a run from its output folder.

    Parameters
    ----------
    folder
        The ``--out`` folder of a training script: ``settings.json`` and ``model.safetensors``.
    data
        Folder of the data set; by default where it was in training, else looked for by name.
    features
        Folder of features, for models that use them; by default as in training.
    device
        See :func:`.choose_device`.
    rebuild
        Makes the model, for one that is neither of this package nor registered as an entry point
        of ``openke.models``.

    Raises
    ------
    FileNotFoundError
        The folder is not that of a finished run, or the data set or the features are gone.
    ValueError
        Another data set or other features than in training, an unknown model, an unreadable file.
    """
    folder = Path(folder)
    saved = _saved(folder)
    whole, store = _stores(folder, saved, data)
    model = _rebuilder(saved, rebuild)(store, saved, features)
    if saved["model"].get("reciprocal"):
        model = Reciprocal(model)
    expected, found = json.loads(json.dumps(model.identity())), saved["model"]
    if not model.in_openke_form:  # a setting that came after the run has its default
        expected["settings"] = {
            name: value for name, value in expected["settings"].items() if name in found["settings"]
        }
    differing = differences(expected, found)
    if differing:
        raise ValueError(f"{folder}: the model cannot be rebuilt as it was: {'; '.join(differing)}")
    weights = folder / Experiment.WEIGHTS
    try:
        model.load_state_dict(read_weights(weights))
    except (SafetensorError, RuntimeError) as error:
        raise ValueError(
            f"{weights}: not the weights of this {type(model).__name__}: {error}"
        ) from error
    return Run(folder, model.to(choose_device(device)).eval(), store, saved, whole)


def _saved(folder: Path) -> Saved:
    for name in (Experiment.SETTINGS, Experiment.WEIGHTS):
        if not (folder / name).is_file():
            raise FileNotFoundError(
                f"{folder / name}: no such file; expected the output folder of a training run that "
                "has ended"
            )
    path = folder / Experiment.SETTINGS
    try:
        saved: Saved = json.loads(path.read_text(encoding="utf-8"))
        check_value("its content", saved, Mapping)
        for part, kind in NEEDED.items():
            check_value(part, saved.get(part), Mapping)
            needed = {f.name: saved[part][f.name] for f in fields(kind) if f.name in saved[part]}
            check_arguments(part, needed, kind)
    except ValueError as error:
        raise ValueError(f"{path}: not the settings of a run: {error}") from error
    return saved


def _stores(folder: Path, saved: Saved, data: Path | None) -> tuple[TripleStore, TripleStore]:
    """Return the triples of the data set, and those trained on."""
    trained, loader = saved["data"], saved["loader"]
    directory = trained.get("directory")
    if data is not None or directory is None or not Path(directory).is_dir():
        directory = find_dataset(trained["name"], data)
    whole = store = TripleStore.open(directory)
    if loader.get("hold_out"):
        store = whole.hold_out(loader["hold_out"], loader["seed"])
    if store.fingerprint != trained["fingerprint"]:
        raise ValueError(
            f"{folder}: was trained on other triples than {directory} holds: give the data set of "
            "that time by --data"
        )
    return whole, store


def _rebuilder(saved: Saved, given: Rebuild | None) -> Rebuild:
    name = saved["model"]["model"]
    if given is not None:
        return given
    if FEATURES in saved["model"]:
        for entry in entry_points(group=REBUILDERS):
            if entry.name == FEATURES:
                rebuild: Rebuild = entry.load()
                return rebuild
    if name not in KNOWN_MODELS:
        raise ValueError(not_installed(name, KNOWN_MODELS.group))
    known = KNOWN_MODELS[name]
    if isinstance(known, type):
        return _structural
    other: Rebuild = known
    return other


def not_installed(name: str, group: str) -> str:
    """Return the message for a run whose model no installed package registers."""
    return (
        f"the run's model {name!r} is of a package that is not installed: install the one that "
        f"registers it as an entry point of {group!r}, or give load_run a function that makes it"
    )


def _structural(store: TripleStore, saved: Saved, features: Path | None) -> Model:
    model = saved["model"]
    return structural_model(model["model"], store, model["relations"], model["settings"])
