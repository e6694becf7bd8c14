"""What makes the model of a run again, by its settings."""

from __future__ import annotations

from collections.abc import Callable
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any, Protocol

from torch import Tensor

from openke.data.store import TripleStore
from openke.module.model import Model
from openke.runs.packed import FEATURES
from openke.runs.recipe import KNOWN_MODELS, structural_model
from openke.runs.saved import Saved

REBUILDERS = "openke.rebuilders"
"""Entry points of what makes models that need more than triples: "features" -> :data:`Rebuild`."""

Rebuild = Callable[[TripleStore, Saved, Path | None], Model]
"""Makes a fresh model from the triples, what was saved and a folder of features.

``saved["model"]["relations"]`` says how many relations it has: with reciprocal ones, twice those of
the triples.
"""


class Multimodal(Protocol):
    """What is registered as "features": a :data:`Rebuild` that does more with such models."""

    def __call__(self, store: TripleStore, saved: Saved, features: Path | None) -> Model:
        """Return a fresh model."""

    def pack(self, store: TripleStore, saved: Saved, features: Path | None, folder: Path) -> None:
        """Write what is of use beside triples and weights into a packed data set."""

    def extend(self, run: Path, entities: Any, **options: Any) -> None:
        """Add entities to what the folder of a run has."""

    def picture(self, store: TripleStore) -> Callable[[int], bytes]:
        """Return what returns a very small JPEG of an entity, or b""."""

    def contributions(
        self, model: Model, head: Tensor, relation: Tensor, tail: Tensor
    ) -> dict[str, Any]:
        """Return what the score of a triple rests on."""


def rebuilder(saved: Saved, given: Rebuild | None) -> Rebuild:
    """Return what makes the model of a run: ``given``, or what is registered.

    Raises
    ------
    ValueError
        The model's package is not installed.
    """
    name = saved["model"]["model"]
    if given is not None:
        return given
    if FEATURES in saved["model"]:
        return multimodal()
    if name not in KNOWN_MODELS:
        raise ValueError(not_installed(name, KNOWN_MODELS.group))
    known = KNOWN_MODELS[name]
    if isinstance(known, type):
        return _structural
    other: Rebuild = known
    return other


def multimodal() -> Multimodal:
    """Return what is registered for models with features.

    Raises
    ------
    ValueError
        Nothing is.
    """
    for entry in entry_points(group=REBUILDERS):
        if entry.name == FEATURES:
            found: Multimodal = entry.load()
            return found
    raise ValueError(f"no entry point {FEATURES!r} of {REBUILDERS!r}: install the package again")


def not_installed(name: str, group: str) -> str:
    """Return the message for a run whose model no installed package registers."""
    return (
        f"the run's model {name!r} is of a package that is not installed: install the one that "
        f"registers it as an entry point of {group!r}, or give load_run a function that makes it"
    )


def _structural(store: TripleStore, saved: Saved, features: Path | None) -> Model:
    model = saved["model"]
    return structural_model(model["model"], store, model["relations"], model["settings"])
