"""Builds base/ into one shared library, openke/_core.*, which openke/_native.py loads by ctypes."""

import os
import shlex
import shutil
import sys
from pathlib import Path

from setuptools import Extension, setup
from setuptools.command.bdist_wheel import bdist_wheel
from setuptools.command.build_ext import build_ext
from setuptools.command.build_py import build_py

SUFFIX = {"win32": ".dll", "darwin": ".dylib"}.get(sys.platform, ".so")
UNIX_FLAGS = [
    "-std=c++17",
    "-O3",
    "-g0",
    "-fvisibility=hidden",
    "-fopenmp-simd",  # only the `omp simd` pragmas: no OpenMP run-time library
    "-fno-math-errno",  # lets square roots vectorise
    "-fno-trapping-math",
    "-ffp-contract=off",  # the kernels write out where a multiply-add rounds once
    "-Wall",
    "-Wextra",
    "-Wno-unknown-pragmas",
]
# Of the symbols, only those of base/c_api.h leave the library. MSVC exports what is marked alone.
EXPORTS = {"darwin": ["-Wl,-exported_symbol,_openke_*"], "win32": []}.get(
    sys.platform, ["-Wl,--version-script=base/exports.map"]
)
MSVC_FLAGS = ["/std:c++17", "/O2", "/EHsc", "/openmp:experimental", "/utf-8"]


class BuildCore(build_ext):
    """Compiles the extension as a plain shared library: no Python symbols, one per platform."""

    def build_extensions(self) -> None:
        """Choose the flags of the compiler at hand."""
        msvc = self.compiler.compiler_type == "msvc"
        for extension in self.extensions:
            extension.extra_compile_args = MSVC_FLAGS if msvc else UNIX_FLAGS
            extension.extra_link_args = [] if msvc else ["-pthread", *EXPORTS]
        if not msvc:
            self.link_as_the_compiler_does()
        super().build_extensions()

    def link_as_the_compiler_does(self) -> None:
        """Keep from the linker what Python itself was linked with; LDFLAGS still reach it.

        Some Pythons bind symbols in their own way (``-Wl,-Bsymbolic-functions``) or name folders
        with another C++ library than the compiler's.
        """
        chosen = shlex.split(os.environ.get("LDFLAGS", ""))
        for name in ("linker_so", "linker_so_cxx"):
            command = getattr(self.compiler, name, None)
            if command:
                kept = [word for word in command if not word.startswith(("-Wl,", "-L"))]
                setattr(self.compiler, name, [*kept, *chosen])

    def get_ext_filename(self, fullname: str) -> str:
        """Name the file for the platform, not for the Python version."""
        return str(Path(*fullname.split("."))) + SUFFIX

    def get_export_symbols(self, ext: Extension) -> list[str]:
        """No PyInit function to export; the sources mark what they export."""
        return []


class BuildPackages(build_py):
    """Puts the bundled graph into the wheel; a checkout has it where it is."""

    GRAPH = Path("benchmarks", "Factbook")
    INSIDE = Path("openke", "bundled", "Factbook")

    def run(self) -> None:
        """Copy the packages, then the graph."""
        super().run()
        if not self.editable_mode and self.GRAPH.is_dir():
            shutil.copytree(self.GRAPH, Path(self.build_lib) / self.INSIDE, dirs_exist_ok=True)

    def get_outputs(self, include_bytecode: bool = True) -> list[str]:
        """Name the graph's files among what is built."""
        inside = Path(self.build_lib) / self.INSIDE
        graph = [str(path) for path in inside.rglob("*") if path.is_file()]
        return [*super().get_outputs(include_bytecode), *graph]


class PlatformWheel(bdist_wheel):
    """A wheel for any Python of one platform."""

    def get_tag(self) -> tuple[str, str, str]:
        """Return the wheel's tag: py3-none-PLATFORM."""
        return "py3", "none", super().get_tag()[2]


if sys.platform == "darwin":  # std::filesystem came with macOS 10.15
    os.environ.setdefault("MACOSX_DEPLOYMENT_TARGET", "10.15")

setup(
    ext_modules=[
        Extension(
            "openke._core",
            sources=sorted(path.as_posix() for path in Path("base").glob("*.cpp")),
            depends=["base/exports.map", *sorted(p.as_posix() for p in Path("base").glob("*.h"))],
            define_macros=[("OPENKE_BUILD", None)],
            language="c++",
        )
    ],
    cmdclass={"build_ext": BuildCore, "build_py": BuildPackages, "bdist_wheel": PlatformWheel},
)
