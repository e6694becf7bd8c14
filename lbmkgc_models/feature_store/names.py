"""Names of entities, the only key by which features find their entity."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from openke.runtime.files import read_text


def read_entity_names(path: Path) -> list[str] | None:
    """Return the names of an ``entity2id.txt`` in the order of ids, None where it has a count only.

    Raises
    ------
    ValueError
        A count that disagrees with the rows, a row without name or id, ids that are not 0 to
        count - 1 once each; the message names file and line.
    """
    lines = [line.strip(" \t\r") for line in read_text(path).rstrip(" \t\r\n").split("\n")]
    if not _is_number(lines[0]):
        raise ValueError(f"{path}:1: {lines[0]!r}, expected the number of entities")
    count = int(lines[0])
    if len(lines) == 1:
        return None
    if len(lines) - 1 != count:
        raise ValueError(f"{path}:1: a count of {count}, but {len(lines) - 1} rows follow")
    names: list[str | None] = [None] * count
    for number, line in enumerate(lines[1:], start=2):
        # A name may hold blanks: the id follows the last tab, or the last blank without a tab.
        name, _, entity = line.rpartition("\t" if "\t" in line else " ")
        name, entity = name.rstrip(" \t\r"), entity.strip(" ")
        if not name or not _is_number(entity):
            raise ValueError(f"{path}:{number}: {line!r}, expected a name and an id")
        if int(entity) >= count or names[int(entity)] is not None:
            raise ValueError(
                f"{path}:{number}: id {entity}, expected each of 0 to {count - 1} once"
            )
        names[int(entity)] = name
    return [name for name in names if name is not None]


def name_positions(names: Sequence[str] | None, where: str) -> dict[str, int]:
    """Return name -> position of the entities of a data set or of the rows of a file.

    Parameters
    ----------
    names
        The names; None where a data set has none.
    where
        What the names belong to, for messages.

    Raises
    ------
    ValueError
        There are no names, or one is there twice.
    """
    if names is None:
        raise ValueError(
            f"{where}: no entity names (entity2id.txt has a count only), but features are matched "
            "to entities by name; take a copy of the data set whose entity2id.txt lists the names"
        )
    positions: dict[str, int] = {}
    for position, name in enumerate(names):
        first = positions.setdefault(name, position)
        if first != position:
            raise ValueError(
                f"{where}: the name {name!r} is there twice, at rows {first} and {position} "
                "(the first is 0); expected each name once"
            )
    return positions


def _is_number(field: str) -> bool:
    return field.isascii() and field.isdigit()
