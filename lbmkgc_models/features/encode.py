"""Encoding that survives being killed: finished blocks lie on disk until the whole is done."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TypeVar

import torch
from safetensors import SafetensorError
from torch import Tensor

from lbmkgc_models.feature_store.manifest import Value, library_versions
from lbmkgc_models.features.encoders.protocol import Described, Encoder
from openke.runs.weights import read_weights, write_weights
from openke.runtime.progress import counting

BATCHES_PER_BLOCK = 8

Item = TypeVar("Item")


def build_key(encoder: Described, keys: Sequence[str], options: Mapping[str, Value]) -> str:
    """Return a SHA-256 of all that shapes the rows: where it is equal, finished blocks are shared.

    Parameters
    ----------
    encoder
        Its name, revision and settings count, and the library versions.
    keys
        What stands for the items: the texts, or the checksums of pictures.
    options
        Further options, such as the batch size: it decides which items share a block, and rounds
        sums in its own way.
    """
    content = {
        "encoder": [encoder.name, encoder.revision, dict(encoder.settings)],
        "options": dict(options),
        "versions": library_versions(),
        "keys": list(keys),
    }
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


def encode_in_blocks(
    encoder: Encoder[Item],
    items: Sequence[Item],
    lengths: Sequence[int],
    folder: Path,
    *,
    batch_size: int,
    unit: str,
    progress: bool = True,
) -> Tensor:
    """Encode items batch by batch, the longest first, and return Float["n dim"] in their order.

    Items of like length share a batch, so that little of it is padding; and what needs the most
    memory comes first. Each block of batches is written to ``folder`` when it is done, whole or not
    at all, and not encoded again by a later run with the same arguments.

    Parameters
    ----------
    encoder, items
        What encodes, and what is encoded.
    lengths
        ``encoder.lengths(items)``.
    folder
        Where blocks are kept, one folder a recipe; the caller removes it in the end.
    batch_size
        Items encoded at once.
    unit
        What is counted: "texts".
    progress
        Show how far it is.
    """
    order = sorted(range(len(items)), key=lambda item: -lengths[item])  # stable: ties by position
    rows = torch.zeros(len(items), encoder.dim)
    size = batch_size * BATCHES_PER_BLOCK
    todo = []
    for number, first in enumerate(range(0, len(items), size)):
        members, path = order[first : first + size], folder / f"block-{number:06d}.safetensors"
        block = _finished(path, len(members), encoder.dim)
        if block is None:
            todo.append((members, path))
        else:
            rows[members] = block
    left = sum(len(members) for members, _ in todo)
    done = len(items) - left
    with counting(f"encoding {unit}", len(items), unit, done=done, show=progress) as count:
        for members, path in todo:
            for batch in _batches(members, batch_size):
                rows[batch] = encoder.encode([items[item] for item in batch])
                count(len(batch))
            write_weights(path, {"rows": rows[members]})
    return rows


def _batches(members: Sequence[int], size: int) -> Iterator[Sequence[int]]:
    for first in range(0, len(members), size):
        yield members[first : first + size]


def _finished(path: Path, count: int, dim: int) -> Tensor | None:
    """Return the rows of a block, or None where it is not there or not whole: then it is redone."""
    try:
        rows = read_weights(path).get("rows")
    except (OSError, ValueError, SafetensorError):
        return None
    return rows if rows is not None and rows.shape == (count, dim) else None
