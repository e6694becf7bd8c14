"""Which files are whose pictures."""

import os
import unicodedata
from pathlib import Path

import pytest

from openke.datasets.pictures import LONGEST, Pictures, find_pictures, folder_name


def _touch(*paths: Path) -> None:
    for path in paths:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"x")


def _names(found: Pictures, root: Path) -> dict[str, list[str]]:
    return {
        entity: [path.relative_to(root).as_posix() for path in paths]
        for entity, paths in found.files.items()
    }


def test_folder_names_are_safe_distinct_and_plain_where_they_can_be() -> None:
    assert folder_name("New York (city)") == "New York (city)"
    names = ["http://dbpedia.org/resource/A", "a/b", "a%2Fb", "..", ".", "a" * 500, "a" * 501]
    folders = [folder_name(name) for name in names]
    assert len(set(folders)) == len(names)
    for folder in folders:
        assert "/" not in folder
        assert "\\" not in folder
        assert not folder.startswith(".")
        assert not folder.endswith(".")
        assert len(folder.encode()) <= LONGEST


def test_folders_and_files_in_a_fixed_order_without_what_is_no_picture(tmp_path: Path) -> None:
    _touch(
        tmp_path / "dog" / "b.jpg",
        tmp_path / "dog" / "a.png",
        tmp_path / "dog" / "no ending",
        tmp_path / "dog" / "notes.json",
        tmp_path / "dog" / ".hidden.png",
        tmp_path / "dog" / "folder" / "deep.png",
        tmp_path / "St. Louis.PNG",
        tmp_path / "cat.json",
        tmp_path / "README.md",
        tmp_path / ".git" / "a.png",
        tmp_path / "nobody" / "a.png",
        tmp_path / "stranger.gif",
    )
    found = find_pictures([tmp_path], ["St. Louis", "cat", "dog"])
    assert _names(found, tmp_path) == {
        "St. Louis": ["St. Louis.PNG"],
        "dog": ["dog/a.png", "dog/b.jpg", "dog/no ending"],
    }
    assert list(found.files) == ["St. Louis", "dog"]
    assert found.unmatched == (tmp_path / "nobody", tmp_path / "stranger.gif")
    assert (found.ambiguous, found.outside) == ((), ())


@pytest.mark.parametrize(
    ("entity", "folder"),
    [
        ("Île", "Île"),
        ("Île", unicodedata.normalize("NFD", "Île")),
        ("Île", "%C3%8Ele"),
        ("<http://dbpedia.org/resource/Barack_Obama>", "Barack_Obama"),
        (
            "http://dbpedia.org/resource/Barack_Obama",
            "http%3A%2F%2Fdbpedia.org%2Fresource%2FBarack_Obama",
        ),
        ("<http://x/S%C3%A3o_Paulo>", "S%C3%A3o_Paulo"),
        ("<http://x/S%C3%A3o_Paulo>", "São_Paulo"),
        ("<http://x/São_Paulo>", "S%C3%A3o_Paulo"),
        ("/m/02mjmr", "m.02mjmr"),
        ("http://www.wikidata.org/entity/Q42", "Q42"),
    ],
)
def test_the_names_that_folders_have(tmp_path: Path, entity: str, folder: str) -> None:
    _touch(tmp_path / folder / "1.jpg")
    assert list(find_pictures([tmp_path], ["another", entity]).files) == [entity]


def test_files_that_are_named_for_an_entity_but_not_read_are_told(tmp_path: Path) -> None:
    _touch(
        *(tmp_path / name for name in ("a.svg", "b.heic", "b.png", "X.txt", "README.md", "c.json"))
    )
    (tmp_path / "d.jfif").write_bytes(b"\xff\xd8\xff")
    found = find_pictures([tmp_path], ["a", "b", "c", "d", "http://a/X", "http://b/X"])
    assert _names(found, tmp_path) == {"b": ["b.png"], "d": ["d.jfif"]}
    assert found.unread == {"a": (tmp_path / "a.svg",), "b": (tmp_path / "b.heic",)}
    assert found.ambiguous == (tmp_path / "X.txt",)
    assert (found.unmatched, found.broken) == ((), {})


def test_a_name_that_several_entities_share_is_told_and_not_used(tmp_path: Path) -> None:
    _touch(tmp_path / "X" / "1.jpg", tmp_path / "Y.png")
    found = find_pictures([tmp_path], ["http://a/X", "http://b/X", "http://a/Y", "Y"])
    assert list(found.files) == ["Y"]  # its own name goes before the end of another's
    assert found.ambiguous == (tmp_path / "X",)


def test_several_folders_of_one_entity_are_put_together(tmp_path: Path) -> None:
    _touch(tmp_path / "X" / "2.jpg", tmp_path / folder_name("http://a/X") / "1.jpg")
    found = find_pictures([tmp_path], ["http://a/X"])
    assert [path.name for path in found.files["http://a/X"]] == ["1.jpg", "2.jpg"]


def test_the_first_root_with_pictures_of_an_entity_gives_them(tmp_path: Path) -> None:
    real, made = tmp_path / "real", tmp_path / "made"
    _touch(real / "a" / "1.jpg", made / "a" / "generated.png", made / "b" / "generated.png")
    (real / "b").mkdir()  # empty
    found = find_pictures([real, made], ["a", "b"])
    assert _names(found, tmp_path) == {"a": ["real/a/1.jpg"], "b": ["made/b/generated.png"]}


def test_real_pictures_go_before_generated_ones(tmp_path: Path) -> None:
    _touch(*(tmp_path / "a" / name for name in ("generated.png", "generated.json", "z.png")))
    assert _names(find_pictures([tmp_path], ["a"]), tmp_path) == {
        "a": ["a/z.png", "a/generated.png"]
    }


def test_links_that_lead_out_are_not_followed(tmp_path: Path) -> None:
    root, secret = tmp_path / "root", tmp_path / "secret"
    _touch(secret / "1.jpg", root / "a" / "1.jpg", root / "c" / "1.jpg")
    (root / "a" / "2.jpg").symlink_to(secret / "1.jpg")
    (root / "a" / "3.jpg").symlink_to(root / "c" / "1.jpg")
    (root / "a" / "4.jpg").symlink_to(root / "a" / "4.jpg")  # to itself
    (root / "a" / "5.jpg").symlink_to(root / "gone.jpg")
    (root / "b").symlink_to(secret)
    found = find_pictures([root], ["a", "b", "c"])
    assert _names(found, root) == {"a": ["a/1.jpg", "a/3.jpg"], "c": ["c/1.jpg"]}
    assert found.outside == (root / "a" / "2.jpg", root / "b")
    assert found.broken == {"a": (root / "a" / "4.jpg", root / "a" / "5.jpg")}


def test_a_root_may_be_a_link_itself(tmp_path: Path) -> None:
    _touch(tmp_path / "there" / "a" / "1.jpg")
    (tmp_path / "here").symlink_to(tmp_path / "there")
    assert list(find_pictures([tmp_path / "here"], ["a"]).files) == ["a"]


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs named pipes")
def test_what_is_neither_file_nor_folder_is_told(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "a.png")
    (tmp_path / "b").mkdir()
    os.mkfifo(tmp_path / "b" / "1.png")
    found = find_pictures([tmp_path], ["a", "b"])
    assert found.files == {}
    assert found.broken == {"a": (tmp_path / "a.png",), "b": (tmp_path / "b" / "1.png",)}


def test_a_root_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="nowhere: no such folder, expected one with pictu"):
        find_pictures([tmp_path, tmp_path / "nowhere"], ["a"])
