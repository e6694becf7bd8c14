"""Counts what tensors take while something is computed, on any device, the meta device included."""

from __future__ import annotations

import weakref

import torch
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves


class Memory(TorchDispatchMode):
    """Counts the bytes of all tensors that operators return while it lasts and that still are.

    Views count once, with what they are views of. What was there before does not count, nor does
    what an operator needs inside.
    """

    def __init__(self) -> None:
        super().__init__()
        self.now = self.peak = 0
        self.largest = 0
        """Numbers of the largest tensor."""
        self._counted: set[int] = set()

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        before = [x for x in tree_leaves((args, kwargs)) if isinstance(x, torch.Tensor)]
        known = {_key(x) for x in before}
        found = func(*args, **(kwargs or {}))
        for tensor in tree_leaves(found):
            if isinstance(tensor, torch.Tensor) and _key(tensor) not in known:
                self._count(tensor)
        return found

    def _count(self, tensor: torch.Tensor) -> None:
        key, storage = _key(tensor), tensor.untyped_storage()
        if key in self._counted:
            return
        bytes_ = storage.nbytes()
        self._counted.add(key)
        self.now += bytes_
        self.peak = max(self.peak, self.now)
        self.largest = max(self.largest, bytes_ // tensor.element_size())
        weakref.finalize(storage, self._forget, key, bytes_)

    def _forget(self, key: int, bytes_: int) -> None:
        self._counted.discard(key)
        self.now -= bytes_


def _key(tensor: torch.Tensor) -> int:
    return tensor.untyped_storage()._cdata
