"""The page a user reads, parsed again."""

import base64
import io
import re
from html.parser import HTMLParser
from pathlib import Path

import pytest
from PIL import Image

from lbmkgc_models.features.cmoa.command import command as align
from lbmkgc_models.features.cmoa.settings import AlignmentSettings
from lbmkgc_models.features.report.command import command
from lbmkgc_models.features.report.page import write_report
from openke.data.store import TripleStore
from tests.lbmkgc_models.features.report.graph import NAMES, PROMPT, graph, pictures, stores

QUICK = AlignmentSettings(dim=8, noise=0.3, epochs=20, patience=5, held_out=0.3)
VOID = {"meta", "img"}


class Page(HTMLParser):
    """Elements, texts and open tags of a page."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.text = ""
        self.source = path.read_text(encoding="utf-8")
        self.feed(self.source)
        self.text = " ".join(self.text.split())
        assert not self.open, f"never closed: {self.open}"

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag, f"{tag} closes another element at {self.getpos()}"

    def handle_data(self, data: str) -> None:
        if self.open[-1:] != ["style"]:
            self.text += f" {data}"

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.elements if name == tag]


@pytest.fixture
def store(tmp_path: Path) -> TripleStore:
    """Return a small graph."""
    return graph(tmp_path / "Small")


def test_the_whole_page(
    store: TripleStore, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before, after, out = stores(tmp_path / "in", notes={"texts cut": 7}), tmp_path / "a", tmp_path
    align(before, out=after, settings=QUICK)
    folders = (pictures(tmp_path / "pictures"),)
    assert command(
        str(store.directory), features=after, before=before, pictures=folders, out=out / "report"
    ) == 0  # fmt: skip
    assert capsys.readouterr().out.endswith(f"{out / 'report' / 'report.html'}\n")
    files = {path.name for path in (out / "report").iterdir()}
    assert files == {"report.html", "coverage.png", "similarity.png"}
    for name in ("coverage.png", "similarity.png"):
        with Image.open(out / "report" / name) as plot:
            assert plot.width > 600
    page = Page(out / "report" / "report.html")
    # 100 to 102 have a generated picture, but no image features: these count where there are some.
    assert "text and a real picture: 120 (75.0 %)" in page.text
    assert "text only: 20 (12.5 %) · a picture only: 10 (6.2 %) · neither: 10" in page.text
    assert "Before alignment, by untrained heads" in page.text
    assert "After alignment" in page.text
    assert "held out from the training of the alignment" in page.text
    assert "not known to be held out" not in page.text
    assert re.search(r"texts cut 7", page.text)
    assert "image features: rows of 8 reals" in page.text
    assert page.text.count("✓ right") >= 2
    assert "CMoA of text encoder" in page.text
    assert "unreadable" in page.text


def test_nothing_on_the_page_comes_from_elsewhere_or_from_a_label(
    store: TripleStore, tmp_path: Path
) -> None:
    features = stores(tmp_path / "in")
    folder = pictures(tmp_path / "pictures")
    path = write_report(store, features, tmp_path / "out", pictures=[folder], sample=20)
    page = Page(path)
    assert {tag for tag, _ in page.elements}.isdisjoint({"script", "link", "iframe", "object"})
    assert "http" not in page.source
    assert PROMPT in page.text
    assert "12345" in page.text
    assert "<b>e1</b>" in page.text
    assert 'says "1" & more' in page.text
    images = page.all("img")
    assert images
    for image in images:
        assert image["alt"]
        kind, _, content = (image["src"] or "").partition(";base64,")
        assert kind in ("data:image/jpeg", "data:image/png")
        with Image.open(io.BytesIO(base64.b64decode(content))) as embedded:
            assert max(embedded.size) <= 256
    alts = [image["alt"] for image in images]
    assert alts.count("Generated picture of <b>e100</b>") == 1
    assert alts.count("Picture of <b>e1</b>") == 1
    assert len(page.source) < 200_000
    assert page.source.index("Real pictures") < page.source.index("Generated pictures")


def test_the_same_features_make_the_same_page(store: TripleStore, tmp_path: Path) -> None:
    features, folder = stores(tmp_path / "in"), pictures(tmp_path / "pictures")
    for out in ("a", "b"):
        write_report(store, features, tmp_path / out, pictures=[folder], sample=3)
    for name in ("report.html", "coverage.png"):
        assert (tmp_path / "a" / name).read_bytes() == (tmp_path / "b" / name).read_bytes()
    write_report(store, features, tmp_path / "b", pictures=[folder], sample=3, seed=1)
    assert (tmp_path / "a" / name).read_bytes() == (tmp_path / "b" / name).read_bytes()
    assert (tmp_path / "a" / "report.html").read_bytes() != (
        tmp_path / "b" / "report.html"
    ).read_bytes()


def test_one_modality_and_no_pictures_make_a_page(store: TripleStore, tmp_path: Path) -> None:
    features = stores(tmp_path / "in")
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "similarity.png").write_bytes(b"of an older report")
    for modality in ("text", "image"):
        alone = tmp_path / modality
        alone.mkdir()
        (features / modality).rename(alone / modality)
        page = Page(write_report(store, alone, tmp_path / "out"))
        assert "Nearest across modalities" not in page.text
        assert not page.all("img")
        assert {path.name for path in (tmp_path / "out").iterdir()} == {
            "report.html",
            "coverage.png",
        }
    page = Page(
        write_report(
            store, tmp_path / "text", tmp_path / "out", pictures=[pictures(tmp_path / "pictures")]
        )
    )
    # 100 and 101 have a readable record; 102 has a broken one, and is generated all the same.
    assert "text and a real picture: 10 (" in page.text
    assert "text and a generated picture: 3 (" in page.text
    # Texts are those of labels.tsv where there are no text features.
    page = Page(write_report(store, tmp_path / "image", tmp_path / "out"))
    assert "text and a real picture: 130" in page.text
    assert "What was cut" not in page.text


def test_features_of_unequal_width_without_alignment_are_not_compared(
    store: TripleStore, tmp_path: Path
) -> None:
    page = Page(write_report(store, stores(tmp_path / "in"), tmp_path / "out"))
    assert "How alike pictures and texts are" not in page.text


def test_heads_that_saw_all_are_warned_about(store: TripleStore, tmp_path: Path) -> None:
    before = stores(tmp_path / "in")
    align(before, out=tmp_path / "a", settings=AlignmentSettings(dim=8, epochs=1, refit=True))
    page = Page(write_report(store, tmp_path / "a", tmp_path / "out"))
    assert "not known to be held out" in page.text
    assert "In the space as they are" in page.text


def test_bad_requests_are_refused(store: TripleStore, tmp_path: Path) -> None:
    features = stores(tmp_path / "in")
    with pytest.raises(ValueError, match="sample is 0, expected at least 1"):
        write_report(store, features, tmp_path / "out", sample=0)
    with pytest.raises(FileNotFoundError, match="no image and no text features of Small there"):
        write_report(store, tmp_path / "Small", tmp_path / "out")
    with pytest.raises(FileNotFoundError, match="no such folder, expected one with pictures"):
        write_report(store, features, tmp_path / "out", pictures=[tmp_path / "none"])
    assert NAMES[0] in (store.entity_names or ())
