"""Training in turns: who moves which parameters, and by which optimiser."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, NamedTuple

from torch import Tensor, nn


class Turn(NamedTuple):
    """One of the steps that are taken on each batch, with parameters and an optimiser of its own.

    The Trainer takes turns in their order. While one lasts, only its parameters have gradients.
    """

    name: str
    """Says in checkpoints and messages whose turn it is."""
    parameters: Sequence[nn.Parameter]
    loss: Callable[[Any], Tensor]
    """Batch -> the scalar that this turn makes smaller."""
    optimizer: str | None = None
    """A name of :data:`.OPTIMIZERS`; None: the Trainer's."""
    lr: float | None = None
    """Learning rate; None: the Trainer's. A schedule changes that of the first turn alone."""


def trained(module: nn.Module) -> list[nn.Parameter]:
    """Return the parameters of a module that are not frozen."""
    return [parameter for parameter in module.parameters() if parameter.requires_grad]


@contextmanager
def only(parameters: Sequence[nn.Parameter], module: nn.Module) -> Iterator[None]:
    """While it lasts, no other parameters of a module have gradients."""
    mine = {id(parameter) for parameter in parameters}
    others = [parameter for parameter in trained(module) if id(parameter) not in mine]
    for parameter in others:
        parameter.requires_grad_(False)
    try:
        yield
    finally:
        for parameter in others:
            parameter.requires_grad_(True)
