"""What a dataclass says of its fields, and a docstring of its parameters."""

from __future__ import annotations

import ast
import inspect
import re
import textwrap
from collections.abc import Callable
from typing import Any

SECTION = re.compile(r"^(\w[\w ]*)\n-{3,}$", re.MULTILINE)
"""The head of a section of a docstring in NumPy's style."""


def field_texts(kind: type) -> dict[str, str]:
    """Return the text below each field of a dataclass, those of its bases included."""
    found: dict[str, str] = {}
    for cls in reversed(kind.__mro__[:-1]):
        try:
            body = ast.parse(textwrap.dedent(inspect.getsource(cls))).body[0]
        except OSError:  # typed into an interpreter
            continue
        assert isinstance(body, ast.ClassDef)
        for field, text in zip(body.body, body.body[1:], strict=False):
            if (
                isinstance(field, ast.AnnAssign)
                and isinstance(field.target, ast.Name)
                and isinstance(text, ast.Expr)
                and isinstance(text.value, ast.Constant)
            ):
                found[field.target.id] = " ".join(str(text.value.value).split())
    return found


def parameter_texts(what: Callable[..., Any]) -> dict[str, str]:
    """Return the text of each parameter in the docstring of a function or class."""
    _, *parts = SECTION.split(inspect.getdoc(what) or "")
    sections = dict(zip(parts[::2], parts[1::2], strict=True))
    found: dict[str, str] = {}
    names: list[str] = []
    for line in sections.get("Parameters", "").strip("\n").splitlines():
        if line and not line[0].isspace():
            names = [name.strip() for name in line.split(",")]
            found.update(dict.fromkeys(names, ""))
        else:
            found.update({name: f"{found[name]} {line.strip()}".strip() for name in names})
    return found


def summary_of(what: Callable[..., Any]) -> str:
    """Return what a docstring says before its first section."""
    return SECTION.split(inspect.getdoc(what) or "")[0].strip()
