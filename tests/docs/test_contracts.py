"""The examples of the documentation hold what the contracts ask of everything registered.

They are packages of their own: the contracts find them by their entry points.
"""

import os
import subprocess
import sys

import pytest

from tests.docs.blocks import ROOT, blocks_of, pages, register

ADDED = ("CP", "MLP", "AddedDistMult", "TextComplEx")
OTHERS = ("SquaredHingeLoss", "brier", "hashed-words", "Alps")


@pytest.mark.slow
def test_examples_keep_the_contracts(tmp_path):
    folders = []
    for page in pages():
        if page.parent.name != "extend":
            continue
        for block in blocks_of(page):
            if block.kind != "file":
                continue
            path = tmp_path / block.about
            path.parent.mkdir(exist_ok=True)
            path.write_text(block.text, encoding="utf-8")
            if path.name == "pyproject.toml":
                register(path)
                folders.append(path.parent)
    names = " or ".join([*ADDED, *OTHERS, "registered", "says_what"])
    program = [sys.executable, "-m", "pytest", "-v", "-p", "no:cacheprovider"]
    ran = subprocess.run(
        [*program, "-m", "not slow", "-k", names, "tests/contracts"],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(map(str, folders))},
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 0, ran.stdout[-3000:] + ran.stderr[-3000:]
    passed = [line for line in ran.stdout.splitlines() if " PASSED" in line]
    for name in ADDED:
        assert sum(name in line for line in passed) > 20, name
    for name in OTHERS:
        assert sum(name in line for line in passed) > 1, name
