"""Matrix products, as accurate as float32 allows, whichever library makes them."""

import pytest
import torch
from torch import nn

from openke.kernels import product as kernels_product
from openke.kernels.product import SMALL, Linear, product

SHAPES = [(3, 5, 7), (64, 300, 130), (1, 1100, 1000), (200, 1, 8000)]
"""[q, d] and [u, d]; the larger ones are above SMALL multiplications."""


def make(q, d, u):
    random = torch.Generator().manual_seed(0)
    query, table, weight = (
        torch.randn(shape, generator=random) for shape in ((q, d), (u, d), (q, u))
    )
    return query.requires_grad_(), table.requires_grad_(), weight


def test_some_shapes_are_small_and_some_are_not():
    sizes = [q * d * u for q, d, u in SHAPES]
    assert min(sizes) < SMALL <= sorted(sizes)[1]


@pytest.mark.filterwarnings("ignore:TF32")
@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("wide", [True, False])
@pytest.mark.parametrize("transposed", [True, False])
def test_a_product_and_its_gradients_are_those_in_float64(shape, wide, transposed, monkeypatch):
    monkeypatch.setattr(kernels_product, "WIDE", wide)  # oneDNN, or PyTorch's choice
    query, table, weight = make(*shape)
    given = [x.detach().T.contiguous().T if transposed else x.detach() for x in (query, table)]
    single = [x.requires_grad_() for x in given]
    double = [x.detach().double().requires_grad_() for x in given]
    found = product(*single)
    (found * weight).sum().backward()
    expected = double[0] @ double[1].T
    (expected * weight).sum().backward()
    pairs = [(found, expected), *((x.grad, y.grad) for x, y in zip(single, double, strict=True))]
    for ours, theirs in pairs:
        assert ours.dtype == torch.float32
        assert (ours - theirs).abs().max() <= 1e-5 * theirs.abs().max()


@pytest.mark.parametrize("wide", [True, False])
@pytest.mark.parametrize("threads", [1, 2, 3])
def test_equal_candidates_score_the_same_wherever_they_stand(wide, threads, monkeypatch):
    monkeypatch.setattr(kernels_product, "WIDE", wide)
    before = torch.get_num_threads()
    torch.set_num_threads(threads)
    try:
        _score_equal_candidates()
    finally:
        torch.set_num_threads(before)


def _score_equal_candidates():
    query, table, _ = make(70, 200, 1000)
    with torch.no_grad():
        table[[3, 17, 500, 999]] = table[0].clone()
    scores = product(query, table)
    for same in (3, 17, 500, 999):
        assert torch.equal(scores[:, same], scores[:, 0])


def test_only_what_needs_a_gradient_gets_one():
    query, table, weight = make(64, 300, 130)
    (product(query, table.detach()) * weight).sum().backward()
    assert query.grad is not None
    assert table.grad is None


def test_a_product_in_float64_is_pytorch_s():
    query, table = (x.detach().double() for x in make(64, 300, 130)[:2])
    assert torch.equal(product(query, table), query @ table.T)


@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("rows", [4, 400])
def test_a_linear_layer_is_pytorch_s(bias, rows):
    torch.manual_seed(0)
    ours, theirs = Linear(120, 90, bias=bias), nn.Linear(120, 90, bias=bias)
    theirs.load_state_dict(ours.state_dict())
    given = torch.randn(rows, 120)
    for layer in (ours, theirs):
        layer(given).square().sum().backward()
    torch.testing.assert_close(ours(given), theirs(given), rtol=1e-5, atol=1e-5)
    for ours_too, theirs_too in zip(ours.parameters(), theirs.parameters(), strict=True):
        torch.testing.assert_close(ours_too.grad, theirs_too.grad, rtol=1e-4, atol=1e-3)


def test_a_linear_layer_is_bfloat16_under_autocast_and_any_device_s():
    layer = Linear(8, 6)
    with torch.autocast("cpu", torch.bfloat16):
        assert layer(torch.randn(3, 8)).dtype == torch.bfloat16
    elsewhere = Linear(8, 6, device="meta")
    assert elsewhere(torch.empty(3, 8, device="meta")).shape == (3, 6)


def test_a_linear_layer_takes_batches_of_batches_and_refuses_other_widths():
    layer = Linear(300, 200)
    given = torch.randn(8, 64, 300, requires_grad=True)
    made = layer(given)
    assert made.shape == (8, 64, 200)
    made.sum().backward()
    torch.testing.assert_close(given.grad[3, 5], layer.weight.detach().sum(dim=0))
    assert layer(torch.randn(300)).shape == (200,)
    for wrong in (torch.randn(4, 299), torch.randn(4000, 299)):
        with pytest.raises(RuntimeError, match="shapes cannot be multiplied"):
            layer(wrong)


def test_there_is_no_second_derivative():
    query, table, weight = make(3, 5, 7)
    scores = (product(query, table).square() * weight).sum()
    (slope,) = torch.autograd.grad(scores, query, create_graph=True)
    with pytest.raises(RuntimeError, match="once_differentiable"):
        slope.sum().backward()
