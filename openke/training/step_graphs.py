"""Training steps as CUDA graphs: all kernels of a step are launched at once.

A step of a knowledge graph model is some 200 small kernels. Launching them one by one takes the
host longer than they take the GPU. After a few batches of one layout the step is recorded, and from
then on replayed on the numbers of each batch: the same kernels in the same order, so the same
results. What is replayed must depend on nothing but tensors: the numbers of the batch, parameters,
buffers, the optimiser's state, and PyTorch's random numbers. A strategy of which that is not true
says so by ``compiles = False``.

The environment variable ``OPENKE_GRAPHS`` is ``auto`` (default) or ``never``.
"""

from __future__ import annotations

import os
import warnings
from collections import Counter
from collections.abc import Callable, Hashable, Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import Any

import torch
from torch import Tensor

from openke.data.batch import Batch
from openke.data.movable import Movable
from openke.module.scoring.recompute import batch_norms
from openke.module.strategy.strategy import Strategy

VARIABLE = "OPENKE_GRAPHS"
WHERE = ("auto", "never")
WAITED = "called a synchronizing"
"""What PyTorch says where the host waits for a GPU."""
WARM_UP = 3
"""Steps of a layout that are taken one kernel at a time first: kernels are compiled, memory and
the optimiser's state are made."""
MOST = 6
"""Graphs kept at a time."""
LAYOUTS = 64
"""Layouts after which nothing more is recorded: batches are too different."""


def can_be_replayed(strategy: Strategy, turns: int, device: torch.device, processes: int) -> bool:
    """Return whether a strategy's steps are recorded on a device."""
    where = os.environ.get(VARIABLE) or WHERE[0]
    if where not in WHERE:
        raise ValueError(
            f"environment variable {VARIABLE} is {where!r}; expected {', '.join(WHERE)}, or unset"
        )
    return (
        where == "auto"
        and device.type == "cuda"
        and turns == 1
        and processes == 1
        and strategy.compiles
        and not strategy.depends_on_length
        and not strategy.model.in_openke_form
        and not (strategy.whole_tables and strategy.model.projects_entities)  # waits: see blocks
    )


@contextmanager
def own_stream(device: torch.device) -> Iterator[None]:
    """While it lasts, all is computed on a stream of its own: on the usual one no graph begins."""
    outside = torch.cuda.current_stream(device)
    inside = torch.cuda.Stream(device)  # type: ignore[no-untyped-call]
    inside.wait_stream(outside)
    try:
        with torch.cuda.stream(inside):
            yield
    finally:
        outside.wait_stream(inside)


class StepGraphs:
    """Takes training steps, and records those whose layout comes back.

    Parameters
    ----------
    step
        Takes a batch on the device and returns its loss.
    strategy, optimizer
        What the step changes.
    device
        A CUDA device.
    """

    def __init__(
        self,
        step: Callable[[Any], Tensor],
        strategy: Strategy,
        optimizer: torch.optim.Optimizer,
        device: torch.device,
    ) -> None:
        self._step = step
        self._strategy = strategy
        self._optimizer = optimizer
        self._device = device
        self._seen: Counter[Hashable] = Counter()
        self._recorded: dict[Hashable, _Recorded] = {}
        self._addresses: Sequence[int] = ()
        self._last_rates: Hashable = None
        self._failed = False
        # Of something that is a mean over all entities of a batch, more of them are another mean.
        self._bound = None if _looks_at_all(strategy) else strategy.model.ent_tot
        self.replayed = 0
        """Steps that were replayed."""

    def even(self, batch: Any) -> Any:
        """Return a batch with as many entities as many others have, where that changes nothing."""
        if self._bound is None or not isinstance(batch, Batch):
            return batch
        return batch.padded(self._bound)

    def begin_epoch(self) -> None:
        """Forget what was recorded where parameters, buffers or states are new tensors."""
        addresses = self._find_addresses()
        if addresses != self._addresses:
            self._recorded.clear()
            self._addresses = addresses

    def __call__(self, batch: Any) -> Tensor:
        """Return the loss of a batch, Float[""]; the step is taken.

        Batches of a loader that are not :class:`.Movable` are never recorded.
        """
        layout = batch.layout() if isinstance(batch, Movable) and not self._failed else None
        if layout is None:
            return self._step(batch.to(self._device))
        key = layout, rates = layout, self._rates()
        steady, self._last_rates = rates == self._last_rates, rates
        recorded = self._recorded.get(key)
        if recorded is None:
            self._seen[layout] += 1
            if self._seen[layout] <= WARM_UP or len(self._seen) > LAYOUTS or not steady:
                return self._watched(batch, self._seen[layout] == WARM_UP)
            recorded = self._record(key, batch)
            if recorded is None:
                return self._step(batch.to(self._device))
        self.replayed += 1
        return recorded.replay(batch)

    def _watched(self, batch: Movable, whether: bool) -> Tensor:
        """Take a step kernel by kernel; see ``whether`` it waits, which no graph can."""
        there = batch.to(self._device)
        if not whether:
            return self._step(there)
        self._strategy.looked_at_clock = False
        with _waits() as waits:  # heard, not refused: the step is taken once, and whole
            loss = self._step(there)
        if waits:
            self._give_up(waits[0])
        elif self._strategy.looked_at_clock:
            self._give_up("they depend on where in the training they are")
        return loss

    def _rates(self) -> Hashable:
        """Return the optimiser's numbers: a schedule may change them, a graph has them inside.

        Steps are recorded from the second on that has the same ones: not where each has others.
        """
        return tuple(
            tuple(value for value in group.values() if isinstance(value, float))
            for group in self._optimizer.param_groups
        )

    def _record(self, key: Hashable, batch: Movable) -> _Recorded | None:
        while len(self._recorded) >= MOST:
            self._recorded.pop(next(iter(self._recorded)))
        if not self._recorded:
            self._addresses = self._find_addresses()
            self._pool = torch.cuda.graph_pool_handle()
        graph, held = torch.cuda.CUDAGraph(), batch.to(self._device)
        if held is batch:
            held = batch.copy()
        # Threads that pin memory meanwhile do no harm.
        graph.capture_begin(self._pool, capture_error_mode="thread_local")
        try:
            loss = self._step(held)
        except RuntimeError as error:
            with suppress(RuntimeError):  # it was the error that ended the recording
                graph.capture_end()
            self._give_up(str(error).splitlines()[0])
            return None
        graph.capture_end()
        self._recorded[key] = _Recorded(graph, held, loss)
        return self._recorded[key]

    def _give_up(self, reason: str) -> None:
        self._failed = True
        self._recorded.clear()
        warnings.warn(
            f"steps of {type(self._strategy.model).__name__} are launched kernel by kernel, since "
            f"they could not be recorded ({reason}); {VARIABLE}=never makes that a choice",
            RuntimeWarning,
            stacklevel=4,
        )

    def _find_addresses(self) -> list[int]:
        states = [
            value
            for state in self._optimizer.state.values()
            for value in state.values()
            if isinstance(value, Tensor)
        ]
        tensors = [*self._strategy.parameters(), *self._strategy.buffers(), *states]
        return [tensor.data_ptr() for tensor in tensors]


@contextmanager
def _waits() -> Iterator[list[str]]:
    """Yield a list that then has what waited for the GPU; other warnings are passed on."""
    before = torch.cuda.get_sync_debug_mode()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # PyTorch calls the mode a prototype
        torch.cuda.set_sync_debug_mode("warn")
    waits: list[str] = []
    try:
        with warnings.catch_warnings(record=True) as said:
            warnings.simplefilter("always")
            yield waits
    finally:
        torch.cuda.set_sync_debug_mode(before)
        for one in said:
            if WAITED in str(one.message):
                waits.append(str(one.message).splitlines()[0])
            else:
                warnings.warn_explicit(one.message, one.category, one.filename, one.lineno)


def _looks_at_all(strategy: Strategy) -> bool:
    return bool(strategy.auxiliary) or bool(batch_norms(strategy))


class _Recorded:
    """A recorded step with the batch and the loss it reads and writes."""

    def __init__(self, graph: torch.cuda.CUDAGraph, batch: Movable, loss: Tensor) -> None:
        self.graph = graph
        self.inputs = batch.tensors()
        self.loss = loss

    def replay(self, batch: Movable) -> Tensor:
        for mine, given in zip(self.inputs, batch.tensors(), strict=True):
            mine.copy_(given, non_blocking=True)
        self.graph.replay()
        return self.loss.clone()
