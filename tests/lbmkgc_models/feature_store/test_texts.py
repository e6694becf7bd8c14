"""texts.tsv: how much of it a text has, and what is hidden in it."""

from __future__ import annotations

from pathlib import Path

import pytest

from lbmkgc_models.feature_store.labels import EntityLabel
from lbmkgc_models.feature_store.mentions import find_mentions
from lbmkgc_models.feature_store.name_spotting import mask_names
from lbmkgc_models.feature_store.texts import (
    TEXT_CHOICES,
    EntityTexts,
    TextChoice,
    check_choice,
    describe_entities,
    read_texts,
)
from tests.lbmkgc_models.features.small import write_dataset

FILM = (
    ("Up", "Up (film)", "2009 film"),
    ("Ed_Asner", "Ed Asner", "American actor"),
    ("Pixar", "Pixar", ""),
)
HEADER = "id\tname\tsource\tjoined_by\tkind\ttext\n"
MORE = (
    "0\tUp\ta\ttitle\ttext\tUp is a film by Pixar with Ed Asner and others.\n"
    "0\tUp\tb\tlabel\ttext\t2009 Film\n"
    "0\tUp\tc\tname\ttype\tfilm; movie\n"
    "2\tPixar\tc\tname\ttype\tcompany\n"
)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return a data set with texts of two of its three entities."""
    folder = write_dataset(tmp_path / "set", FILM)
    (folder / "texts.tsv").write_text(HEADER + MORE, encoding="utf-8")
    return folder


@pytest.mark.parametrize(
    ("choice", "texts"),
    [
        ("names", ("Up (film)", "Ed Asner", "Pixar")),
        ("descriptions", ("Up (film): 2009 film", "Ed Asner: American actor", "Pixar")),
        (
            "all",
            (
                "Up (film): 2009 film. film; movie. Up is a film by Pixar with Ed Asner and others",
                "Ed Asner: American actor",
                "Pixar: company",
            ),
        ),
        (
            "masked",
            (
                "Up (film): 2009 film. film; movie. Up is a film by [MASK] with [MASK] and others",
                "Ed Asner: American actor",
                "Pixar: company",
            ),
        ),
    ],
)
def test_as_much_text_as_is_asked_for(
    folder: Path, choice: TextChoice, texts: tuple[str, ...]
) -> None:
    assert read_texts(folder, choice) == EntityTexts(("Up", "Ed_Asner", "Pixar"), texts)


def test_mentions_are_found_in_the_texts_asked_for(folder: Path) -> None:
    named = {choice: len(find_mentions(describe_entities(folder, choice)).pairs) for choice in
             TEXT_CHOICES}  # fmt: skip
    assert named == {"names": 0, "descriptions": 0, "all": 4, "masked": 0}


def test_without_more_texts_all_are_the_descriptions(tmp_path: Path) -> None:
    folder = write_dataset(tmp_path / "set", [*FILM, ("Dug", "Dug", "A dog. It talks.")])
    assert read_texts(folder) == read_texts(folder, "descriptions")


def test_columns_may_be_few_and_in_any_order(folder: Path) -> None:
    (folder / "texts.tsv").write_text("text\tid\r\nstudio\t2\r\n\r\n", encoding="utf-8")
    assert read_texts(folder).texts[2] == "Pixar: studio"


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", r"texts\.tsv:1: no column id and text, expected a first line that names the columns"),
        ("id\tkind\n", r"texts\.tsv:1: no column text"),
        (HEADER + "0\tUp\tfilm\n", r"texts\.tsv:2: 3 fields, expected 6 with tabs between them"),
        ("id\ttext\n3\tx\n", r"texts\.tsv:2: id '3', expected 0 to 2"),
        ("id\ttext\n-1\tx\n", r"texts\.tsv:2: id '-1', expected 0 to 2"),
        ("id\tname\ttext\n1\tUp\tx\n", r"texts\.tsv:2: entity 1 is 'Up' here and 'Ed_Asner' in"),
    ],
)
def test_malformed_texts_name_their_line(folder: Path, content: str, message: str) -> None:
    (folder / "texts.tsv").write_text(content, encoding="utf-8")
    with pytest.raises(ValueError, match=message):
        read_texts(folder)


def test_an_unknown_choice_names_those_there_are() -> None:
    with pytest.raises(ValueError, match="texts are 'more', expected one of names, descriptions"):
        check_choice("more")


def test_names_of_others_are_hidden_and_the_own_one_is_not() -> None:
    labels = [
        EntityLabel("a", "New York City", "New York City lies in New York, not in York."),
        EntityLabel("b", "New York", ""),
        EntityLabel("c", "York", "YORK is old; Yorkshire is around it"),
        EntityLabel("d", "Sorry (New York song)", "by (the) New  York's band"),
    ]
    assert [label.text for label in mask_names(labels)] == [
        "New York City: New York City lies in [MASK], not in [MASK].",
        "New York",
        "York: YORK is old; Yorkshire is around it",
        "Sorry ([MASK] song): by (the) [MASK]'s band",
    ]
