"""The help of every command that is installed: readable, without marks of Python's types."""

import re
from importlib.metadata import entry_points

import pytest

from openke import cli

NAMES = sorted(entry.name for entry in entry_points(group=cli.COMMANDS))


@pytest.mark.parametrize("name", NAMES)
def test_help_says_what_to_give(name, capsys):
    with pytest.raises(SystemExit) as caught:
        cli.main([*name.split("."), "--help"])
    assert caught.value.code == 0
    text = capsys.readouterr().out
    assert text.startswith(f"usage: openke {name.replace('.', ' ')}")
    assert not re.search(r"None\}|\bNoneType\b|Optional\[|\bMISSING\b", text)
    assert "--no-" not in text


def test_what_takes_hours_says_so(capsys):
    with pytest.raises(SystemExit):
        cli.main(["features", "generate", "--help"])
    text = " ".join(capsys.readouterr().out.split())
    assert "A whole data set takes hours on a GPU" in text
    assert cli.main(["--help"]) == 0
