"""OpenBLAS, which NumPy and SciPy compute with, takes its memory while there is some for it.

At its first larger product OpenBLAS takes a buffer for each thread, and keeps it. Where there is no
room for one, SciPy's asks for it again and again without end, and NumPy's ends the process.
"""

from __future__ import annotations

import mmap
import os
from collections.abc import Callable
from functools import cache
from importlib import import_module
from typing import Any

import numpy as np

BUFFER = 40 << 20
"""Bytes of a buffer, and what is around it."""
LIBRARIES = 96 << 20
"""Bytes of SciPy's libraries."""
SIDE = 192
"""Of square matrices that are large enough: products of smaller ones need no buffer."""


def import_with_blas(module: str) -> Any:
    """Import a module, such as one of scikit-learn, that may compute with SciPy's OpenBLAS.

    Raises
    ------
    MemoryError
        There is no room for its buffers.
    """
    if module.startswith(("scipy", "sklearn")):
        _take_buffers_of_scipy()
    return import_module(module)


@cache
def take_buffers() -> None:
    """Let NumPy's OpenBLAS take its buffer; those of other threads it took as it was loaded.

    Raises
    ------
    MemoryError
        There is no room for it.
    """
    _multiply(np.matmul)


@cache
def _take_buffers_of_scipy() -> None:
    _require(LIBRARIES + BUFFER * _threads())
    blas = import_module("scipy.linalg.blas")
    _multiply(lambda left, right: blas.dgemm(1.0, left, right))


def _multiply(product: Callable[[Any, Any], object]) -> None:
    square = np.ones((SIDE, SIDE))
    _require(BUFFER)
    product(square, square)


def _require(size: int) -> None:
    try:
        mmap.mmap(-1, size).close()
    except OSError:
        raise MemoryError(f"linear algebra needs {size >> 20} MiB") from None


def _threads() -> int:
    """Return how many threads OpenBLAS begins at most."""
    said = os.environ.get("OPENBLAS_NUM_THREADS") or os.environ.get("OMP_NUM_THREADS") or ""
    return int(said) if said.isdigit() else os.cpu_count() or 1
