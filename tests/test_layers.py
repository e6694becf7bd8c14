"""Imports point down only, nothing imports in a circle, and only one module knows ctypes.

Imports inside functions and under ``TYPE_CHECKING`` count like any other.
"""

import ast
import subprocess
import sys
from functools import cache
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGES = ("openke", "lbmkgc_models")
ROOMS = (
    "openke.aliases",
    "openke._native",
    "openke.runtime",
    "openke.kernels",
    "openke.data",
    "openke.datasets",
    "openke.audit",
    "openke.module.settings",
    "openke.module.loss",
    "openke.module.scoring",
    "openke.module.interaction",
    "openke.module.model",
    "openke.module.penalty",
    "openke.module.strategy",
    "openke.module.BaseModule",
    "openke.training",
    "openke.evaluation",
    "openke.runs",
    "openke.config",
    "openke.tools",
    "openke.cli",
    "lbmkgc_models.feature_store",
    "lbmkgc_models.features",
    "lbmkgc_models.fusion",
    "lbmkgc_models.model",
    "lbmkgc_models.runs",
    "lbmkgc_models.serving",
)
"""From the lowest: a room imports itself and what stands before it."""
FREE = ("openke", "openke.module", "lbmkgc_models")
"""Packages whose __init__.py imports no room, so that anyone may import them."""


def module_of(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


@cache
def modules() -> dict[str, Path]:
    """Return every module of the packages and its file."""
    return {
        module_of(path): path for package in PACKAGES for path in (ROOT / package).rglob("*.py")
    }


@cache
def imports(path: Path) -> frozenset[str]:
    """Return what a file imports: our modules by their whole names, others as they are written."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            inner = {f"{node.module}.{alias.name}" for alias in node.names}
            ours = inner & set(modules())
            found |= ours
            if len(ours) < len(inner):
                found.add(node.module)
    return frozenset(found)


def room_of(module: str) -> str:
    fitting = [room for room in ROOMS if module == room or module.startswith(f"{room}.")]
    assert fitting, f"{module} is in none of the rooms; give its room a place in ROOMS"
    return max(fitting, key=len)


def arrows() -> list[tuple[str, str]]:
    """Return (importing, imported) for all of our modules."""
    return [
        (module, found)
        for module, path in modules().items()
        for found in imports(path)
        if found in modules()
    ]


def test_every_room_imports_only_what_stands_below_it():
    upward = [
        f"{module} imports {found}"
        for module, found in arrows()
        if module not in FREE and found not in FREE
        if ROOMS.index(room_of(found)) > ROOMS.index(room_of(module))
    ]
    assert not upward
    assert len(arrows()) > 500


def test_packages_that_anyone_may_import_import_no_room():
    for package in FREE:
        below = {
            room_of(found)
            for found in imports(modules()[package]) - set(FREE)
            if found in modules()
        }
        assert below <= {"openke.aliases"}, package


def test_nothing_imports_in_a_circle():
    graph: dict[str, set[str]] = {module: set() for module in modules()}
    for module, found in arrows():
        graph[module].add(found)
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        pytest.fail(f"imports in a circle: {' <- '.join(error.args[1])}")


def test_scripts_are_imported_by_no_package():
    for path in modules().values():
        outside = {name.split(".")[0] for name in imports(path)} & {
            "examples",
            "benchmarks",
            "tests",
        }
        assert not outside, path


def test_the_trainer_does_not_know_the_tester():
    for module, found in arrows():
        if module.startswith("openke.training"):
            assert not found.startswith("openke.evaluation"), module


def test_only_native_uses_ctypes_and_nothing_unpickles():
    for path in modules().values():
        found = {name.split(".")[0] for name in imports(path)}
        assert "ctypes" not in found or path.name == "_native.py", path
        assert not found & {"pickle", "marshal", "shelve", "dill"}, path
        text = path.read_text(encoding="utf-8")
        assert text.count("torch.load(") == text.count("weights_only=True"), path


def test_importing_the_command_line_does_not_wait_for_torch():
    code = "import sys, openke.cli, openke.audit.audit; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
