"""Every block of Python and of a shell in the README and the documentation runs."""

import sys
from pathlib import Path

import pytest

from lbmkgc_models.features.encoders.registry import TEXT_ENCODERS
from tests.contracts.combinations import EXHAUSTIVE
from tests.docs.blocks import (
    RUNNABLE,
    Session,
    assert_alike,
    blocks_of,
    check,
    commands_of,
    pages,
    runnable,
)
from tests.lbmkgc_models.features.small import CountingEncoder

BLOCKS = {str(page): blocks_of(page) for page in pages()}
RUN = [page for page, blocks in BLOCKS.items() if any(b.language in RUNNABLE for b in blocks)]
SLOW = [page for page in RUN if any(block.kind == "slow" for block in BLOCKS[page])]
FAST = "docs/get-started.md"
"""The page whose blocks run in the fast subset of the tests too: all of them take long."""
QUICK = {"README.md": ("training.epochs=1", "model.dim=8")}
"""Settings that spare slow blocks of a page minutes of training and of tests."""


@pytest.fixture
def session(tmp_path, monkeypatch):
    before = set(sys.modules)
    yield Session(tmp_path, monkeypatch)
    for name in set(sys.modules) - before:
        place = getattr(sys.modules[name], "__file__", None)
        if place and Path(place).is_relative_to(tmp_path):
            del sys.modules[name]


@pytest.mark.parametrize("page", BLOCKS)
def test_every_block_can_be_read_and_says_why_it_is_not_run(page):
    for block in BLOCKS[page]:
        check(block)


@pytest.mark.parametrize(
    "page", [pytest.param(page, marks=[pytest.mark.slow] * (page != FAST)) for page in RUN]
)
def test_blocks_run(page, session):
    for block in runnable(BLOCKS[page], slow=False):
        session.run(block)


@pytest.mark.slow
@pytest.mark.parametrize("page", SLOW)
def test_slow_blocks_run(page, session, datasets, monkeypatch):
    """From the public data to a run's folder; an exhaustive run encodes and trains as users do."""
    monkeypatch.setenv("OPENKE_DATA", str(datasets))
    if not EXHAUSTIVE:
        session.settings = QUICK.get(page, ())
        monkeypatch.setitem(TEXT_ENCODERS.own, "minilm", CountingEncoder)
    for block in runnable(BLOCKS[page], slow=True):
        session.run(block)


def test_blocks_are_found_with_their_marks(tmp_path):
    page = tmp_path / "page.md"
    page.write_text(
        "text\n\n```python\na = 1\n```\n\n<!-- not run: it is slow -->\n\n```sh\nls\n```\n"
        "<!-- file: a/b.toml -->\n```toml\nc = 1\n```\n\n```text\n\n```\n"
    )
    found = blocks_of(page, tmp_path)
    assert [(b.language, b.kind, b.about, b.text, b.line) for b in found] == [
        ("python", "", "", "a = 1\n", 3),
        ("sh", "not run", "it is slow", "ls\n", 9),
        ("toml", "file", "a/b.toml", "c = 1\n", 13),
        ("text", "", "", "\n", 17),
    ]


def test_what_is_not_run_has_no_output(tmp_path):
    page = tmp_path / "page.md"
    lines = []
    for mark in ("", "<!-- slow: hours -->", "<!-- not run: a GPU -->"):
        lines += [mark, "```sh", "ls", "```", "<!-- output -->", "```text", "a", "```"]
    page.write_text("\n".join(lines))
    found = blocks_of(page, tmp_path)
    assert [b.kind for b in runnable(found, slow=False)] == ["", "output"]
    assert [b.kind for b in runnable(found, slow=True)] == ["slow", "output"]


def test_output_may_differ_in_numbers_a_little():
    assert_alike("MRR 30.1 (3 of 5)", "MRR 30.2  (3 of 5)\n", "here")
    assert_alike("a 1\nb 2", "b 2\na 1", "here")
    for other in ("MRR 35.1 (3 of 5)", "MR 30.1 (3 of 5)", "MRR 30.1"):
        with pytest.raises(AssertionError, match="here: "):
            assert_alike("MRR 30.1 (3 of 5)", other, "here")


def test_commands_are_lines_and_their_continuations():
    assert list(commands_of("a \\\n  b\n\n# no\nc  # d\n")) == ["a    b", "c  # d"]
