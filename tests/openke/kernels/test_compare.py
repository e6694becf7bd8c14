"""The score kernels: C++, PyTorch and loops in NumPy agree, in scores and in gradients."""

import json
import math
import os
import subprocess
import sys
from itertools import product

import numpy as np
import pytest
import torch

from openke import _native
from openke.kernels import KINDS, compare_all, compare_pairs, compare_reference, compiled
from openke.kernels import compare_operators as operators
from openke.kernels.product import COLUMNS

DIMS = (1, 2, 7, 33, 500)
SHAPES = [(kind, dim if kind != "complex" else dim + dim % 2) for kind, dim in product(KINDS, DIMS)]
GATED = pytest.mark.parametrize("gated", [False, True], ids=["plain", "gated"])
EACH_SHAPE = pytest.mark.parametrize(("kind", "dim"), SHAPES)
EACH_KIND = pytest.mark.parametrize("kind", KINDS)
EACH_TYPE = pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
TOLERANCE = {torch.float32: 1e-5, torch.float64: 1e-12}


def make(gated, *, q=6, u=9, dim=8, p=23, dtype=torch.float64, seed=0, grad=True):
    """Random sides and pairs; the pairs of a query partly stand together."""
    generator = torch.Generator().manual_seed(seed)

    def rand(*shape):
        return torch.randn(*shape, generator=generator, dtype=torch.float64).to(dtype)

    sides = {"query": rand(q, dim), "table": rand(u, dim)}
    if gated:
        sides["modal"] = rand(u, dim)
        sides["gate"] = torch.rand(q, generator=generator, dtype=torch.float64).to(dtype)
    for tensor in sides.values():
        tensor.requires_grad_(grad)
    query_index = torch.randint(q, (p,), generator=generator)
    query_index[: p // 2] = query_index[: p // 2].sort().values
    candidate_index = torch.randint(u, (p,), generator=generator)
    return sides, query_index, candidate_index


def loop_score(kind, q, c):
    """Return the score and its gradients by query and candidate, in Python floats."""
    d = len(q)
    if kind == "dot":
        return math.fsum(a * b for a, b in zip(q, c, strict=True)), c, q
    difference = [a - b for a, b in zip(q, c, strict=True)]
    if kind == "l1":
        score = -math.fsum(abs(x) for x in difference)
        slope = [-float(np.sign(x)) for x in difference]
    elif kind == "l2":
        score = -math.sqrt(math.fsum(x * x for x in difference))
        slope = [x / score if score else 0.0 for x in difference]
    else:
        half = d // 2
        lengths = [math.hypot(difference[k], difference[k + half]) for k in range(half)]
        score = -math.fsum(lengths)
        slope = [
            -x / lengths[k % half] if lengths[k % half] else 0.0 for k, x in enumerate(difference)
        ]
    return score, np.array(slope), -np.array(slope)


def loops(kind, sides, query_index, candidate_index, weight):
    """Return scores of pairs and the gradients of their weighted sum, all by loops in float64."""
    query, table, modal, gate = (
        None if sides.get(name) is None else sides[name].detach().double().numpy()
        for name in ("query", "table", "modal", "gate")
    )
    gradients = {name: np.zeros(tensor.shape) for name, tensor in sides.items()}
    scores = []
    for q, c, w in zip(query_index.tolist(), candidate_index.tolist(), weight, strict=True):
        g = 1.0 if gate is None else gate[q]
        candidate = table[c] if modal is None else g * table[c] + (1 - g) * modal[c]
        score, by_query, by_candidate = loop_score(kind, query[q], candidate)
        scores.append(score)
        gradients["query"][q] += w * np.asarray(by_query)
        gradients["table"][c] += w * g * np.asarray(by_candidate)
        if modal is not None:
            gradients["modal"][c] += w * (1 - g) * np.asarray(by_candidate)
            gradients["gate"][q] += w * np.dot(by_candidate, table[c] - modal[c])
    return np.array(scores), gradients


def everything(sides):
    q, u = len(sides["query"]), len(sides["table"])
    return torch.arange(q).repeat_interleave(u), torch.arange(u).repeat(q)


def close(found, expected, dtype, scale=None):
    """Compare within the tolerance of the type, relative to the size of the expected array."""
    expected = np.asarray(expected)
    if scale is None:
        scale = max(1e-30, float(np.abs(expected).max(initial=0.0)))
    found = found.detach().double().numpy()
    assert found.shape == expected.shape
    np.testing.assert_allclose(found, expected, rtol=0, atol=TOLERANCE[dtype] * scale)


def close_gradients(sides, expected, dtype):
    """Compare gradients; a gate's sums a term of every candidate's coordinate, which may cancel."""
    for name, tensor in sides.items():
        terms = sides["table"].numel() if name == "gate" else 0
        scale = max(1e-30, math.sqrt(terms), float(np.abs(expected[name]).max(initial=0.0)))
        close(tensor.grad, expected[name], dtype, scale)


def as_sides(sides):
    return compare_reference.Sides(
        sides["query"], sides["table"], sides.get("modal"), sides.get("gate")
    )


def test_both_python_files_name_the_kinds_in_the_order_of_the_abi():
    assert KINDS == ("dot", "l1", "l2", "complex")


@EACH_SHAPE
@GATED
@EACH_TYPE
def test_pairs_equal_loops(kind, dim, gated, dtype):
    sides, q, c = make(gated, dim=dim, dtype=dtype)
    weight = torch.randn(len(q), dtype=torch.float64, generator=torch.Generator().manual_seed(1))
    expected, gradients = loops(kind, sides, q, c, weight.tolist())
    scores = compare_pairs(kind, sides.pop("query"), sides.pop("table"), q, c, **sides)
    close(scores, expected, dtype)
    assert scores.dtype == dtype
    sides, q, c = make(gated, dim=dim, dtype=dtype)
    compare_pairs(
        kind, sides["query"], sides["table"], q, c, modal=sides.get("modal"), gate=sides.get("gate")
    ).backward(weight.to(dtype))
    close_gradients(sides, gradients, dtype)


@EACH_SHAPE
@GATED
@EACH_TYPE
@pytest.mark.parametrize(("q", "u"), [(6, 9), (1, 9), (6, 1)])
def test_all_against_all_equals_loops(kind, dim, gated, dtype, q, u):
    sides, _, _ = make(gated, q=q, u=u, dim=dim, dtype=dtype)
    weight = torch.randn(q * u, dtype=torch.float64, generator=torch.Generator().manual_seed(1))
    expected, gradients = loops(kind, sides, *everything(sides), weight.tolist())
    scores = compare_all(
        kind, sides["query"], sides["table"], modal=sides.get("modal"), gate=sides.get("gate")
    )
    close(scores, expected.reshape(q, u), dtype)
    scores.backward(weight.to(dtype).view(q, u))
    close_gradients(sides, gradients, dtype)


@EACH_KIND
@GATED
@pytest.mark.parametrize("chunk", [1, 64, 1 << 22])
def test_the_pytorch_reference_equals_loops_whatever_its_chunks(kind, gated, chunk, monkeypatch):
    monkeypatch.setattr(compiled, "CHUNK", chunk)
    sides, q, c = make(gated, dim=6, grad=False)
    weight = torch.linspace(-1, 1, len(q), dtype=torch.float64)
    expected, gradients = loops(kind, sides, q, c, weight.tolist())
    close(compare_reference.pairs(kind, as_sides(sides), q, c), expected, torch.float64)
    found = compare_reference.pairs_backward(kind, as_sides(sides), q, c, weight)
    for name, gradient in zip(("query", "table", "modal", "gate"), found, strict=True):
        assert (gradient is None) == (name not in sides)
        if gradient is not None:
            close(gradient, gradients[name], torch.float64)

    shape = len(sides["query"]), len(sides["table"])
    weight = torch.linspace(-1, 1, shape[0] * shape[1], dtype=torch.float64)
    expected, gradients = loops(kind, sides, *everything(sides), weight.tolist())
    found = compare_reference.every(kind, as_sides(sides))
    close(found, expected.reshape(shape), torch.float64)
    found = compare_reference.every_backward(kind, as_sides(sides), weight.view(shape))
    for name, gradient in zip(("query", "table", "modal", "gate"), found, strict=True):
        if gradient is not None:
            close(gradient, gradients[name], torch.float64)


@EACH_KIND
@GATED
@EACH_TYPE
def test_sizes_beyond_one_tile_equal_the_reference(kind, gated, dtype):
    """Several tasks, several tiles of a task, and rows with more pairs than one call takes."""
    for q, u, dim, p in ((70, 90, 502, 50), (2, 3, 34, 3000)):
        sides, q_index, c_index = make(gated, q=q, u=u, dim=dim, p=p, dtype=dtype, grad=False)
        fixed = as_sides(sides)
        for of_pairs in (True, False):
            wanted = [tensor is not None for tensor in fixed]
            if of_pairs:
                grad = torch.linspace(-1, 1, p, dtype=dtype)
                found = operators.pairs(kind, *fixed, q_index, c_index)
                slopes = operators.pairs_backward(grad, kind, *fixed, q_index, c_index, wanted)
                expected = compare_reference.pairs(kind, fixed, q_index, c_index)
                expected_slopes = compare_reference.pairs_backward(
                    kind, fixed, q_index, c_index, grad
                )
            else:
                grad = torch.linspace(-1, 1, q * u, dtype=dtype).view(q, u)
                found = operators.every(kind, *fixed)
                slopes = operators.every_backward(grad, kind, *fixed, wanted)
                expected = compare_reference.every(kind, fixed)
                expected_slopes = compare_reference.every_backward(kind, fixed, grad)
            close(found, expected.double().numpy(), dtype)
            expected_slopes = [slope for slope in expected_slopes if slope is not None]
            for slope, expected_slope in zip(slopes, expected_slopes, strict=True):
                close(slope, expected_slope.double().numpy(), dtype)


@EACH_KIND
@GATED
def test_gradients_pass_gradcheck(kind, gated):
    sides, q, c = make(gated, q=3, u=4, dim=6, p=7)

    def pairs(query, table, modal=None, gate=None):
        return compare_pairs(kind, query, table, q, c, modal=modal, gate=gate)

    def every(query, table, modal=None, gate=None):
        return compare_all(kind, query, table, modal=modal, gate=gate)

    assert torch.autograd.gradcheck(pairs, tuple(sides.values()))
    assert torch.autograd.gradcheck(every, tuple(sides.values()))


@EACH_KIND
@pytest.mark.parametrize("dim", [1000, 20000])
def test_float32_is_within_1e_5_of_float64(kind, dim):
    wide, q, c = make(False, dim=dim, grad=False)
    narrow = {name: tensor.float() for name, tensor in wide.items()}
    wide = {name: tensor.double() for name, tensor in narrow.items()}
    scale = wide["query"].norm(dim=1)[q] * wide["table"].norm(dim=1)[c] if kind == "dot" else None
    expected = compare_reference.pairs(kind, as_sides(wide), q, c)
    found = compare_pairs(kind, **narrow, query_index=q, candidate_index=c)
    assert ((found - expected).abs() <= 1e-5 * (expected.abs() if scale is None else scale)).all()


@pytest.mark.parametrize("scale", [1e-15, 1e-6, 1e6, 1e15])
def test_complex_distances_are_accurate_at_any_scale(scale):
    sides, _, _ = make(False, dim=66, dtype=torch.float32, grad=False)
    query, table = sides["query"] * scale, sides["table"] * scale
    wide = compare_reference.Sides(query.double(), table.double(), None, None)
    expected = compare_reference.every("complex", wide)
    found = compare_all("complex", query, table)
    assert ((found - expected).abs() <= 1e-5 * expected.abs()).all()


@pytest.mark.parametrize("kind", ["l1", "l2", "complex"])
@GATED
@EACH_TYPE
def test_at_distance_zero_score_and_gradients_are_zero(kind, gated, dtype):
    sides, q, c = make(gated, q=3, u=5, dim=34, dtype=dtype, grad=False)
    sides["query"][:] = sides["table"][0]
    sides["table"][:] = sides["table"][0]
    if gated:
        sides["gate"][:] = 1  # the blend is then the table itself
    sides = {name: tensor.requires_grad_() for name, tensor in sides.items()}
    for scores in (
        compare_all(kind, *list(sides.values())[:2], **dict(list(sides.items())[2:])),
        compare_pairs(
            kind, *list(sides.values())[:2], q % 3, c % 5, **dict(list(sides.items())[2:])
        ),
    ):
        assert torch.equal(scores, torch.zeros_like(scores))
        scores.sum().backward()
        for tensor in sides.values():
            assert torch.equal(tensor.grad, torch.zeros_like(tensor))


@pytest.mark.parametrize("kind", ["l1", "l2", "complex"])
def test_one_equal_coordinate_gets_a_zero_gradient_and_no_nan(kind):
    query = torch.zeros(1, 34, requires_grad=True)
    table = torch.ones(1, 34)
    table[0, 3] = table[0, 20] = 0  # one complex coordinate, two reals
    compare_all(kind, query, table).sum().backward()
    assert query.grad[0, 3] == 0
    assert query.grad[0, 20] == 0
    assert (query.grad[0, :3] > 0).all()


@EACH_KIND
@GATED
@pytest.mark.parametrize("vectors", [1, 5])
def test_results_do_not_depend_on_threads(kind, gated, vectors):
    before = torch.get_num_threads()
    results = []
    try:
        for threads in (1, 2, 5):
            torch.set_num_threads(threads)
            sides, q, c = make(gated, q=70, u=90, dim=34, p=1500, dtype=torch.float32)
            names = {name: sides[name] for name in ("modal", "gate") if name in sides}
            index = q % (70 // vectors), c
            pairs = compare_pairs(
                kind, sides["query"], sides["table"], *index, **names, vectors=vectors
            )
            (pairs * torch.linspace(-1, 1, len(q))).sum().backward()
            found = [pairs.detach(), *(tensor.grad.clone() for tensor in sides.values())]
            if kind != "dot":  # a matrix product: PyTorch's matter
                sides, _, _ = make(gated, q=70, u=90, dim=34, dtype=torch.float32)
                names = {name: sides[name] for name in ("modal", "gate") if name in sides}
                every = compare_all(kind, sides["query"], sides["table"], **names)
                (every * torch.linspace(-1, 1, 90)).sum().backward()
                found += [every.detach(), *(tensor.grad for tensor in sides.values())]
            results.append(found)
    finally:
        torch.set_num_threads(before)
    for others in results[1:]:
        assert all(torch.equal(a, b) for a, b in zip(results[0], others, strict=True))


@pytest.mark.parametrize("kind", ["l1", "l2", "complex"])
@GATED
@EACH_TYPE
def test_a_score_depends_on_its_two_vectors_alone(kind, gated, dtype):
    """Equal candidates tie wherever they stand, and pairs score as all against all do."""
    sides, _, _ = make(gated, q=7, u=150, dim=502, dtype=dtype, grad=False)
    sides["table"][100:] = sides["table"][3]
    names = {name: sides[name] for name in ("modal", "gate") if name in sides}
    if gated:
        names["modal"][100:] = names["modal"][3]
    every = compare_all(kind, sides["query"], sides["table"], **names)
    assert torch.equal(every[:, 100:], every[:, 3:4].expand(-1, 50))
    for query_index, candidate_index in (
        everything(sides),
        tuple(index.flip(0) for index in everything(sides)),
        tuple(index.view(7, 150).T.reshape(-1) for index in everything(sides)),
    ):
        pairs = compare_pairs(
            kind, sides["query"], sides["table"], query_index, candidate_index, **names
        )
        assert torch.equal(pairs, every[query_index, candidate_index])
    alone = compare_all(
        kind,
        sides["query"][6:],
        sides["table"][3:5],
        **({"modal": names["modal"][3:5], "gate": names["gate"][6:]} if gated else {}),
    )
    assert torch.equal(alone, every[6:, 3:5])


@EACH_KIND
@GATED
def test_empty_sides_and_pairs(kind, gated):
    for q, u in ((0, 4), (3, 0), (0, 0), (3, 4)):
        sides, _, _ = make(gated, q=q or 1, u=u or 1, dim=4)
        sides = {
            name: tensor.detach()[: q if name in ("query", "gate") else u].requires_grad_()
            for name, tensor in sides.items()
        }
        names = {name: sides[name] for name in ("modal", "gate") if name in sides}
        none = torch.zeros(0, dtype=torch.int64)
        pairs = compare_pairs(kind, sides["query"], sides["table"], none, none, **names)
        every = compare_all(kind, sides["query"], sides["table"], **names)
        assert pairs.shape == (0,)
        assert every.shape == (q, u)
        pairs.sum().backward()
        for tensor in sides.values():
            assert torch.equal(tensor.grad, torch.zeros_like(tensor))
        every.sum().backward()


@EACH_KIND
def test_only_wanted_gradients_are_made(kind):
    for wanted in product([False, True], repeat=4):
        if not any(wanted):
            continue
        full, q, c = make(True)
        sides, _, _ = make(True)
        for tensor, want in zip(sides.values(), wanted, strict=True):
            tensor.requires_grad_(want)
        for each in (full, sides):
            each = dict(each)
            compare_pairs(
                kind, each.pop("query"), each.pop("table"), q, c, **each
            ).square().sum().backward()
        for name, want in zip(sides, wanted, strict=True):
            assert (sides[name].grad is not None) == want
            assert not want or torch.equal(sides[name].grad, full[name].grad)


def test_strided_inputs_and_expanded_gradients():
    sides, q, c = make(False, dim=8, grad=False)
    query = sides["query"].T.contiguous().T.requires_grad_()
    assert not query.is_contiguous()
    table = sides["table"].repeat_interleave(2, dim=1)[:, ::2]
    stepped = torch.stack([q, q], dim=1)[:, 0]
    assert not stepped.is_contiguous()
    compare_pairs("l2", query, table, stepped, c.int()).sum().backward()
    dense = sides["query"].clone().requires_grad_()
    compare_pairs("l2", dense, sides["table"], q, c).sum().backward()
    assert torch.equal(query.grad, dense.grad)


# ---- several vectors of a query -----------------------------------------------------------------


def of_vectors(kind, sides, q, c, vectors):
    """Return the sum of the scores of each vector alone; rows of query and gate are [v q]."""
    modal, gates = sides.get("modal"), sides["gate"].chunk(vectors) if "gate" in sides else None
    return sum(
        compare_pairs(
            kind, query, sides["table"], q, c, modal=modal, gate=None if gates is None else gates[v]
        )
        for v, query in enumerate(sides["query"].chunk(vectors))
    )


@EACH_KIND
@GATED
@EACH_TYPE
@pytest.mark.parametrize(
    ("vectors", "dim", "p"), [(2, 6, 23), (3, 34, 1500), (5, 502, 300), (1, 6, 23)]
)
def test_scores_of_several_vectors_add_up(kind, gated, dtype, vectors, dim, p):
    sides, q, c = make(gated, q=4 * vectors, u=9, dim=dim, p=p, dtype=dtype)
    q = q % 4
    weight = torch.linspace(-1, 1, p, dtype=dtype)
    expected = of_vectors(kind, sides, q, c, vectors)
    slopes = torch.autograd.grad(expected, list(sides.values()), weight)
    modal, gate = sides.get("modal"), sides.get("gate")
    arguments = kind, sides["query"], sides["table"], q, c
    found = compare_pairs(*arguments, modal=modal, gate=gate, vectors=vectors)
    close(found, expected.detach().double().numpy(), dtype)
    for slope, other in zip(
        torch.autograd.grad(found, list(sides.values()), weight), slopes, strict=True
    ):
        close(slope, other.double().numpy(), dtype)


@EACH_KIND
@GATED
def test_several_vectors_have_right_gradients(kind, gated):
    sides, q, c = make(gated, q=6, u=4, dim=6, p=7)

    def score(query, table, modal=None, gate=None):
        return compare_pairs(kind, query, table, q % 2, c, modal=modal, gate=gate, vectors=3)

    assert torch.autograd.gradcheck(score, tuple(sides.values()))


@EACH_KIND
@GATED
def test_several_vectors_without_the_core_are_the_same(kind, gated):
    """bfloat16 on the CPU is what a GPU without Triton does."""
    sides, q, c = make(gated, dim=130, dtype=torch.bfloat16)
    wide = {name: tensor.detach().float().requires_grad_() for name, tensor in sides.items()}
    scores = []
    for each in (sides, wide):
        names = {name: each[name] for name in ("modal", "gate") if gated}
        found = compare_pairs(kind, each["query"], each["table"], q % 3, c, **names, vectors=2)
        found.sum().backward()
        scores.append(found.float())
    assert torch.allclose(*scores, rtol=0.02, atol=0.2)
    for name, tensor in sides.items():
        scale = wide[name].grad.abs().max()
        assert (tensor.grad.float() - wide[name].grad).abs().max() <= 0.03 * scale


@pytest.mark.parametrize("vectors", [0, -1, 4])
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_vectors_that_do_not_divide_the_rows_are_refused(vectors, dtype):
    query, table, index = torch.ones(6, 4, dtype=dtype), torch.ones(2, 4, dtype=dtype), [0]
    with pytest.raises(ValueError, match=f"vectors is {vectors} and query has 6 rows; expected 1"):
        compare_pairs("l1", query, table, torch.tensor(index), torch.tensor(index), vectors=vectors)
    with pytest.raises(ValueError, match=r"query_index\[0\] is 3; expected 0 to 2"):
        compare_pairs("l1", query, table, torch.tensor([3]), torch.tensor([0]), vectors=2)


# ---- other types and devices --------------------------------------------------------------------


@EACH_KIND
@GATED
@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_half_precision_is_summed_in_float32(kind, gated, dtype):
    sides, q, c = make(gated, dim=130, dtype=dtype)
    wide = {name: tensor.detach().float().requires_grad_() for name, tensor in sides.items()}
    found = compare_pairs(
        kind, sides["query"], sides["table"], q, c, modal=sides.get("modal"), gate=sides.get("gate")
    )
    expected = compare_pairs(
        kind, wide["query"], wide["table"], q, c, modal=wide.get("modal"), gate=wide.get("gate")
    )
    assert found.dtype == dtype
    step = torch.finfo(dtype).eps
    assert torch.allclose(found.float(), expected, rtol=step, atol=1e-3)
    found.sum().backward()
    expected.sum().backward()
    for name, tensor in sides.items():
        assert tensor.grad.dtype == dtype
        scale = wide[name].grad.abs().max()
        assert (tensor.grad.float() - wide[name].grad).abs().max() <= 4 * step * scale


def test_mixed_types_meet_in_the_wider_one():
    sides, q, c = make(False, dtype=torch.float32)
    table = sides["table"].detach().bfloat16().requires_grad_()
    scores = compare_pairs("complex", sides["query"], table, q, c)
    assert scores.dtype == torch.float32
    scores.sum().backward()
    assert table.grad.dtype == torch.bfloat16


def test_autocast_compares_in_float32():
    sides, q, c = make(False, dtype=torch.bfloat16)
    with torch.autocast("cpu", torch.bfloat16):
        pairs = compare_pairs("l1", sides["query"], sides["table"], q, c)
        every = compare_all("l1", sides["query"], sides["table"])
    assert pairs.dtype == every.dtype == torch.float32
    assert torch.equal(every[q, c], pairs)
    pairs.sum().backward()
    assert sides["query"].grad.dtype == torch.bfloat16


@pytest.mark.parametrize("candidates", [3, COLUMNS, 2 * COLUMNS + 7])
def test_a_product_in_bfloat16_is_the_same_in_blocks(candidates):
    random = torch.Generator().manual_seed(0)
    query, table, weight = (
        torch.randn(shape, generator=random).requires_grad_()
        for shape in ((5, 16), (candidates, 16), (5, candidates))
    )
    with torch.autocast("cpu", torch.bfloat16):
        found = compare_all("dot", query, table)
    assert found.dtype == torch.bfloat16
    narrow = [x.detach().bfloat16().requires_grad_() for x in (query, table)]
    expected = narrow[0] @ narrow[1].T
    assert torch.allclose(found, expected, rtol=2**-7, atol=1e-3)
    for scores in (found, expected):
        (scores * weight.detach().bfloat16()).sum().backward()
    for wide, same in zip((query, table), narrow, strict=True):
        assert wide.grad.dtype == torch.float32
        step = 2**-7 * same.grad.abs().max()
        assert (wide.grad - same.grad.float()).abs().max() <= step


# ---- operators ----------------------------------------------------------------------------------


@GATED
@EACH_TYPE
def test_operators_pass_opcheck(gated, dtype):
    sides, q, c = make(gated, dtype=dtype)
    query, table, modal, gate = as_sides(sides)
    torch.library.opcheck(operators.pairs, ("complex", query, table, modal, gate, q, c))
    torch.library.opcheck(operators.every, ("l2", query, table, modal, gate))
    fixed = tuple(None if x is None else x.detach() for x in (query, table, modal, gate))
    wanted = [True, False, gated, gated]
    tests = ("test_schema", "test_faketensor")
    torch.library.opcheck(
        operators.pairs_backward,
        (torch.ones(len(q), dtype=dtype), "l1", *fixed, q, c, wanted),
        test_utils=tests,
    )
    grad = torch.ones(len(query), len(table), dtype=dtype)
    torch.library.opcheck(
        operators.every_backward, (grad, "complex", *fixed, wanted), test_utils=tests
    )


def test_torch_compile_sees_through_the_operators():
    sides, q, c = make(True, dtype=torch.float32)

    def loss(query, table, modal, gate):
        pairs = compare_pairs("complex", query * 2, table, q, c, modal=modal, gate=gate)
        return pairs.mean() + compare_all("l1", query, table, modal=modal, gate=gate).mean()

    loss(**sides).backward()
    expected = {name: tensor.grad.clone() for name, tensor in sides.items()}
    for tensor in sides.values():
        tensor.grad = None
    torch.compile(loss, fullgraph=True, backend="aot_eager")(**sides).backward()
    for name, tensor in sides.items():
        torch.testing.assert_close(tensor.grad, expected[name])


def test_meta_tensors_give_shapes():
    query, table = torch.empty(3, 8, device="meta"), torch.empty(5, 8, device="meta")
    index = torch.empty(7, dtype=torch.int64, device="meta")
    assert compare_pairs("l2", query, table, index, index).shape == (7,)
    assert compare_all("l2", query, table).shape == (3, 5)


def test_second_derivatives_are_refused():
    sides, q, c = make(False)
    for scores in (
        compare_pairs("l2", sides["query"], sides["table"], q, c),
        compare_all("l2", sides["query"], sides["table"]),
    ):
        (first,) = torch.autograd.grad(scores.sum(), sides["query"], create_graph=True)
        with pytest.raises(NotImplementedError, match="first derivatives only"):
            first.sum().backward()


# ---- errors -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"kind": "cosine"}, "kind is 'cosine'; expected one of dot, l1, l2, complex"),
        ({"query": torch.ones(3)}, r"query has shape \[3\] and table \[5, 4\]"),
        ({"table": torch.ones(5, 6)}, r"query has shape \[3, 4\] and table \[5, 6\]"),
        (
            {"kind": "complex", "query": torch.ones(3, 3), "table": torch.ones(5, 3)},
            "vectors have 3 reals; .* expected an even number",
        ),
        ({"gate": torch.ones(3)}, "gate is given without modal"),
        ({"modal": torch.ones(5, 4)}, "modal is given without gate"),
        ({"gate": torch.ones(3), "modal": torch.ones(4, 4)}, r"modal has shape \[4, 4\]"),
        ({"gate": torch.ones(3, 1), "modal": torch.ones(5, 4)}, r"gate has shape \[3, 1\]"),
        ({"table": torch.ones(5, 4, dtype=torch.int64)}, "torch.int64; expected a floating"),
        ({"table": torch.ones(5, 4, device="meta")}, "on cpu and meta; expected one device"),
    ],
)
def test_bad_sides_are_refused(change, message):
    arguments = {"kind": "l1", "query": torch.ones(3, 4), "table": torch.ones(5, 4), **change}
    index = torch.zeros(2, dtype=torch.int64)
    with pytest.raises(ValueError, match=message):
        compare_all(**arguments)
    with pytest.raises(ValueError, match=message):
        compare_pairs(**arguments, query_index=index, candidate_index=index)


@pytest.mark.parametrize(
    ("query_index", "candidate_index", "message"),
    [
        ([0, 3], [0, 0], r"query_index\[1\] is 3; expected 0 to 2"),
        ([0, -1], [0, 0], r"query_index\[1\] is -1; expected 0 to 2"),
        ([0, 0], [5, 0], r"candidate_index\[0\] is 5; expected 0 to 4"),
        ([0, 0, 0], [0, 0], "query_index has 3 entries and candidate_index 2"),
        ([[0]], [[0]], r"query_index has shape \[1, 1\]"),
        ([0.0], [0], "query_index is of torch.float32; expected integers"),
    ],
)
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_bad_pairs_are_refused(query_index, candidate_index, message, dtype):
    query, table = torch.ones(3, 4, dtype=dtype), torch.ones(5, 4, dtype=dtype)
    with pytest.raises(ValueError, match=message):
        compare_pairs("l1", query, table, torch.tensor(query_index), torch.tensor(candidate_index))


REALS = np.zeros(64, np.float32)
INDEX = np.array([0, 1, 2], np.int64)
P = REALS.ctypes.data
COMPARE = {
    "kind": 1, "type": 0, "queries": 3, "candidates": 3, "dim": 4,
    "query": P, "table": P, "modal": None, "gate": None,
}  # fmt: skip


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"kind": 4}, "kind is 4; expected 0"),
        ({"type": 2}, "type is 2; expected 0"),
        ({"queries": -1}, "queries is -1; expected 0 or more"),
        ({"candidates": -2}, "candidates is -2; expected 0 or more"),
        ({"dim": -4}, "dim is -4; expected 0 or more"),
        ({"kind": 3, "dim": 5}, "dim is 5; .* expected an even number"),
        ({"queries": 2**40, "dim": 2**40}, "query values are too many"),
        ({"candidates": 2**40, "dim": 2**40}, "table values are too many"),
        ({"query": None}, "query is a null pointer"),
        ({"table": None}, "table is a null pointer"),
        ({"gate": P}, "gate is given without modal; expected both"),
        ({"modal": P}, "modal is given without gate; expected both"),
    ],
)
def test_the_core_refuses_bad_comparisons(change, message):
    compare = _native.reference(_native.Compare(**{**COMPARE, **change}))
    gradient = _native.reference(_native.CompareGradient(P, None, None, None))
    index = INDEX.ctypes.data
    for name, arguments in (
        ("compare_pairs", (compare, index, index, 3, 1, 1, P)),
        ("compare_pairs_backward", (compare, index, index, 3, 1, P, 1, gradient)),
        ("compare_all", (compare, 1, P)),
        ("compare_all_backward", (compare, P, 1, gradient)),
    ):
        with pytest.raises(ValueError, match=message):
            _native.call(name, *arguments)


def test_the_core_refuses_bad_arguments():
    good = _native.reference(_native.Compare(**COMPARE))
    index = INDEX.ctypes.data
    modal = _native.reference(_native.CompareGradient(None, None, P, None))
    query = _native.reference(_native.CompareGradient(P, None, None, None))
    wide = _native.reference(
        _native.Compare(**{**COMPARE, "queries": 2**40, "candidates": 2**40, "dim": 0})
    )
    for name, arguments, message in (
        ("compare_pairs", (None, index, index, 3, 1, 1, P), "compare is a null pointer"),
        ("compare_pairs", (good, index, index, -3, 1, 1, P), "pairs is -3; expected 0 or more"),
        ("compare_pairs", (good, None, index, 3, 1, 1, P), "query_index is a null pointer"),
        ("compare_pairs", (good, index, None, 3, 1, 1, P), "candidate_index is a null pointer"),
        ("compare_pairs", (good, index, index, 3, 1, 1, None), "out is a null pointer"),
        ("compare_pairs", (good, index, index, 3, 1, -1, P), "threads is -1"),
        ("compare_pairs", (good, index, index, 3, 0, 1, P), "vectors is 0 with 3 query vectors"),
        ("compare_pairs", (good, index, index, 3, 2, 1, P), "vectors is 2 with 3 query vectors"),
        (
            "compare_pairs",
            (good, index, index, 3, 3, 1, P),
            r"query_index\[1\] is 1; .* 0 to 0",
        ),
        ("compare_pairs_backward", (good, index, index, 3, 1, None, 1, query), "grad is a null"),
        ("compare_pairs_backward", (good, index, index, 3, 1, P, 1, None), "out is a null"),
        ("compare_pairs_backward", (good, index, index, 3, 1, P, 1, modal), "modal and gate are"),
        ("compare_all", (good, 1, None), "out is a null pointer"),
        ("compare_all", (wide, 1, P), "scores are too many"),
        ("compare_all_backward", (good, None, 1, query), "grad is a null pointer"),
        ("compare_all_backward", (wide, P, 1, query), "scores are too many"),
        ("compare_all_backward", (good, P, 1, modal), "modal and gate are wanted"),
        ("kernel_isa", (None,), "out is a null pointer"),
    ):
        with pytest.raises(ValueError, match=message):
            _native.call(name, *arguments)


# ---- instruction sets ---------------------------------------------------------------------------

ONE_SET = """
import ctypes, json, sys
import numpy as np
from openke import _native

name = ctypes.c_void_p()
try:
    _native.call("kernel_isa", _native.reference(name))
except ValueError as error:
    print(json.dumps({"error": str(error)}))
    sys.exit()
found = {"isa": ctypes.string_at(name.value).decode()}
random = np.random.default_rng(0)
q, u, d, p = 7, 13, 502, 40
for type_code, dtype in enumerate((np.float32, np.float64)):
    query, table, modal = (random.standard_normal((n, d)).astype(dtype) for n in (q, u, u))
    gate = random.random(q).astype(dtype)
    query[0], gate[0] = table[0], 1  # one pair at distance zero
    query[1, ::3] = table[0, ::3]
    pairs = [random.integers(n, size=p) for n in (q, u)]
    weight = random.standard_normal((q, u)).astype(dtype)
    at = lambda array: array.ctypes.data
    for kind in range(4):
        for gated in (False, True):
            blend = (at(modal), at(gate)) if gated else (None, None)
            sides = (type_code, q, u, d, at(query), at(table), *blend)
            compare = _native.reference(_native.Compare(kind, *sides))
            out = np.empty(p, dtype), np.empty((q, u), dtype)
            grads = [np.empty_like(x) for x in (query, table, modal, gate)[: 4 if gated else 2]]
            into = _native.reference(_native.CompareGradient(*map(at, grads)))
            index = [at(x) for x in pairs]
            _native.call("compare_pairs", compare, *index, p, 1, 1, at(out[0]))
            _native.call("compare_all", compare, 1, at(out[1]))
            results = list(out)
            _native.call("compare_pairs_backward", compare, *index, p, 1, at(weight), 1, into)
            results += [x.copy() for x in grads]
            _native.call("compare_all_backward", compare, at(weight), 1, into)
            results += grads
            found[f"{kind} {gated} {dtype.__name__}"] = [x.tolist() for x in results]
print(json.dumps(found))
"""


def run_set(name):
    environment = {**os.environ, "OPENKE_ISA": name}
    done = subprocess.run(
        [sys.executable, "-c", ONE_SET], env=environment, capture_output=True, text=True, check=True
    )
    return json.loads(done.stdout)


def test_every_instruction_set_gives_the_same_results():
    best = run_set("")
    for name in ("plain", "avx2", "avx512"):
        found = run_set(name)
        if "error" in found:  # this processor lacks it: named as such, and it is not the best
            assert f'OPENKE_ISA is "{name}"' in found["error"]
            assert "plain" in found["error"]
            assert name not in ("plain", best["isa"])
            continue
        assert found.pop("isa") == name
        assert len(found) == 16
        for case, results in found.items():
            tolerance = 1e-5 if "float32" in case else 1e-12
            for ours, theirs in zip(results, best[case], strict=True):
                ours, theirs = np.array(ours), np.array(theirs)
                assert np.abs(ours - theirs).max() <= tolerance * np.abs(theirs).max(), case


def test_an_unknown_instruction_set_is_refused():
    error = run_set("sse9")["error"]
    assert 'environment variable OPENKE_ISA is "sse9"; expected one that runs on this' in error
    assert "plain" in error
