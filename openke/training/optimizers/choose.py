"""Which optimiser, and which tables hand it their gradient as rows."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import torch
from torch import nn

from openke.module.strategy.strategy import Strategy
from openke.training.optimizers.adagrad import Adagrad, RowwiseAdagrad
from openke.training.optimizers.adam import Adam, LazyAdam

OPTIMIZERS: dict[str, Callable[..., torch.optim.Optimizer]] = {
    "sgd": torch.optim.SGD,
    "adagrad": Adagrad,
    "adadelta": torch.optim.Adadelta,
    "rmsprop": torch.optim.RMSprop,
    "adam": Adam,
    "lazy_adam": LazyAdam,
    "rowwise_adagrad": RowwiseAdagrad,
}
"""Every optimiser by the name that ``opt_method`` takes."""

FUSED: dict[str, Callable[..., torch.optim.Optimizer]] = {
    "sgd": torch.optim.SGD,
    "adagrad": torch.optim.Adagrad,
    "adam": torch.optim.Adam,
    "lazy_adam": torch.optim.Adam,
    "rowwise_adagrad": torch.optim.Adagrad,
}
"""PyTorch's part of those that may have one kernel for a whole step; the result is the same."""

CAPTURABLE = ("adam", "lazy_adam", "rmsprop", "adadelta")
"""PyTorch's that count steps on a GPU if they are told to: they wait for nothing then."""

HOW = ("fused", "foreach", "capturable")
"""Options that say how a step is computed, not what."""

BY_ROW = ("lazy_adam", "rowwise_adagrad")
"""Those that see only the rows a batch touched, on every device."""


def tables_by_row(
    strategy: Strategy,
    parameters: Sequence[nn.Parameter],
    method: str,
    device: torch.device,
    weight_decay: float,
) -> list[nn.Embedding]:
    """Return the entity tables, of those ``parameters`` are of, whose gradients come as rows.

    By nature for the methods of :data:`BY_ROW`. On the CPU also where it changes no result: for
    Adam, and for Adagrad without weight decay. On a GPU a zero-filled gradient costs nothing. A
    model written for OpenKE keeps dense gradients: it may do anything with its tables; so does a
    strategy whose every step touches all rows.
    """
    model = strategy.model
    exact = method == "adam" or (method == "adagrad" and not weight_decay)
    if strategy.whole_tables and method not in BY_ROW:
        return []
    if model.in_openke_form or not (method in BY_ROW or (exact and device.type == "cpu")):
        return []
    moved = {id(parameter) for parameter in parameters}
    return [
        module
        for module in strategy.modules()
        if isinstance(module, nn.Embedding)
        and module.num_embeddings == model.ent_tot
        and id(module.weight) in moved
    ]


def make_optimizer(
    parameters: Sequence[nn.Parameter],
    tables: Sequence[nn.Embedding],
    method: str,
    device: torch.device,
    *,
    lr: float,
    weight_decay: float = 0.0,
    lr_decay: float = 0.0,
) -> torch.optim.Optimizer:
    """Return an optimiser of parameters, fused where PyTorch has that.

    ``tables`` are those among them that :func:`tables_by_row` says.
    """
    options: dict[str, Any] = {"lr": lr, "weight_decay": weight_decay}
    if method in ("adagrad", "rowwise_adagrad"):
        options["lr_decay"] = lr_decay
    if method == "rowwise_adagrad":
        options["tables"] = [table.weight for table in tables]
    if has_fused_step(method, device):
        options["fused"] = True
    if device.type == "cuda" and method in CAPTURABLE:
        options["capturable"] = True
    return OPTIMIZERS[method](parameters, **options)


def restore_optimizer(optimizer: torch.optim.Optimizer, saved: Mapping[str, Any]) -> None:
    """Load what an optimiser's ``state_dict`` was, perhaps on another device.

    How a step is computed stays as it is here.
    """
    groups = [
        {**group, **{name: here[name] for name in HOW if name in here}}
        for group, here in zip(saved["param_groups"], optimizer.param_groups, strict=True)
    ]
    optimizer.load_state_dict({**saved, "param_groups": groups})


def has_fused_step(method: str, device: torch.device) -> bool:
    """Return whether this PyTorch has one kernel for an optimiser's step on a device.

    Versions differ in that, so it is tried on one number.
    """
    if method not in FUSED or device.type not in ("cpu", "cuda"):
        return False
    try:
        one = torch.zeros(1, device=device, requires_grad=True)
        one.grad = torch.zeros_like(one)
        FUSED[method]([one], lr=0.1, fused=True).step()
    except RuntimeError:
        return False
    return True


@contextmanager
def gradients_by_row(tables: Sequence[nn.Embedding]) -> Iterator[None]:
    """While it lasts, lookups in these tables hand back the gradient of their rows alone."""
    for table in tables:
        table.sparse = True
    try:
        yield
    finally:
        for table in tables:
            table.sparse = False
