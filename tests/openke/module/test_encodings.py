"""Gradients of rows that are used twice, and of rotations."""

import pytest
import torch

from openke.kernels import compare_pairs
from openke.module.interaction import rotate
from openke.module.scoring.encodings import branch, take

INDEX = torch.tensor([2, 0, 2, 5])


def by_branch(rows):
    whole, taken = branch({"x": rows}, INDEX)
    return whole["x"], taken["x"]


def by_take(rows):
    return rows, take({"x": rows}, INDEX)["x"]


def compared(whole, taken, other):
    each = torch.arange(4)
    return compare_pairs("complex", taken * 2, whole, each, each + 2).sum()


def added(whole, taken, other):
    return ((whole + other).square().sum() + taken.square().sum()) / 2


def added_the_other_way(whole, taken, other):
    return ((3 * other + whole).square().sum() + taken.sum()) / 2


def joined(whole, taken, other):
    return (torch.cat([whole, 2 * other]).pow(3).sum() + taken.pow(2).sum()) / 3


def summed(whole, taken, other):
    return whole.sum() + other.sum() + taken.sum()


def kept(whole, taken, other):
    both = whole * other
    return both.sum() + both.square().sum() + taken.sum()


USES = [compared, added, added_the_other_way, joined, summed, kept]


@pytest.mark.parametrize("use", USES)
def test_a_branch_has_the_gradients_of_taking_and_leaves_those_of_others_alone(use):
    gradients = []
    for divide in (by_take, by_branch):
        random = torch.Generator().manual_seed(0)
        rows, other = (torch.randn(7, 6, generator=random).requires_grad_() for _ in range(2))
        start = rows * 1  # no leaf, as encoded rows are none
        start.retain_grad()
        use(*divide(start), other).backward()
        gradients.append((start.grad, rows.grad, other.grad))
    for ours, expected in zip(*reversed(gradients), strict=True):
        assert (ours is None) == (expected is None)
        if ours is not None:
            torch.testing.assert_close(ours, expected)


@pytest.mark.parametrize("side", ["tail", "head"])
def test_the_derivative_of_a_rotation(side):
    random = torch.Generator().manual_seed(0)
    anchor, phase = (
        torch.randn(3, d, dtype=torch.float64, generator=random).requires_grad_() for d in (8, 4)
    )
    assert torch.autograd.gradcheck(lambda a, p: rotate.query(a, p, side), (anchor, phase))
    (slope,) = torch.autograd.grad(
        rotate.query(anchor, phase, side).square().sum(), phase, create_graph=True
    )
    with pytest.raises(RuntimeError, match="once_differentiable"):
        slope.sum().backward()


def test_a_rotation_of_half_precision_has_the_phases_precision():
    anchor = torch.randn(3, 8).bfloat16().requires_grad_()
    turned = rotate.query(anchor, torch.randn(3, 4), "tail")
    assert turned.dtype == torch.float32
    turned.sum().backward()
    assert anchor.grad.dtype == torch.bfloat16
