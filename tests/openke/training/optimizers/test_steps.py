"""Optimisers over rows, against PyTorch's over dense gradients."""

import pytest
import torch
from torch import nn

from openke.training.optimizers import Adagrad, Adam, LazyAdam, RowwiseAdagrad, adagrad, adam

ENTITIES, DIM = 40, 7
core_or_not = pytest.mark.parametrize("core", [True, False], ids=["C++", "PyTorch"])
types = pytest.mark.parametrize("dtype", [torch.float32, torch.float64])


@pytest.fixture(autouse=True)
def _choice(request, monkeypatch):
    if "core" in request.fixturenames and not request.getfixturevalue("core"):
        for module in (adam, adagrad):
            monkeypatch.setattr(module, "in_core", lambda table: False)


def parts(dtype, sparse):
    torch.manual_seed(0)
    table = nn.Embedding(ENTITIES, DIM, sparse=sparse, dtype=dtype)
    return table, nn.Linear(DIM, 3, dtype=dtype)


def train(make, *, sparse, dtype, steps=6, state=None, first=0, weights=None):
    """Return table and layer after some steps, and the optimiser."""
    table, layer = parts(dtype, sparse)
    if weights is not None:
        for parameter, value in zip([table.weight, *layer.parameters()], weights, strict=True):
            parameter.data.copy_(value)
    optimizer = make([table.weight, *layer.parameters()])
    if state is not None:
        optimizer.load_state_dict(state)
    for step in range(first, first + steps):
        generator = torch.Generator().manual_seed(step)
        ids = torch.randperm(ENTITIES, generator=generator)[:9].sort().values
        optimizer.zero_grad()
        loss = layer(table(ids)).square().sum()
        if step % 2:  # a second lookup, as a penalty makes
            loss = loss + table(ids).pow(3).sum() + table(ids[:2]).sum()
        loss.backward()
        optimizer.step()
    return [table.weight.detach(), *(p.detach() for p in layer.parameters())], optimizer


def assert_same(found, expected, dtype):
    tolerance = 1e-5 if dtype == torch.float32 else 1e-12
    for a, b in zip(found, expected, strict=True):
        torch.testing.assert_close(a, b, rtol=tolerance, atol=tolerance)


@core_or_not
@types
@pytest.mark.parametrize("decay", [0.0, 0.1])
def test_adam_is_that_of_the_dense_gradient(core, dtype, decay):
    options = {"lr": 0.05, "weight_decay": decay, "fused": True}
    found, mine = train(lambda p: Adam(p, **options), sparse=True, dtype=dtype)
    expected, theirs = train(lambda p: torch.optim.Adam(p, **options), sparse=False, dtype=dtype)
    assert_same(found, expected, dtype)
    for a, b in zip(mine.state.values(), theirs.state.values(), strict=True):
        assert a["step"] == b["step"] == 6
        assert_same((a["exp_avg"], a["exp_avg_sq"]), (b["exp_avg"], b["exp_avg_sq"]), dtype)


@core_or_not
@types
@pytest.mark.parametrize("lr_decay", [0.0, 0.5])
def test_adagrad_is_that_of_the_dense_gradient(core, dtype, lr_decay):
    options = {"lr": 0.05, "lr_decay": lr_decay}
    found, mine = train(lambda p: Adagrad(p, **options), sparse=True, dtype=dtype)
    expected, theirs = train(lambda p: torch.optim.Adagrad(p, **options), sparse=False, dtype=dtype)
    assert_same(found, expected, dtype)
    for a, b in zip(mine.state.values(), theirs.state.values(), strict=True):
        assert_same((a["sum"],), (b["sum"],), dtype)


@core_or_not
@types
def test_lazy_adam_is_pytorchs_sparse_adam(core, dtype):
    def theirs(parameters):
        table, *others = parameters
        parts = [
            torch.optim.SparseAdam([table], lr=0.05, eps=1e-20),
            torch.optim.Adam(others, lr=0.05, eps=1e-20),
        ]

        class Both:
            def zero_grad(self):
                [part.zero_grad() for part in parts]

            def step(self):
                [part.step() for part in parts]

        return Both()

    found, _ = train(lambda p: LazyAdam(p, lr=0.05, eps=1e-20), sparse=True, dtype=dtype)
    expected, _ = train(theirs, sparse=True, dtype=dtype)
    assert_same(found, expected, dtype)


@core_or_not
@pytest.mark.parametrize("make", [LazyAdam, Adagrad])
def test_weight_decay_pulls_touched_rows_only(core, make):
    table = nn.Embedding(ENTITIES, DIM, sparse=True)
    before = table.weight.detach().clone()
    optimizer = make([table.weight], lr=0.1, weight_decay=0.5)
    (0 * table(torch.tensor([2, 5])).sum()).backward()
    optimizer.step()
    moved = (table.weight != before).any(dim=1).nonzero()[:, 0]
    assert moved.tolist() == [2, 5]
    assert (table.weight[[2, 5]].abs() <= before[[2, 5]].abs() + 1e-6).float().mean() > 0.5


@core_or_not
@types
@pytest.mark.parametrize("sparse", [True, False])
def test_rowwise_adagrad_by_hand(core, dtype, sparse):
    table = nn.Embedding(ENTITIES, DIM, sparse=sparse, dtype=dtype)
    bias = nn.Parameter(torch.ones(DIM, dtype=dtype))
    optimizer = RowwiseAdagrad([table.weight, bias], tables=[table.weight], lr=0.1)
    weight, total = table.weight.detach().clone(), torch.zeros(ENTITIES, dtype=dtype)
    for ids in ([1, 4, 9], [4, 9, 30]):
        optimizer.zero_grad()
        (table(torch.tensor(ids)) * torch.arange(DIM) * bias).sum().backward()
        gradient = torch.zeros_like(weight)
        gradient[ids] = torch.arange(DIM, dtype=dtype) * bias.detach()
        optimizer.step()
        total += gradient.square().mean(dim=1)
        weight -= 0.1 * gradient / (total.sqrt() + 1e-10)[:, None]
        assert_same((table.weight.detach(),), (weight,), dtype)
    assert_same((optimizer.state[table.weight]["sum"],), (total,), dtype)
    assert optimizer.state[bias]["sum"].shape == (DIM,)


@core_or_not
@pytest.mark.parametrize(
    "make",
    [
        lambda p: Adam(p, lr=0.05, fused=True),
        lambda p: LazyAdam(p, lr=0.05),
        lambda p: Adagrad(p, lr=0.05, lr_decay=0.1),
        lambda p: RowwiseAdagrad(p, tables=p[:1], lr=0.05),
    ],
    ids=["adam", "lazy_adam", "adagrad", "rowwise_adagrad"],
)
def test_resumed_is_unbroken_bit_for_bit(core, make, tmp_path):
    options = {"sparse": True, "dtype": torch.float32}
    whole, _ = train(make, steps=6, **options)
    half, optimizer = train(make, steps=3, **options)
    torch.save(optimizer.state_dict(), tmp_path / "state")
    state = torch.load(tmp_path / "state", weights_only=True)
    resumed, _ = train(make, steps=3, first=3, state=state, weights=half, **options)
    for a, b in zip(whole, resumed, strict=True):
        assert torch.equal(a, b)


def test_threads_do_not_change_a_step():
    results = []
    for threads in (1, 2):
        before = torch.get_num_threads()
        torch.set_num_threads(threads)
        torch.manual_seed(0)
        table = nn.Embedding(3000, 64, sparse=True)
        optimizer = Adam([table.weight], lr=0.1)
        table(torch.arange(0, 3000, 3)).square().sum().backward()
        optimizer.step()
        torch.set_num_threads(before)
        results.append(table.weight.detach())
    assert torch.equal(*results)


def test_a_closure_is_called_once_and_gradients_stay():
    table = nn.Embedding(ENTITIES, DIM, sparse=True)
    optimizer = Adam([table.weight], lr=0.1)
    calls = []

    def closure():
        loss = table(torch.tensor([1, 2])).sum()
        loss.backward()
        calls.append(loss)
        return loss

    assert optimizer.step(closure) is calls[0]
    assert len(calls) == 1
    assert table.weight.grad.is_sparse
