"""Names are found as they are typed."""

import pytest

from lbmkgc_models.serving.name_search import NameSearch, folded
from openke.data.vocabulary import Vocabulary

NAMES = ["São_Tomé", "New Tome", "Tome", "custome", "TOMEtoo", "Rome"]


@pytest.fixture
def search():
    return NameSearch(Vocabulary("entity", len(NAMES), NAMES, None))


def test_the_whole_name_comes_first_then_its_beginning_then_a_word_then_any_part(search):
    assert search.find("tome", 9) == [2, 4, 0, 1, 3]
    assert search.find("TOMÉ", 2) == [2, 4]
    assert search.find("são t", 9) == [0]
    assert search.find("nothing", 9) == []
    assert search.find("e t", 9) == []
    assert search.find("w\nT", 9) == [1]


def test_nothing_typed_is_everything_from_the_first_on(search):
    assert search.find("  ", 3) == [0, 1, 2]
    assert search.find("", 99) == list(range(6))


def test_labels_are_found_as_names_are(tmp_path):
    (tmp_path / "labels.tsv").write_text("1\tQ2\tVienna\tA city.\n", encoding="utf-8")
    search = NameSearch(Vocabulary("entity", 2, ["Q1", "Q2"], tmp_path))
    assert search.find("vien", 5) == search.find("q2", 5) == [1]
    assert search.find("city", 5) == []


def test_case_accents_and_underscores_do_not_matter():
    assert folded("  ÀB_ß\tc ") == "ab ss c"
