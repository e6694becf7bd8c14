"""The source distribution builds a wheel whose library works where the checkout is not."""

import os
import re
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from openke.runtime.toml import tomllib

ROOT = Path(__file__).parents[1]
TRY = """
import sys
from pathlib import Path
import openke
from openke.data.store import TripleStore
from openke.data.sampler import Sampler
import lbmkgc_models
assert Path(openke.__file__).is_relative_to(sys.argv[1]), openke.__file__
store = TripleStore.from_triples([[0, 0, 1], [1, 0, 2]], entities=3, relations=1)
assert Sampler(store).order(0).tolist() in ([0, 1], [1, 0])
from openke.datasets.search import find_dataset
folder = find_dataset("Factbook")
assert folder.is_relative_to(Path(sys.argv[1])), folder
assert TripleStore.open(folder).entity_count == 1295
assert (folder / "features" / "text" / "features.safetensors").is_file()
assert any((folder / "pictures").iterdir())
"""


def run(*command, cwd, **environment):
    done = subprocess.run(
        command,
        cwd=cwd,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=False,
        timeout=600,
    )
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.slow
def test_sdist_to_wheel_to_import(tmp_path):
    checkout = tmp_path / "checkout"
    ignored = shutil.ignore_patterns(".venv", ".git", "build", "*.egg-info", "_core.*", ".*_cache")
    shutil.copytree(ROOT, checkout, ignore=ignored)
    run(sys.executable, "-m", "build", "--no-isolation", "-o", str(tmp_path), cwd=checkout)
    (sdist,) = tmp_path.glob("*.tar.gz")
    (wheel,) = tmp_path.glob("*.whl")
    assert sdist.stat().st_size < 15_000_000
    assert wheel.stat().st_size < 15_000_000
    assert "-py3-none-" in wheel.name
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
        archive.extractall(tmp_path / "site")
    assert any(name.startswith("openke/_core.") for name in names)
    data = {"openke/py.typed", "lbmkgc_models/py.typed"}
    data |= {"lbmkgc_models/features/report/page.html.j2", "lbmkgc_models/serving/page/page.js"}
    data |= {"openke/runs/card.md.j2", "openke/runs/page.html.j2"}
    assert data <= set(names)
    assert not [name for name in names if name.startswith(("tests/", "base/", "examples/"))]
    site = tmp_path / "site"
    run(sys.executable, "-c", TRY, str(site), cwd=tmp_path, PYTHONPATH=str(site))


def test_extras_that_messages_and_pages_name_are_there():
    with (ROOT / "pyproject.toml").open("rb") as file:
        extras = tomllib.load(file)["project"]["optional-dependencies"]
    pages = [ROOT / "README.md", *(ROOT / "docs").rglob("*.md")]
    sources = [path for room in ("openke", "lbmkgc_models") for path in (ROOT / room).rglob("*.py")]
    named = set()
    for path in (*pages, *sources):
        text = path.read_text(encoding="utf-8")
        for found in re.findall(r"pip install [\"']?(?:openke-lbmkgc|\.)\[([\w,]+)\]", text):
            named |= set(found.split(","))
    assert {"encoders", "hub", "rdf", "serve", "tables"} <= named
    assert named <= set(extras)
