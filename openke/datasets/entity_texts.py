"""What tables say of entities: a label, a text, a picture; matched to the entities of a graph."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import chain
from os import PathLike
from pathlib import Path
from typing import Any

from openke.datasets.memory_tables import iter_once
from openke.datasets.pictures import NO_FILE, NO_PICTURE, find_pictures, folder_name, is_picture
from openke.datasets.tables import (
    BadRows,
    Columns,
    Table,
    read_table,
    text_of,
    too_many,
)

ROLES: dict[str, tuple[str, ...]] = {
    "id": ("id", "entity", "key"),
    "name": ("name", "label", "title"),
    "text": ("text", "description", "comment", "abstract"),
    "picture": ("picture", "image", "photo", "path"),
}
"""Columns of a table of texts, and how a header may call them."""
NO_PICTURES = "files that are no pictures"
NEEDED = (("id", "name"), ("text", "picture", "name"))


@dataclass(frozen=True)
class EntityText:
    """What a row says of an entity; "" and None where it says nothing."""

    place: str
    label: str
    text: str
    picture: Path | None


def read_entity_texts(
    source: Any,
    entities: Mapping[str, int] | None,
    bad: BadRows,
    *,
    columns: Columns | None = None,
    delimiter: str = "",
    pictures: Path | None = None,
    called: str = "the texts",
) -> Iterator[tuple[str, EntityText]]:
    """Yield what a table says of each entity, and the entity's name before it; rows stream.

    A row is of the entity whose name is in the column id or, where more entities are found so, in
    the column name. The column name is the label in both cases. Rows of no entity are left out.

    Parameters
    ----------
    source
        See :func:`.read_table`; columns are those of :data:`ROLES`.
    entities
        Those of the graph; None takes every row, by its id, or by its name where it has no id.
    bad
        What becomes of rows that do not fit.
    columns, delimiter
        See :func:`.read_table`.
    pictures
        Where relative paths of pictures begin; by default the folder of the table.
    called
        What a table in memory is called in messages.

    Raises
    ------
    FileNotFoundError, ValueError, ImportError
        As :func:`.read_table`; a row without a name, or of an entity that had one; a picture that
        is not there; no row of any entity.
    """
    own = None if columns is None else {r: name for r, name in columns.items() if r in ROLES}
    if iter_once(source):  # which column has the names shows when all rows were seen
        source = list(source)

    def opened() -> tuple[Table, dict[str, int]]:
        return read_table(source, ROLES, NEEDED, delimiter=delimiter, columns=own, called=called)

    root = pictures
    if root is None:
        root = Path(source).parent if isinstance(source, (str, PathLike)) else Path()
    table, places = opened()
    known = [role for role in ("id", "name") if role in places]
    key = known[0]
    if len(known) == 2 and entities is not None and _named(opened()[0], places, entities):
        key = "name"
    found: dict[str, int] = {}
    rows, first = 0, ""
    for number, values in table.rows:
        row = [text_of(value) for value in values]
        place = table.place(number)
        said = {role: row[at] if at < len(row) else "" for role, at in places.items()}
        name = said[key]
        rows, first = rows + 1, first or name
        if table.names is not None and len(row) > len(table.names):
            bad.refuse(place, too_many(row, len(table.names)), "rows with too many fields")
        elif not name:
            bad.refuse(place, f"no {key}: expected the name of an entity", "rows without a name")
        elif entities is not None and name not in entities:
            bad.leave_out(place, f"{name!r} is no entity of the graph", "rows of no entity")
        elif name in found:
            bad.refuse(
                place,
                f"{name!r} is there already, at {table.place(found[name])}: expected it once",
                "further rows of an entity",
            )
        else:
            found[name] = number
            yield (
                name,
                EntityText(
                    place,
                    " ".join(said.get("name", name if table.names is None else "").split()),
                    " ".join(said.get("text", "").split()),
                    _picture(root, said.get("picture", ""), place, bad),
                ),
            )
    if not rows or found:
        return
    if entities is None:
        raise ValueError(f"{table.source}: no row that fits; the first: {bad.listed[0][1]}")
    raise ValueError(
        f"{table.source}: none of {rows} rows is of an entity of the graph; the first is of "
        f"{first!r}, the graph's first entity is {next(iter(entities), '')!r}"
    )


def _picture(root: Path, said: str, place: str, bad: BadRows) -> Path | None:
    """Return the file of a row's picture; None where there is none, and where it is gone."""
    if not said:
        return None
    if (path := root / said).is_file():
        return path
    reason = f"no picture {path}"
    if "://" in said:
        reason = f"{said!r} is an address, expected a file"
    reason += "; a column that has no files needs another name"
    bad.refuse(place, reason, "pictures that are not there", what="pictures")
    return None


def _named(table: Table, places: Mapping[str, int], entities: Mapping[str, int]) -> bool:
    """Return whether more entities are found by the column name than by the column id."""
    hits = dict.fromkeys(("id", "name"), 0)
    for _, row in table.rows:
        for role in hits:
            hits[role] += places[role] < len(row) and text_of(row[places[role]]) in entities
    return hits["name"] > hits["id"]


def pictures_of(
    folder: Path | None, given: Mapping[str, Path], names: list[str], bad: BadRows
) -> dict[str, list[Path]]:
    """Return the pictures of entities, those that are given by name, else those of a folder.

    What is no picture, or named for no entity alone, is left out. Where nothing of a folder is
    taken, a note says so.

    Raises
    ------
    FileNotFoundError
        There is no such folder.
    """
    listed = {name: [path] for name, path in given.items()}
    if not listed and folder is not None:
        found = find_pictures([folder], names)
        listed = {name: list(files) for name, files in found.files.items()}
        for path in found.unmatched:
            bad.leave_out(str(path), "a picture of no entity", "pictures of no entity")
        for path in found.ambiguous:
            bad.leave_out(str(path), "a picture of several entities", "pictures of several")
        for path in found.outside:
            bad.leave_out(str(path), "a link that leads out of the folder", "links that lead out")
        for path in chain.from_iterable(found.broken.values()):
            bad.leave_out(str(path), NO_FILE, "links that lead nowhere")
        for path in chain.from_iterable(found.unread.values()):
            bad.leave_out(str(path), NO_PICTURE, NO_PICTURES)
    kept: dict[str, list[Path]] = {}
    for name, files in listed.items():
        for file in files:
            if is_picture(file):
                kept.setdefault(name, []).append(file)
            else:
                bad.leave_out(str(file), NO_PICTURE, NO_PICTURES)
    if folder is not None and not kept:
        example = f"{folder_name(names[0])}.png" if names else "NAME.png"
        bad.notes.append(
            f"{folder}: no picture was taken from it; expected files or folders named for "
            f"entities, such as {example}"
        )
    return kept
