"""What the documentation says of the tree is so."""

import importlib
import re
from xml.etree import ElementTree

import pytest

from lbmkgc_models.features.encoders.registry import IMAGE_ENCODERS, TEXT_ENCODERS
from lbmkgc_models.model import MULTIMODAL
from openke.datasets.registry import OWN
from openke.module.loss import LOSSES
from openke.module.loss.query_losses import QUERY_LOSSES
from openke.module.model import MODELS
from openke.module.penalty import PENALTIES
from openke.module.strategy import OBJECTIVES
from openke.training.optimizers import OPTIMIZERS
from openke.training.schedule import SCHEDULES
from tests.docs.blocks import ROOT, blocks_of, pages, tomllib
from tests.docs.tables import DOCS, TABLES, with_table
from tests.test_layers import ROOMS

SOURCES = ("openke", "lbmkgc_models", "base", "setup.py", "make.sh", "tests/conftest.py")
VARIABLE = re.compile(
    r"""(?:environ(?:\.get|\.setdefault)?[(\[]|getenv\(|["'])["']?"""
    r"""((?:OPENKE|OMP|GOMP|THP|MALLOC|GLIBC|MASTER|MACOSX|SOURCE_DATE|LOCAL|WORLD)_[A-Z_]+|RANK)["']"""
)
MACROS = {"OPENKE_BUILD"}
ROOM = re.compile(r"^\| `((?:openke|lbmkgc_models)\.[\w.]+)` \|", re.M)
LINK = re.compile(r"\]\((?!https?:)([^)#\s]+)")
EXAMPLE_LINES = 40


def text_of(page):
    return (DOCS / page).read_text(encoding="utf-8")


def own(registry):
    """Return the names that this project has; other installed packages may add some."""
    return list(getattr(registry, "own", registry))


def test_the_readme_is_short():
    assert len((ROOT / "README.md").read_text(encoding="utf-8").splitlines()) <= 150


def test_rooms_are_those_of_the_test_of_layers():
    listed = ROOM.findall(text_of("architecture.md"))
    assert listed == list(ROOMS)


def test_every_environment_variable_is_explained():
    paths = [p for name in SOURCES for p in ([ROOT / name, *(ROOT / name).rglob("*.*")])]
    sources = [p for p in paths if p.suffix in (".py", ".cpp", ".h", ".sh")]
    found = {v for p in sources for v in VARIABLE.findall(p.read_text(encoding="utf-8"))} - MACROS
    assert {"OPENKE_DATA", "OPENKE_ISA", "GOMP_SPINCOUNT", "SOURCE_DATE_EPOCH", "RANK"} <= found
    page = text_of("environment-variables.md")
    assert not [name for name in sorted(found) if f"`{name}`" not in page]


def test_every_command_has_its_help():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    commands = {name.replace(".", " ") for name in project["entry-points"]["openke.commands"]}
    shown = re.findall(r"^```\{command\} (.+)$", text_of("command-line.md"), re.M)
    assert sorted(shown) == sorted(commands)


@pytest.mark.parametrize(
    "names",
    [
        own(OBJECTIVES),
        OPTIMIZERS,
        own(PENALTIES),
        [f'name = "{n}"' for n in SCHEDULES],
    ],
)
def test_the_page_of_training_names_what_a_recipe_may(names):
    text = text_of("training.md")
    missing = [name for name in names if name not in text]
    assert not missing, f"name {', '.join(missing)} in docs/training.md"


LISTED = {
    "api/models.md": {
        "openke.module.model:MODELS": MODELS,
        "lbmkgc_models.model:MULTIMODAL": MULTIMODAL,
        "openke.module.loss:LOSSES": LOSSES,
        "openke.module.loss.query_losses:QUERY_LOSSES": QUERY_LOSSES,
        "openke.module.penalty:PENALTIES": PENALTIES,
        "openke.module.strategy:OBJECTIVES": OBJECTIVES,
    },
    "api/features.md": {
        "lbmkgc_models.features.encoders.registry:TEXT_ENCODERS": TEXT_ENCODERS,
        "lbmkgc_models.features.encoders.registry:IMAGE_ENCODERS": IMAGE_ENCODERS,
    },
}
"""By page of the reference: the registries of which it lists everything when it is built."""


@pytest.mark.parametrize("page", LISTED)
def test_the_reference_lists_whatever_is_registered(page, monkeypatch):
    pytest.importorskip("sphinx")
    monkeypatch.syspath_prepend(DOCS / "_ext")
    built = importlib.import_module("registered").with_sections(text_of(page))
    titles = {
        name
        for line in built.splitlines()
        if line.startswith("#")
        for name in line.lstrip("# ").split(", ")
    }
    for place, registry in LISTED[page].items():
        assert f"<!-- registered: {place} -->" in text_of(page)
        assert not set(own(registry)) - titles


def readme_row(title):
    """Return what a row of the README's table names."""
    text = (ROOT / "README.md").read_text(encoding="utf-8").replace("GC-OTE", "GCOTE")
    (row,) = [line for line in text.splitlines() if line.startswith(f"| {title} |")]
    return re.split(r"[,;] ", row.split("|")[2].strip())


def test_the_readme_names_nothing_that_is_not_registered():
    assert set(readme_row("over structure")) <= set(MODELS)
    assert set(readme_row("data sets by name")) <= {*OWN, "Factbook"}
    pictured = {name.partition(" ")[0] for name in readme_row("with pictures and text")}
    assert pictured - {"with"} <= set(MULTIMODAL)


def test_the_page_of_pictures_and_text_names_no_encoder_that_is_not_registered():
    (table,) = re.findall(
        r"\| name \| of \| weights \|\n((?:\|.*\n)+)", text_of("pictures-and-text.md")
    )
    named = {
        name.removesuffix(":SOURCE")
        for row in table.splitlines()[1:]
        for name in re.findall(r"`([^`]+)`", row.split("|")[1])
    }
    assert len(named) >= 8
    assert named <= {*TEXT_ENCODERS, *IMAGE_ENCODERS}


@pytest.mark.parametrize(("page", "mark"), TABLES)
def test_tables_are_those_of_the_results(page, mark):
    text = text_of(page)
    assert with_table(text, mark, TABLES[page, mark]()) == text, "python -m tests.docs.tables"


def test_links_lead_somewhere():
    for page in pages():
        text = (ROOT / page).read_text(encoding="utf-8")
        for link in LINK.findall(text):
            assert (ROOT / page).parent.joinpath(link).exists(), f"{page}: {link}"


def test_examples_are_short():
    files = [
        block
        for page in pages()
        if page.parent.name == "extend"
        for block in blocks_of(page)
        if block.kind == "file" and block.about.endswith(".py")
    ]
    assert len(files) >= 5
    for block in files:
        lines = [line for line in block.text.splitlines() if line.strip()]
        assert len(lines) <= EXAMPLE_LINES, block.where


def test_the_figure_is_a_picture_that_says_what_it_shows():
    root = ElementTree.parse(DOCS / "figures" / "lbmkgc.svg").getroot()
    words = " ".join(root.itertext())
    for term in ("LvMC", "CMoA", "CGuAF", "RotatE", "Cross-Modality Alignment", "Context-Guided"):
        assert term in words
