"""Checksums of what is in memory: tensors and plain values."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor


def checksum(value: Any) -> str:
    """Return a SHA-256 of tensors, numbers, text and None, in lists and dictionaries of any depth.

    It depends on types, shapes, values and order; not on the device that tensors lie on.
    """
    found = hashlib.sha256()
    _add(found, value)
    return found.hexdigest()


def _add(found: hashlib._Hash, value: Any) -> None:
    if isinstance(value, Tensor):
        _say(found, f"{value.dtype}{list(value.shape)}")
        flat = value.detach().cpu().contiguous().reshape(-1)
        found.update(flat.view(torch.uint8).numpy().data if flat.numel() else b"")
    elif isinstance(value, Mapping):
        _say(found, f"{{{len(value)}")
        for name, inside in value.items():
            _say(found, repr(name))
            _add(found, inside)
    elif isinstance(value, Sequence) and not isinstance(value, str | bytes):
        _say(found, f"[{len(value)}")
        for inside in value:
            _add(found, inside)
    else:
        _say(found, repr(value))


def _say(found: hashlib._Hash, text: str) -> None:
    """Add a text with its length before it, so that where one ends cannot be mistaken."""
    encoded = text.encode()
    found.update(f"{len(encoded)}:".encode())
    found.update(encoded)
