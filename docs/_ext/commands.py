"""The directive ``{command}``: what ``openke NAME --help`` prints."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

WIDTH = 96
PLAIN = {"COLUMNS": str(WIDTH), "NO_COLOR": "1", "TERM": "dumb", "PYTHONIOENCODING": "utf-8"}


def help_of(command: str) -> str:
    """Return the help text of ``openke COMMAND``.

    Raises
    ------
    RuntimeError
        There is no such command.
    """
    asked = subprocess.run(
        [sys.executable, "-m", "openke.cli", *command.split(), "--help"],
        capture_output=True,
        encoding="utf-8",
        env={**os.environ, **PLAIN},
        check=False,
    )
    if asked.returncode:
        raise RuntimeError(f"openke {command} --help: {asked.stderr.strip()}")
    lines = asked.stdout.strip().splitlines()
    return "\n".join(part for line in lines for part in textwrap.wrap(line, WIDTH) or [""])


class Command(SphinxDirective):
    """Shows the help text of the command that its argument names."""

    required_arguments = 1
    final_argument_whitespace = True

    def run(self) -> list[nodes.Node]:
        """Return one block of text."""
        try:
            text = help_of(self.arguments[0])
        except RuntimeError as error:
            raise self.error(str(error)) from error
        block = nodes.literal_block(text, text)
        block["language"] = "text"
        return [block]


def setup(app: Sphinx) -> dict[str, bool]:
    """Register the directive."""
    app.add_directive("command", Command)
    return {"parallel_read_safe": True}
