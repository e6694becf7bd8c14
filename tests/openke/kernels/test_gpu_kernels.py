"""The Triton kernels compute what the plain ones do; Triton's interpreter runs them on the CPU."""

from __future__ import annotations

import os
import subprocess
import sys
from itertools import product

import pytest
import torch

from openke.kernels import KINDS
from openke.kernels import compare_reference as reference
from openke.kernels.compare_reference import Sides

pytest.importorskip("triton")

CLOSE = {"rtol": 1e-3, "atol": 1e-4}


def sides(gated: bool, d: int, queries: int = 5, candidates: int = 23) -> Sides:
    """Return random vectors; without a blend a candidate is a query, at distance 0."""
    torch.manual_seed(d)
    query, table = torch.randn(queries, d), torch.randn(candidates, d)
    if not gated:
        table[3] = query[2]
        return Sides(query, table, None, None)
    return Sides(query, table, torch.randn(candidates, d), torch.rand(queries))


def close(found, expected):
    for mine, theirs in zip(found, expected, strict=True):
        assert (mine is None) == (theirs is None)
        if mine is not None:
            torch.testing.assert_close(mine, theirs, **CLOSE)


def check_pairs(kind: str, gated: bool, d: int) -> None:
    from openke.kernels.gpu import pairs

    given = sides(gated, d)
    # The last two candidates have no pair, and one query has none.
    query, candidate = torch.randint(4, (41,)), torch.randint(21, (41,))
    query[4], candidate[4] = 2, 3
    arguments = kind, given, query, candidate
    torch.testing.assert_close(pairs.pairs(*arguments), reference.pairs(*arguments), **CLOSE)
    grad = torch.randn(41)
    expected = reference.pairs_backward(*arguments, grad)
    close(pairs.pairs_backward(*arguments, grad, [True] * 4), expected)
    only = pairs.pairs_backward(*arguments, grad, [False, True, False, False])
    assert only[0] is None
    torch.testing.assert_close(only[1], expected[1], **CLOSE)
    nothing = query[:0]
    assert pairs.pairs(kind, given, nothing, nothing).shape == (0,)
    empty = pairs.pairs_backward(kind, given, nothing, nothing, grad[:0], [True] * 4)
    assert not any(found.any() for found in empty if found is not None)


def check_every(kind: str, gated: bool, d: int) -> None:
    from openke.kernels.gpu import every

    given = sides(gated, d)
    torch.testing.assert_close(every.every(kind, given), reference.every(kind, given), **CLOSE)
    grad = torch.randn(5, 23)
    expected = reference.every_backward(kind, given, grad)
    close(every.every_backward(kind, given, grad, [True] * 4), expected)


def check_all() -> None:
    """Check every kernel, in widths below, at and above a block."""
    for kind, gated, d in product(KINDS, (False, True), (6, 70, 600)):
        check_pairs(kind, gated, d)
        check_every(kind, gated, d)


@pytest.mark.slow
def test_the_kernels_are_the_plain_ones(tmp_path):
    # A process of its own: whether Triton interprets is decided as the kernels are imported.
    environment = {"TRITON_INTERPRET": "1", "OMP_NUM_THREADS": "1"}
    run_alone(
        "from tests.openke.kernels.test_gpu_kernels import check_all; check_all()", environment
    )


@pytest.mark.slow
def test_the_kernels_compile_for_a_gpu(tmp_path):
    environment = {"TRITON_CACHE_DIR": str(tmp_path)}
    run_alone(
        "from tests.openke.kernels.gpu_kernel_builds import build_all; build_all()", environment
    )


def run_alone(program: str, environment: dict[str, str]) -> None:
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", program],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=1200,
    )
    assert done.returncode == 0, done.stderr[-3000:]


def test_a_cpu_does_not_need_triton():
    program = (
        "import sys, torch\n"
        "sys.modules['triton'] = None\n"
        "from openke.kernels import compare_all\n"
        "from openke.kernels.gpu import in_triton\n"
        "assert compare_all('l1', torch.ones(2, 4), torch.zeros(3, 4)).shape == (2, 3)\n"
        "assert not in_triton(torch.ones(2))\n"
    )
    run_alone(program, {})
