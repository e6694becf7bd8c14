"""Triples: how they are stored, named, typed, sampled and put into batches."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from openke.aliases import former_paths, openke_paths, warn_of

if TYPE_CHECKING:
    from openke.data.batch import Batch
    from openke.data.query_batch import QueryBatch
    from openke.data.query_data_loader import QueryDataLoader
    from openke.data.store import TripleStore
    from openke.data.test_data_loader import TestDataLoader
    from openke.data.train_data_loader import TrainDataLoader

__all__ = [
    "Batch",
    "QueryBatch",
    "QueryDataLoader",
    "TestDataLoader",
    "TrainDataLoader",
    "TripleStore",
]

_HOMES = {
    "Batch": "openke.data.batch",
    "QueryBatch": "openke.data.query_batch",
    "QueryDataLoader": "openke.data.query_data_loader",
    "TestDataLoader": "openke.data.test_data_loader",
    "TrainDataLoader": "openke.data.train_data_loader",
    "TripleStore": "openke.data.store",
}
_RENAMED = {"QuestionBatch": "QueryBatch", "QuestionDataLoader": "QueryDataLoader"}


def __getattr__(name: str) -> Any:
    # Imported on first use: auditing a data set must not wait for PyTorch to load.
    today = _RENAMED.get(name, name)
    if today not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    if today != name:
        warn_of(f"{__name__}.{name}", f"{__name__}.{today}", stacklevel=2)
    return getattr(import_module(_HOMES[today]), today)


openke_paths(
    __name__,
    {
        "TrainDataLoader": _HOMES["TrainDataLoader"],
        "TestDataLoader": _HOMES["TestDataLoader"],
        "PyTorchTrainDataLoader": "openke.data.pytorch_train_data_loader",
    },
)
former_paths(
    {
        "openke.data.audit": "openke.audit.audit",
        "openke.data.datasets": "openke.datasets.search",
        "openke.data.importing": "openke.datasets.importing",
        "openke.data.loaders": "openke.data.train_data_loader",
        "openke.data.questions": "openke.data.query_data_loader",
    },
    {
        "TestDataLoader": "openke.data.test_data_loader.TestDataLoader",
        "QuestionBatch": "openke.data.query_batch.QueryBatch",
        "QuestionDataLoader": "QueryDataLoader",
    },
)
