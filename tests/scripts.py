"""Runs a script as a user does, but within this process, where PyTorch need not be loaded again.

What a process of its own would show, such as a script that is not where the package is, some tests
try with one; here they would wait some seconds for each.
"""

from __future__ import annotations

import os
import runpy
import sys
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from io import StringIO
from pathlib import Path
from unittest.mock import patch


@dataclass(frozen=True)
class Done:
    """What a script ended with."""

    returncode: int
    stdout: str
    stderr: str


def run_here(script: Path, *options: object, cwd: Path, **environment: str) -> Done:
    """Run ``python SCRIPT OPTIONS`` in a folder; an error that a user cannot mend is raised."""
    out, err, before, status = StringIO(), StringIO(), Path.cwd(), None
    with (
        patch.object(sys, "argv", [str(script), *map(str, options)]),
        patch.object(sys, "path", [str((cwd / script).parent), *sys.path]),
        patch.dict(os.environ, environment),
        redirect_stdout(out),
        redirect_stderr(err),
    ):
        os.chdir(cwd)
        try:
            runpy.run_path(str(script), run_name="__main__")
        except SystemExit as end:
            status = end.code
        finally:
            os.chdir(before)
    if isinstance(status, str):  # Python would print it
        return Done(1, out.getvalue(), f"{err.getvalue()}{status}\n")
    return Done(status or 0, out.getvalue(), err.getvalue())
