"""Optimisers: PyTorch's, and those that take a table's gradient as the rows a batch touched."""

from openke.config.optim.adagrad import Adagrad, RowwiseAdagrad
from openke.config.optim.adam import Adam, LazyAdam
from openke.config.optim.choose import (
    BY_ROW,
    OPTIMIZERS,
    gradients_by_row,
    make_optimizer,
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
    "tables_by_row",
]
