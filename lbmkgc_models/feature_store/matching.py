"""Rows of features, matched to the entities of a graph by name."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor

from lbmkgc_models.feature_store.manifest import Manifest
from lbmkgc_models.feature_store.names import name_positions

LARGEST = 1e15
"""Values of features are smaller."""
LEAVE_OUT = "leave such rows out, and their entities count as missing"
MAKE_ZERO = "make such rows all zeros, and their entities count as missing"


class Matched(NamedTuple):
    """Rows where their entities are, see :class:`.ModalFeatures`."""

    values: Tensor
    present: Tensor
    names: tuple[str, ...]
    unmatched: tuple[str, ...]


def match_rows(
    where: str,
    manifest: Manifest,
    names: Sequence[str],
    rows: Tensor,
    entity_names: Sequence[str] | None,
    way_out: str = LEAVE_OUT,
) -> Matched:
    """Check rows and names, and put the rows where their entities are.

    Parameters
    ----------
    where
        Folder or file, for messages.
    manifest
        Says whether an entity may have several rows, and how many.
    names, rows
        Float["rows dim"] and the entity name of each.
    entity_names
        Names of the graph's entities in the order of ids.
    way_out
        What to do about rows that are not finite.

    Raises
    ------
    ValueError
        See :meth:`.ModalFeatures.from_rows`.
    """
    if rows.dim() != 2 or not rows.is_floating_point() or not rows.shape[1]:
        raise ValueError(
            f"{where}: {shape_of(rows)}, expected a matrix of reals, one row an entity"
        )
    if len(names) != len(rows):
        raise ValueError(f"{where}: {len(names)} names for {len(rows)} rows, expected one each")
    rows = rows.detach().to("cpu", torch.float32)
    places = places_of(names, where, manifest.parts)
    for row, name in enumerate(names):
        if not name or "\n" in name or "\r" in name:
            raise ValueError(f"{where}: row {row} is named {name!r}, expected one line of text")
    check_finite(where, names, rows, way_out)
    entities = name_positions(entity_names, "the data set")
    matched = [row for row, name in enumerate(names) if name in entities]
    if not matched:
        raise ValueError(
            f"{where}: none of the {len(names)} names, the first {next(iter(names), None)!r}, is "
            f"one of the {len(entities)} entities, the first {next(iter(entities), None)!r}: these "
            "features belong to another data set"
        )
    to = torch.tensor([entities[names[row]] for row in matched])
    at = torch.tensor([places[row] for row in matched])
    shape = (len(entities), max(1, manifest.parts))
    values, present = torch.zeros(*shape, rows.shape[1]), torch.zeros(shape, dtype=torch.bool)
    values[to, at] = rows[torch.tensor(matched)]
    present[to, at] = True
    if not manifest.parts:
        values, present = values[:, 0], present[:, 0]
    unmatched = tuple(dict.fromkeys(name for name in names if name not in entities))
    return Matched(values, present, tuple(entities), unmatched)


def places_of(names: Sequence[str], where: str, parts: int) -> list[int]:
    """Return which row of its entity each is: 0 for the first, and no other without ``parts``.

    Raises
    ------
    ValueError
        A name that is there more often.
    """
    if not parts:
        name_positions(names, where)
    found: Counter[str] = Counter()
    places = []
    for name in names:
        places.append(found[name])
        found[name] += 1
        if found[name] > max(1, parts):
            raise ValueError(
                f"{where}: the name {name!r} is there {names.count(name)} times, expected each at "
                f"most {parts} times, as the manifest says (parts)"
            )
    return places


def check_finite(where: str, names: Sequence[str], rows: Tensor, way_out: str = LEAVE_OUT) -> None:
    """Raise ``ValueError`` where a row has NaN, an infinite value, or one too large to square."""
    finite = (rows.abs() < LARGEST).all(dim=1)  # which NaN is not, either
    if finite.all():
        return
    bad = (~finite).nonzero().flatten().tolist()
    kind = "NaN" if rows[bad[0]].isnan().any() else "an infinite value"
    if rows[bad[0]].isfinite().all():
        raise ValueError(
            f"{where}: row {bad[0]} ({names[bad[0]]}) has {rows[bad[0]].abs().max():.3g}, expected "
            f"values below {LARGEST:g}, whose squares can be added; scale the features"
        )
    raise ValueError(
        f"{where}: row {bad[0]} ({names[bad[0]]}) has {kind}, {len(bad)} of {len(rows)} rows are "
        f"not finite; {way_out}"
    )


def shape_of(rows: Tensor) -> str:
    """Return type and shape of a tensor, for messages."""
    return f"a {str(rows.dtype).removeprefix('torch.')} tensor of shape {list(rows.shape)}"
