"""Cases of each kind, drawn at random: a good command line and what is done to it."""

from __future__ import annotations

import os
import random
import signal
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any, get_args

from openke.cli import COMMANDS
from openke.runtime.arguments import Argument, arguments_of
from tests.hostile import mutations
from tests.hostile.server import Request
from tests.hostile.world import EXAMPLES, Example, World

NUMBERS = ("-1", "0", "nan", "inf", "-inf", "1e400", "x", "", "9" * 25, "1.5", "0x10", "-0.0")
WORDS = ("", "x", "\n", "é", "\udcff", "a" * 3000, "../..", "None", "meta", "[1", "{", "=", "a=b")
PLACES = ("pipe", "nowhere", "loop", "folder", "missing/x", "a" * 300, "", "data/labels.tsv/x")
"""Paths that are no good, whatever a command does with them; the first four are made."""

LOSSES = ("full", "closed", "gone")
"""How a stream may be that takes nothing."""

SLOW = ("compile", "trials", "minutes")
"""Options that make any case last longer than a hang may."""


@dataclass(frozen=True, kw_only=True)
class Case:
    """A command line to run in a copy of the good inputs, and what is to be looked for."""

    kind: str
    what: str
    """The case in words."""
    example: Example
    request: Request
    names: Sequence[str] = ()
    """A refusal names one of these."""
    same: bool = False
    """It is refused, or ends as the example does."""
    touched: frozenset[str] = frozenset()
    """Files of the copy that the case itself changes."""
    again: bool = field(default=False)
    """The example must end well after it, in the same folder."""


def draw_case(world: World, kind: str, draw: random.Random, copy: Path) -> Case:
    """Return a case of a kind, its folder prepared."""
    return KINDS[kind](world, draw, copy)


def registered() -> dict[str, list[Argument]]:
    """Return the arguments of every command that the command line has."""
    found = {}
    for entry in entry_points(group=COMMANDS):
        found[entry.name] = list(_flat(arguments_of(entry.load())))
    return found


def _flat(arguments: Sequence[Argument]) -> Iterator[Argument]:
    for each in arguments:
        kind = get_args(each.kind)[0] if get_args(each.kind) else each.kind
        if hasattr(kind, "__dataclass_fields__"):
            yield from _flat(arguments_of(kind))
        else:
            yield each


def _example(world: World, draw: random.Random, command: str | None = None) -> Example:
    command = command or draw.choice(sorted(EXAMPLES))
    return draw.choice([each for each in world.examples if each.command == command])


def _option(world: World, draw: random.Random, copy: Path) -> Case:
    """Give an option, or what is given by its place, a value that it cannot have."""
    example = _example(world, draw)
    argument = draw.choice([a for a in registered()[example.command] if a.name not in SLOW])
    value = draw.choice(option_values(argument.kind))
    for made in PLACES[:4]:
        _place(copy / made)
    words = example.arguments
    option = f"--{argument.name.replace('_', '-')}"
    parts = 1 + len(example.command.split("."))
    if argument.positional:
        option = argument.name
        words = [*words[: parts - 1], value, *[w for w in words[parts - 1 :] if w.startswith("--")]]
        words = [*example.command.split("."), value, *_options_of(example)]
    elif argument.kind is bool:
        words = [*words, option, *([] if value == "" else [value])]
    else:
        words = [*words, option, value]
    return Case(
        kind="option",
        what=f"{option} {value[:40]!r}",
        example=example,
        request=replace(example.request(copy), arguments=words),
        names=() if argument.kind is bool else _named(option, value),
        touched=frozenset(PLACES[:4]),
    )


def _named(option: str, value: str) -> Sequence[str]:
    """Return what a refusal of a value may name: of a path also what its last part cannot be in."""
    above = [value.rpartition("/")[0]] if "/" in value else []
    return option, option.removeprefix("--"), value[:20], *above


def _options_of(example: Example) -> list[str]:
    """Return the words of an example from its first option on."""
    words = example.arguments
    first = next((i for i, word in enumerate(words) if word.startswith("--")), len(words))
    return words[first:]


def option_values(kind: Any) -> Sequence[str]:
    """Return values that an option of a type cannot have, or hardly."""
    inner = [kind, *get_args(kind)]
    for each in list(inner):
        inner += get_args(each)
    if Path in inner:
        return PLACES
    if int in inner or float in inner:
        return NUMBERS
    return ("", "x", "no") if kind is bool else WORDS


def _place(path: Path) -> None:
    if path.name == "pipe":
        os.mkfifo(path)
    elif path.name == "nowhere":
        path.symlink_to("not-there")
    elif path.name == "loop":
        path.symlink_to("loop")
    else:
        path.mkdir()


def _file(world: World, draw: random.Random, copy: Path) -> Case:
    """Spoil a file that a command is given."""
    example = _example(world, draw)
    files = _given(example, copy)
    while not files:
        example = _example(world, draw)
        files = _given(example, copy)
    path = draw.choice(files)
    # Of endings that have ways of their own these are as likely as all others together.
    own = mutations.OF.get(path.suffix, ())
    spoil = draw.choice(own if own and draw.random() < 0.5 else mutations.ANY)
    spoil(path, draw)
    place = path.relative_to(copy)
    return Case(
        kind=f"file {path.suffix}",
        what=f"{place} {spoil.__name__}",
        example=example,
        request=example.request(copy),
        names=(place.name, place.parts[0], str(place.parent)),
        same=spoil is mutations.moved
        or (path.suffix in mutations.SEALED and spoil is mutations.flipped),
        touched=frozenset({str(place), str(place.with_name(f".{place.name}-moved"))}),
    )


def _given(example: Example, copy: Path) -> list[Path]:
    """Return the files at or below the paths that a command line names."""
    found: set[Path] = set()
    for word in example.arguments[1:]:
        path = copy / word
        if path.is_file():
            found.add(path)
        elif path.is_dir():
            found.update(each for each in path.rglob("*") if each.is_file())
    return sorted(found)


def _disk(world: World, draw: random.Random, copy: Path) -> Case:
    """Let the disk be full at some file."""
    example = _example(world, draw)
    size = draw.choice((0, 1, 20, 300, 1000, 5000, 20000))
    return Case(
        kind="full disk",
        what=f"files of at most {size} bytes",
        example=example,
        request=example.request(copy, file_bytes=size),
        names=("room", "/", "json", "html"),
        same=True,
    )


def _memory(world: World, draw: random.Random, copy: Path) -> Case:
    """Leave little memory."""
    example = _example(world, draw)
    size = draw.choice((8, 16, 32, 32, 48, 64, 80, 96, 128, 128, 160)) * 2**20
    return Case(
        kind="little memory",
        what=f"{size >> 20} MiB more",
        example=example,
        request=example.request(copy, memory_bytes=size),
        names=("memory", "allocate"),
        same=True,
    )


def _signal(world: World, draw: random.Random, copy: Path) -> Case:
    """Send a signal at some moment; then all must go well once more."""
    example = _example(world, draw)
    number = draw.choice((signal.SIGINT, signal.SIGTERM, signal.SIGKILL))
    after = draw.uniform(0, example.outcome.seconds)
    return Case(
        kind=number.name,
        what=f"after {after:.3f} s",
        example=example,
        request=example.request(copy, signal=int(number), after=after),
        again=True,
    )


def _stream(world: World, draw: random.Random, copy: Path) -> Case:
    """Let nobody read what a command says."""
    example = _example(world, draw)
    out, err = draw.choice(
        [(o, e) for o in ("", *LOSSES) for e in ("", *LOSSES) if o or e],
    )
    return Case(
        kind="stream",
        what=f"output {out or 'fine'}, error {err or 'fine'}",
        example=example,
        request=example.request(copy, out=out, err=err),
        names=("standard output",),
        same=not out,
    )


KINDS: dict[str, Callable[[World, random.Random, Path], Case]] = {
    "option": _option,
    "file": _file,
    "full disk": _disk,
    "little memory": _memory,
    "signal": _signal,
    "stream": _stream,
}
WEIGHTS = (8, 10, 2, 1, 3, 1)
"""How often each kind is drawn."""
