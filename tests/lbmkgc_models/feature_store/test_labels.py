"""labels.tsv: the text of each entity."""

from pathlib import Path

import pytest

from lbmkgc_models.feature_store.labels import EntityLabel, read_labels
from lbmkgc_models.feature_store.texts import EntityTexts, read_texts
from tests.lbmkgc_models.features.small import LABELS, write_dataset


def _with_labels(tmp_path: Path, content: str | bytes) -> Path:
    folder = write_dataset(tmp_path / "set", LABELS[:2])
    data = content if isinstance(content, bytes) else content.encode()
    (folder / "labels.tsv").write_bytes(data)
    return folder


def test_label_and_description(tmp_path: Path) -> None:
    read = read_texts(write_dataset(tmp_path / "set"))
    assert read.names == tuple(name for name, _, _ in LABELS)
    assert read.texts == (
        "dog: animal that barks",
        "puppy: young dog",
        "bank run: many clients withdraw money",
        "île",
    )


@pytest.mark.parametrize(
    ("content", "texts"),
    [
        ("1\t<http://x/Puppy>\tpuppy\n0\t<http://x/Dog>\tdog\tpet\n", ("dog: pet", "puppy")),
        ("\ufeff0\t<http://x/Dog>\tdog\tpet\r\n\r\n", ("dog: pet", "")),
        ("1\t<http://x/Puppy>\t \t\n0\t<http://x/Dog>\t\tpet\n", ("pet", "")),
        ("0\t<http://x/Dog>\tA\u2028B\x85\tpet\n", ("A\u2028B: pet", "")),
        ("", ("", "")),
    ],
)
def test_order_ends_and_gaps(tmp_path: Path, content: str, texts: tuple[str, ...]) -> None:
    assert read_texts(_with_labels(tmp_path, content)).texts == texts


def test_labels_apart_from_descriptions(tmp_path: Path) -> None:
    assert read_labels(_with_labels(tmp_path, "1\t<http://x/Puppy>\tpuppy \n")) == [
        EntityLabel("<http://x/Dog>", "", ""),
        EntityLabel("<http://x/Puppy>", "puppy", ""),
    ]
    labels = read_labels(write_dataset(tmp_path / "set"))
    assert [(x.name, x.label, x.description) for x in labels] == list(LABELS)


def test_entities_with_a_text_and_their_checksum() -> None:
    texts = EntityTexts(("a", "b", "c"), ("x", "", "y"))
    assert texts.given() == (["a", "c"], ["x", "y"])
    assert texts.checksum() == EntityTexts(("a", "c"), ("x", "y")).checksum()
    assert texts.checksum() != EntityTexts(("a", "c"), ("x", "z")).checksum()
    assert texts.checksum() != EntityTexts(("a", "d"), ("x", "y")).checksum()


DOG = "0\t<http://x/Dog>\tdog\tpet\n"


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (DOG + "1\t<http://x/Puppy>\n", "labels.tsv:2: 2 fields, expected 4 with tabs"),
        (DOG + "1\t<http://x/Puppy>\ta\tb\tc\n", "labels.tsv:2: 5 fields, expected 4 with tabs"),
        (DOG + "x\t<http://x/Puppy>\ta\tb\n", "labels.tsv:2: id 'x', expected a whole number"),
        (DOG + "2\t<http://x/Puppy>\ta\tb\n", "labels.tsv:2: id 2, expected 0 to 1: entity2id"),
        (DOG + DOG, "labels.tsv:2: id 0 is there twice, expected one line per entity"),
        (
            DOG + "1\tPuppy\ta\tb\n",
            "labels.tsv:2: entity 1 is 'Puppy' here and '<http://x/Puppy>' in entity2id.txt: the "
            "file belongs to another version",
        ),
        (DOG.encode() + b"1\t\xff\ta\tb\n", "labels.tsv:2: byte 0xff is not UTF-8"),
    ],
)
def test_bad_lines(tmp_path: Path, content: str | bytes, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        read_texts(_with_labels(tmp_path, content))


def test_missing_files(tmp_path: Path) -> None:
    folder = write_dataset(tmp_path / "set")
    (folder / "entity2id.txt").unlink()
    with pytest.raises(FileNotFoundError, match=r"entity2id.txt: no such file, expected the names"):
        read_texts(folder)
    (folder / "labels.tsv").unlink()
    with pytest.raises(FileNotFoundError, match=r"labels.tsv: no such file; the texts of entities"):
        read_texts(folder)


def test_a_count_only_data_set_takes_its_names_from_the_labels(tmp_path: Path) -> None:
    folder = write_dataset(tmp_path / "set")
    (folder / "entity2id.txt").write_text("4\n")
    assert read_texts(folder).names == tuple(name for name, _, _ in LABELS)
    (folder / "labels.tsv").write_text(DOG + "2\tx\ty\tz\n")
    with pytest.raises(ValueError, match=r"labels.tsv: no line for entity 1; .* has no names"):
        read_texts(folder)


@pytest.mark.parametrize(
    ("name", "described"), [("DB15K", 12303), ("MKG-W", 2270), ("MKG-Y", 1562)]
)
def test_real_data_sets(datasets: Path, name: str, described: int) -> None:
    read = read_texts(datasets / name)
    assert all(read.texts)
    lines = (datasets / name / "labels.tsv").read_text(encoding="utf-8").split("\n")[:-1]
    assert sum(bool(line.split("\t")[3]) for line in lines) == described
    assert read.texts[5].startswith(lines[5].split("\t")[2])
