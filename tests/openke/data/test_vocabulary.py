"""Entities and relations by id, name or label."""

import pytest

from openke.data.vocabulary import Vocabulary


@pytest.fixture
def vocabulary(tmp_path):
    labels = ["0\tQ1\tBerlin\tcity", "1\tBern\tBern\tcity", "2\tQ3\tBerlin\t", "3\tQ4\t\t"]
    (tmp_path / "labels.tsv").write_text("\n".join(labels) + "\n")
    return Vocabulary("entity", 4, ["Q1", "Bern", "Q3", "Q4"], tmp_path)


def test_names_labels_and_ids(vocabulary):
    assert [vocabulary.id("Q3"), vocabulary.id("Bern"), vocabulary.id(2)] == [2, 1, 2]
    assert [vocabulary.label(i) for i in range(4)] == ["Berlin", "Bern", "Berlin", None]
    assert [vocabulary.title(i) for i in range(4)] == ["Berlin", "Bern", "Berlin", "Q4"]
    with pytest.raises(ValueError, match="2 entity names have the label 'Berlin': Q1, Q3"):
        vocabulary.id("Berlin")


def test_a_guess_names_each_of_its_proposals_once(vocabulary):
    with pytest.raises(ValueError, match=r"'Berm'; did you mean Bern, Berlin\?$"):
        vocabulary.id("Berm")
    with pytest.raises(ValueError, match="expected one of the data set's"):
        vocabulary.id("xyz")


def test_labels_that_are_no_text_are_named_by_file_and_line(vocabulary, tmp_path):
    (tmp_path / "labels.tsv").write_bytes(b"0\tQ1\tBerlin\n1\tBern\t\xb0\n")
    with pytest.raises(ValueError, match=r"labels\.tsv:2: byte 0xb0 is not UTF-8"):
        vocabulary.label(1)
