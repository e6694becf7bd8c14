"""The fenced blocks of a page, and what runs them.

A comment before a block says what is special about it, and why:

- ``<!-- not run: REASON -->``: it is only checked to be Python or shell;
- ``<!-- slow: REASON -->``: it runs by itself, where slow tests do, and with the public data sets;
- ``<!-- file: PATH -->``: it is the content of a file;
- ``<!-- output -->``: the block before it prints this, numbers being about the same and lines in
  any order; ``<!-- output: the last lines -->``: it ends so.
"""

from __future__ import annotations

import ast
import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterable, Iterator
from contextlib import redirect_stdout
from dataclasses import dataclass
from importlib import invalidate_caches
from io import StringIO
from pathlib import Path
from typing import Any

import pytest

from openke.cli import main

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

ROOT = Path(__file__).parents[2]
RUNNABLE = ("python", "sh")
KINDS = ("not run", "slow", "file", "output")
LAST = "the last lines"
FENCE = re.compile(r"^(?P<ticks>`{3,})(?P<language>[\w-]*)[^`]*$")
MARK = re.compile(r"^<!-- (?P<kind>[a-z ]+?)(?:: (?P<text>.+))? -->$")
NUMBER = re.compile(r"(?<![\w.])[-+]?\d[\d,]*(?:\.\d+)?(?:e[-+]?\d+)?")
TOLERANCE = 0.05
"""By how much of itself a printed number may differ on another machine."""


@dataclass(frozen=True)
class Block:
    """A fenced block and the mark above it."""

    page: Path
    line: int
    language: str
    text: str
    kind: str = ""
    about: str = ""

    @property
    def where(self) -> str:
        return f"{self.page}:{self.line}"


def pages() -> list[Path]:
    """Return the README and all pages of the documentation, by their place in the checkout."""
    found = [ROOT / "README.md", *(ROOT / "docs").rglob("*.md")]
    return sorted(path.relative_to(ROOT) for path in found if "_build" not in path.parts)


def blocks_of(page: Path, root: Path = ROOT) -> list[Block]:
    """Return the fenced blocks of a page in their order."""
    lines = (root / page).read_text(encoding="utf-8").splitlines()
    found, above, at = [], "", 0
    while at < len(lines):
        opened = FENCE.match(lines[at])
        if opened is None:
            above = lines[at] if lines[at].strip() else above
            at += 1
            continue
        first = at + 1
        at = first
        while lines[at].rstrip() != opened["ticks"]:
            at += 1
        mark = MARK.match(above)
        kind, about = (mark["kind"], mark["text"] or "") if mark else ("", "")
        text = "\n".join(lines[first:at]) + "\n"
        found.append(Block(page, first, opened["language"], text, kind, about))
        above = ""
        at += 1
    return found


class Session:
    """Runs the blocks of one page one after the other, in one folder.

    Blocks of Python share their names; commands of a shell are run one by one, ``openke …`` within
    this process, which saves seconds each.
    """

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.folder = folder
        self.monkeypatch = monkeypatch
        self.names: dict[str, Any] = {"__name__": "page"}
        self.printed = ""
        self.settings: tuple[str, ...] = ()  # of ``openke train``, besides those of the page
        for name in ("examples", "benchmarks"):
            (folder / name).symlink_to(ROOT / name, target_is_directory=True)
        monkeypatch.chdir(folder)
        monkeypatch.setenv("OPENKE_CACHE", str(folder / "cache"))
        programs = [str(Path(sys.executable).parent), os.environ.get("PATH", "")]
        monkeypatch.setenv("PATH", os.pathsep.join(programs))

    def run(self, block: Block) -> None:
        """Run a block, write its file, or compare what was printed."""
        if block.kind == "file":
            self._write(block)
        elif block.kind == "output":
            printed = self.printed.strip("\n").splitlines()
            if block.about == LAST:
                printed = printed[-len(block.text.splitlines()) :]
            assert_alike(block.text, "\n".join(printed), block.where)
        elif block.language == "python":
            self._python(block)
        elif block.language == "sh":
            self._shell(block)

    def _python(self, block: Block) -> None:
        # As many lines above it as in the page, so that a traceback shows the page's own.
        above = "\n" * block.line
        code = compile(above + block.text, str(ROOT / block.page), "exec", dont_inherit=True)
        with redirect_stdout(StringIO()) as out:
            exec(code, self.names)
        self.printed = out.getvalue()

    def _shell(self, block: Block) -> None:
        self.printed = ""
        for command in commands_of(block.text):
            words = shlex.split(command, comments=True)
            if words[:2] == ["openke", "train"]:
                words += [word for setting in self.settings for word in ("--set", setting)]
            if words[0] == "openke" and not re.search(r"[|<>&;$`]", command):
                with redirect_stdout(StringIO()) as out:
                    status = main(words[1:])
                printed, error = out.getvalue(), ""
            else:
                ran = subprocess.run(
                    ["bash", "-euo", "pipefail", "-c", command],
                    capture_output=True,
                    text=True,
                    check=False,
                )
                status, printed, error = ran.returncode, ran.stdout, ran.stderr
            assert status == 0, f"{block.where}: {command}\n{printed}\n{error}"
            self.printed += printed

    def _write(self, block: Block) -> None:
        path = self.folder / block.about
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(block.text, encoding="utf-8")
        if path.name == "pyproject.toml":
            self._install(path)

    def _install(self, project: Path) -> None:
        register(project)
        self.monkeypatch.syspath_prepend(project.parent)
        path = os.environ.get("PYTHONPATH")
        paths = filter(None, [str(project.parent), path])
        self.monkeypatch.setenv("PYTHONPATH", os.pathsep.join(paths))
        invalidate_caches()


def register(project: Path) -> None:
    """Write the entry points of a ``pyproject.toml`` beside it, as ``pip install --editable`` does.

    Whoever has that folder on the path then has the package.
    """
    about = tomllib.loads(project.read_text(encoding="utf-8"))["project"]
    name, folder = about["name"], project.parent
    information = folder / f"{name.replace('-', '_')}-{about['version']}.dist-info"
    information.mkdir()
    (information / "METADATA").write_text(
        f"Metadata-Version: 2.1\nName: {name}\nVersion: {about['version']}\n"
    )
    lines = [
        line
        for group, entries in about["entry-points"].items()
        for line in (f"[{group}]", *(f"{key} = {place}" for key, place in entries.items()))
    ]
    (information / "entry_points.txt").write_text("\n".join(lines) + "\n")


def commands_of(text: str) -> Iterator[str]:
    """Yield the commands of a shell block, continued lines as one."""
    for line in text.replace("\\\n", " ").splitlines():
        if line.strip() and not line.strip().startswith("#"):
            yield line.strip()


def check(block: Block) -> None:
    """Check the marks of a block and, where it is not run, that its language could read it."""
    if block.kind:
        assert block.kind in KINDS, f"{block.where}: unknown mark {block.kind!r}"
    if block.kind in ("not run", "slow", "file"):
        assert block.about, f"{block.where}: {block.kind!r} says no more"
    if block.language == "python":
        ast.parse(block.text, block.where)
    if block.language == "sh":
        checked = subprocess.run(
            ["bash", "-n"], input=block.text, capture_output=True, text=True, check=False
        )
        assert checked.returncode == 0, f"{block.where}: {checked.stderr}"
    if block.language == "toml":
        tomllib.loads(block.text)


def runnable(blocks: Iterable[Block], *, slow: bool) -> Iterator[Block]:
    """Yield the blocks that are run, each with its output: the slow ones, or the others."""
    skipped = False
    for block in blocks:
        if block.kind != "output":
            skipped = block.kind == "not run" or (block.kind == "slow") != slow
        if not skipped:
            yield block


def assert_alike(expected: str, found: str, where: str) -> None:
    """Compare texts line by line in any order; numbers may differ a little."""
    pairs = [sorted((outline(line), line) for line in t.splitlines()) for t in (expected, found)]
    outlines = [[shape for shape, _ in lines] for lines in pairs]
    assert outlines[0] == outlines[1], f"{where}: prints\n{found}"
    values = [[number(n) for _, line in lines for n in NUMBER.findall(line)] for lines in pairs]
    for one, other in zip(*values, strict=True):
        assert abs(one - other) <= TOLERANCE * abs(one), f"{where}: {one} is {other}:\n{found}"


def outline(line: str) -> str:
    """Return a line with a mark for each number, and single blanks."""
    return " ".join(NUMBER.sub("#", line).split())


def number(text: str) -> float:
    return float(text.replace(",", ""))
