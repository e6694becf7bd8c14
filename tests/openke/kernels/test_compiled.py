"""torch.compile: through the operators, and of the reference functions themselves."""

import warnings

import pytest
import torch
from torch import nn

from openke.kernels import (
    binary_cross_entropy,
    compare_all,
    compare_pairs,
    compare_reference,
    losses_reference,
    softmax_cross_entropy,
)
from openke.kernels.compiled import compiled


class Small(nn.Module):
    """Scores of pairs and of all, and a loss of each kind."""

    def __init__(self):
        super().__init__()
        self.table = nn.Parameter(torch.randn(11, 8, generator=torch.Generator().manual_seed(0)))

    def forward(self, anchor, target):
        query = self.table[anchor].square()
        each = torch.arange(len(anchor))
        pairs = compare_pairs("complex", query, self.table, each, target)
        logits = compare_all("l1", query, self.table)
        offsets = torch.arange(len(anchor) + 1)
        losses = softmax_cross_entropy(logits, target, 0.1) + binary_cross_entropy(
            logits, offsets, target
        )
        return losses.mean() - pairs.mean()


@pytest.mark.slow
def test_a_model_compiles_as_one_graph_for_any_batch():
    model, batches = Small(), [(torch.arange(q), torch.arange(q) + 3) for q in (5, 8)]
    compiled_model = torch.compile(model, fullgraph=True, dynamic=True)
    torch._dynamo.utils.counters.clear()
    for anchor, target in batches:
        results = []
        for run in (model, compiled_model):
            model.zero_grad()
            loss = run(anchor, target)
            loss.backward()
            results.append((loss.detach(), model.table.grad.clone()))
        torch.testing.assert_close(*results)
    assert torch._dynamo.utils.counters["stats"]["unique_graphs"] == 1


def reference_results():
    """Every reference function once, gated where that is possible."""
    generator = torch.Generator().manual_seed(0)
    sides = [torch.randn(n, 6, generator=generator) for n in (5, 7, 7)]
    sides = compare_reference.Sides(*sides, torch.rand(5, generator=generator))
    q, c, grad = torch.tensor([0, 4, 4]), torch.tensor([6, 0, 2]), torch.tensor([1.0, -2.0, 0.5])
    of_all = torch.randn(5, 7, generator=generator)
    labels = losses_reference.Labels(torch.tensor([1, 6, 2]), torch.tensor([0, 1, 1, 1, 2, 3]), 0.1)
    loss, normaliser = losses_reference.softmax(of_all, labels)
    return [
        compare_reference.pairs("complex", sides, q, c),
        *compare_reference.pairs_backward("complex", sides, q, c, grad),
        compare_reference.every("complex", sides),
        *compare_reference.every_backward("complex", sides, of_all),
        loss,
        losses_reference.softmax_backward(loss, of_all, normaliser, labels),
        losses_reference.binary(of_all, labels),
        losses_reference.binary_backward(loss, of_all, labels),
    ]


@pytest.mark.slow
def test_the_reference_functions_compile_and_give_the_same(monkeypatch):
    monkeypatch.setenv("OPENKE_COMPILE", "never")
    torch._dynamo.utils.counters.clear()
    expected = reference_results()
    assert torch._dynamo.utils.counters["stats"]["unique_graphs"] == 0
    monkeypatch.setenv("OPENKE_COMPILE", "always")
    torch.testing.assert_close(reference_results(), expected)
    assert torch._dynamo.utils.counters["stats"]["unique_graphs"] == 8


def test_the_reference_functions_never_look_at_values():
    """On meta tensors nothing has a value, so whatever waits for one raises."""

    def meta(*shape, dtype=torch.float32):
        return torch.empty(*shape, device="meta", dtype=dtype)

    q, c, offsets = (meta(n, dtype=torch.int64) for n in (3, 3, 6))
    grad = meta(3)
    for kind in compare_reference.KINDS:
        for blend in ((None, None), (meta(7, 6), meta(5))):
            sides = compare_reference.Sides(meta(5, 6), meta(7, 6), *blend)
            assert compare_reference.pairs(kind, sides, q, c).shape == (3,)
            slopes = compare_reference.pairs_backward(kind, sides, q, c, grad)
            assert compare_reference.every(kind, sides).shape == (5, 7)
            for found in (slopes, compare_reference.every_backward(kind, sides, meta(5, 7))):
                assert [None if x is None else x.shape for x in found] == [
                    None if x is None else x.shape for x in sides
                ]
    for labels in (
        losses_reference.Labels(q, offsets, 0.1),
        losses_reference.Labels(meta(5, dtype=torch.int64), None, 0.0),
    ):
        logits = meta(5, 7)
        loss, normaliser = losses_reference.softmax(logits, labels)
        assert (loss.shape, normaliser.shape) == ((5,), (5, 2))
        slopes = losses_reference.softmax_backward(loss, logits, normaliser, labels)
        assert slopes.shape == (5, 7)
        assert losses_reference.binary(logits, labels).shape == (5,)
        assert losses_reference.binary_backward(loss, logits, labels).shape == (5, 7)


def test_a_failure_to_compile_is_told_once_and_results_stay(monkeypatch):
    monkeypatch.setenv("OPENKE_COMPILE", "always")

    @compiled
    def twice_and_more(x):
        return x * 2 + 0.4711

    x = torch.arange(3.0)
    without_compiler = {"cpp.cxx": ("no-such-compiler",), "force_disable_caches": True}
    with torch._inductor.config.patch(without_compiler):
        with pytest.warns(RuntimeWarning, match=r"twice_and_more runs uncompiled.*=never makes"):
            found = twice_and_more(x)
        assert torch.equal(found, x * 2 + 0.4711)
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            assert torch.equal(twice_and_more(x), found)


def test_an_unknown_switch_is_refused(monkeypatch):
    monkeypatch.setenv("OPENKE_COMPILE", "perhaps")
    with pytest.raises(ValueError, match="OPENKE_COMPILE is 'perhaps'; expected cuda, always, nev"):
        compare_all("l1", torch.ones(2, 3).half(), torch.ones(4, 3).half())
