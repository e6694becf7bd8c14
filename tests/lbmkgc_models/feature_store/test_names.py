"""Reading entity2id.txt, and names as keys."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lbmkgc_models.feature_store.names import name_positions, read_entity_names
from openke.data.store import TripleStore
from openke.runtime.files import read_text


def _file(tmp_path: Path, content: str) -> Path:
    path = tmp_path / "entity2id.txt"
    path.write_bytes(content.encode())
    return path


def test_names_come_in_the_order_of_ids(tmp_path: Path) -> None:
    path = _file(tmp_path, "3\nb\t1\nNew York\t2\na 0\n")
    assert read_entity_names(path) == ["a", "b", "New York"]


def test_byte_order_mark_crlf_and_trailing_blanks_are_accepted(tmp_path: Path) -> None:
    path = _file(tmp_path, "\ufeff2 \r\nNew York 0 \r\nb\t1\t\r\n\r\n")
    assert read_entity_names(path) == ["New York", "b"]


def test_a_count_alone_has_no_names(tmp_path: Path) -> None:
    assert read_entity_names(_file(tmp_path, "14\n")) is None


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", r"entity2id.txt:1: '', expected the number of entities"),
        ("x\na 0\n", r"entity2id.txt:1: 'x', expected the number of entities"),
        ("3\na 0\nb 1\n", r"entity2id.txt:1: a count of 3, but 2 rows follow"),
        ("2\na 0\nb\n", r"entity2id.txt:3: 'b', expected a name and an id"),
        ("2\na 0\nb x\n", r"entity2id.txt:3: 'b x', expected a name and an id"),
        ("2\na 0\n\t1\n", r"entity2id.txt:3: '1', expected a name and an id"),
        ("2\na 0\nb 2\n", r"entity2id.txt:3: id 2, expected each of 0 to 1 once"),
        ("2\na 0\nb 0\n", r"entity2id.txt:3: id 0, expected each of 0 to 1 once"),
    ],
)
def test_bad_files_are_named_with_the_line(tmp_path: Path, content: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        read_entity_names(_file(tmp_path, content))


def test_bytes_that_are_not_utf8_are_named_with_the_line(tmp_path: Path) -> None:
    path = tmp_path / "names.txt"
    path.write_bytes(b"fine\nfa\xffil\n")
    with pytest.raises(ValueError, match=r"names.txt:2: byte 0xff is not UTF-8"):
        read_text(path)


NAME = st.text(
    st.characters(exclude_categories=["Cs"], exclude_characters="\n\r\t \0"), min_size=1, max_size=6
)


@given(st.lists(st.lists(NAME, min_size=1, max_size=3).map(" ".join), min_size=1, unique=True))
def test_the_core_reads_the_same_names(
    tmp_path_factory: pytest.TempPathFactory, names: list[str]
) -> None:
    folder = tmp_path_factory.mktemp("graph")
    rows = "".join(f"{name}\t{i}\n" for i, name in enumerate(names))
    (folder / "entity2id.txt").write_bytes(f"{len(names)}\n{rows}".encode())
    (folder / "relation2id.txt").write_text("1\n")
    (folder / "train2id.txt").write_text("1\n0 0 0\n")
    assert read_entity_names(folder / "entity2id.txt") == names
    assert list(TripleStore.open(folder).entity_names or ()) == names


def test_positions_of_names() -> None:
    assert name_positions(["a", "b"], "here") == {"a": 0, "b": 1}


def test_names_must_be_there_and_distinct() -> None:
    with pytest.raises(ValueError, match=r"here: the name 'a' is there twice, at rows 0 and 2"):
        name_positions(["a", "b", "a"], "here")
    with pytest.raises(ValueError, match=r"here: no entity names .* lists the names"):
        name_positions(None, "here")
