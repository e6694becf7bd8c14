"""The weights of a finished run, in one file that knows its own checksum."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import safetensors.torch
from safetensors import SafetensorError, safe_open
from torch import Tensor
from torch.nn import Module

from openke.runtime.checksum import checksum
from openke.runtime.files import write_whole
from openke.runtime.tensors import require_numbers

SHA256 = "sha256"
"""The entry of the file's metadata that has the checksum of its tensors."""


def write_weights(path: Path, weights: Mapping[str, Tensor]) -> None:
    """Write tensors by name, as safetensors, whole or not at all."""
    named = {name: weights[name].cpu().contiguous() for name in sorted(weights)}
    content = safetensors.torch.save(named, metadata={SHA256: checksum(named)})
    write_whole(path, lambda stream: stream.write(content))


def read_weights(path: Path) -> dict[str, Tensor]:
    """Return the tensors that :func:`write_weights` wrote.

    Raises
    ------
    safetensors.SafetensorError
        No such file format.
    ValueError
        The file is not what was written. Files of releases before 0.2 have no checksum, and nothing
        is checked.
    """
    with safe_open(path, framework="pt") as file:
        expected = (file.metadata() or {}).get(SHA256)
        named = {name: file.get_tensor(name) for name in sorted(file.keys())}
    if expected is not None and checksum(named) != expected:
        raise ValueError(
            f"{path}: the weights are not what was written, their checksum differs: the file is "
            "damaged; copy it again, or train again"
        )
    return named


def load_weights(path: Path, model: Module, *, elsewhere: str = "") -> None:
    """Load what :func:`write_weights` wrote into a model.

    Tensors whose names begin with ``elsewhere`` are in other files, and stay as they are.

    Raises
    ------
    ValueError
        The file is damaged, or has the weights of another model; values that are NaN or infinite.
    """
    try:
        read = read_weights(path)
        require_numbers(path, read)
        _check_types(path, read, model)
        if elsewhere:
            own = model.state_dict()
            read |= {name: own[name] for name in own if name.startswith(elsewhere)}
        model.load_state_dict(read)
    except (SafetensorError, RuntimeError) as error:
        raise ValueError(
            f"{path}: not the weights of this {type(model).__name__}: {error}"
        ) from error


def _check_types(path: Path, read: Mapping[str, Tensor], model: Module) -> None:
    """Raise ``ValueError`` for whole numbers where reals belong: loading would convert them."""
    for name, own in model.state_dict().items():
        found = read.get(name)
        if found is not None and found.is_floating_point() != own.is_floating_point():
            raise ValueError(f"{path}: {name} is of {found.dtype}, expected {own.dtype}")
