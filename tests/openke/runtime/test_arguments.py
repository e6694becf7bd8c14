"""A signature becomes a command line: places, switches, groups, and help of its docstring."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Literal

import pytest
import tyro

from openke.runtime.arguments import parse_arguments
from openke.runtime.field_texts import field_texts, parameter_texts, summary_of


@dataclass(frozen=True, kw_only=True)
class Inner:
    """The inner settings."""

    depth: int = 3
    """How deep, see :class:`.Inner` and ``depth``."""
    kind: Literal["a", "b"] = "a"
    """What kind."""

    def __post_init__(self) -> None:
        if self.depth < 0:
            raise ValueError("depth is below 0")


@dataclass(frozen=True, kw_only=True)
class Outer:
    """Options."""

    needed: int
    """It must be given."""
    parts: tuple[str, ...] = field(default_factory=lambda: ("x", "y"))
    """Some parts."""
    inner: Inner = field(default_factory=Inner)
    """What is inside."""


def command(
    source: Path | None = None,
    /,
    *,
    name: str = "",
    loud: bool = False,
    out: Path = Path("here"),
    inner: Annotated[Inner, tyro.conf.arg(name="")] = Inner(),
) -> tuple[object, ...]:
    """Do something with a long explanation that goes on and on until it is wider than the terminal.

    For example::

        openke do something

    Parameters
    ----------
    source
        Where it comes from: a text in
        two lines.
    name
        A name.
    loud
        Aloud.
    out
        A folder.
    inner
        More.

    Raises
    ------
    ValueError
        Never.
    """
    return source, name, loud, out, inner


def called(what, *arguments):
    return parse_arguments(what, args=arguments)


def help_of(what, capsys, monkeypatch, columns="80"):
    monkeypatch.setenv("COLUMNS", columns)
    with pytest.raises(SystemExit):
        called(what, "--help")
    return capsys.readouterr().out


def gather(
    *,
    pictures: tuple[Path, ...] = (),
    sets: tuple[str, ...] = (),
    tracker: tyro.conf.UseAppendAction[tuple[str, ...]] = (),
    name: str = "",
) -> tuple[object, ...]:
    """Gather."""
    return pictures, sets, tracker, name


def test_an_option_of_several_values_is_there_once_unless_it_may_be_repeated():
    def said(line):
        return parse_arguments(gather, args=line.split())

    assert said("--pictures a b --sets c") == ((Path("a"), Path("b")), ("c",), (), "")
    assert said("--tracker a --tracker b --name x --name y") == ((), (), ("a", "b"), "y")
    for line in ("--pictures a --pictures b", "--pictures=a --pictures b"):
        with pytest.raises(ValueError, match="--pictures is there 2 times: put all values behind"):
            said(line)


def test_values_arrive_with_their_types():
    assert called(command) == (None, "", False, Path("here"), Inner())
    given = ("there", "--name", "None", "--loud", "--depth", "5", "--kind", "b")
    inner = Inner(depth=5, kind="b")
    assert called(command, *given) == (Path("there"), "None", True, Path("here"), inner)
    assert called(Outer, "--needed", "1", "--inner.depth", "0", "--parts", "z") == Outer(
        needed=1, parts=("z",), inner=Inner(depth=0)
    )
    assert called(Outer, "--needed", "1") == Outer(needed=1)


def test_checks_of_a_group_are_made():
    with pytest.raises(ValueError, match="depth is below 0"):
        called(command, "--depth=-1")


def test_help_has_the_texts_and_no_empty_defaults(capsys, monkeypatch):
    text = help_of(command, capsys, monkeypatch)
    assert text.startswith("usage:")
    assert "[SOURCE]" in text
    assert "a text in two lines." in " ".join(text.replace("│", "").split())
    assert "How deep, see Inner and depth. (default: 3)" in " ".join(text.replace("│", "").split())
    assert "default: None" not in text
    assert "default: False" not in text
    assert "(default: )" not in text
    assert "''" not in text
    assert "(default: here)" in text


def test_a_description_keeps_its_paragraphs_and_examples(capsys, monkeypatch):
    _, *lines = help_of(command, capsys, monkeypatch, "60").splitlines()
    assert max(map(len, lines)) <= 60
    assert "For example:" in lines
    assert "    openke do something" in lines
    assert not any("Never" in line or "Parameters" in line for line in lines)


def test_a_description_of_its_own(capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    with pytest.raises(SystemExit):
        parse_arguments(Outer, description="Another purpose.", args=["--help"])
    text = capsys.readouterr().out
    assert "Another purpose." in text
    assert "(required)" in text
    assert "(default: x y)" in text


def test_texts_of_fields_and_parameters():
    assert field_texts(Inner)["kind"] == "What kind."
    assert parameter_texts(command)["source"] == "Where it comes from: a text in two lines."
    assert set(parameter_texts(command)) == {"source", "name", "loud", "out", "inner"}
    assert summary_of(command).endswith("openke do something")
    assert parameter_texts(len) == {}
