"""A section for everything that a registry of this project has.

A line ``<!-- registered: PACKAGE.MODULE:REGISTRY -->`` below a heading stands for them, each one
level deeper than that heading: its name, its docstring, and the fields of its settings.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import fields
from functools import partial
from importlib import import_module
from typing import Any

from sphinx.application import Sphinx

MARK = re.compile(r"^<!-- registered: (?P<module>[\w.]+):(?P<name>\w+) -->$")
HEADING = re.compile(r"^(?P<marks>#+) ")


def registered(module: str, name: str) -> dict[Any, list[str]]:
    """Return each class or function of a registry's own and the names it has there."""
    registry: Mapping[str, Any] = getattr(import_module(module), name)
    found: dict[Any, list[str]] = {}
    for key, made in getattr(registry, "own", registry).items():
        kind = made.func if isinstance(made, partial) else made
        found.setdefault(kind, []).append(key)
    return found


def section(kind: Any, names: list[str], level: int) -> Iterator[str]:
    """Yield the lines that describe a class or function."""
    what = "autoclass" if isinstance(kind, type) else "autofunction"
    yield from (f"{'#' * level} {', '.join(names)}", "", "```{eval-rst}")
    yield from (f".. {what}:: {kind.__module__}.{kind.__qualname__}", "```", "")
    settings = getattr(kind, "Config", None)
    if settings is not None and fields(settings):
        place = f"{settings.__module__}.{settings.__qualname__}"
        yield from (f"```{{settings}} {place}", "```", "")


def with_sections(text: str) -> str:
    """Return a page with its marks replaced."""
    lines, level = [], 0
    for line in text.splitlines():
        if heading := HEADING.match(line):
            level = len(heading["marks"])
        mark = MARK.match(line)
        if mark is None:
            lines.append(line)
            continue
        for kind, names in registered(mark["module"], mark["name"]).items():
            lines += section(kind, names, level + 1)
    return "\n".join(lines) + "\n"


def replace_marks(app: Sphinx, docname: str, source: list[str]) -> None:
    """Put the sections where a page has a mark."""
    source[0] = with_sections(source[0])


def setup(app: Sphinx) -> dict[str, bool]:
    """Register what is done to pages."""
    app.connect("source-read", replace_marks)
    return {"parallel_read_safe": True}
