"""A user's model written for OpenKE trains and ranks as OpenKE would, through one file."""

import subprocess
import sys

import numpy as np
import pytest
import torch

from openke.config import Tester, Trainer
from openke.data import TestDataLoader, TrainDataLoader
from openke.module.loss import LOSSES, MarginLoss, SigmoidLoss
from openke.module.model import DistMult, Model, RotatE, TransD, TransE, TransR
from openke.module.model.openke_adapter import Translated, in_house_form, training_data
from openke.module.scoring.all_entities import score_all
from openke.module.scoring.triples import score_relations, score_triples
from openke.module.strategy import NegativeSampling
from tests.contracts.graphs import BATCHES, ENTITIES, RELATIONS, first_batch, graph
from tests.openke.module.openke_models import Margined, Translation

CPU = {"device": "cpu", "progress": False}


def pair(kind=Translation, margin=None, p_norm=1):
    """Return a user's model and the house's TransE with the same tables."""
    torch.manual_seed(0)
    house = TransE(
        ENTITIES, RELATIONS, dim=6, p_norm=p_norm, norm_flag=False, margin=margin, epsilon=2.0
    )
    user = kind(ENTITIES, RELATIONS, dim=6, p_norm=p_norm)
    user.ent_embeddings.load_state_dict(house.ent_embeddings.state_dict())
    user.rel_embeddings.load_state_dict(house.rel_embeddings.state_dict())
    return user, house


def test_the_class_is_known_by_what_it_has():
    assert Translation.in_openke_form
    assert Margined.in_openke_form
    assert not TransE.in_openke_form
    assert not Translated.in_openke_form
    user, house = pair()
    assert in_house_form(house) is house
    assert isinstance(in_house_form(user), Translated)
    assert isinstance(user, Model)

    class Changed(TransE):
        def forward(self, data):
            return super().forward(data)

        def predict(self, data):
            return -self.forward(data)

    assert Changed.in_openke_form


def method(name):
    """Return a method of OpenKE's form."""
    if name == "_calc":
        return lambda self, h, t, r, mode: h
    return lambda self, data: data["batch_h"]


@pytest.mark.parametrize("base", [TransE, DistMult])
@pytest.mark.parametrize("name", ["_calc", "_transfer", "predict", "forward", "regularization"])
def test_what_openke_would_call_and_this_package_never_is_refused(base, name):
    with pytest.raises(
        TypeError, match=rf"^Mine.{name} is .* would never be called: {base.__name__}"
    ):
        type("Mine", (base,), {name: method(name)})
    if name not in ("forward", "predict"):
        whole = {kind: method(kind) for kind in (name, "forward", "predict")}
        assert type("Mine", (base,), whole).in_openke_form


def test_methods_of_the_house_may_be_overridden():
    class Penalised(TransE):
        def forward(self, batch):
            return super().forward(batch)

        def regularization(self, scores):
            return 2 * super().regularization(scores)

    class Helped(Penalised):
        def encode(self, entities):
            return self._transfer(super().encode(entities))

        def _transfer(self, rows):
            return rows

    assert not Penalised.in_openke_form
    assert not Helped.in_openke_form
    Helped(ENTITIES, RELATIONS)(first_batch("mixed"))


def test_predict_of_a_house_model_is_minus_its_score():
    user, house = pair(Margined, 4.0)
    everyone = np.arange(ENTITIES)
    one, r = np.array([3]), np.array([1])
    triples = (everyone, np.full(ENTITIES, 1), np.full(ENTITIES, 3))
    scores = score_triples(house, *(torch.from_numpy(ids) for ids in triples)).detach().numpy()
    data = {"batch_h": everyone, "batch_r": r, "batch_t": one, "mode": "head_batch"}
    found = house.predict(data)
    assert isinstance(found, np.ndarray)
    np.testing.assert_allclose(found, -scores, rtol=1e-6)
    tensors = {name: torch.from_numpy(data[name]) for name in data if name != "mode"}
    np.testing.assert_array_equal(house.predict({**tensors, "mode": "head_batch"}), found)
    np.testing.assert_allclose(  # the user's leaves the margin out
        user.predict({**tensors, "mode": "head_batch"}) - 4.0, found, rtol=1e-5, atol=1e-6
    )
    data = training_data(first_batch("tail"))
    blocks = score_triples(house, *(ids.t().reshape(-1) for ids in whole(first_batch("tail"))))
    np.testing.assert_allclose(house.predict(data), -blocks.detach().numpy(), rtol=1e-6)
    with pytest.raises(ValueError, match="found 3 of batch_h, 2 of batch_r, 3 of batch_t"):
        house.predict({"batch_h": [1, 2, 3], "batch_r": [0, 1], "batch_t": [1, 2, 3]})


def whole(batch):
    """Return heads, relations and tails of a batch, Int["b 1+k"] each."""
    return batch.head, batch.relation, batch.tail


def test_settings_are_openkes_attributes():
    model = TransE(ENTITIES, RELATIONS, dim=6, p_norm=2, margin=4.0, epsilon=2.0)
    assert (model.dim, model.p_norm, model.norm_flag) == (6, 2, True)
    assert (model.margin, model.epsilon, model.margin_flag) == (4.0, 2.0, True)
    assert not TransE(ENTITIES, RELATIONS).margin_flag
    assert (TransR(ENTITIES, RELATIONS, 5, 4).dim_e, TransD(ENTITIES, RELATIONS).dim_r) == (5, 100)
    rotate = RotatE(ENTITIES, RELATIONS, dim=5)
    assert (rotate.dim_e, rotate.dim_r, rotate.margin) == (10, 5, 6.0)
    with pytest.raises(AttributeError, match="p_norm"):
        _ = DistMult(ENTITIES, RELATIONS).p_norm
    model.margin = torch.nn.Parameter(torch.tensor([3.0]), requires_grad=False)
    assert "margin" in dict(model.named_parameters())
    assert Margined(ENTITIES, RELATIONS).margin == 4.0


def test_a_batch_answers_as_openkes_dict():
    batch = first_batch("head")
    data = training_data(batch)
    assert batch["mode"] == "head_batch"
    for name in set(data) - {"mode"}:
        assert torch.equal(batch[name], data[name])
    user, _ = pair()
    assert torch.equal(user(batch), user(data))


def test_a_house_model_that_lacks_a_step_is_still_refused():
    class Half(Model):
        def encode(self, entities):
            return {}

    with pytest.raises(TypeError, match="Half has no query and no match"):
        Half(ENTITIES, RELATIONS)


@pytest.mark.parametrize("shape", BATCHES)
def test_the_dict_holds_the_batch_in_blocks_positives_first(shape):
    batch = first_batch(shape)
    data = training_data(batch)
    b, columns = len(batch), batch.head.shape[1]
    assert data["mode"] == {"head": "head_batch", "tail": "tail_batch"}.get(
        shape.split()[-1], "normal"
    )
    assert data["batch_y"].tolist() == [1.0] * b + [-1.0] * (b * (columns - 1))
    for name, wanted in (("h", batch.head), ("r", batch.relation), ("t", batch.tail)):
        values = data[f"batch_{name}"]
        if len(values) == b:  # what the mode leaves as it is
            values = values.repeat(columns)
        assert torch.equal(values.view(columns, b).t(), wanted)
    replaced = {"head_batch": "batch_h", "tail_batch": "batch_t"}.get(data["mode"])
    if replaced:
        for name in {"batch_h", "batch_r", "batch_t"} - {replaced}:
            assert len(data[name]) == b
        assert len(data[replaced]) == b * columns


WEIGHED = ("MarginLoss", "SigmoidLoss", "SoftplusLoss")
"""OpenKE's losses, self-adversarial where one says so."""


@pytest.mark.parametrize("shape", BATCHES)
@pytest.mark.parametrize("loss", WEIGHED)
@pytest.mark.parametrize("temperature", [None, 2.0])
def test_a_batch_has_the_loss_it_has_in_the_house(shape, loss, temperature):
    kind, margin = (Translation, None) if loss == "MarginLoss" else (Margined, 4.0)
    user, house = pair(kind, margin)
    batch = first_batch(shape)
    losses = []
    for model in (user, house):
        strategy = NegativeSampling(model, LOSSES[loss](adv_temperature=temperature), 16, 0.5)
        losses.append(strategy(batch))
        losses[-1].backward()
    torch.testing.assert_close(losses[0], losses[1])
    for table in ("ent_embeddings", "rel_embeddings"):
        torch.testing.assert_close(
            getattr(user, table).weight.grad, getattr(house, table).weight.grad
        )


def test_the_cubes_are_the_models_own():
    user, house = pair(Margined, 4.0)
    losses = [
        NegativeSampling(model, SigmoidLoss(), l3_regul_rate=0.1)(first_batch("mixed"))
        for model in (user, house)
    ]
    torch.testing.assert_close(*losses)


@pytest.mark.parametrize("kind", [Translation, Margined])
def test_all_shapes_of_scoring_agree_with_the_house(kind):
    user, house = pair(kind, 4.0 if kind is Margined else None)
    seen = in_house_form(user)
    shift = 4.0 if kind is Margined else 0.0  # predict leaves the margin out
    generator = torch.Generator().manual_seed(0)
    head, tail = torch.randint(ENTITIES, (2, 9), generator=generator)
    relation = torch.randint(RELATIONS, (9,), generator=generator)
    for function, arguments in (
        (score_triples, (head, relation, tail)),
        (score_all, ("head", tail, relation)),
        (score_all, ("tail", head, relation)),
        (score_relations, (head, tail)),
    ):
        torch.testing.assert_close(
            function(seen, *arguments) + shift, function(house, *arguments).detach()
        )


@pytest.mark.parametrize("mode", ["normal", "cross"])
def test_training_and_ranking_are_those_of_the_house(mode):
    store = graph(triples=120)
    reports, tables = [], []
    for model in pair(p_norm=2):  # smooth, so that rounding does not grow
        loader = TrainDataLoader(store, batch_size=32, neg_ent=4, sampling_mode=mode)
        strategy = NegativeSampling(model, MarginLoss(margin=2.0), loader.get_batch_size())
        Trainer(strategy, loader, 5, 0.5, **CPU).run()
        tester = Tester(model, TestDataLoader(store), **CPU)
        reports.append((tester.rank("test"), tester.rank_relations("test")))
        tables.append(model.ent_embeddings.weight.detach())
    torch.testing.assert_close(*tables, atol=1e-5, rtol=1e-4)
    for user, house in zip(*reports, strict=True):
        for name, value in house.metrics().items():
            assert user.metrics()[name] == pytest.approx(value, rel=0.02)
    assert reports[0][0].model == "Translation"


def test_openkes_whole_way_of_a_script(tmp_path):
    store = graph(triples=120)
    train = TrainDataLoader(
        store, nbatches=4, threads=2, sampling_mode="normal", bern_flag=1, filter_flag=1,
        neg_ent=5, neg_rel=0,
    )  # fmt: skip
    mine = Translation(ent_tot=train.get_ent_tot(), rel_tot=train.get_rel_tot(), dim=6)
    model = NegativeSampling(
        model=mine, loss=MarginLoss(margin=4.0), batch_size=train.get_batch_size()
    )
    trainer = Trainer(
        model=model, data_loader=train, train_times=3, alpha=0.5, use_gpu=False,
        save_steps=1, checkpoint_dir=tmp_path,
    )  # fmt: skip
    trainer.run()
    mine.save_checkpoint(tmp_path / "mine.ckpt")
    again = Translation(train.get_ent_tot(), train.get_rel_tot(), 6)
    again.load_checkpoint(tmp_path / "mine.ckpt")
    assert torch.equal(again.ent_embeddings.weight, mine.ent_embeddings.weight)
    tester = Tester(model=again, data_loader=TestDataLoader(store, "link"), use_gpu=False)
    mrr, mr, *_ = tester.run_link_prediction(type_constrain=False)
    assert 0 < mrr < 1 < mr
    accuracy, threshold = tester.run_triple_classification()
    assert 0.4 < accuracy <= 1
    assert threshold < 0  # minus a distance


def test_a_run_of_another_shape_cannot_be_resumed(tmp_path):
    store = graph()

    def trainer(dim):
        loader = TrainDataLoader(store, batch_size=32)
        strategy = NegativeSampling(Translation(ENTITIES, RELATIONS, dim), MarginLoss())
        return Trainer(strategy, loader, 1, 0.1, **CPU)

    trainer(6).save(tmp_path / "a.ckpt")
    trainer(6).resume(tmp_path / "a.ckpt")
    with pytest.raises(ValueError, match=r"ent_embeddings.weight is \[23, 6\] there and \[23, 7\]"):
        trainer(7).resume(tmp_path / "a.ckpt")


class Silent(Model):
    def forward(self, data):
        return torch.zeros(3, requires_grad=True)


class Longwinded(Silent):
    def predict(self, data):
        return np.zeros(1 + len(data["batch_h"]))


def test_what_is_missing_or_wrong_is_said():
    batch = first_batch("mixed")
    with pytest.raises(ValueError, match=r"Silent.forward returned 3 scores, expected 128: one"):
        NegativeSampling(Silent(ENTITIES, RELATIONS), MarginLoss())(batch)
    for rate in ("regul_rate", "l3_regul_rate"):
        method = rate.replace("regul_rate", "regularization")
        model = in_house_form(Silent(ENTITIES, RELATIONS))
        with pytest.raises(ValueError, match=f"{rate} is not 0, but Silent has no {method}"):
            getattr(model, method)(*([None] if rate == "regul_rate" else []))
    triples = batch.positive.unbind(dim=1)
    with pytest.raises(ValueError, match=r"Silent has no predict\(data\), which evaluation calls"):
        score_triples(in_house_form(Silent(ENTITIES, RELATIONS)), *triples)
    with pytest.raises(ValueError, match=r"Longwinded.predict returned 17 scores, expected 16"):
        score_triples(in_house_form(Longwinded(ENTITIES, RELATIONS)), *triples)
    with pytest.raises(TypeError, match="Silent is written for OpenKE: ask in_house_form"):
        Silent(ENTITIES, RELATIONS).encode(torch.arange(3))
    with pytest.raises(TypeError, match="Silent is written for OpenKE: its tables are its own"):
        in_house_form(Silent(ENTITIES, RELATIONS)).relation_embeddings(torch.arange(3))
    with pytest.raises(ValueError, match="found a model of type Linear, expected a subclass"):
        NegativeSampling(torch.nn.Linear(2, 2), MarginLoss())(batch)


def test_the_constants_of_openkes_base_are_there():
    model = Translation(ENTITIES, RELATIONS)
    assert model.zero_const.item() == 0
    assert model.pi_const.item() == pytest.approx(np.pi)
    assert not any(name.endswith("const") for name, _ in model.named_parameters())
    assert "pi_const" not in TransE(ENTITIES, RELATIONS).state_dict()


IMPORTS = """
from openke.config import Trainer, Tester
from openke.module.model import TransE, Model
from openke.module.model.Model import Model as Same
from openke.module.BaseModule import BaseModule
from openke.module.loss import MarginLoss, SigmoidLoss, SoftplusLoss
from openke.module.strategy import NegativeSampling
from openke.data import TrainDataLoader, TestDataLoader
from openke.data.pytorch_train_data_loader import PyTorchTrainDataLoader
import openke.module.model
from openke.module.model.TransE import TransE as Deep
from openke.module.model.RESCAL import RESCAL
from openke.module.loss.Loss import Loss
from openke.module.loss.MarginLoss import MarginLoss as DeepLoss
from openke.module.loss.SoftplusLoss import SoftplusLoss as _
from openke.module.strategy.Strategy import Strategy
from openke.module.strategy.NegativeSampling import NegativeSampling as DeepSampling
from openke.data.TestDataLoader import TestDataLoader as DeepTest
from openke.data.TrainDataLoader import TrainDataLoader as DeepTrain
from openke.config.Trainer import Trainer as DeepTrainer
from openke.config.Tester import Tester as DeepTester
import importlib, openke.config, openke.data
for name in openke.module.model.MODELS:
    deep = importlib.import_module(f"openke.module.model.{name}")
    assert getattr(deep, name) is getattr(openke.module.model, name)
assert Deep is TransE and DeepLoss is MarginLoss and DeepSampling is NegativeSampling
assert DeepTrainer is openke.config.Trainer and DeepTester is Tester
assert DeepTrain is openke.data.TrainDataLoader is TrainDataLoader and DeepTest is TestDataLoader
assert Same is Model is openke.module.model.Model
assert issubclass(Model, BaseModule)
"""


def test_openkes_import_paths():
    done = subprocess.run([sys.executable, "-c", IMPORTS], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
