"""What tables say of entities: a label, a text, a picture; matched to the entities of a graph."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import chain
from os import PathLike
from pathlib import Path
from typing import Any

from openke.datasets.pictures import NO_FILE, find_pictures, is_picture
from openke.datasets.tables import BadRows, Columns, Table, read_table, text_of, too_many

ROLES: dict[str, tuple[str, ...]] = {
    "id": ("id", "entity", "key"),
    "name": ("name", "label", "title"),
    "text": ("text", "description", "comment", "abstract"),
    "picture": ("picture", "image", "photo", "path"),
}
"""Columns of a table of texts, and how a header may call them."""
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
) -> dict[str, EntityText]:
    """Return what a table says of each entity, by the entity's name.

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
    table, places = read_table(
        source, ROLES, NEEDED, delimiter=delimiter, columns=own, called=called
    )
    root = pictures
    if root is None:
        root = Path(source).parent if isinstance(source, (str, PathLike)) else Path()
    rows = [(number, [text_of(v) for v in row]) for number, row in table.rows]
    key = _key(rows, places, entities)
    found: dict[str, EntityText] = {}
    for number, row in rows:
        place = table.place(number)
        values = {role: row[at] if at < len(row) else "" for role, at in places.items()}
        name = values[key]
        if table.names is not None and len(row) > len(table.names):
            bad.refuse(place, too_many(row, len(table.names)))
        elif not name:
            bad.refuse(place, f"no {key}: expected the name of an entity")
        elif entities is not None and name not in entities:
            bad.leave_out(place, f"{name!r} is no entity of the graph")
        elif name in found:
            bad.refuse(
                place, f"{name!r} is there already, at {found[name].place}: expected it once"
            )
        elif "picture" in values and values["picture"] and not (root / values["picture"]).is_file():
            bad.refuse(place, f"no picture {root / values['picture']}")
        else:
            found[name] = EntityText(
                place,
                " ".join(values.get("name", name if table.names is None else "").split()),
                " ".join(values.get("text", "").split()),
                root / values["picture"] if values.get("picture") else None,
            )
    if rows and not found:
        raise ValueError(_none(table, rows, places, key, entities, bad))
    return found


def _key(
    rows: list[tuple[int, list[str]]],
    places: Mapping[str, int],
    entities: Mapping[str, int] | None,
) -> str:
    """Return the column that has the names of entities."""
    known = [role for role in ("id", "name") if role in places]
    if len(known) == 1 or entities is None:
        return known[0]
    hits = {
        role: sum(places[role] < len(row) and row[places[role]] in entities for _, row in rows)
        for role in known
    }
    return "name" if hits["name"] > hits["id"] else "id"


def _none(
    table: Table,
    rows: list[tuple[int, list[str]]],
    places: Mapping[str, int],
    key: str,
    entities: Mapping[str, int] | None,
    bad: BadRows,
) -> str:
    if entities is None:
        return f"{table.source}: no row that fits; the first: {bad.listed[0][1]}"
    first = next((row[places[key]] for _, row in rows if places[key] < len(row)), "")
    return (
        f"{table.source}: none of {len(rows)} rows is of an entity of the graph; the first is of "
        f"{first!r}, the graph's first entity is {next(iter(entities), '')!r}"
    )


def pictures_of(
    folder: Path | None, texts: Mapping[str, EntityText], names: list[str], bad: BadRows
) -> dict[str, list[Path]]:
    """Return the pictures of entities, those of a column of paths, else those of a folder.

    What is no picture, or named for no entity alone, is left out.

    Raises
    ------
    FileNotFoundError
        There is no such folder.
    """
    listed = {name: [said.picture] for name, said in texts.items() if said.picture is not None}
    if not listed and folder is not None:
        found = find_pictures([folder], names)
        listed = {name: list(files) for name, files in found.files.items()}
        for path in found.unmatched:
            bad.leave_out(str(path), "a picture of no entity")
        for path in found.ambiguous:
            bad.leave_out(str(path), "a picture of several entities")
        for path in found.outside:
            bad.leave_out(str(path), "a link that leads out of the folder")
        for path in chain.from_iterable(found.broken.values()):
            bad.leave_out(str(path), NO_FILE)
    kept: dict[str, list[Path]] = {}
    for name, files in listed.items():
        for file in files:
            if is_picture(file):
                kept.setdefault(name, []).append(file)
            else:
                bad.leave_out(str(file), "no picture: JPEG, PNG, WebP, GIF, BMP and TIFF are read")
    return kept
