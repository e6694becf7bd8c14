"""Texts are joined as their sources say, and never to an entity that is not meant."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from openke.datasets.texts import COLUMNS, join_texts


@pytest.fixture
def sources(tmp_path: Path) -> list[Path]:
    """Return descriptions, labels, two lists of classes and two of films."""
    folder = tmp_path / "sources"
    folder.mkdir()
    films = [
        {"title": "Up", "year": 2009, "href": "Up_(2009_film)", "extract": "Up is\n a film."},
        {"title": "Ted", "year": 2012, "href": "Ted_(film)", "extract": "Ted is a film."},
        {"title": "Life", "year": 1999, "href": "Life_(1999)", "extract": "Life, of 1999."},
        {"title": "Life", "year": 2017, "href": None, "extract": "Life, of 2017."},
        {"title": "Silent", "year": 1917, "href": "Silent", "extract": None},
    ]
    contents = {
        "descriptions": "Q1\tcity in\u00a0France\nQ2\triver\nQ3\tother river\n",
        "labels": "Q1\tParis\nQ2\tElbe\nQ3\tElbe\nQ4\tUp (2009 film)\n",
        "dbpedia": "Paris\ttype\tcity\nParis\ttype\tcapital\n%22H%22\ttype\tsong\n",
        "yago": "Paris\ttype\twordnet_national_capital_108691669\n",
        "films-1": json.dumps(films[:2]),
        "films-2": json.dumps(films[2:]),
    }
    for name, content in contents.items():
        (folder / name).write_text(content, encoding="utf-8")
    return [folder / name for name in contents]


def _joined(folder: Path, sources: list[Path], *entities: tuple[str, str]) -> list[list[str]]:
    lines = [f"{i}\t{name}\t{label}\t\n" for i, (name, label) in enumerate(entities)]
    (folder / "labels.tsv").write_text("".join(lines), encoding="utf-8")
    header, *rows = join_texts(folder, *sources)["texts.tsv"].splitlines()
    assert tuple(header.split("\t")) == COLUMNS
    return [row.split("\t") for row in rows]


def test_each_source_adds_a_line(tmp_path: Path, sources: list[Path]) -> None:
    uri = "http://www.wikidata.org/entity/Q1"
    assert _joined(tmp_path, sources, (uri, "Paris"), ("Up_(2009_film)", "Up (2009 film)")) == [
        ["0", uri, "LiterallyWikidata", "qid", "text", "city in France"],
        ["0", uri, "joie-types", "name", "type", "capital; city; national capital"],
        ["1", "Up_(2009_film)", "wikipedia-movie-data", "title", "text", "Up is a film."],
    ]


def test_a_label_that_two_have_describes_neither(tmp_path: Path, sources: list[Path]) -> None:
    assert not _joined(tmp_path, sources, ("Elbe", "Elbe"))
    ((*_, way, _, text),) = _joined(
        tmp_path, sources, ("http://www.wikidata.org/entity/Q3", "Elbe")
    )
    assert (way, text) == ("qid", "other river")


def test_escaped_names_have_their_classes(tmp_path: Path, sources: list[Path]) -> None:
    uri = "<http://dbpedia.org/resource/%22H%22>"
    ((*_, text),) = _joined(tmp_path, sources, (uri, '"H"'))
    assert text == "song"


@pytest.mark.parametrize(
    ("label", "text"),
    [
        ("Up (film)", "Up is a film."),
        ("Life (2017 film)", "Life, of 2017."),
        ("Life (film)", None),  # there are two
        ("Life (2018 film)", None),
        ("Ted (TV series)", None),
        ("Ted", None),  # may be a person
        ("Silent", None),
    ],
)
def test_films_by_title_and_year(
    tmp_path: Path, sources: list[Path], label: str, text: str | None
) -> None:
    found = _joined(tmp_path, sources, (label.replace(" ", "_") + "_", label))
    assert [row[-1] for row in found] == ([text] if text else [])
