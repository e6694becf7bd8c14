"""One process writes into a folder at a time, and a killed one does not keep it."""

import subprocess
import sys
import time

import pytest

from openke.runtime.holding import held

HOLDER = """
import sys, time
from pathlib import Path
from openke.runtime.holding import held
with held(Path(sys.argv[1])):
    print("held", flush=True)
    time.sleep(60)
"""


@pytest.fixture
def other(tmp_path):
    """Start another process that holds tmp_path/run."""
    command = [sys.executable, "-c", HOLDER, tmp_path / "run"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert process.stdout.readline() == "held\n"
    yield process
    process.kill()
    process.wait()


def test_another_process_is_told_who_holds_it(other, tmp_path):
    with (
        pytest.raises(FileExistsError, match=rf"run: process {other.pid} on .*, since 2.* writing"),
        held(tmp_path / "run"),
    ):
        pass


def test_a_killed_process_holds_nothing(other, tmp_path):
    other.kill()
    other.wait()
    for _ in range(100):  # the system gives it back in its own time
        try:
            with held(tmp_path / "run"):
                (tmp_path / "run" / "file").touch()
            break
        except FileExistsError:
            time.sleep(0.05)
    assert [path.name for path in (tmp_path / "run").iterdir()] == ["file"]


def test_a_folder_that_got_nothing_is_not_left_behind(tmp_path):
    with pytest.raises(KeyError), held(tmp_path / "run"):
        raise KeyError
    assert not (tmp_path / "run").exists()
    (tmp_path / "there").mkdir()
    with held(tmp_path / "there"):
        pass
    assert (tmp_path / "there").is_dir()
