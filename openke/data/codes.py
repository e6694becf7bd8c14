"""Splits and slots by the numbers that the core knows them by."""

from __future__ import annotations

from collections.abc import Sequence

from openke import _native


def check_split(split: str) -> None:
    """Raise ``ValueError`` unless there is a split of that name."""
    if split not in _native.SPLIT_BITS:
        known = ", ".join(_native.SPLIT_BITS)
        raise ValueError(f"found the split {split!r}, expected one of {known}")


def slot_code(slot: str) -> int:
    """Return the core's number of a slot that can be asked for."""
    if slot not in ("head", "relation", "tail"):
        raise ValueError(f"found the slot {slot!r}, expected one of head, relation, tail")
    return _native.SLOTS[slot]


def split_mask(splits: Sequence[str]) -> int:
    """Return the core's number of a set of splits."""
    if isinstance(splits, str):
        raise ValueError(f"found the splits {splits!r}, expected a sequence such as ({splits!r},)")
    mask = 0
    for split in splits:
        check_split(split)
        mask |= _native.SPLIT_BITS[split]
    return mask
