"""A command line from a signature: an option for each parameter, with what is said of it."""

from __future__ import annotations

import io
import re
import shutil
import sys
import textwrap
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import redirect_stderr
from dataclasses import MISSING, Field, dataclass, field, fields, is_dataclass, make_dataclass
from inspect import Parameter, cleandoc, signature
from pathlib import Path
from types import NoneType, UnionType
from typing import Annotated, Any, TypeVar, Union, get_args, get_origin, get_type_hints

from openke.runtime.field_texts import field_texts, parameter_texts, summary_of
from openke.runtime.names import did_you_mean
from openke.runtime.values import check_value

Result = TypeVar("Result")
WIDTH = 100
"""Columns of a description at most."""
ROLE = re.compile(r"(?::\w+:)?`+[~.]?([^`]*)`+")
"""A role or a piece of code, as docstrings mark it."""


@dataclass(frozen=True)
class Argument:
    """A parameter as a command line shows it."""

    name: str
    kind: Any
    """Its type, with tyro's marks where it has some."""
    default: Any
    """:data:`dataclasses.MISSING` where it must be given."""
    text: str
    positional: bool = False


def parse_arguments(
    what: Callable[..., Result],
    *,
    prog: str | None = None,
    description: str | None = None,
    args: Sequence[str] | None = None,
) -> Result:
    """Call a function or make a dataclass with what the command line says.

    Parameters before ``/`` are given by their place, others by ``--name``. Numbers are held to the
    bounds of their types, such as :data:`.Count`. A switch is ``--json``
    alone, without a ``--no-json``. What may be None is so when it is left out. A parameter that is
    a dataclass adds the options of its fields.

    Parameters
    ----------
    what
        Its signature is the command line, its docstring the help.
    prog
        How the program is called.
    description
        What the help says first; by default what the docstring says before its sections.
    args
        The command line; by default that of this process.

    Raises
    ------
    ValueError
        An unknown option, one without its value, or a value that is none of its kind.
    """
    given = parse(arguments_of(what), prog, description or summary_of(what), args)
    return _called(what, given)


def parse(
    arguments: Sequence[Argument], prog: str | None, description: str, args: Sequence[str] | None
) -> dict[str, Any]:
    """Return the value of each argument by its name; see :func:`parse_arguments`."""
    import tyro  # late: the list of commands needs no parser

    _check_repeated(arguments, sys.argv[1:] if args is None else args)
    said = io.StringIO()
    try:
        with redirect_stderr(said):
            given: object = tyro.cli(
                _class_of(arguments, "Arguments", ""),
                prog=prog,
                description=_shown(description),
                args=args,
                config=(tyro.conf.FlagCreatePairsOff, tyro.conf.DisallowNone),
            )
    except SystemExit as leaving:
        if leaving.code in (0, None):  # the help was asked for
            raise
        raise ValueError(_in_one_line(said.getvalue(), arguments, prog)) from None
    _check_numbers(given)
    return vars(given)


def _check_repeated(arguments: Sequence[Argument], args: Sequence[str]) -> None:
    """Raise ``ValueError`` for an option of several values that is there twice.

    Of two only the last would count. Those that are made to be repeated are marked so.
    """
    import tyro

    several = set()
    for each in arguments:
        base, *marks = _taken_apart(each.kind)
        if get_origin(base) is tuple and tyro.conf.UseAppendAction not in marks:
            several.add(_option(each.name))
    words = Counter(
        _option(word.partition("=")[0].lstrip("-")) for word in args if word[:2] == "--"
    )
    for name in sorted(several):
        if words[name] > 1:
            raise ValueError(f"{name} is there {words[name]} times: put all values behind one")


def _option(name: str) -> str:
    return f"--{name.replace('_', '-')}"


def _check_numbers(given: Any) -> None:
    """Raise ``ValueError`` for a number beyond the bounds of its type, infinite, or of 65 bits."""
    for each in fields(given):
        value = getattr(given, each.name)
        if is_dataclass(value):
            _check_numbers(value)
        elif isinstance(value, int | float):
            check_value(_option(each.name), value, _without_none(each.type))


def _without_none(kind: Any) -> Any:
    """Return a type as whoever gives an option may mean it: None is to leave it out."""
    base = _taken_apart(kind)[0]
    if get_origin(base) in (Union, UnionType):
        said = [each for each in get_args(base) if each is not NoneType]
        return said[0] if len(said) == 1 else kind
    return kind


def _in_one_line(boxes: str, arguments: Sequence[Argument], prog: str | None) -> str:
    """Return what tyro says first in its boxes, which show the help of an option besides."""
    parts = [""]
    for line in boxes.splitlines():
        inside = line.strip().strip("│|").strip()
        if line.startswith("╭") or re.fullmatch(r"[─+╰╯-]*", inside):  # a title, or a rule
            parts.append("")
        else:
            parts[-1] = f"{parts[-1]} {inside}".lstrip()
    parts = [part for part in parts if part]
    has_title = not boxes.startswith("╭") and len(parts) > 1  # in plain ASCII, as a part
    text = re.sub(r"^Error parsing (\S+): ", r"\1: ", parts[has_title]).rstrip(".")
    known = [_option(each.name) for each in arguments]
    unknown = [word for word in re.findall(r"--[\w-]+", text) if word not in known]
    near = did_you_mean(unknown[0], known) if unknown else ""
    return f"{text}{near}; {f'{prog} ' if prog else ''}--help lists the options"


def arguments_of(what: Callable[..., Any]) -> list[Argument]:
    """Return an argument for each parameter of a function, or each field of a dataclass."""
    kinds = get_type_hints(what, include_extras=True)
    if isinstance(what, type):
        texts = field_texts(what)
        return [
            Argument(f.name, kinds[f.name], _default(f), texts.get(f.name, ""))
            for f in fields(what)
        ]
    texts = parameter_texts(what)
    return [
        Argument(
            name,
            kinds[name],
            MISSING if each.default is Parameter.empty else each.default,
            texts.get(name, ""),
            each.kind is Parameter.POSITIONAL_ONLY,
        )
        for name, each in signature(what).parameters.items()
    ]


def _called(what: Callable[..., Result], given: dict[str, Any]) -> Result:
    """Return what ``what`` makes of the values of its arguments."""
    values = dict(given)
    places = []
    for each in arguments_of(what):
        inner = _taken_apart(each.kind)[0]
        if _is_group(inner):
            values[each.name] = _called(inner, vars(values[each.name]))
        if each.positional:
            places.append(values.pop(each.name))
    return what(*places, **values)


def _class_of(arguments: Sequence[Argument], name: str, text: str) -> type[Any]:
    """Return a dataclass that tyro reads: types with help, place, and word for a missing value."""
    import tyro

    made = []
    for each in arguments:
        (base, *marks), default = _taken_apart(each.kind), each.default
        if _is_group(base):
            below = _class_of(arguments_of(base), base.__name__, summary_of(base))
            default = below(**{f.name: getattr(default, f.name) for f in fields(base)})
            base = below
        about = [tyro.conf.arg(help=_flowing(each.text), help_behavior_hint=_hint(default))]
        if each.positional:
            word = each.name.upper()
            shown = word if default is MISSING else f"[{word}]"
            about += [tyro.conf.Positional, tyro.conf.arg(metavar=shown)]
        made.append((each.name, _put_together(base, *about, *marks), _field(default)))
    new = make_dataclass(name, made, frozen=True, kw_only=True)
    new.__doc__ = _flowing(text)
    return new


def _field(default: Any) -> Any:
    return field() if default is MISSING else field(default_factory=lambda: default)


def _default(found: Field[Any]) -> Any:
    if found.default_factory is not MISSING:
        return found.default_factory()
    return found.default


def _taken_apart(kind: Any) -> tuple[Any, ...]:
    """Return a type and the marks that Annotated puts on it."""
    return get_args(kind) if get_origin(kind) is Annotated else (kind,)


def _put_together(kind: Any, *marks: Any) -> Any:
    for mark in marks:
        kind = Annotated[kind, mark]
    return kind


def _is_group(kind: Any) -> bool:
    return isinstance(kind, type) and is_dataclass(kind)


def _hint(default: Any) -> str | None:
    """Return the word on what stands in for a missing value; None leaves it to tyro."""
    if default is None or default is False or default in ("", ()):
        return ""
    if isinstance(default, Path) and default.is_relative_to(Path.cwd()):
        return f"(default: {default.relative_to(Path.cwd())})"
    return None


def _flowing(text: str) -> str:
    """Return a text as one paragraph, without the marks of docstrings."""
    return ROLE.sub(r"\1", " ".join(text.split()))


def _shown(text: str) -> str:
    """Return paragraphs as wide as the terminal; what is indented keeps its lines."""
    width = min(WIDTH, shutil.get_terminal_size().columns)
    parts = []
    for part in cleandoc(text).split("\n\n"):
        if part.startswith(" "):
            parts.append(part)
        else:
            parts.append(textwrap.fill(re.sub("::$", ":", _flowing(part)), width))
    return _Kept("\n\n".join(parts))


class _Kept(str):
    """A text with line breaks that tyro, which joins the lines it splits, leaves as they are."""

    def split(self, *_: Any) -> list[str]:
        """Return the whole."""
        return [self]
