"""The weights of a finished run, in one file that knows its own checksum."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import safetensors.torch
from safetensors import safe_open
from torch import Tensor

from openke.runtime.checksum import checksum
from openke.runtime.files import write_whole

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
