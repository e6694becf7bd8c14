"""The command finds its subcommands, loads only the one asked for, and fails in one line."""

from __future__ import annotations

import re
import subprocess
import sys
import textwrap
from importlib.metadata import EntryPoint
from pathlib import Path

import pytest

import openke
from openke import cli

PLUGIN = '''
"""A module of commands."""

def greet(
    name: str, /, *, loud: bool = False, status: int = 0, by: str | None = None
) -> int:
    """Greet someone.

    Parameters
    ----------
    name
        Whom.
    """
    text = f"hello {name}" if by is None else f"hello {name}, says {by}"
    print(text.upper() if loud else text)
    return status

def silent() -> None:
    """Say nothing."""

def fail(kind: str, /) -> None:
    """Fail."""
    raise {"value": ValueError, "os": FileNotFoundError, "import": ImportError, "bug": TypeError,
           "stop": KeyboardInterrupt}[kind]("line one\\nline two")
'''


@pytest.fixture(autouse=True)
def plugin(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Register the commands above and one whose module cannot be imported."""
    package = tmp_path / "made_up"
    package.mkdir()
    (package / "__init__.py").write_text("")
    (package / "greetings.py").write_text(PLUGIN)
    (package / "broken.py").write_text('def run():\n    """Break."""\nraise ImportError("no part")')
    monkeypatch.syspath_prepend(str(tmp_path))
    homes = {name: f"made_up.greetings:{name}" for name in ("greet", "silent", "fail")}
    homes["polite.greet"] = homes["greet"]
    homes |= {"broken": "made_up.broken:run", "gone": "no_such_package.part:run"}

    def entry_points(group: str) -> list[EntryPoint]:
        assert group == "openke.commands"
        return [EntryPoint(name, home, group) for name, home in homes.items()]

    monkeypatch.setattr("importlib.metadata.entry_points", entry_points)
    for module in [name for name in sys.modules if name.startswith("made_up")]:
        monkeypatch.delitem(sys.modules, module)


def test_help_lists_commands_without_importing_them(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["--help"]) == 0
    lines = [line.split(None, 1) for line in capsys.readouterr().out.splitlines()]
    assert ["greet", "Greet someone."] in lines
    assert ["broken", "Break."] in lines
    assert ["gone"] in lines
    assert not any(name.startswith("made_up") for name in sys.modules)


def test_version(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["--version"]) == 0
    assert capsys.readouterr().out == f"openke {openke.__version__}\n"


def test_no_command_is_a_usage_error(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main([]) == 2
    assert "usage: openke COMMAND" in capsys.readouterr().out


def test_arguments_follow_the_signature(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert cli.main(["greet", "you", "--loud", "--status", "3"]) == 3
    assert capsys.readouterr().out == "HELLO YOU\n"
    monkeypatch.setattr(sys, "argv", ["openke", "greet", "me"])
    assert cli.main() == 0
    assert capsys.readouterr().out == "hello me\n"
    assert cli.main(["silent"]) == 0


def test_what_may_be_left_out_takes_any_word(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["greet", "you", "--by", "None"]) == 0
    assert capsys.readouterr().out == "hello you, says None\n"


def test_help_of_a_command(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        cli.main(["greet", "--help"])
    assert caught.value.code == 0
    text = capsys.readouterr().out
    assert "usage: openke greet" in text
    assert "Whom." in text
    assert "--no-loud" not in text
    assert "--by STR" in text


def test_wrong_arguments_exit_with_2(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["greet", "you", "--quiet"]) == 2
    assert capsys.readouterr().err == (
        "openke: error: Unrecognized options: --quiet; openke greet --help lists the options\n"
    )
    assert cli.main(["greet", "you", "--status", "many"]) == 2
    err = capsys.readouterr().err
    assert err.startswith("openke: error: --status: invalid literal for int")
    assert err.count("\n") == 1
    assert cli.main(["greet", "you", "--lout"]) == 2
    assert "--lout (did you mean --loud?); openke greet" in capsys.readouterr().err
    assert cli.main(["greet", "you", "--status", "9" * 30]) == 2
    assert "expected a whole number of at most 64 bits" in capsys.readouterr().err


@pytest.mark.parametrize("kind", ["value", "os", "import"])
def test_errors_are_one_line(kind: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["fail", kind]) == 2
    captured = capsys.readouterr()
    assert captured.err == "openke: error: line one line two\n"
    assert captured.out == ""


def test_bugs_keep_their_traceback() -> None:
    with pytest.raises(TypeError):
        cli.main(["fail", "bug"])


def test_interruption(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["fail", "stop"]) == 130
    assert capsys.readouterr().err == "openke: interrupted\n"


@pytest.mark.parametrize(
    ("name", "message"), [("broken", "no part"), ("gone", "No module named 'no_such_package'")]
)
def test_command_that_cannot_be_loaded(
    name: str, message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main([name]) == 2
    assert capsys.readouterr().err == f"openke: error: {message}\n"


def test_unknown_command_lists_the_known(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert cli.main(["great"]) == 2
    assert capsys.readouterr().err == (
        "openke: error: unknown command 'great' (did you mean greet?), expected one of broken, "
        "fail, gone, greet, polite, silent\n"
    )
    assert cli.main(["xyz"]) == 2
    assert "unknown command 'xyz', expected" in capsys.readouterr().err
    monkeypatch.setattr("importlib.metadata.entry_points", lambda group: [])
    assert cli.main(["greet"]) == 2
    assert "no command is registered; install the package" in capsys.readouterr().err
    assert cli.main(["--help"]) == 0
    assert "none is registered; install the package" in capsys.readouterr().out


# ---- the installed command, in processes of its own


def _python(code: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", textwrap.dedent(code), *arguments],
        capture_output=True,
        text=True,
        check=False,
    )


def test_installed_commands_include_audit() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "openke.cli", "--help"], capture_output=True, text=True, check=True
    )
    assert re.search(r"^  audit +Check a data set", done.stdout, re.MULTILINE)


def test_installed_commands_stand_in_groups_in_the_order_of_their_use() -> None:
    command = [sys.executable, "-m", "openke.cli", "--help"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    lines = done.stdout.splitlines()
    titles = [line for line in lines if line.endswith(":")]
    assert titles[:3] == ["data sets:", "models:", "pictures and text:"]
    first = [line.split()[0] for line in lines[lines.index("models:") + 1 :][:3]]
    assert first == ["train", "tune", "mix"]


@pytest.mark.parametrize("arguments", [("--help",), ("audit", "/no/such/folder")])
def test_pytorch_is_not_loaded(arguments: tuple[str, ...]) -> None:
    done = _python(
        """
        import sys
        from openke.cli import main
        main(sys.argv[1:])
        print("torch" in sys.modules)
        """,
        *arguments,
    )
    assert done.stdout.splitlines()[-1] == "False", done.stderr


def test_exit_status_of_audit(datasets: Path) -> None:
    def audit(place: object) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "openke.cli", "audit", str(place)]
        return subprocess.run(command, capture_output=True, text=True, check=False)

    assert audit(datasets / "MKG-W").returncode == 0
    leaking = audit(datasets / "DB15K")
    assert leaking.returncode == 1
    assert "9,904 rows hold 7,481 distinct triples" in leaking.stdout
    unusable = audit(datasets / "NOWHERE")
    assert unusable.returncode == 2
    assert unusable.stderr.startswith("openke: error: ")
    assert unusable.stderr.count("\n") == 1


def test_reader_that_goes_away_is_no_error() -> None:
    done = _python(
        """
        import subprocess, sys
        command = [sys.executable, "-m", "openke.cli", "--help"]
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        process.stdout.close()
        print(process.stderr.read().decode(), process.wait())
        """
    )
    assert done.stdout.strip() == "1"


def test_development_mode_shows_where_an_error_came_from() -> None:
    command = [sys.executable, "-X", "dev", "-m", "openke.cli", "audit", "/no/such/folder"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert "Traceback" in done.stderr
    assert "FileNotFoundError" in done.stderr


def test_commands_with_a_dot_form_a_group(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["polite", "--help"]) == 0
    shown = capsys.readouterr().out
    assert shown.startswith("usage: openke polite COMMAND")
    assert "  greet  Greet someone." in shown
    assert "silent" not in shown
    assert cli.main(["polite"]) == 2
    capsys.readouterr()
    assert cli.main(["polite", "greet", "you"]) == 0
    assert capsys.readouterr().out == "hello you\n"
    assert cli.main(["polite", "greed"]) == 2
    assert "unknown command 'greed' (did you mean greet?)" in capsys.readouterr().err
