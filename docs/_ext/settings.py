"""The directive ``{settings}``: the fields of a settings dataclass as a table."""

from __future__ import annotations

from dataclasses import MISSING, Field, fields
from importlib import import_module

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

from openke.runtime.field_texts import field_texts

WIDTHS = (20, 18, 62)
"""Of the columns, in percent."""


def default_of(field: Field[object]) -> str:
    """Return the default as it is written in Python; "" where there is none."""
    if field.default is not MISSING:
        return repr(field.default)
    return "" if field.default_factory is MISSING else repr(field.default_factory())


class Settings(SphinxDirective):
    """A row for each field of ``package.module.Class``: name, default, meaning."""

    required_arguments = 1

    def run(self) -> list[nodes.Node]:
        """Return the table."""
        module, _, name = self.arguments[0].rpartition(".")
        kind = getattr(import_module(module), name)
        text = field_texts(kind)
        group = nodes.tgroup("", *(nodes.colspec(colwidth=width) for width in WIDTHS), cols=3)
        head = row_of(*(nodes.Text(title) for title in ("field", "default", "meaning")))
        body = [
            row_of(code(each.name), code(default_of(each)), nodes.Text(text[each.name]))
            for each in fields(kind)
        ]
        group += [nodes.thead("", head), nodes.tbody("", *body)]
        return [nodes.table("", group)]


def code(text: str) -> nodes.Node:
    """Return text as it is written in a program."""
    return nodes.literal(text, text) if text else nodes.Text("")


def row_of(*cells: nodes.Node) -> nodes.row:
    """Return a row of a table."""
    return nodes.row("", *(nodes.entry("", nodes.paragraph("", "", cell)) for cell in cells))


def setup(app: Sphinx) -> dict[str, bool]:
    """Register the directive."""
    app.add_directive("settings", Settings)
    return {"parallel_read_safe": True}
