"""A training step never waits for the device, for every registered model and shape of batch.

On the meta device tensors have no values: asking for one, or for a size that follows from values,
cannot be answered there. What PyTorch would let pass is refused by a dispatch mode: also a tensor
of the host among those of the device, and the package's own operators run as they do on a GPU.
"""

import inspect
from functools import partial
from itertools import product

import pytest
import torch
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from openke.config import Trainer
from openke.data import TrainDataLoader
from openke.data.query_data_loader import QueryDataLoader
from openke.data.store import SPLITS
from openke.data.type_constraint import TypeConstraint
from openke.evaluation.candidates import Candidates
from openke.evaluation.device_ranker import DeviceRanker
from openke.evaluation.queries import Queries
from openke.kernels import compare_operators, compare_reference, loss_operators
from openke.kernels.compare_reference import KINDS, Sides
from openke.module.loss import LOSSES
from openke.module.loss.query_losses import QUERY_LOSSES
from openke.module.penalty import PENALTIES
from openke.module.strategy import (
    KBGAN,
    MANS,
    MAT,
    AdversarialNoise,
    KVsAll,
    NegativeSampling,
    OneVsAll,
)
from openke.module.strategy.query_blocks import LOGITS_BYTES
from openke.training.optimizers import OPTIMIZERS
from tests.contracts.combinations import combined, on_batches
from tests.contracts.graphs import BATCHES, CASES, ENTITIES, WAITING, build, graph, reciprocal

pytestmark = pytest.mark.slow

META = torch.device("meta")
WAITS = {
    *("_local_scalar_dense", "is_nonzero", "equal", "nonzero", "masked_select", "bincount"),
    *("_unique", "_unique2", "unique_dim", "unique_consecutive", "unique_dim_consecutive"),
    *("_coalesce", "_assert_async", "histc"),
}
"""Operators whose result, or its size, has to be fetched from the device."""
KERNELS = {
    operator._opoverload: operator._init_fn
    for module in (compare_operators, loss_operators)
    for operator in vars(module).values()
    if isinstance(operator, torch.library.CustomOpDef)
}
"""The package's own operators, of which a meta tensor would meet nothing but the shape."""


class WaitedError(AssertionError):
    pass


class NoWaiting(TorchDispatchMode):
    """Raises where an operator on ``device`` waits for it, or copies to or from the host."""

    def __init__(self, device: str = "meta"):
        super().__init__()
        self.device = device

    def here(self, values):
        return [x for x in tree_leaves(values) if isinstance(x, torch.Tensor)]

    def on_device(self, values):
        return any(x.device.type == self.device for x in self.here(values))

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        kwargs = kwargs or {}
        name = func.overloadpacket.__name__
        inside = self.on_device((args, kwargs))
        if inside and name in WAITS:
            raise WaitedError(name)
        if inside and name.startswith(("index", "index_put")) and len(args) > 1:
            masks = [x for x in self.here(args[1]) if x.dtype in (torch.bool, torch.uint8)]
            if masks:
                raise WaitedError(f"{name} by a mask")
        if inside and name == "repeat_interleave" and kwargs.get("output_size") is None:
            raise WaitedError(name)
        given = self.here((args, kwargs))
        if func in KERNELS and inside:
            with self:
                return KERNELS[func](*args, **kwargs)
        result = func(*args, **kwargs)
        if given and self.device != "cpu":
            # A number of the host may meet tensors of the device, rows may not.
            kinds = {x.device.type for x in given if x.dim() or x.device.type == self.device}
            if name in ("_to_copy", "copy_", "to"):
                kinds = {x.device.type for x in [*given, *self.here(result)]}
            if len(kinds) > 1:
                raise WaitedError(f"{name} between {' and '.join(sorted(kinds))}")
        return result


def make_loss(name):
    """Return a loss, self-adversarial where it can be."""
    known = inspect.signature(LOSSES[name]).parameters
    return LOSSES[name](**({"adv_temperature": 1.0} if "adv_temperature" in known else {}))


def step(case, shape, method="adam", loss="SigmoidLoss", steps=1):
    loader = TrainDataLoader(graph(), batch_size=16, **BATCHES[shape])
    model = build(case)
    strategy = NegativeSampling(model, make_loss(loss), regul_rate=0.1)
    loader.prepare(strategy.prepare, pin=False)
    trainer = Trainer(strategy, loader, 1, 0.05, opt_method=method, device=META, progress=False)
    batches = list(loader.epoch(0))[:steps]
    for batch in [batch.to(META) for batch in batches]:
        with NoWaiting():
            loss = trainer._step(batch)
        assert loss.device == META


@on_batches([case for case in CASES if case not in WAITING], BATCHES)
def test_no_model_waits(case, shape):
    step(case, shape)


@pytest.mark.parametrize("method", OPTIMIZERS)
def test_no_optimiser_waits(method):
    """The second step finds the optimiser's state."""
    step("LBMKGC", "mixed", method, steps=2)
    step("TransD", "mixed", method, steps=2)


@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("shape", ["mixed", "shared mixed"])
def test_no_loss_waits(loss, shape):
    step("RotatE", shape, loss=loss)


CHOOSING = {
    "KBGAN": lambda: KBGAN(build("RotatE"), make_loss("SigmoidLoss"), unit_ball=True),
    **{
        f"MANS {schedule}": partial(
            lambda given: MANS(build("IKRL"), make_loss("MarginLoss"), schedule=given), schedule
        )
        for schedule in "VTHA"
    },
    "MAT": lambda: MAT(build("AdaMF"), make_loss("SigmoidLoss")),
    "noise": lambda: AdversarialNoise(
        build("MMKRL"), make_loss("SigmoidLoss"), auxiliary={"alignment": 0.1}
    ),
}
"""Objectives that choose or make negatives."""


@pytest.mark.parametrize("name", CHOOSING)
def test_no_choice_of_negatives_waits(name):
    strategy, loader = CHOOSING[name](), TrainDataLoader(graph(), batch_size=16, neg_ent=4)
    loader.prepare(strategy.prepare, pin=False)
    trainer = Trainer(strategy, loader, 1, 0.05, opt_method="adam", device=META, progress=False)
    for batch in [batch.to(META) for batch in list(loader.epoch(0))[:2]]:
        with NoWaiting():
            assert trainer._step(batch).device == META


@combined(
    [case for case in CASES if not build(case).projects_entities],
    **{"strategy": [OneVsAll, KVsAll], "loss": QUERY_LOSSES},
    most=[LOGITS_BYTES, 4 * 3 * ENTITIES],
)
def test_no_query_waits(case, strategy, loss, most, monkeypatch):
    # A model that projects entities waits: its blocks are of one relation, as many as the batch
    # happens to ask.
    # So do mentions: of the pairs there are, as many concern the known entities as happens.
    if case in WAITING or case.endswith("mentions"):
        return
    monkeypatch.setattr("openke.module.strategy.query_blocks.LOGITS_BYTES", most)
    loader = QueryDataLoader(graph(), batch_size=16, targets=strategy.targets)
    objective = strategy(build(case), loss)
    trainer = Trainer(objective, loader, 1, 0.05, opt_method="adam", device=META, progress=False)
    batch = next(loader.epoch(0)).to(META)
    with NoWaiting():
        assert trainer._step(batch).device == META


@pytest.mark.parametrize("penalty", PENALTIES)
@pytest.mark.parametrize("make", [build, reciprocal])
def test_no_penalty_waits(make, penalty):
    loader = QueryDataLoader(graph(), batch_size=16)
    objective = OneVsAll(make("ComplEx"), penalty=PENALTIES[penalty](0.1), relation_prediction=0.5)
    trainer = Trainer(objective, loader, 1, 0.05, opt_method="adam", device=META, progress=False)
    batch = next(loader.epoch(0)).to(META)
    with NoWaiting():
        assert trainer._step(batch).device == META


@pytest.mark.parametrize("gated", [False, True])
@pytest.mark.parametrize("kind", KINDS)
def test_no_kernel_outside_the_core_waits(kind, gated):
    table, query = torch.randn(5, 6), torch.randn(3, 6)
    sides = Sides(query, table, table + 1 if gated else None, torch.rand(3) if gated else None)
    index = torch.tensor([0, 1, 2, 2]), torch.tensor([4, 0, 1, 1])
    with NoWaiting("cpu"):
        compare_reference.pairs(kind, sides, *index)
        compare_reference.pairs_backward(kind, sides, *index, torch.randn(4))
        compare_reference.every(kind, sides)
        compare_reference.every_backward(kind, sides, torch.randn(3, 5))


@pytest.mark.parametrize("slot", ["head", "relation", "tail"])
@pytest.mark.parametrize("constrained", [False, True])
def test_no_ranking_waits(slot, constrained):
    store = graph()
    asked = Queries.of(store.triples("test"), slot)
    constraint = TypeConstraint.of(store) if constrained and slot != "relation" else None
    candidates = Candidates.of(store, slot, asked, SPLITS, constraint)
    for device in (META, torch.device("cpu")):
        ranker = DeviceRanker(asked, candidates, device)
        for start in range(0, len(asked.distinct), 5):
            scores = torch.zeros(len(asked.distinct[start : start + 5]), candidates.width)
            scores = scores.to(device)
            with NoWaiting(device.type):
                ranker.count(start, scores)


REFUSED = {
    "item": lambda x: x.sum().item(),
    "bool": lambda x: bool(x.any()),
    "nonzero": lambda x: x.nonzero(),
    "unique": lambda x: x.unique(),
    "mask": lambda x: x[x > 0],
    "fill by mask": lambda x: x.index_put_((x > 0,), torch.ones(())),
    "to the host": lambda x: x.cpu(),
    "from the host": lambda x: torch.zeros(3).to(x.device),
    "rows by the host": lambda x: x[torch.tensor([0, 1])],
    "product with the host": lambda x: x @ torch.ones(3),
    "list": lambda x: x.tolist(),
    "repeats": lambda x: x.repeat_interleave(torch.ones_like(x, dtype=torch.int64)),
}


@pytest.mark.parametrize(("name", "device"), list(product(REFUSED, ["meta", "cpu"])))
def test_what_waits_is_noticed(name, device):
    if device == "cpu" and ("host" in name or name == "list"):
        return  # the host is no other device
    x = torch.ones(3, device=device)
    with NoWaiting(device), pytest.raises((WaitedError, RuntimeError, NotImplementedError)):
        REFUSED[name](x)
