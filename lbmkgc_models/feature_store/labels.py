"""What entities are called, and one line on each, read from a data set's ``labels.tsv``."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from lbmkgc_models.feature_store.names import name_positions, read_entity_names
from openke.runtime.files import is_there, read_text

LABELS = "labels.tsv"


@dataclass(frozen=True)
class EntityLabel:
    """What ``labels.tsv`` says of an entity; "" where it says nothing."""

    name: str
    label: str
    description: str

    @property
    def text(self) -> str:
        """Return "label: description", or the one of them that is there."""
        return ": ".join(filter(None, (self.label, self.description)))


def read_labels(directory: str | Path) -> list[EntityLabel]:
    """Read ``labels.tsv`` (UTF-8; id, raw name, label, one-line description; tabs between them).

    Returns
    -------
    list of EntityLabel
        Those of all entities, in the order of ids.

    Raises
    ------
    FileNotFoundError
        ``labels.tsv`` or ``entity2id.txt`` is not there.
    ValueError
        A line with too few or too many fields, an id out of range or twice, a raw name that
        differs from ``entity2id.txt``, bytes that are not UTF-8; the message names file and line.
    """
    directory = Path(directory)
    path = directory / LABELS
    if not is_there(path):
        raise FileNotFoundError(
            f"{path}: no such file; the texts of entities come from it, a line per entity: id, raw "
            "name, label, description, with tabs between them"
        )
    entity_file = directory / "entity2id.txt"
    if not is_there(entity_file):
        raise FileNotFoundError(f"{entity_file}: no such file, expected the names of the entities")
    names = read_entity_names(entity_file)
    rows = _read_rows(path, names)
    if names is None:
        # A count alone: the raw names in labels.tsv are the only names there are.
        missing = next((i for i in range(len(rows)) if i not in rows), None)
        if missing is not None:
            raise ValueError(
                f"{path}: no line for entity {missing}; {entity_file} has no names, so each entity "
                "needs its line here"
            )
        names = [rows[i].name for i in range(len(rows))]
    return [rows.get(i, EntityLabel(name, "", "")) for i, name in enumerate(names)]


def read_names(directory: str | Path) -> tuple[str, ...]:
    """Return the names of a data set's entities in the order of ids.

    They stand in ``entity2id.txt``, or in ``labels.tsv`` where that file holds a count alone.

    Raises
    ------
    FileNotFoundError
        There is no ``entity2id.txt``.
    ValueError
        It is malformed; neither file has names, or :func:`read_labels` refuses the labels.
    """
    path = Path(directory) / "entity2id.txt"
    if not is_there(path):
        raise FileNotFoundError(f"{path}: no such file, expected the names of the entities")
    names = read_entity_names(path)
    if names is None and is_there(Path(directory) / LABELS):
        return tuple(label.name for label in read_labels(directory))
    return tuple(name_positions(names, str(path)))


def _read_rows(path: Path, names: list[str] | None) -> dict[int, EntityLabel]:
    rows: dict[int, EntityLabel] = {}
    # Not splitlines(): texts may hold the other characters it breaks lines at.
    for number, line in enumerate(read_text(path).split("\n"), start=1):
        line = line.removesuffix("\r")
        if not line.strip():
            continue
        fields = line.split("\t")
        where = f"{path}:{number}"
        if len(fields) not in (3, 4):
            raise ValueError(
                f"{where}: {len(fields)} fields, expected 4 with tabs between them: id, raw name, "
                "label, description (which may be empty or left out)"
            )
        entity, name = _entity(where, fields[0], names), fields[1].strip()
        if entity in rows:
            raise ValueError(f"{where}: id {entity} is there twice, expected one line per entity")
        if names is not None and names[entity] != name:
            raise ValueError(
                f"{where}: entity {entity} is {name!r} here and {names[entity]!r} in "
                "entity2id.txt: the file belongs to another version of the data set"
            )
        # Editors strip the tab of an empty description.
        label, description = (field.strip() for field in (*fields[2:], "")[:2])
        rows[entity] = EntityLabel(name, label, description)
    return rows


def _entity(where: str, field: str, names: list[str] | None) -> int:
    field = field.strip()
    if not (field.isascii() and field.isdigit()):
        raise ValueError(f"{where}: id {field!r}, expected a whole number")
    if names is not None and int(field) >= len(names):
        raise ValueError(
            f"{where}: id {field}, expected 0 to {len(names) - 1}: entity2id.txt has {len(names)}"
        )
    return int(field)
