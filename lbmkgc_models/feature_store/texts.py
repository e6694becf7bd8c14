"""The texts of entities: from ``labels.tsv`` and ``texts.tsv``, as much of them as is asked for."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal, get_args

from lbmkgc_models.feature_store.labels import EntityLabel, read_labels
from lbmkgc_models.feature_store.name_spotting import mask_names
from openke.runtime.files import is_there, read_text

TEXTS_FILE = "texts.tsv"
TextChoice = Literal["names", "descriptions", "all", "masked"]
"""names: labels alone. descriptions: labels and their one line in ``labels.tsv``. all: these, and
all that ``texts.tsv`` has. masked: all, with the names of other entities replaced by one token.

Texts name answers: an extract of an article on a film names its cast. So a result has to say which
texts it had; only "names", "descriptions" and "masked" compare with what reads no articles."""
CHOICE_NOTE = "which texts"
"""Note in the manifest of text features: the choice."""
TEXT_CHOICES: tuple[TextChoice, ...] = get_args(TextChoice)
CLASSES = "type"
"""The kind of a text that lists classes, with semicolons between them."""
_NEEDED = ("id", "text")


@dataclass(frozen=True)
class EntityTexts:
    """Names and texts of a data set's entities in the order of ids; "" where there is no text."""

    names: tuple[str, ...]
    texts: tuple[str, ...]

    def given(self) -> tuple[list[str], list[str]]:
        """Return names and texts of the entities that have a text."""
        kept = [(name, text) for name, text in zip(self.names, self.texts, strict=True) if text]
        return [name for name, _ in kept], [text for _, text in kept]

    def checksum(self) -> str:
        """Return a SHA-256 of the names and texts of the entities that have a text."""
        return hashlib.sha256(json.dumps(self.given()).encode()).hexdigest()


@dataclass(frozen=True)
class MoreText:
    """A line of ``texts.tsv``: what one source says of an entity, and of which kind it is."""

    kind: str
    text: str


def check_choice(texts: str) -> TextChoice:
    """Return it as a choice of texts.

    Raises
    ------
    ValueError
        It is none.
    """
    for choice in TEXT_CHOICES:
        if texts == choice:
            return choice
    raise ValueError(f"texts are {texts!r}, expected one of {', '.join(TEXT_CHOICES)}")


def read_texts(directory: str | Path, texts: TextChoice = "all") -> EntityTexts:
    """Read the text of each entity: "label: description" with as much as ``texts`` says.

    An entity of which no line says anything has no text. Raises as :func:`describe_entities`.
    """
    labels = describe_entities(directory, texts)
    return EntityTexts(tuple(label.name for label in labels), tuple(label.text for label in labels))


def describe_entities(directory: str | Path, texts: TextChoice = "all") -> list[EntityLabel]:
    """Return the label of each entity, with a description of as much text as is asked for.

    What a source repeats of those before it is left out.

    Parameters
    ----------
    directory
        Folder of a data set: ``entity2id.txt``, ``labels.tsv`` and, if there are more texts,
        ``texts.tsv``.
    texts
        See :data:`TextChoice`.

    Returns
    -------
    list of EntityLabel
        Those of all entities, in the order of ids.

    Raises
    ------
    FileNotFoundError, ValueError
        As of :func:`.read_labels`; a line of ``texts.tsv`` without id or text, or of an entity that
        there is not.
    """
    labels = read_labels(directory)
    if texts == "names":
        return [replace(label, description="") for label in labels]
    if texts == "descriptions":
        return labels
    more = read_more(directory, labels)
    found = [
        replace(label, description=_joined(label, said))
        for label, said in zip(labels, more, strict=True)
    ]
    return mask_names(found) if texts == "masked" else found


def read_more(directory: str | Path, labels: Sequence[EntityLabel]) -> list[list[MoreText]]:
    """Read what ``texts.tsv`` says of each entity; nothing where there is no such file.

    The first line names the columns, with tabs between them: at least ``id`` and ``text``;
    ``name``, if there is one, must be that of ``entity2id.txt``; ``kind`` is "text" or "type";
    others are not read. UTF-8; any number of lines for an entity.

    Raises
    ------
    ValueError
        A column is missing, or a line has other fields or another entity; the message names the
        line.
    """
    path = Path(directory) / TEXTS_FILE
    found: list[list[MoreText]] = [[] for _ in labels]
    if not is_there(path):
        return found
    for where, row in _rows(path):
        entity = row["id"].strip()
        if not (entity.isascii() and entity.isdigit() and int(entity) < len(labels)):
            raise ValueError(f"{where}: id {entity!r}, expected 0 to {len(labels) - 1}")
        name, known = row.get("name"), labels[int(entity)].name
        if name is not None and name.strip() != known:
            raise ValueError(
                f"{where}: entity {entity} is {name!r} here and {known!r} in entity2id.txt: the "
                "file belongs to another version of the data set"
            )
        found[int(entity)].append(MoreText(row.get("kind", "text").strip(), row["text"].strip()))
    return found


def _rows(path: Path) -> Iterator[tuple[str, dict[str, str]]]:
    """Yield place and fields of each line after the first."""
    # Not splitlines(): texts may hold the other characters it breaks lines at.
    lines = [line.removesuffix("\r") for line in read_text(path).split("\n")]
    columns = [column.strip() for column in lines[0].split("\t")]
    missing = [column for column in _NEEDED if column not in columns]
    if missing:
        raise ValueError(
            f"{path}:1: no column {' and '.join(missing)}, expected a first line that names the "
            "columns with tabs between them, such as: id, name, kind, text"
        )
    for number, line in enumerate(lines[1:], start=2):
        if not line.strip():
            continue
        fields = line.split("\t")
        if len(fields) != len(columns):
            raise ValueError(
                f"{path}:{number}: {len(fields)} fields, expected {len(columns)} with tabs between "
                f"them: {', '.join(columns)}"
            )
        yield f"{path}:{number}", dict(zip(columns, fields, strict=True))


def _joined(label: EntityLabel, more: Sequence[MoreText]) -> str:
    """Return the description and what more there is to say, the short before the long."""
    if not more:
        return label.description
    classes = [said.text for said in more if said.kind == CLASSES]
    longer = [said.text for said in more if said.kind != CLASSES]
    parts: list[str] = []
    for part in filter(None, (label.description, *classes, *sorted(longer, key=len))):
        if not any(part.casefold() in earlier.casefold() for earlier in parts):
            parts.append(part)
    return ". ".join(part.rstrip(".") for part in parts)
