"""What becomes of tests of the public data sets where these are here, elsewhere, or nowhere."""

import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from openke.datasets.search import NEEDED
from tests import conftest

pytestmark = pytest.mark.slow  # a process for each test

ROOT = Path(__file__).parents[1]
NOWHERE = "http://127.0.0.1:1"
STUB = """
import openke.datasets.search
openke.datasets.search.__file__ = __file__  # the checkout may hold the data sets

def test_one(datasets):
    print("found in", datasets, [path.name for path in sorted(datasets.iterdir())])

def test_another(datasets):
    pass
"""


def run(folder, **environment):
    """Run two tests of the data sets in a process that has no network."""
    stub = folder / "a" / "checkout" / "tests" / "test_stub.py"
    stub.parent.mkdir(parents=True)
    stub.write_text(STUB)
    inherited = {k: v for k, v in os.environ.items() if not k.startswith(("OPENKE_", "PYTEST_"))}
    return subprocess.run(
        [
            sys.executable,
            "-m",
            "pytest",
            "-p",
            "tests.conftest",
            "-rA",
            "-c",
            os.devnull,
            stub.name,
        ],
        cwd=stub.parent,
        env={
            **inherited,
            "PYTHONPATH": str(ROOT),
            "OPENKE_CACHE": str(folder / "cache"),
            "OPENKE_MIRROR": NOWHERE,
            "NO_PROXY": "*",
            **environment,
        },
        capture_output=True,
        text=True,
        check=False,
    )


def put(folder, *names):
    """Write what looks like data sets."""
    for name in names:
        (folder / name).mkdir(parents=True)
        for file in NEEDED:
            (folder / name / file).write_text("0\n")
    return folder


def test_without_data_and_network_tests_are_skipped_for_one_reason(tmp_path):
    done = run(tmp_path)
    assert done.returncode == 0, done.stdout
    assert "2 skipped" in done.stdout
    assert done.stdout.count(conftest.NO_DATA) == 2
    assert "OPENKE_DATA" in conftest.NO_DATA


def test_data_that_are_required_are_not_skipped(tmp_path):
    done = run(tmp_path, OPENKE_REQUIRE_DATA="1")
    assert done.returncode == 1
    assert "2 errors" in done.stdout
    assert "OPENKE_REQUIRE_DATA is set: data set 'DB15K' is not on this machine" in done.stdout
    assert "skipped" not in done.stdout


@pytest.mark.parametrize("required", ["0", "1"])
def test_data_in_one_folder_are_used_there(tmp_path, required):
    folder = put(tmp_path / "data", *conftest.DATA_SETS)
    done = run(tmp_path, OPENKE_DATA=str(folder), OPENKE_REQUIRE_DATA=required)
    assert done.returncode == 0, done.stdout
    assert f"found in {folder} " in done.stdout


def test_data_that_lie_apart_are_linked_together(tmp_path):
    first, *others = conftest.DATA_SETS
    put(tmp_path / "cache" / "datasets", *others)
    done = run(tmp_path, OPENKE_DATA=str(put(tmp_path / "data", first)))
    assert done.returncode == 0, done.stdout
    assert str(list(conftest.DATA_SETS)) in done.stdout


def test_a_silent_server_is_not_waited_for(monkeypatch):
    monkeypatch.setattr(conftest, "SECONDS_TO_CONNECT", 0.1)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        monkeypatch.setenv("OPENKE_MIRROR", f"http://127.0.0.1:{silent.getsockname()[1]}")
        assert not conftest.server_answers()
