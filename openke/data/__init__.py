"""Triples: where they are found, how they are stored, sampled and audited."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from openke.aliases import openke_paths

if TYPE_CHECKING:
    from openke.data.batch import Batch
    from openke.data.loaders import TestDataLoader, TrainDataLoader
    from openke.data.questions import QuestionBatch, QuestionDataLoader
    from openke.data.store import TripleStore

__all__ = [
    "Batch",
    "QuestionBatch",
    "QuestionDataLoader",
    "TestDataLoader",
    "TrainDataLoader",
    "TripleStore",
]

_HOMES = {
    "Batch": "openke.data.batch",
    "QuestionBatch": "openke.data.questions",
    "QuestionDataLoader": "openke.data.questions",
    "TestDataLoader": "openke.data.loaders",
    "TrainDataLoader": "openke.data.loaders",
    "TripleStore": "openke.data.store",
}


def __getattr__(name: str) -> Any:
    # Imported on first use: auditing a data set must not wait for PyTorch to load.
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)


openke_paths(__name__, {name: _HOMES[name] for name in ("TrainDataLoader", "TestDataLoader")})
