"""What public files say of entities beside their labels, joined into ``texts.tsv``.

The first line names the columns. Each other line is one text of one entity: ``id``, raw ``name``,
``source``, how it was found (``joined_by``), its ``kind``, and the ``text``. A text of the kind
``text`` describes the entity; ``type`` has its classes, with semicolons between them.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

from openke.datasets.labels import lines_of, readable
from openke.runtime.json_text import read_json_file

COLUMNS = ("id", "name", "source", "joined_by", "kind", "text")
WIKIDATA = "http://www.wikidata.org/entity/"

_Found = tuple[str, str, str, str]
"""Source, joined by, kind, text."""
_Finder = Callable[[str, str], Iterator[_Found]]
"""Of an entity's raw name and its label."""


def join_texts(
    folder: Path,
    descriptions: Path,
    labels: Path,
    dbpedia_classes: Path,
    yago_classes: Path,
    *films: Path,
) -> dict[str, str]:
    """Collect descriptions, extracts of film articles and classes of a data set's entities.

    Parameters
    ----------
    folder
        The data set with its ``labels.tsv``.
    descriptions, labels
        Lines of Wikidata id, tab, English description or label. An entity that is a Wikidata URI
        is found by its id, any other by its label, where only one id has that label.
    dbpedia_classes, yago_classes
        Lines of Wikipedia title, tab, "type", tab, class.
    films
        JSON lists of films: ``title``, ``year``, ``href`` (the article's title), ``extract`` (its
        first paragraph). Found by the article's title; else by label and the year in its brackets,
        or by the label alone where these say "film" and only one film has that title.
    """
    finders: list[_Finder] = [
        _class_finder(dbpedia_classes, yago_classes),
        _description_finder(descriptions, labels),
        _film_finder(films),
    ]
    rows = ["\t".join(COLUMNS)]
    for line in lines_of(folder / "labels.tsv"):
        entity, name, label = line.split("\t")[:3]
        found = sorted(row for find in finders for row in find(name, label))
        rows += ["\t".join((entity, name, *row)) for row in found]
    return {"texts.tsv": "".join(f"{row}\n" for row in rows)}


def _description_finder(descriptions: Path, labels: Path) -> _Finder:
    described = _pairs(descriptions)
    ids: dict[str, list[str]] = defaultdict(list)
    for wikidata_id, label in _pairs(labels).items():
        ids[label].append(wikidata_id)

    def find(name: str, label: str) -> Iterator[_Found]:
        if name.startswith(WIKIDATA):
            wikidata_id, way = name.removeprefix(WIKIDATA), "qid"
        else:
            known = ids.get(label, [])
            wikidata_id, way = known[0] if len(known) == 1 else "", "label"
        if wikidata_id in described:
            yield "LiterallyWikidata", way, "text", described[wikidata_id]

    return find


def _film_finder(files: Sequence[Path]) -> _Finder:
    films = [
        (film["title"], str(film["year"]), _title(film.get("href") or ""), film["extract"])
        for path in files
        for film in read_json_file(path)
        if film.get("extract")
    ]
    articles: dict[str, str] = {}
    for _, _, article, extract in films:
        articles.setdefault(article, extract)
    titled, dated = (
        _only_one((t, e) for t, _, _, e in films),
        _only_one((f"{t} {y}", e) for t, y, _, e in films),
    )

    def find(name: str, label: str) -> Iterator[_Found]:
        title = label if name.startswith(WIKIDATA) else _title(name)
        if title in articles:
            yield "wikipedia-movie-data", "title", "text", _one_line(articles[title])
            return
        said = re.fullmatch(r"(.+?) \((\d{4} )?film\)", label)
        if said is not None:
            short, year = said[1], said[2]
            extract = dated.get(f"{short} {year.strip()}") if year else titled.get(short)
            if extract is not None:
                yield "wikipedia-movie-data", "title-and-year", "text", _one_line(extract)

    return find


def _class_finder(dbpedia: Path, yago: Path) -> _Finder:
    classes: dict[str, set[str]] = defaultdict(set)
    for path in (dbpedia, yago):
        for line in lines_of(path):
            name, _, kind = line.split("\t")
            # YAGO's are "wordnet_football_team_108080025".
            plain = re.sub(r"^wordnet_(.*)_\d+$", r"\1", kind.strip())
            classes[_title(name)].add(plain.replace("_", " "))

    def find(name: str, label: str) -> Iterator[_Found]:
        title = label if name.startswith(WIKIDATA) else _title(name)
        if title in classes:
            yield "joie-types", "name", "type", "; ".join(sorted(classes[title]))

    return find


def _only_one(pairs: Iterator[tuple[str, str]]) -> dict[str, str]:
    """Return the pairs whose first member no other pair has."""
    found = list(pairs)
    count = Counter(key for key, _ in found)
    return {key: value for key, value in found if count[key] == 1}


def _pairs(path: Path) -> Mapping[str, str]:
    split = (line.split("\t", 1) for line in lines_of(path))
    return {key: _one_line(value) for key, value in split}


def _title(name: str) -> str:
    """Return the title that a DBpedia URI or Wikipedia title stands for, without blanks around."""
    return readable(name).strip()


def _one_line(text: str) -> str:
    return " ".join(text.split())
