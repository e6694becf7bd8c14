"""Optimisers: PyTorch's, and those that take a table's gradient as the rows a batch touched."""

from openke.training.optimizers.adagrad import Adagrad, RowwiseAdagrad
from openke.training.optimizers.adam import Adam, LazyAdam
from openke.training.optimizers.choose import (
    BY_ROW,
    OPTIMIZERS,
    gradients_by_row,
    make_optimizer,
    restore_optimizer,
    tables_by_row,
)

__all__ = [
    "BY_ROW",
    "OPTIMIZERS",
    "Adagrad",
    "Adam",
    "LazyAdam",
    "RowwiseAdagrad",
    "gradients_by_row",
    "make_optimizer",
    "restore_optimizer",
    "tables_by_row",
]
