"""What runs on a GPU uses tensors and kernels of the GPU, though none is there.

The way back is tried on the meta device, in tests/contracts/test_no_waiting.py.
"""

import pytest
import torch

from openke import _native
from openke.config import Trainer
from openke.data import TrainDataLoader
from openke.data.batch import RELATION
from openke.data.query_data_loader import QueryDataLoader
from openke.data.store import SPLITS
from openke.data.type_constraint import TypeConstraint
from openke.evaluation.candidates import Candidates
from openke.evaluation.device_ranker import DeviceRanker
from openke.evaluation.queries import Queries, score_queries
from openke.module.loss import LOSSES
from openke.module.loss.query_losses import QUERY_LOSSES
from openke.module.scoring.all_entities import encode_all
from openke.module.strategy import MMRNS, KVsAll, NegativeSampling, OneVsAll
from openke.training.optimizers import OPTIMIZERS
from openke.training.optimizers.row_gradients import RowGradient, _without_asking
from openke.training.precision import PRECISIONS, casting, tensor_cores
from tests.contracts.fake_gpu import CUDA, fake_gpu
from tests.contracts.graphs import (
    BATCHES,
    CASES,
    ENTITIES,
    MODELS,
    RELATIONS,
    WAITING,
    build,
    graph,
)
from tests.contracts.test_no_waiting import CHOOSING, make_loss

pytestmark = pytest.mark.slow

REGISTERED = [case for case in CASES if case in MODELS]
READY = [case for case in REGISTERED if case not in WAITING]
ALONE = [case for case in READY if not build(case).projects_entities]
"""Models that score all entities without counting how many queries ask each relation."""


def sampling(case, shape="mixed", loss="SigmoidLoss"):
    loader = TrainDataLoader(graph(), batch_size=16, **BATCHES[shape])
    strategy = NegativeSampling(build(case), make_loss(loss), regul_rate=0.1)
    loader.prepare(strategy.prepare, pin=False)
    return strategy, loader


def on_gpu(strategy, loader, method="adam", **options):
    return Trainer(
        *(strategy, loader, 1, 0.05),
        **{"opt_method": method, "device": "cuda", "progress": False, **options},
    )


def step(strategy, loader, *arguments, **options):
    """Compute the loss of a batch, and step on a gradient of zeros."""
    batch = next(iter(loader.epoch(0)))
    with fake_gpu():
        trainer = on_gpu(strategy, loader, *arguments, **options)
        at = trainer.precision, trainer.device
        with tensor_cores(*at), casting(*at):
            assert trainer._objective(batch.to(trainer.device)).device == CUDA
        for parameter in strategy.parameters():
            assert parameter.device == CUDA
            parameter.grad = torch.zeros_like(parameter)
        trainer.optimizer.step()
    return trainer


@pytest.mark.parametrize("precision", PRECISIONS)
@pytest.mark.parametrize("case", READY)
def test_every_model_is_trained_there(case, precision):
    step(*sampling(case), precision=precision)


@pytest.mark.parametrize("shape", BATCHES)
def test_every_batch_is_there(shape):
    step(*sampling("LBMKGC", shape))


@pytest.mark.parametrize("loss", LOSSES)
def test_every_loss_is_computed_there(loss):
    step(*sampling("RotatE", loss=loss))


@pytest.mark.parametrize("name", CHOOSING)
def test_every_choice_of_negatives_is_made_there(name):
    strategy, loader = CHOOSING[name](), TrainDataLoader(graph(), batch_size=16, neg_ent=4)
    loader.prepare(strategy.prepare, pin=False)
    batch = next(iter(loader.epoch(0)))
    with fake_gpu():
        trainer = on_gpu(strategy, loader)
        for moved in trainer._turns:
            assert moved.turn.loss(batch.to(trainer.device)).device == CUDA


@pytest.mark.parametrize("blocks", ["one block", "blocks"])
def test_draws_of_like_entities_are_made_there(blocks, monkeypatch):
    """MMRNS waits for the device once, to learn how often each relation is there."""
    if blocks == "blocks":
        monkeypatch.setattr("lbmkgc_models.model.mmrns.BLOCK", 1)
    strategy = MMRNS(build("MMRNS"), make_loss("SigmoidLoss"), draws=4)
    options = {"negatives": "shared", "sampling_mode": "cross", "weights": "frequency"}
    loader = TrainDataLoader(graph(), batch_size=16, neg_ent=12, **options)
    loader.prepare(strategy.prepare, pin=False)
    batch = next(iter(loader.epoch(0)))
    distinct, counts = batch.positive[:, RELATION].unique(return_counts=True)
    assert len(distinct) > 1
    monkeypatch.setattr(torch, "unique_consecutive", lambda *_, **__: (distinct.to(CUDA), counts))
    with fake_gpu():
        (moved,) = on_gpu(strategy, loader)._turns
        assert moved.turn.loss(batch.to(CUDA)).device == CUDA


def queries(case, strategy=OneVsAll, loss="softmax", **options):
    loader = QueryDataLoader(graph(), batch_size=16, targets=strategy.targets)
    return strategy(build(case), loss, **options), loader


@pytest.mark.parametrize("precision", PRECISIONS)
@pytest.mark.parametrize("case", ALONE)
def test_every_model_answers_all_queries_there(case, precision):
    step(*queries(case), precision=precision)


@pytest.mark.parametrize("loss", QUERY_LOSSES)
@pytest.mark.parametrize("strategy", [OneVsAll, KVsAll])
def test_every_objective_over_all_entities_is_there(strategy, loss):
    step(*queries("ComplEx", strategy, loss, label_smoothing=0.1, relation_prediction=0.5))


@pytest.mark.parametrize("method", OPTIMIZERS)
def test_every_optimiser_steps_there(method):
    trainer = step(*sampling("TransD"), method)
    for state in trainer.optimizer.state.values():
        assert all(x.device == CUDA or not x.dim() for x in state.values())


@pytest.mark.parametrize("method", ["adam", "adagrad", "lazy_adam", "rowwise_adagrad"])
def test_rows_are_stepped_there(method):
    strategy, loader = sampling("RotatE")
    with fake_gpu(), torch.no_grad():
        trainer = on_gpu(strategy, loader, method)
        table = trainer.strategy.model.ent_embeddings.weight
        (group,) = trainer.optimizer.param_groups
        ids, rows = torch.zeros(5, dtype=torch.int64, device=CUDA), torch.zeros_like(table[:5])
        gradient = _without_asking(ids, rows)
        assert gradient.ids.device == gradient.rows.device == CUDA
        trainer.optimizer.step_rows(group, table, RowGradient(*gradient))


@pytest.mark.parametrize("slot", ["head", "relation", "tail"])
@pytest.mark.parametrize("case", ALONE)
def test_every_model_is_evaluated_there(case, slot):
    model, store = build(case), graph()
    asked = Queries.of(store.triples("test"), slot)
    constraint = None if slot == "relation" else TypeConstraint.of(store)
    candidates = Candidates.of(store, slot, asked, SPLITS, constraint)
    with fake_gpu(), torch.no_grad():
        model = model.to(CUDA)
        first, second = torch.from_numpy(asked.distinct[:3]).to(CUDA).unbind(dim=1)
        scores = score_queries(model, slot, first, second, encode_all(model))
        assert scores.device == CUDA
        assert scores.shape == (3, RELATIONS if slot == "relation" else ENTITIES)
        ranker = DeviceRanker(asked, candidates, CUDA)
        ranker.count(0, scores)
        assert ranker.counts.device == ranker.nan.device == CUDA


REFUSED = {
    "a table of the host": lambda x: x + torch.ones(3),
    "rows by the host": lambda x: x[torch.tensor([0, 1])],
    "a value": lambda x: x.sum().item(),
    "an array": lambda x: x.cpu().tolist(),
    "the core": lambda x: _native.call("rank"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_not_there_is_noticed(name):
    with fake_gpu(), pytest.raises((AssertionError, RuntimeError)):
        REFUSED[name](torch.ones(3).to(CUDA))
