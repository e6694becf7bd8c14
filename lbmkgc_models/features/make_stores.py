"""From items and an encoder to feature stores: resumable, and not again where they are there."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Generic, TypeVar

from torch import Tensor

from lbmkgc_models.feature_store.manifest import Manifest, Value
from lbmkgc_models.feature_store.store import ModalFeatures
from lbmkgc_models.feature_store.store_files import MANIFEST
from lbmkgc_models.features.encode import build_key, encode_in_blocks
from lbmkgc_models.features.encoders.protocol import Encoder, Unfitted, fitted
from openke.runtime.files import folder_for

BUILD_KEY, STORES, ZEROS = "recipe", "stores", "vectors of zeros"
"""Notes in the manifest: a checksum of all that shaped the rows; the number of stores made at
once, where it is more than one; how many rows of zeros were left out."""

Item = TypeVar("Item")


@dataclass(frozen=True, kw_only=True)
class Work(Generic[Item]):
    """Items that become the rows of one feature store, or of several."""

    modality: str
    """"text", "image"; a second and third store are "image-2", "image-3"."""
    out_dir: Path
    dataset: str
    entity_names: Sequence[str]
    encoder: Encoder[Item] | Unfitted[Item]
    items: Sequence[Item]
    keys: Sequence[str]
    """What stands for the items in the recipe: the texts, or the checksums of pictures."""
    options: Mapping[str, Value]
    """Further options that shape the rows."""
    batch_size: int
    unit: str
    """What the progress bar counts."""
    progress: bool


@dataclass(frozen=True)
class StoreRows:
    """Rows of one store: Float["n dim"], a name each, and what else the store keeps."""

    names: Sequence[str]
    values: Tensor
    notes: Mapping[str, Value]
    extra: Mapping[str, str] = field(default_factory=dict)
    """Text files, name -> content."""
    several: bool = False
    """An entity may have several rows."""


def make_stores(
    work: Work[Item], assemble: Callable[[Tensor, int], Sequence[StoreRows]]
) -> list[Path]:
    """Encode items, or go on where a killed run was, and write the stores.

    Stores of the same items, encoder and options that are there already are kept. Rows of zeros,
    which stand for an item that says nothing to its encoder, are left out and counted.

    Parameters
    ----------
    work
        What to encode, with what, where to.
    assemble
        Makes the rows of each store of Float["items dim"] and the number of items that were cut.

    Raises
    ------
    ValueError
        StoreRows that :meth:`ModalFeatures.from_rows` refuses; zeros only.
    OSError
        The stores cannot be written.
    """
    options = {"batch_size": work.batch_size, **work.options}
    key = build_key(work.encoder, work.keys, options)
    if kept := _finished(work, key):
        _remove_further(work, len(kept))  # a run may have been killed before it did
        return kept
    _require_writable(work.out_dir)
    with folder_for(work.out_dir):
        return _made(work, assemble, options, key)


def _made(
    work: Work[Item],
    assemble: Callable[[Tensor, int], Sequence[StoreRows]],
    options: Mapping[str, Value],
    key: str,
) -> list[Path]:
    encoder = fitted(work.encoder, work.items)
    # Of what was learnt, too: blocks of another fit would not match.
    partial = build_key(encoder, work.keys, options)[:16]
    blocks = work.out_dir / f".partial-{work.modality}-{partial}"
    lengths, limit = encoder.lengths(work.items), encoder.limit
    rows = encode_in_blocks(
        encoder,
        work.items,
        lengths,
        blocks,
        batch_size=work.batch_size,
        unit=work.unit,
        progress=work.progress,
    )
    cut = sum(length > limit for length in lengths) if limit else 0
    parts = assemble(rows, cut)
    common: dict[str, Value] = {BUILD_KEY: key}
    if len(parts) > 1:
        common[STORES] = len(parts)
    stores = [_save(work, encoder, k, part, common) for k, part in enumerate(parts, start=1)]
    _remove_further(work, len(parts))
    shutil.rmtree(blocks, ignore_errors=True)
    return stores


def check_batch_size(batch_size: int) -> None:
    """Raise a ValueError unless items can be encoded so many at once."""
    if batch_size < 1:
        raise ValueError(f"batch_size is {batch_size}, expected at least 1")


def _save(
    work: Work[Item], encoder: Encoder[Item], k: int, part: StoreRows, notes: Mapping[str, Value]
) -> Path:
    some = part.values.any(dim=1)
    if not some.any():
        raise ValueError(
            f"{work.modality} features: all {len(some)} vectors that {encoder.name} made hold "
            "nothing but zeros; take another encoder"
        )
    modality = numbered(work.modality, k)
    zeros = {ZEROS: int((~some).sum())} if not some.all() else {}
    features = ModalFeatures.from_rows(
        modality,
        [name for name, kept in zip(part.names, some.tolist(), strict=True) if kept],
        part.values[some],
        work.entity_names,
        several=part.several,
        dataset=work.dataset,
        encoder=encoder.name,
        revision=encoder.revision,
        settings=encoder.settings,
        notes={**notes, **part.notes, **zeros},
    )
    return features.save(work.out_dir / modality, extra=part.extra)


def numbered(modality: str, k: int) -> str:
    """Return the name of the k-th store of a modality: "image", "image-2", "image-3"."""
    return modality if k == 1 else f"{modality}-{k}"


def _finished(work: Work[Item], key: str) -> list[Path]:
    """Return the stores of this key; none unless all of them are there and whole."""
    stores: list[Path] = []
    count = 1
    while len(stores) < count:
        store = work.out_dir / numbered(work.modality, len(stores) + 1)
        try:
            notes = ModalFeatures.load(store, work.entity_names).manifest.notes
        except (OSError, ValueError):
            return []
        if notes.get(BUILD_KEY) != key:
            return []
        stores.append(store)
        count = int(notes.get(STORES) or 1)
    return stores


def _remove_further(work: Work[Item], count: int) -> None:
    """Remove the stores that an earlier run made beside those which this one has replaced."""
    while (store := work.out_dir / numbered(work.modality, count + 1) / MANIFEST).is_file():
        try:
            made_here = STORES in Manifest.read(store).notes
        except ValueError:
            return
        if not made_here:
            return
        shutil.rmtree(store.parent)
        count += 1


def _require_writable(folder: Path) -> None:
    """Fail before the encoding, not after it."""
    try:
        with folder_for(folder):
            if not os.access(folder, os.W_OK):
                raise PermissionError(f"no permission to write to {folder}")
    except OSError as error:
        raise OSError(
            f"{folder}: features cannot be written there ({error}); choose another folder with "
            "--out of 'openke features', or another cache with the environment variable "
            "OPENKE_CACHE"
        ) from error
