"""Several processes that train one model: torchrun starts them, gloo or NCCL connects them."""

from __future__ import annotations

import atexit
import inspect
import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, distributed, nn
from torch.nn.parallel import DistributedDataParallel

NEEDED = ("RANK", "WORLD_SIZE", "LOCAL_RANK", "MASTER_ADDR", "MASTER_PORT")
"""What torchrun tells each process."""

_SYNC = (
    "forward_sync_buffers"
    if "forward_sync_buffers" in inspect.signature(DistributedDataParallel.__init__).parameters
    else "broadcast_buffers"
)
"""What PyTorch calls sending buffers at each step; newer versions warn of the older name."""


@dataclass(frozen=True)
class World:
    """A process among those that train together; alone, it is rank 0 of 1."""

    rank: int = 0
    size: int = 1
    local: int = 0
    """Rank among the processes of this machine."""

    @property
    def chief(self) -> bool:
        """Whether this process writes files and shows progress."""
        return self.rank == 0

    def device(self, chosen: torch.device) -> torch.device:
        """Return ``chosen``, with a GPU of its own for each process of a machine."""
        if self.size == 1 or str(chosen) != "cuda":
            return chosen
        return torch.device("cuda", self.local)

    def parallel(self, module: nn.Module, turns: int = 1, *, unused: bool = False) -> nn.Module:
        """Return ``module`` with the mean of all processes' gradients; alone, itself.

        Where it is trained in several turns, every process begins with the first one's tensors, and
        the caller asks for :meth:`average_gradients` in each turn. ``unused`` says that a step may
        leave some parameters without a gradient.
        """
        if self.size == 1:
            return module
        if turns > 1:
            for tensor in module.state_dict().values():
                distributed.broadcast(tensor, src=0)
            return module
        # What checkpoints leave out, such as features, is frozen: sent at every step for nothing.
        parameters = {name for name, _ in module.named_parameters()}
        changing = set(module.state_dict()) - parameters
        options: dict[str, Any] = {} if changing else {_SYNC: False}
        return DistributedDataParallel(module, find_unused_parameters=unused, **options)

    def average_gradients(self, parameters: Iterable[nn.Parameter]) -> None:
        """Replace the gradients of ``parameters`` by their means over all processes."""
        if self.size == 1:
            return
        for parameter in parameters:
            if parameter.grad is None:  # another process may have one
                parameter.grad = torch.zeros_like(parameter)
            distributed.all_reduce(parameter.grad)
            parameter.grad /= self.size

    def share_buffers(self, module: nn.Module) -> None:
        """Give every process the first one's buffers, such as running means of batches."""
        if self.size == 1:
            return
        kept = module.state_dict(keep_vars=True)
        for tensor in kept.values():
            if not isinstance(tensor, nn.Parameter):
                distributed.broadcast(tensor, src=0)

    def total(self, values: Tensor) -> Tensor:
        """Return the sum of all processes' ``values``, a tensor on the CPU."""
        if self.size > 1:
            distributed.all_reduce(values)
        return values

    @contextmanager
    def chief_first(self) -> Iterator[None]:
        """Let the others wait until the first process is through, for what it leaves on disk."""
        if self.size > 1 and not self.chief:
            distributed.barrier()
        try:
            yield
        finally:
            if self.size > 1 and self.chief:
                distributed.barrier()


def join() -> World:
    """Join the processes that torchrun started with this one; without torchrun it is alone.

    Raises
    ------
    ValueError
        Only a part of torchrun's environment variables is set.
    """
    given = [name for name in NEEDED if name in os.environ]
    if "WORLD_SIZE" not in given or os.environ["WORLD_SIZE"] == "1":
        return World()
    missing = [name for name in NEEDED if name not in given]
    if missing:
        raise ValueError(
            f"WORLD_SIZE is {os.environ['WORLD_SIZE']}, but {', '.join(missing)} is not set: start "
            "the processes by torchrun, or unset WORLD_SIZE"
        )
    if not distributed.is_initialized():
        backend = "cpu:gloo,cuda:nccl" if torch.cuda.is_available() else "gloo"
        distributed.init_process_group(backend)
        atexit.register(_leave)
    local = int(os.environ["LOCAL_RANK"])
    return World(distributed.get_rank(), distributed.get_world_size(), local)


def _leave() -> None:
    if distributed.is_initialized():
        distributed.destroy_process_group()
