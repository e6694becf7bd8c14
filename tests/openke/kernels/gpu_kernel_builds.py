"""Builds the Triton kernels for an NVIDIA GPU, which need not be there."""

from __future__ import annotations

from itertools import product
from typing import Any

import triton
from triton.backends.compiler import GPUTarget
from triton.compiler import ASTSource

from openke.kernels import KINDS
from openke.kernels.gpu import every, pairs

TARGET = GPUTarget("cuda", 80, 32)
PAIRS = {"PAIRS": pairs.PAIRS, "BLOCK": 256}
GRADIENT = {"ROWS": every.ROWS, "BLOCK": every.COORDINATES}
KERNELS: list[tuple[Any, dict[str, int]]] = [
    (pairs._scores, PAIRS),
    (pairs._by_query, PAIRS),
    (pairs._by_candidate, PAIRS),
    (every._scores, {"ROWS": every.TILE, "COLUMNS": every.TILE}),
    (every._by_query, GRADIENT),
    (every._by_candidate, GRADIENT),
]
TYPES = {
    **dict.fromkeys(("n", "width", "d", "chunks", "q", "u", "size"), "i32"),
    **dict.fromkeys(("query_half", "table_half"), "i64"),
    **dict.fromkeys(("query_index", "candidate_index", "order", "starts"), "*i64"),
    **dict.fromkeys(("weight", "blended"), "*fp32"),
}
"""Of arguments; all others are vectors."""


def build(kernel: Any, constants: dict[str, Any], vectors: str) -> None:
    names = kernel.arg_names
    signature = {
        name: "constexpr" if name in constants else TYPES.get(name, vectors) for name in names
    }
    places = {(names.index(name),): value for name, value in constants.items()}
    source = ASTSource(fn=kernel, signature=signature, constexprs=places)
    assert triton.compile(source, target=TARGET).asm["cubin"]


def build_all() -> None:
    """Build every kernel for every kind, with a blend and without."""
    for (kernel, sizes), kind, blend in product(KERNELS, range(len(KINDS)), (False, True)):
        build(kernel, {"KIND": kind, "MODAL": blend, **sizes}, "*fp32")
    build(pairs._scores, {"KIND": 3, "MODAL": True, **PAIRS}, "*bf16")
