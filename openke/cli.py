"""The ``openke`` command: finds its subcommands in the installed packages and runs one of them.

What takes time to load is imported inside functions, where Ctrl-C already says one line.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import openke
from openke.runtime.interruption import ended_at_once

if TYPE_CHECKING:
    from importlib.metadata import EntryPoint

COMMANDS = "openke.commands"
"""Entry points: name -> function whose signature is its command line; ``a.b`` is ``openke a b``."""

GROUPS = {
    "data sets": ("list", "import", "audit"),
    "models": ("train", "tune", "mix", "evaluate", "predict", "serve", "export"),
    "pictures and text": (
        "features.generate",
        "features.image",
        "features.text",
        "features.classes",
        "features.tokens",
        "features.align",
        "features.report",
    ),
}
"""Titles of the help, and the commands under each in the order of their use."""

Commands = Mapping[str, "EntryPoint"]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run ``openke COMMAND …`` and return its exit status.

    Only the module of the chosen command is imported. Its function's parameters become options;
    what it returns is the exit status, ``None`` being 0. A ``ValueError``, ``OSError`` or
    ``ImportError`` it raises becomes one line on standard error and status 2.
    """
    given = sys.argv[1:] if arguments is None else list(arguments)
    with ended_at_once("openke"):
        from openke.runtime.script import exit_status

        commands = _commands()
    return exit_status("openke", lambda: _run_of(commands, "openke", given))


def _commands() -> Commands:
    from importlib.metadata import entry_points

    return {entry.name: entry for entry in entry_points(group=COMMANDS)}


def _run_of(commands: Commands, program: str, arguments: Sequence[str]) -> int:
    """Run the command that ``arguments`` name, which may stand in a group of its own."""
    if not arguments or arguments[0] in ("-h", "--help"):
        print(_help(commands, program))
        return 0 if arguments else 2
    if arguments == ["--version"] and program == "openke":
        print(f"openke {openke.__version__}")
        return 0
    name, rest = arguments[0], arguments[1:]
    if name in commands:
        return _run(commands[name], f"{program} {name}", rest)
    group = {
        full.removeprefix(f"{name}."): entry
        for full, entry in commands.items()
        if full.startswith(f"{name}.")
    }
    if group:
        return _run_of(group, f"{program} {name}", rest)
    raise ValueError(_unknown(commands, name))


def _run(entry: EntryPoint, program: str, arguments: Sequence[str]) -> int:
    from openke.runtime.arguments import parse_arguments

    with ended_at_once("openke"):
        from openke.runtime.blas import take_buffers

        function = entry.load()
    take_buffers()
    status: int | None = parse_arguments(function, prog=program, args=arguments)
    return 0 if status is None else int(status)


def _unknown(commands: Commands, name: str) -> str:
    if not commands:
        return "no command is registered; install the package with `pip install -e .`"
    from openke.runtime.names import did_you_mean

    first = sorted({full.partition(".")[0] for full in commands})
    return (
        f"unknown command {name!r}{did_you_mean(name, first)}, expected one of {', '.join(first)}"
    )


def _help(commands: Commands, program: str) -> str:
    shown = {name: name.replace(".", " ") for name in commands}
    width = max(map(len, shown.values()), default=0)
    lines = []
    for title, names in _grouped(commands).items():
        lines += ["", f"{title}:"]
        lines += [f"  {shown[name]:<{width}}  {_summary(commands[name])}" for name in names]
    return "\n".join(
        [
            f"usage: {program} COMMAND [options]",
            "",
            "Knowledge graph completion with structure, pictures and text.",
            *(lines or ["", "  none is registered; install the package with `pip install -e .`"]),
            "",
            f"{program} COMMAND --help lists the options of a command.",
            *(["openke --version says which one this is."] if program == "openke" else []),
        ]
    )


def _grouped(commands: Commands) -> dict[str, list[str]]:
    """Return the names of commands by the title they stand under, in the order of their use."""
    grouped = {title: [n for n in names if n in commands] for title, names in GROUPS.items()}
    known = {name for names in GROUPS.values() for name in names}
    grouped["commands" if not known & set(commands) else "of other packages"] = sorted(
        name for name in commands if name not in known
    )
    return {title: names for title, names in grouped.items() if names}


def _summary(entry: EntryPoint) -> str:
    """Return the first line of a command's docstring, read from its source without importing it."""
    import ast
    from importlib.util import find_spec
    from pathlib import Path

    top, *inner = entry.module.split(".")
    spec = find_spec(top)  # finding a top-level package imports nothing
    for folder in (spec.submodule_search_locations or []) if spec else []:
        source = Path(folder).joinpath(*inner).with_suffix(".py")
        if not source.is_file():
            continue
        for node in ast.parse(source.read_text(encoding="utf-8")).body:
            if isinstance(node, ast.FunctionDef) and node.name == entry.attr:
                return (ast.get_docstring(node) or "").partition("\n")[0]
    return ""


if __name__ == "__main__":
    sys.exit(main())
