"""What entities are called and one line on each, joined from public tables into ``labels.tsv``.

``labels.tsv`` has a line per entity, in the order of ids: ``id, raw name, label, description``,
separated by tabs; the description is empty where no source has one. ``relation_labels.tsv`` has
``id, raw name, label``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from urllib.parse import unquote

from openke.runtime.files import read_text
from openke.runtime.json_text import read_json_file

DBPEDIA = "http://dbpedia.org/resource/"

_SEPARATORS = str.maketrans("\t\n\r", "   ")


def join_freebase(folder: Path, wikidata_text: Path, freebase: Path) -> dict[str, str]:
    """Label DBpedia names ``<…/resource/Title>``; descriptions through their Freebase ids.

    Parameters
    ----------
    folder
        The data set: ``entity2id.txt``.
    wikidata_text
        JSON object: Freebase id -> ``description``, ``wikidata_id``, ``wikipedia``.
    freebase
        Lines of entity name, Freebase id, number.
    """
    entries = _entries(wikidata_text)
    freebase_ids = dict(line.split()[:2] for line in lines_of(freebase))
    names = read_names(folder / "entity2id.txt")
    descriptions = [
        entries.get(freebase_ids.get(name, ""), {}).get("description") for name in names
    ]
    return {"labels.tsv": _table(names, [readable(name) for name in names], descriptions)}


def join_wikidata(
    folder: Path, wikidata_text: Path, entity_links: Path, relation_links: Path
) -> dict[str, str]:
    """Label Wikidata URIs by the DBpedia pages linked to them; descriptions by Wikidata id.

    Parameters
    ----------
    folder
        The data set: ``entity2id.txt`` and ``relation2id.txt``.
    wikidata_text
        As in :func:`join_freebase`.
    entity_links
        Lines of DBpedia URI, tab, Wikidata URI.
    relation_links
        A property name a line, in the order of relation ids.
    """
    texts = {
        entry["wikidata_id"]: entry["description"] for entry in _entries(wikidata_text).values()
    }
    pages: dict[str, str] = {}
    for line in lines_of(entity_links):
        page, uri = line.split("\t")
        pages[uri] = page
    names = read_names(folder / "entity2id.txt")
    unlinked = [name for name in names if name not in pages]
    if unlinked:
        raise ValueError(
            f"{entity_links}: {len(unlinked)} entities of {folder} have no link, the first "
            f"{unlinked[0]!r}; expected one for each"
        )
    relations = read_names(folder / "relation2id.txt")
    properties = lines_of(relation_links)
    if len(properties) != len(relations):
        raise ValueError(
            f"{relation_links}: {len(properties)} lines, expected one for each of the "
            f"{len(relations)} relations of {folder}"
        )
    labels = [readable(pages[name]) for name in names]
    descriptions = [texts.get(name.rsplit("/", 1)[-1]) for name in names]
    return {
        "labels.tsv": _table(names, labels, descriptions),
        "relation_labels.tsv": _table(relations, properties),
    }


def join_wikipedia(folder: Path, wikidata_text: Path) -> dict[str, str]:
    """Label names that are Wikipedia titles ``Some_Title``; descriptions by that title.

    Parameters
    ----------
    folder
        The data set: ``entity2id.txt``.
    wikidata_text
        As in :func:`join_freebase`.
    """
    texts = {
        unquote(entry["wikipedia"].rsplit("/wiki/", 1)[-1]): entry["description"]
        for entry in _entries(wikidata_text).values()
        if entry["wikipedia"]
    }
    names = read_names(folder / "entity2id.txt")
    descriptions = [texts.get(unquote(name)) for name in names]
    return {"labels.tsv": _table(names, [readable(name) for name in names], descriptions)}


def read_names(path: Path) -> list[str]:
    """Return the names of an ``entity2id.txt`` or ``relation2id.txt`` in the order of their ids."""
    named: dict[int, str] = {}
    for number, line in enumerate(lines_of(path)[1:], start=2):
        name, _, given_id = line.rstrip().rpartition("\t" if "\t" in line else " ")
        if not name or not given_id.isdecimal():
            raise ValueError(f"{path}:{number}: {line!r}, expected a name and its id")
        named[int(given_id)] = name.strip()
    if sorted(named) != list(range(len(named))):
        raise ValueError(f"{path}: ids are not 0 to {len(named) - 1}, expected each id once")
    return [named[i] for i in range(len(named))]


def _entries(wikidata_text: Path) -> Mapping[str, Mapping[str, str]]:
    entries: dict[str, dict[str, str]] = read_json_file(wikidata_text)
    return entries


def lines_of(path: Path) -> list[str]:
    """Return the lines of a file that are not blank."""
    # Not splitlines(): names may hold the other characters it breaks lines at.
    text = read_text(path).replace("\r\n", "\n")
    return [line for line in text.split("\n") if line.strip()]


def readable(name: str) -> str:
    """Return the title a DBpedia URI or Wikipedia title stands for, as one reads it."""
    return unquote(name.strip("<>").removeprefix(DBPEDIA)).replace("_", " ")


def _table(names: Sequence[str], labels: Sequence[str], *more: Sequence[str | None]) -> str:
    """Return rows of id, name, label and further columns; ``None`` is an empty field."""
    rows = zip(names, labels, *more, strict=True)
    return "".join(
        "\t".join([str(i), *((field or "").translate(_SEPARATORS) for field in row)]) + "\n"
        for i, row in enumerate(rows)
    )
