"""Batches as tensors that move: to a device, into pinned memory, over those of another batch."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from dataclasses import fields, replace
from typing import Any, ClassVar, TypeVar

import torch
from torch import Tensor

Self = TypeVar("Self", bound="Movable")


class Movable:
    """A frozen dataclass of tensors, tuples of tensors and plain values."""

    stays: ClassVar[tuple[str, ...]] = ()
    """Fields that stay on the host."""

    def to(self: Self, device: torch.device) -> Self:
        """Return the batch on ``device``, copied asynchronously where that is possible."""
        if all(tensor.device == device for tensor in self.tensors()):
            return self
        return self._map(lambda tensor: tensor.to(device, non_blocking=True))

    def pin(self: Self) -> Self:
        """Return the batch in pinned memory, from which copies to a GPU run asynchronously."""
        return self._map(Tensor.pin_memory)

    def copy(self: Self) -> Self:
        """Return the batch with tensors of its own."""
        return self._map(Tensor.clone)

    def tensors(self) -> list[Tensor]:
        """Return the tensors that move."""
        found: list[Tensor] = []
        for _, value in self._moving():
            if isinstance(value, Tensor):
                found.append(value)
            elif isinstance(value, tuple):
                found.extend(value)
        return found

    def layout(self) -> Hashable:
        """Return all that a step depends on but the values of :meth:`tensors`.

        None where it may depend on more: on values that stay on the host.
        """
        if any(getattr(self, name) is not None for name in self.stays):
            return None
        return tuple(
            tuple((tensor.shape, tensor.dtype) for tensor in value)
            if isinstance(value, tuple)
            else (value.shape, value.dtype)
            if isinstance(value, Tensor)
            else value
            for _, value in self._moving()
        )

    def _moving(self) -> list[tuple[str, Any]]:
        return [
            (field.name, getattr(self, field.name))
            for field in fields(self)  # type: ignore[arg-type]
            if field.name not in self.stays
        ]

    def _map(self: Self, function: Callable[[Tensor], Tensor]) -> Self:
        changed: dict[str, Any] = {}
        for name, value in self._moving():
            if isinstance(value, Tensor):
                changed[name] = function(value)
            elif isinstance(value, tuple):
                changed[name] = tuple(map(function, value))
        return replace(self, **changed)  # type: ignore[type-var]
