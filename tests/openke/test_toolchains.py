"""The compiled core beside other C++ code: what it exports, and how toolchains may link it."""

import importlib.util
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from openke import _native

BASE = Path(__file__).parents[2] / "base"
LIBRARY = Path(_native.__file__).parent / _native._LIBRARY
NO_STREAMS = r"#include <(\w*stream|iomanip|ios|iosfwd|locale)>"
COMPILE = ["-std=c++17", "-O0", "-fPIC", "-fopenmp-simd", "-ffp-contract=off", "-w"]
# As distributions build Python: a copy of the C++ library of its own, its functions bound early.
LINK = ["-shared", "-pthread", "-static-libstdc++", "-static-libgcc", "-Wl,-Bsymbolic-functions"]

# Another copy of the C++ library comes first, where there is one, as PyTorch brings it.
REFUSED = """
import contextlib, ctypes, json, sys
with contextlib.suppress(OSError):
    ctypes.CDLL("libstdc++.so.6", ctypes.RTLD_GLOBAL)
core = ctypes.CDLL(sys.argv[1])
core.openke_last_error.restype = ctypes.c_char_p
store, other, count = ctypes.c_void_p(), ctypes.c_void_p(), ctypes.c_int64()
found = []

def call(name, *arguments):
    status = getattr(core, "openke_" + name)(*arguments)
    found.append((status, core.openke_last_error().decode() if status else ""))

def open_store(train):
    call("store_open", b"entities", b"relations", train, None, None, ctypes.byref(store))

for train in (b"nowhere/train", b".", b"bad id", b"bad row", b"bad count", b"train"):
    open_store(train)
nine = ctypes.c_int64(9)
call("store_known", store, 2, nine, ctypes.c_int64(0), 7, None, ctypes.byref(count))
call("store_hold_out", store, ctypes.c_double(2.5), ctypes.c_uint64(0), ctypes.byref(other))
call("store_free", store)
print(json.dumps(found))
"""
STATUSES = [
    [2, "nowhere/train: found no such file"],
    [3, ".: found a directory, expected a file"],
    [1, "bad id:2: found tail 5, expected 0 to 1 (entities has 2 entities)"],
    [1, "bad row:3: found 2 fields ('1 0'), expected 3 fields: head, tail and relation"],
    [1, "bad count:1: found 'two', expected the number of triples"],
    [0, ""],
    [1, "first is 9; expected 0 to 1 (entities has 2 entities)"],
    [1, "fraction is 2.5; expected more than 0 and less than 1"],
    [0, ""],
]


CROSS = {"x86_64-w64-mingw32-g++-posix": "core.dll", "aarch64-linux-gnu-g++": "core.so"}
"""Compilers for other systems, as Debian packages them: for Windows, and for the vectors of ARM."""


def test_the_core_has_no_iostreams() -> None:
    files = sorted(BASE.glob("*.h")) + sorted(BASE.glob("*.cpp"))
    assert files
    assert [f.name for f in files if re.search(NO_STREAMS, f.read_text(encoding="utf-8"))] == []


@pytest.mark.skipif(sys.platform == "win32", reason="of a DLL only what is marked is exported")
def test_only_the_abi_leaves_the_library() -> None:
    nm = shutil.which("nm")
    if nm is None:
        pytest.skip("there is no nm here")
    options = ["-gU"] if sys.platform == "darwin" else ["-D", "--defined-only"]
    listed = subprocess.run(
        [nm, *options, str(LIBRARY)], capture_output=True, text=True, check=True, timeout=60
    )
    prefix = "_" if sys.platform == "darwin" else ""
    names = {line.split()[-1].removeprefix(prefix) for line in listed.stdout.splitlines() if line}
    assert names == {"openke_last_error", *(f"openke_{name}" for name in _native.SIGNATURES)}


def build(compiler: str, core: Path) -> None:
    """Compile the core as a distribution would; skip where the compiler cannot."""
    if shutil.which(compiler) is None:
        pytest.skip(f"there is no {compiler} here")
    archive = subprocess.run(
        [compiler, "-print-file-name=libstdc++.a"], capture_output=True, text=True, check=True
    )
    if not Path(archive.stdout.strip()).is_file():
        pytest.skip(f"{compiler} has no static C++ library here")
    sources = [str(path) for path in sorted(BASE.glob("*.cpp"))]
    command = [compiler, *COMPILE, "-DOPENKE_BUILD", *sources, *LINK, "-o", str(core)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=600)
    assert done.returncode == 0, done.stderr


@pytest.mark.slow
@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="the flags are of Linux")
@pytest.mark.parametrize("compiler", ["g++", "clang++"])
def test_refused_inputs_are_statuses_with_a_c_plus_plus_library_inside(
    compiler: str, tmp_path: Path
) -> None:
    core = tmp_path / "core.so"
    build(compiler, core)
    for name, text in {
        "entities": "2\n",
        "relations": "1\n",
        "train": "1\n0 1 0\n",
        "bad id": "1\n0 5 0\n",
        "bad row": "2\n0 1 0\n1 0\n",
        "bad count": "two\n0 1 0\n",
    }.items():
        (tmp_path / name).write_text(text)
    done = subprocess.run(
        [sys.executable, "-c", REFUSED, str(core)],
        cwd=tmp_path, capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == STATUSES


@pytest.mark.slow
@pytest.mark.parametrize("compiler", CROSS)
def test_the_core_compiles_for_another_system(compiler: str, tmp_path: Path) -> None:
    if shutil.which(compiler) is None:
        pytest.skip(f"there is no {compiler} here")
    sources = [str(path) for path in sorted(BASE.glob("*.cpp"))]
    core = tmp_path / CROSS[compiler]
    warnings = ["-Wall", "-Wextra", "-Wno-unknown-pragmas", "-Werror"]
    command = [
        compiler,
        *COMPILE[:-1],
        *warnings,
        "-DOPENKE_BUILD",
        *sources,
        "-shared",
        "-pthread",
    ]
    done = subprocess.run(
        [*command, "-o", str(core)], capture_output=True, text=True, check=False, timeout=600
    )
    assert done.returncode == 0, done.stderr
    made = core.read_bytes()
    assert all(f"openke_{name}".encode() in made for name in _native.SIGNATURES)


@pytest.mark.slow
@pytest.mark.parametrize("system", ["aarch64-macos", "x86_64-macos", "x86_64-windows-gnu"])
def test_the_core_compiles_for_another_system_by_zig(system: str, tmp_path: Path) -> None:
    """Zig brings the C++ headers of macOS; it is one package, not part of the development extra."""
    if importlib.util.find_spec("ziglang") is None:
        pytest.skip("needs the package ziglang, of 400 MB")
    compiler = [sys.executable, "-m", "ziglang", "c++", "-target", system]
    warnings = ["-Wall", "-Wextra", "-Wno-unknown-pragmas", "-Werror"]
    for source in sorted(BASE.glob("*.cpp")):
        made = tmp_path / f"{source.stem}.o"
        done = subprocess.run(
            [*compiler, *COMPILE[:-1], *warnings, "-DOPENKE_BUILD", "-c", source, "-o", made],
            env={**os.environ, "ZIG_GLOBAL_CACHE_DIR": str(tmp_path / "zig")},
            capture_output=True, text=True, check=False, timeout=600,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        assert made.stat().st_size


@pytest.mark.slow
def test_the_cores_own_tests_pass_on_windows(tmp_path: Path) -> None:
    compiler = shutil.which("x86_64-w64-mingw32-g++-posix")
    wine = shutil.which("wine") or shutil.which("wine64", path="/usr/lib/wine")
    if compiler is None or wine is None:
        pytest.skip("needs g++-mingw-w64 and wine")
    tests = Path(__file__).parents[1] / "base"
    sources = [*sorted(BASE.glob("*.cpp")), *sorted(tests.glob("*.cpp"))]
    program = tmp_path / "tests.exe"
    command = [compiler, *COMPILE, f"-I{BASE}", "-DOPENKE_BUILD", *map(str, sources), "-static"]
    done = subprocess.run(
        [*command, "-pthread", "-o", str(program)],
        capture_output=True, text=True, check=False, timeout=600,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    done = subprocess.run(
        [wine, str(program)],
        env={**os.environ, "WINEPREFIX": str(tmp_path / "wine"), "WINEDEBUG": "-all"},
        cwd=tmp_path, capture_output=True, text=True, check=False, timeout=600,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    assert re.search(r"^\d+ tests of the core, 0 failed", done.stdout, re.MULTILINE)
