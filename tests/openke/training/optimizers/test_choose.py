"""Which tables hand over rows, and that training with them is training without."""

import pytest
import torch

from openke.config import Trainer
from openke.data import TrainDataLoader
from openke.module.loss import SigmoidLoss
from openke.module.model import Model
from openke.module.strategy import NegativeSampling
from openke.training.optimizers import (
    OPTIMIZERS,
    gradients_by_row,
    make_optimizer,
    tables_by_row,
)
from openke.training.optimizers.choose import FUSED, has_fused_step
from tests.contracts.graphs import BATCHES, CASES, build, first_batch, graph

CPU, CUDA = torch.device("cpu"), torch.device("cuda")


def strategy(case="RotatE"):
    return NegativeSampling(build(case), SigmoidLoss(), regul_rate=0.1, l3_regul_rate=0.01)


def names(strategy, method, device=CPU, weight_decay=0.0):
    moved = [p for p in strategy.parameters() if p.requires_grad]
    tables = tables_by_row(strategy, moved, method, device, weight_decay)
    return [name for name, module in strategy.named_modules() if module in tables]


def test_entity_tables_hand_over_rows_where_that_changes_nothing():
    for method in ("adam", "adagrad", "lazy_adam", "rowwise_adagrad"):
        assert names(strategy("TransD"), method) == ["model.ent_embeddings", "model.ent_transfer"]
    assert names(strategy(), "adam", weight_decay=0.1) == ["model.ent_embeddings"]
    assert names(strategy(), "adagrad", weight_decay=0.1) == []
    assert names(strategy(), "adam", CUDA) == []
    assert names(strategy(), "lazy_adam", CUDA) == ["model.ent_embeddings"]
    assert names(strategy(), "sgd") == names(strategy(), "adadelta") == []
    frozen = strategy()
    frozen.model.ent_embeddings.weight.requires_grad_(False)
    assert names(frozen, "adam") == []


class Foreign(Model):
    def __init__(self):
        super().__init__(23, 4)
        self.ent_embeddings = torch.nn.Embedding(23, 3)

    def forward(self, data):
        return self.ent_embeddings(data["batch_h"]).sum(dim=1)

    def predict(self, data):
        return self.forward(data)


def one_by_row(trained, method):
    return tables_by_row(trained, list(trained.parameters()), method, CPU, 0.0)


def test_a_model_of_openke_keeps_dense_gradients():
    assert names(NegativeSampling(Foreign(), SigmoidLoss()), "lazy_adam") == []


def test_a_step_is_fused_where_pytorch_has_that():
    for method in OPTIMIZERS:
        one = strategy()
        made = make_optimizer(list(one.parameters()), one_by_row(one, method), method, CPU, lr=0.1)
        assert bool(made.defaults.get("fused")) == (method in FUSED)
        assert not has_fused_step(method, torch.device("meta"))


@pytest.mark.parametrize("where", ["__init__", "step"])
def test_a_step_is_not_fused_where_pytorch_refuses(where, monkeypatch):
    """As PyTorch 2.11 refuses Adagrad on CUDA: when it is made, or at its first step."""
    ordinary = getattr(torch.optim.Adagrad, where)

    def refuse(self, *arguments, **options):
        if options.get("fused") or getattr(self, "defaults", {}).get("fused"):
            raise RuntimeError("`fused=True` is not supported for Adagrad on CUDA")
        return ordinary(self, *arguments, **options)

    monkeypatch.setattr(torch.optim.Adagrad, where, refuse)
    for method in ("adagrad", "rowwise_adagrad"):
        one = strategy()
        made = make_optimizer(list(one.parameters()), one_by_row(one, method), method, CPU, lr=0.1)
        assert not made.defaults["fused"]
        made.step()
    assert has_fused_step("adam", CPU)


def test_tables_are_as_before_after_a_step_that_fails():
    one = strategy()
    (table,) = one_by_row(one, "adam")

    def fail():
        with gradients_by_row([table]):
            assert table.sparse
            raise KeyError

    with pytest.raises(KeyError):
        fail()
    assert not table.sparse


@pytest.mark.parametrize(
    ("case", "shape"),
    [(case, "mixed") for case in CASES]
    + [(case, shape) for case in ("RotatE", "TransD", "LBMKGC") for shape in BATCHES],
)
@pytest.mark.parametrize("method", ["adam", "adagrad"])
def test_steps_by_row_are_dense_steps(case, shape, method):
    trained = {}
    for by_row in (True, False):
        trainer = Trainer(
            *(strategy(case).double(), loader(shape), 1, 0.05),
            **{"opt_method": method, "device": "cpu", "progress": False},
        )
        without = "without structural" in case or case.startswith("TransAE")
        assert bool(trainer._turns[0].tables) != without
        if not by_row:
            trainer._turns = [trainer._turns[0]._replace(tables=[])]
        for batch in loader(shape).epoch(0):
            trainer._step(batch)
        trained[by_row] = trainer.strategy.state_dict()
    for name, value in trained[True].items():
        torch.testing.assert_close(value, trained[False][name], rtol=1e-7, atol=1e-8)


def loader(shape="mixed"):
    return TrainDataLoader(graph(), batch_size=16, **BATCHES[shape])


@pytest.mark.parametrize("method", OPTIMIZERS)
def test_every_optimiser_trains_and_resumes_bit_for_bit(method, tmp_path):
    def trainer(epochs):
        return Trainer(
            strategy("LBMKGC"),
            loader(),
            epochs,
            0.05,
            opt_method=method,
            device="cpu",
            progress=False,
        )

    whole = trainer(4)
    losses = whole.run().losses
    assert losses[-1] < losses[0]
    first = trainer(2)
    first.run()
    first.save(tmp_path / "a.ckpt")
    second = trainer(4)
    second.resume(tmp_path / "a.ckpt")
    second.run()
    for name, value in whole.strategy.state_dict().items():
        assert torch.equal(second.strategy.state_dict()[name], value), name


def test_a_batch_hands_over_its_distinct_entities():
    trained = strategy()
    batch = first_batch("mixed")
    tables = one_by_row(trained, "adam")
    with gradients_by_row(tables):
        NegativeSampling(trained.model, SigmoidLoss())(batch).backward()
    assert torch.equal(tables[0].weight.grad._indices()[0], batch.entities)
