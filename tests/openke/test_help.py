"""The help of every command and script: readable, complete, without marks of Python's types."""

import re
from dataclasses import is_dataclass
from importlib.metadata import entry_points
from pathlib import Path
from typing import get_args

import pytest

from openke import cli
from openke.runtime.arguments import arguments_of
from openke.runtime.values import Bound
from tests.scripts import run_here

COMMANDS = {entry.name: entry for entry in entry_points(group=cli.COMMANDS)}
ROOT = Path(cli.__file__).parents[1]
SCRIPTS = [
    path.relative_to(ROOT)
    for folder in ("examples", "benchmarks")
    for path in sorted((ROOT / folder).glob("*.py"))
    if "run_script(" in path.read_text(encoding="utf-8")
]
UNREADABLE = re.compile(
    r"None\}|\bNoneType\b|Optional\[|\bMISSING\b|\(default: (?:None|False|''|)\)|--no-|:\w+:`|``"
)


@pytest.mark.parametrize("name", sorted(COMMANDS))
def test_help_says_what_to_give(name, capsys):
    with pytest.raises(SystemExit) as caught:
        cli.main([*name.split("."), "--help"])
    assert caught.value.code == 0
    text = capsys.readouterr().out
    assert text.startswith(f"usage: openke {name.replace('.', ' ')}")
    assert not UNREADABLE.search(text)


@pytest.mark.parametrize("name", sorted(COMMANDS))
def test_every_option_has_its_text(name):
    assert not [each.name for each in arguments_of(COMMANDS[name].load()) if not each.text]


@pytest.mark.parametrize("name", sorted(COMMANDS))
def test_every_number_has_bounds(name):
    """Without them a typing error is computed with: say what a number may be by its type."""
    assert not list(unbounded(arguments_of(COMMANDS[name].load())))


def unbounded(arguments):
    for each in arguments:
        kinds = [each.kind, *get_args(each.kind)]
        kinds += [inner for kind in kinds[1:] for inner in get_args(kind)]
        if is_dataclass(kinds[1] if kinds[1:] else each.kind):
            yield from unbounded(arguments_of(kinds[1]))
        elif {int, float} & {k for k in kinds if isinstance(k, type)} and not any(
            isinstance(kind, Bound) for kind in kinds
        ):
            yield each.name


@pytest.mark.parametrize("script", SCRIPTS, ids=str)
def test_help_of_a_script_says_what_it_is_for(script):
    done = run_here(script, "--help", cwd=ROOT, COLUMNS="100")
    assert done.returncode == 0
    purpose = (ROOT / script).read_text(encoding="utf-8").splitlines()[0].strip('"')
    assert purpose.split()[:3] == done.stdout.splitlines()[2].split()[:3]
    assert f"    python {script}" in done.stdout
    assert not UNREADABLE.search(done.stdout)
    assert str(ROOT) not in done.stdout
    assert "options" in done.stdout
    assert len(done.stdout.splitlines()) > 10


def test_what_takes_hours_says_so(capsys):
    with pytest.raises(SystemExit):
        cli.main(["features", "generate", "--help"])
    text = " ".join(capsys.readouterr().out.split())
    assert "A whole data set takes hours on a GPU" in text
    assert cli.main(["--help"]) == 0
