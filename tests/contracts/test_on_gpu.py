"""On a real GPU every model trains, ranks and is resumed as on the CPU; skipped without one."""

from __future__ import annotations

import copy

import numpy as np
import pytest
import torch

from openke.config import Tester, Trainer
from openke.data import TestDataLoader, TrainDataLoader
from openke.data.query_data_loader import QueryDataLoader
from openke.kernels import KINDS, compare_all, compare_pairs
from openke.module.loss import LOSSES
from openke.module.loss.query_losses import QUERY_LOSSES
from openke.module.strategy import KVsAll, NegativeSampling, OneVsAll
from openke.training.callback import Callback
from openke.training.optimizers import OPTIMIZERS
from openke.training.precision import PRECISIONS
from tests.contracts.graphs import BATCHES, CASES, build, graph, reciprocal
from tests.contracts.test_fake_gpu import CHOOSING
from tests.contracts.test_no_waiting import make_loss

pytestmark = pytest.mark.skipif(not torch.cuda.is_available(), reason="needs an NVIDIA GPU")

CLOSE = {"rtol": 2e-3, "atol": 2e-4}
"""A sum in another order differs by rounding, which a step hands on."""
CALM = ("sgd", 0.02)
"""An optimiser whose step is no more than proportional to a rounding error."""


def sampled(model, shape="mixed", loss="SigmoidLoss"):
    loader = TrainDataLoader(graph(), batch_size=16, seed=3, **BATCHES[shape])
    return NegativeSampling(model, make_loss(loss), regul_rate=0.1), loader


def asked(model, strategy=OneVsAll, loss="softmax", **options):
    loader = QueryDataLoader(graph(), batch_size=16, targets=strategy.targets, seed=3)
    return strategy(model, loss, **options), loader


def losses(strategy, loader, device, method="sgd", rate=0.02, epochs=3, recorded=False, **options):
    """Train, and return the loss of each epoch."""
    torch.manual_seed(5)
    options = {"precision": "float32-ieee", "progress": False, **options}
    trainer = Trainer(strategy, loader, epochs, rate, opt_method=method, device=device, **options)
    trainer.run()
    if recorded:
        assert trainer._graphs.replayed > 0
    return [record["loss"] for record in trainer.history.records]


def metrics(model, device):
    return Tester(model, TestDataLoader(graph()), device=device, progress=False).rank("test")


def alike(strategy, loader, *arguments, **options):
    """Train the same twice, here and there; compare losses and weights."""
    there = copy.deepcopy(strategy)
    recorded = options.pop("recorded", False)
    here = losses(strategy, loader, "cpu", *arguments, **options)
    found = losses(there, loader, "cuda", *arguments, recorded=recorded, **options)
    assert found == pytest.approx(here, rel=5e-3)
    for mine, theirs in zip(strategy.parameters(), there.parameters(), strict=True):
        torch.testing.assert_close(theirs.cpu(), mine, **CLOSE)
    return there.model


def forgets(case):
    """Return whether a model draws random numbers in a training step."""
    return case in ("LBMKGC sum", "LBMKGC mean", "LBMKGC gated") or case.startswith(
        ("VISTA", "MyGO", "IMF", "TuckER", "LBMKGC TuckER", "OTKGE", "MMRNS")
    )


@pytest.mark.parametrize("case", CASES)
def test_every_model_is_trained_and_ranked_alike(case):
    strategy, loader = sampled(build(case))
    if forgets(case):
        assert np.isfinite(losses(strategy, loader, "cuda")).all()
        model = strategy.model
    else:
        model = alike(strategy, loader)
    there = metrics(model, "cuda")
    here = metrics(model, "cpu")
    assert there.metrics()["mrr"] == pytest.approx(here.metrics()["mrr"], abs=0.02)
    assert np.array_equal(there.candidates, here.candidates)


@pytest.mark.parametrize("case", [case for case in CASES if not case.endswith("mentions")])
def test_every_model_answers_all_queries_alike(case):
    strategy, loader = asked(build(case))
    if forgets(case):
        assert np.isfinite(losses(strategy, loader, "cuda")).all()
    else:
        alike(strategy, loader)


@pytest.mark.parametrize("shape", BATCHES)
@pytest.mark.parametrize("case", ["RotatE", "ComplEx", "TransR", "LBMKGC"])
def test_every_batch_is_trained_alike(case, shape):
    alike(*sampled(build(case), shape), recorded=case != "TransR")


@pytest.mark.parametrize("loss", LOSSES)
def test_every_loss_is_alike(loss):
    alike(*sampled(build("RotatE"), loss=loss), recorded=True)


@pytest.mark.parametrize("loss", QUERY_LOSSES)
@pytest.mark.parametrize("strategy", [OneVsAll, KVsAll])
def test_every_objective_over_all_entities_is_alike(strategy, loss):
    options = {"label_smoothing": 0.1, "relation_prediction": 0.5}
    alike(*asked(reciprocal("ComplEx"), strategy, loss, **options), recorded=strategy is OneVsAll)


@pytest.mark.parametrize("method", OPTIMIZERS)
@pytest.mark.parametrize("case", ["RotatE", "TransD", "LBMKGC"])
def test_every_optimiser_steps_alike(method, case):
    there, loader = sampled(build(case))
    here = copy.deepcopy(there)
    expected = losses(here, loader, "cpu", method, 0.01)
    found = losses(there, loader, "cuda", method, 0.01, recorded=case != "TransD")
    assert found == pytest.approx(expected, rel=2e-2)


@pytest.mark.parametrize("name", CHOOSING)
def test_every_choice_of_negatives_trains(name):
    loader = TrainDataLoader(graph(), batch_size=16, neg_ent=4)
    assert np.isfinite(losses(CHOOSING[name](), loader, "cuda", "adam", 0.01)).all()


@pytest.mark.parametrize("precision", PRECISIONS)
@pytest.mark.parametrize("case", ["RotatE", "ComplEx", "TransR", "LBMKGC", "LBMKGC gated"])
def test_every_precision_trains_there(case, precision):
    for strategy, loader in (sampled(build(case)), asked(build(case))):
        found = losses(strategy, loader, "cuda", "adam", 0.01, precision=precision)
        assert np.isfinite(found).all()


@pytest.mark.parametrize("case", ["RotatE", "ComplEx", "LBMKGC"])
def test_a_compiled_step_is_alike(case):
    strategy, loader = sampled(build(case))
    plain = copy.deepcopy(strategy)
    expected = losses(plain, loader, "cuda", *CALM)
    assert losses(strategy, loader, "cuda", *CALM, compile=True) == pytest.approx(
        expected, rel=5e-3
    )


@pytest.mark.parametrize("method", ["adam", "adagrad", "lazy_adam", "rowwise_adagrad", "sgd"])
def test_a_resumed_training_ends_alike(method, tmp_path):
    whole, loader = sampled(build("LBMKGC"))
    part = copy.deepcopy(whole)
    expected = losses(whole, loader, "cuda", method, 0.01, epochs=4)
    options = {"opt_method": method, "device": "cuda", "progress": False}
    options["precision"] = "float32-ieee"
    torch.manual_seed(5)
    first = Trainer(part, loader, 2, 0.01, **options)
    first.run()
    first.save(tmp_path / "half.ckpt")
    again = Trainer(sampled(build("LBMKGC"))[0], loader, 4, 0.01, **options)
    again.resume(tmp_path / "half.ckpt")
    again.run()
    found = [record["loss"] for record in again.history.records]
    assert found == pytest.approx(expected, rel=1e-4)


@pytest.mark.parametrize("gated", [False, True])
@pytest.mark.parametrize("kind", KINDS)
def test_kernels_are_alike(kind, gated):
    torch.manual_seed(1)
    query, table, modal = torch.randn(37, 70), torch.randn(301, 70), torch.randn(301, 70)
    table[5] = query[3]
    gate = torch.rand(37)
    q, c = torch.randint(37, (999,)), torch.randint(301, (999,))
    q[7], c[7] = 3, 5
    found = {}
    for device in ("cpu", "cuda"):
        sides = [x.to(device, copy=True).requires_grad_() for x in (query, table, modal, gate)]
        extra = {"modal": sides[2], "gate": sides[3]} if gated else {}
        pairs = compare_pairs(kind, *sides[:2], q.to(device), c.to(device), **extra)
        every = compare_all(kind, *sides[:2], **extra)
        (pairs.sin().sum() + every.sin().sum()).backward()
        found[device] = [pairs, every, *(x.grad for x in sides if x.grad is not None)]
    for here, there in zip(found["cpu"], found["cuda"], strict=True):
        torch.testing.assert_close(there.cpu(), here, rtol=1e-3, atol=1e-3)


@pytest.mark.parametrize("case", ["RotatE", "LBMKGC", "LBMKGC gated"])
def test_a_recorded_step_is_the_step(case, monkeypatch):
    strategy, loader = sampled(build(case))
    plain = copy.deepcopy(strategy)
    recorded = losses(strategy, loader, "cuda", "adam", 0.01, recorded=True)
    monkeypatch.setenv("OPENKE_GRAPHS", "never")
    assert losses(plain, loader, "cuda", "adam", 0.01) == pytest.approx(recorded, rel=1e-4)


def test_a_schedule_reaches_recorded_steps():
    strategy, loader = sampled(build("RotatE"))
    trainer = Trainer(strategy, loader, 8, 0.01, opt_method="adam", device="cuda", progress=False)
    kept = []

    class Stop(Callback):
        def on_epoch_end(self, trainer, record):
            if trainer.epoch == 5:
                assert trainer._graphs.replayed > 0
                kept.extend(parameter.clone() for parameter in strategy.parameters())
                for group in trainer.optimizer.param_groups:
                    group["lr"] = 0.0

    trainer.callbacks.append(Stop())
    trainer.run()
    assert all(map(torch.equal, kept, strategy.parameters()))
