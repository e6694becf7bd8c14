"""Labels are joined as their sources say, for every way a data set names its entities."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from openke.datasets.labels import join_freebase, join_wikidata, join_wikipedia, read_names


@pytest.fixture
def text(tmp_path: Path) -> Path:
    """Return a table of three entries, one without description and one without page."""
    path = tmp_path / "text.json"
    page = "https://en.wikipedia.org/wiki/"
    entries = {
        "/m/1": {
            "description": "city\tin  France",
            "wikidata_id": "Q1",
            "wikipedia": page + "Or%C3%A9",
        },
        "/m/2": {"description": None, "wikidata_id": "Q2", "wikipedia": page + "A_B"},
        "/m/3": {"description": "river", "wikidata_id": "Q3", "wikipedia": None},
    }
    path.write_text(json.dumps(entries), encoding="utf-8")
    return path


def _names(folder: Path, file: str, *names: str) -> None:
    rows = "".join(f"{name} {i}\n" for i, name in enumerate(names))
    (folder / file).write_text(f"{len(names)}\n{rows}", encoding="utf-8")


def _write(path: Path, *lines: str) -> Path:
    path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    return path


def test_freebase(tmp_path: Path, text: Path) -> None:
    uri = "<http://dbpedia.org/resource/{}>".format
    _names(tmp_path, "entity2id.txt", uri("Oré"), uri("No_Link"), uri("A_B"), uri("C%2FD"))
    table = _write(
        tmp_path / "fb", f"{uri('A_B')} /m/2 0", f"{uri('Oré')} /m/1 1", f"{uri('C%2FD')} /m/3 2"
    )
    assert join_freebase(tmp_path, text, table) == {
        "labels.tsv": (
            f"0\t{uri('Oré')}\tOré\tcity in  France\n"  # a tab would end the field
            f"1\t{uri('No_Link')}\tNo Link\t\n"
            f"2\t{uri('A_B')}\tA B\t\n"
            f"3\t{uri('C%2FD')}\tC/D\triver\n"
        )
    }


def test_wikidata(tmp_path: Path, text: Path) -> None:
    uri = "http://www.wikidata.org/entity/{}".format
    _names(tmp_path, "entity2id.txt", uri("Q3"), uri("Q9"), uri("Q2"))
    _names(tmp_path, "relation2id.txt", uri("P1"), uri("P2"))
    page = "http://dbpedia.org/resource/{}".format
    entities = _write(
        tmp_path / "entities",
        f"{page('Unused')}\t{uri('Q77')}",
        f"{page('Caf%C3%A9_(band)')}\t{uri('Q9')}",
        f"{page('A_B')}\t{uri('Q2')}",
        f"{page('Loire')}\t{uri('Q3')}",
    )
    relations = _write(tmp_path / "relations", "mouth of", "part of")
    assert join_wikidata(tmp_path, text, entities, relations) == {
        "labels.tsv": (
            f"0\t{uri('Q3')}\tLoire\triver\n1\t{uri('Q9')}\tCafé (band)\t\n2\t{uri('Q2')}\tA B\t\n"
        ),
        "relation_labels.tsv": f"0\t{uri('P1')}\tmouth of\n1\t{uri('P2')}\tpart of\n",
    }
    _write(relations, "mouth of")
    with pytest.raises(ValueError, match="relations: 1 lines, expected one for each of the 2"):
        join_wikidata(tmp_path, text, entities, relations)
    _write(entities, f"{page('Loire')}\t{uri('Q3')}")
    with pytest.raises(ValueError, match=r"entities: 2 entities .* have no link, .*Q9"):
        join_wikidata(tmp_path, text, entities, relations)


def test_wikipedia(tmp_path: Path, text: Path) -> None:
    _names(tmp_path, "entity2id.txt", "A_B", "Oré", "Unknown_Place")
    assert join_wikipedia(tmp_path, text) == {
        "labels.tsv": (
            "0\tA_B\tA B\t\n1\tOré\tOré\tcity in  France\n2\tUnknown_Place\tUnknown Place\t\n"
        )
    }


def test_names_come_in_the_order_of_ids(tmp_path: Path) -> None:
    path = tmp_path / "entity2id.txt"
    path.write_bytes("\ufeff3\r\ntwo words\t2\r\nzero 0 \r\none\u2028line\t1\r\n".encode())
    assert read_names(path) == ["zero", "one\u2028line", "two words"]


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ("1\nname\n", r"entity2id\.txt:2: 'name', expected a name and its id"),
        ("1\nname x\n", r"entity2id\.txt:2: 'name x', expected a name and its id"),
        ("2\na 0\nb 2\n", "ids are not 0 to 1, expected each id once"),
    ],
)
def test_names_without_proper_ids_are_errors(tmp_path: Path, rows: str, message: str) -> None:
    path = tmp_path / "entity2id.txt"
    path.write_text(rows)
    with pytest.raises(ValueError, match=message):
        read_names(path)
