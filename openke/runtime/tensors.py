"""Reading files of ``torch.save`` that somebody else may have written."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor


def load_tensors(path: Path, what: str) -> Any:
    """Return the tensors, numbers and texts of a file; nothing in it is executed.

    Parameters
    ----------
    path
        A file of ``torch.save``.
    what
        What it should be, for the message: "checkpoint".

    Raises
    ------
    OSError
        It cannot be read.
    ValueError
        It is broken, or holds more than that. PyTorch's own words are left out: they advise
        loading it without ``weights_only``, which executes what it holds.
    """
    try:
        return torch.load(path, map_location="cpu", weights_only=True)
    except (OSError, MemoryError):
        raise
    except Exception as error:  # half a dozen kinds
        with path.open("rb") as file:
            start = file.read(16)
        raise ValueError(
            f"{path}: not a readable {what} ({type(error).__name__}): it is broken, or holds more "
            f"than numbers and text, which is never executed here; it starts with {start!r}"
        ) from None


def require_numbers(path: Path, tensors: Mapping[str, Any]) -> None:
    """Raise ``ValueError`` where a tensor of a file has NaN: nothing that follows is of use."""
    for name, values in tensors.items():
        if isinstance(values, Tensor) and values.is_floating_point() and values.isnan().any():
            raise ValueError(
                f"{path}: {name} holds NaN: the training that wrote it had diverged; take an "
                "earlier file, or train anew"
            )
