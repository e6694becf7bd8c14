"""Imports point down only, and only one module knows ctypes."""

import ast
from pathlib import Path

ROOT = Path(__file__).parents[1]
BELOW = {
    "openke": {"openke"},
    "lbmkgc_models": {"openke", "lbmkgc_models"},
}
OURS = {"openke", "lbmkgc_models", "examples", "benchmarks", "tests"}
DATA_LAYER = ROOT / "openke" / "data"


def imports(path: Path) -> set[str]:
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            found.add(node.module)
    return found


def test_packages_import_only_what_is_below_them():
    checked = 0
    for package, allowed in BELOW.items():
        for path in (ROOT / package).rglob("*.py"):
            ours = {name.split(".")[0] for name in imports(path)} & OURS
            assert ours <= allowed, f"{path.relative_to(ROOT)} imports {ours - allowed}"
            checked += 1
    assert checked > 20


def test_rooms_of_openke_import_only_what_is_below_them():
    forbidden = {
        "data": ("openke.module", "openke.config", "openke.cli"),
        "module": ("openke.config", "openke.cli"),
        "config": ("openke.cli",),
    }
    for room, names in forbidden.items():
        for path in (ROOT / "openke" / room).rglob("*.py"):
            bad = {found for found in imports(path) if found.startswith(names)}
            assert not bad, f"{path.relative_to(ROOT)} imports {bad}"


def test_the_trainer_does_not_know_the_tester():
    for name in ("trainer", "callbacks"):
        assert "openke.evaluation.tester" not in imports(ROOT / "openke" / "config" / f"{name}.py")


def test_only_native_uses_ctypes_and_nothing_unpickles():
    for package in BELOW:
        for path in (ROOT / package).rglob("*.py"):
            found = {name.split(".")[0] for name in imports(path)}
            assert "ctypes" not in found or path.name == "_native.py", path
            assert not found & {"pickle", "marshal", "shelve", "dill"}, path
            text = path.read_text(encoding="utf-8")
            assert text.count("torch.load(") == text.count("weights_only=True"), path


def test_importing_the_command_line_does_not_wait_for_torch():
    import subprocess
    import sys

    code = "import sys, openke.cli, openke.audit.audit; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
