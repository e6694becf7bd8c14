"""Getting, checking and writing what the graph is made of."""

import hashlib
import io
import tarfile

import pytest
from country_graph import pictures, sources
from country_graph.countries import COUNTRIES
from country_graph.facts import kinds
from country_graph.sources import PACKAGES
from country_graph.texts import label
from factbook_build import SOURCES, build
from graph_making.drawing import shrink
from graph_making.fact import Fact
from graph_making.files import write_graph, write_pictures, write_readme, write_sums
from graph_making.packages import Package, fetch, located, unpack
from PIL import Image

from lbmkgc_models.feature_store.texts import read_texts
from openke.data.store import TripleStore


def archive(path, **files):
    with tarfile.open(path, "w:gz") as stream:
        for name, text in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(text)
            stream.addfile(member, io.BytesIO(text.encode()))
    return hashlib.sha256(path.read_bytes()).hexdigest()


def test_an_archive_is_checked_and_unpacked(tmp_path):
    digest = archive(tmp_path / "a.tgz", **{"package/package.json": "{}", "package/a/b": "c"})
    unpack(tmp_path / "a.tgz", Package("x", "1", digest), tmp_path / "x")
    assert (tmp_path / "x" / "a" / "b").read_text() == "c"
    with pytest.raises(ValueError, match=f"SHA-256 is {digest}, expected 0000 of x 1"):
        unpack(tmp_path / "a.tgz", Package("x", "1", "0000"), tmp_path / "y")


def test_an_archive_cannot_leave_its_folder(tmp_path):
    digest = archive(tmp_path / "a.tgz", **{"package/../../evil": "x"})
    with pytest.raises(tarfile.OutsideDestinationError):
        unpack(tmp_path / "a.tgz", Package("x", "1", digest), tmp_path / "x" / "y")
    assert not list(tmp_path.rglob("evil"))


def npm(folder, script, monkeypatch):
    """Put a stand-in for the registry's client on the path."""
    folder.mkdir()
    (folder / "npm").write_text(f"#!/bin/sh\n{script}\n")
    (folder / "npm").chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}:/usr/bin:/bin")


def test_fetch(tmp_path, monkeypatch):
    digest = archive(tmp_path / "x-1.tgz", **{"package/package.json": "{}"})
    npm(tmp_path / "bin", f'cp {tmp_path}/x-1.tgz "$5"; echo x-1.tgz', monkeypatch)
    fetch(Package("@a/x", "1", digest), tmp_path / "packages")
    assert (tmp_path / "packages" / "@a" / "x" / "package.json").is_file()


def test_fetch_says_why_not(tmp_path, monkeypatch):
    npm(tmp_path / "bin", "echo no such version >&2; exit 1", monkeypatch)
    with pytest.raises(OSError, match="npm cannot get x@1: no such version"):
        fetch(Package("x", "1", ""), tmp_path / "packages")
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(OSError, match="npm is not installed: install it, or unpack x@1 elsewhere"):
        fetch(Package("x", "1", ""), tmp_path / "packages")


def test_packages_are_located(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"no package there; --packages .* node_modules"):
        build(tmp_path, tmp_path / "out")
    for package in PACKAGES:
        (tmp_path / package.name).mkdir(parents=True)
        (tmp_path / package.name / "package.json").write_text("{}")
    assert located(tmp_path, PACKAGES)[sources.FLAGS] == tmp_path / "flag-icons"


def test_tables_of_pictures_name_entities_only():
    with pytest.raises(ValueError, match=r"pictures of what the graph does not have: .*banana"):
        pictures.check_tables([Fact("Ghana", "exports", "coffee")])


def test_a_picture_that_is_not_in_the_packages(tmp_path):
    with pytest.raises(ValueError, match=r"dz\.svg: no such flag, wanted for Algeria"):
        pictures.pictures(tmp_path, tmp_path)
    with pytest.raises(ValueError, match="no icon 'bananas', wanted for fruit"):
        pictures._emoji({"icons": {}}, "bananas", "fruit")


def test_emoji_are_drawings_of_their_own_size():
    icons = {"width": 128, "height": 64, "icons": {"a": {"body": "<g/>"}}}
    drawn = pictures._emoji(icons, "a", "x")
    assert 'viewBox="0 0 128 64"' in drawn
    assert drawn.endswith("<g/></svg>")


def test_pictures_are_put_on_white():
    image = Image.new("RGBA", (8, 8), (255, 0, 0, 0))
    image.putpixel((0, 0), (0, 0, 255, 255))
    small = Image.open(io.BytesIO(shrink(image)))
    assert small.mode == "P"
    assert small.convert("RGB").getpixel((0, 0)) == (0, 0, 255)
    assert small.convert("RGB").getpixel((7, 7)) == (255, 255, 255)


def test_a_graph_is_written_as_it_is_read(tmp_path):
    ghana, red = "Ghana", "red (colour)"
    parts = {
        "train": [Fact(ghana, "flag_colour", red), Fact("Algeria", "flag_colour", red)],
        "valid": [],
        "test": [Fact(ghana, "borders", "Algeria")],
    }
    known = kinds(fact for part in parts.values() for fact in part)
    write_graph(tmp_path, parts, known, label, {ghana: "a country", red: "colour"})
    store = TripleStore.open(tmp_path)
    assert list(store.entity_names) == ["Algeria", ghana, red]
    assert store.triples("test").tolist() == [[1, 0, 0]]
    texts = read_texts(tmp_path)
    assert texts.texts == ("Algeria", "Ghana: a country", "red: colour")
    assert (tmp_path / "relation_kinds.tsv").read_text() == (
        "borders\tconceptual\nflag_colour\tperceptual\n"
    )
    write_pictures(tmp_path, {"Cote d'Ivoire": b"png"})
    assert (tmp_path / "pictures" / "Cote d'Ivoire" / "1.png").read_bytes() == b"png"
    more = {"countries": len(COUNTRIES), "pictures": 1, "member_of": 0}
    write_readme(tmp_path, SOURCES / "README.template.md", parts, known, **more)
    readme = (tmp_path / "README.md").read_text(encoding="utf-8")
    assert "| flag_colour | perceptual | 2 | 0 | 0 |" in readme
    assert f"{len(COUNTRIES)} countries" in readme
    write_sums(tmp_path)
    sums = (tmp_path / "SHA256SUMS").read_text()
    assert f"{hashlib.sha256(b'png').hexdigest()}  pictures/Cote d'Ivoire/1.png\n" in sums
    assert "SHA256SUMS" not in sums
