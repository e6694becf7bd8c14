"""Every objective with every optimiser and precision, and what does not fit said beforehand."""

import pytest
import torch

from openke.config import Trainer
from openke.data import TrainDataLoader
from openke.module.loss import MarginLoss, SigmoidLoss
from openke.module.loss.loss import Loss
from openke.module.model import DistMult, Reciprocal
from openke.module.strategy import KBGAN, MANS, MAT, MMRNS, AdversarialNoise, NegativeSampling
from openke.module.strategy.turn import Turn
from openke.training.optimizers import BY_ROW, OPTIMIZERS
from tests.contracts.graphs import ENTITIES, RELATIONS, build, graph, reciprocal

CPU = {"device": "cpu", "progress": False}
SHARED = {"neg_ent": 12, "negatives": "shared", "sampling_mode": "cross", "weights": "frequency"}
OBJECTIVES = {
    "KBGAN": (lambda model: KBGAN(model, SigmoidLoss()), "TransE", {"one_slot": True}),
    "KBGAN fused": (lambda model: KBGAN(model, SigmoidLoss(), pretrain=0.5), "LBMKGC", {}),
    "MANS": (lambda model: MANS(model, MarginLoss()), "IKRL", {}),
    "MANS A": (lambda model: MANS(model, MarginLoss(), schedule="A"), "IKRL", {}),
    "MAT": (lambda model: MAT(model, SigmoidLoss(1.0)), "AdaMF", {}),
    "noise": (
        lambda model: AdversarialNoise(model, SigmoidLoss(), auxiliary={"alignment": 0.1}),
        "MMKRL",
        {},
    ),
    "MMRNS": (lambda model: MMRNS(model, SigmoidLoss(0.5), draws=3), "MMRNS", SHARED),
    "reconstruction": (
        lambda model: NegativeSampling(model, MarginLoss(), auxiliary={"reconstruction": 1.0}),
        "TransAE",
        {},
    ),
}


def trainer(name, method="adam", make=build, **options):
    strategy, case, batches = OBJECTIVES[name]
    torch.manual_seed(0)
    loader = TrainDataLoader(graph(), batch_size=16, **{"neg_ent": 6, **batches})
    return Trainer(strategy(make(case)), loader, 2, 0.01, opt_method=method, **options, **CPU)


def finite(training):
    return all(torch.isfinite(values).all() for values in training.strategy.state_dict().values())


@pytest.mark.parametrize("method", OPTIMIZERS)
@pytest.mark.parametrize("name", OBJECTIVES)
def test_every_objective_trains_by_every_optimiser(name, method):
    training = trainer(name, method)
    before = {n: p.clone() for n, p in training.strategy.named_parameters() if p.requires_grad}
    training.run()
    assert finite(training)
    after = dict(training.strategy.named_parameters())
    still = [n for n, p in before.items() if torch.equal(p, after[n])]
    assert not still, f"{', '.join(still)} did not move"


@pytest.mark.filterwarnings("ignore:.*bfloat16")
@pytest.mark.parametrize("make", [build, reciprocal], ids=["plain", "reciprocal"])
@pytest.mark.parametrize("name", OBJECTIVES)
def test_every_objective_trains_in_bfloat16(name, make):
    training = trainer(name, make=make, precision="bfloat16")
    training.run()
    assert finite(training)


@pytest.mark.parametrize(
    ("name", "batches", "message"),
    [
        ("KBGAN", {"negatives": "shared", "one_slot": False}, "KBGAN: expected entity negatives"),
        ("MANS", {"neg_rel": 2}, r"MANS: expected .* found neg_rel 2"),
        ("MMRNS", {"negatives": "own"}, "MMRNS draws from candidates that a batch shares"),
        ("MMRNS", {"neg_ent": 2}, r"MMRNS.draws is 3, but a batch has 2 candidates"),
    ],
)
def test_batches_that_do_not_fit_are_refused_before_training(name, batches, message):
    make, case, usual = OBJECTIVES[name]
    loader = TrainDataLoader(graph(), batch_size=16, **{"neg_ent": 6, **usual, **batches})
    with pytest.raises(ValueError, match=message):
        Trainer(make(build(case)), loader, 1, 0.01, opt_method="adam", **CPU)


class Plain(Loss):
    """A loss as somebody wrote it before triples could be weighed."""

    def forward(self, positive, negative, mask=None):
        return self.average(negative.exp(), negative, mask) - positive.mean()


def test_a_loss_without_weights_is_refused_where_triples_are_weighed():
    loader = TrainDataLoader(graph(), batch_size=16, weights="frequency")
    with pytest.raises(ValueError, match=r"weights is 'frequency', but Plain.forward has no param"):
        Trainer(NegativeSampling(build("TransE"), Plain()), loader, 1, 0.01, **CPU)


@pytest.mark.parametrize("name", ["MANS", "MMRNS", "MAT"])
def test_what_cannot_be_compiled_says_so(name):
    with pytest.raises(ValueError, match="compile is on, but "):
        trainer(name, compile=True)


class Second(NegativeSampling):
    """Moves entities and relations in turns."""

    method = "sgd"

    def turns(self):
        entities, relations = self.model.ent_embeddings, self.model.rel_embeddings
        return (
            Turn("entities", [entities.weight], self.forward),
            Turn("relations", [relations.weight], self.forward, optimizer=self.method, lr=0.01),
            Turn("entities again", [entities.weight], self.forward, optimizer=self.method, lr=0.01),
        )


def second(method):
    torch.manual_seed(0)
    strategy = Second(DistMult(ENTITIES, RELATIONS, dim=4), SigmoidLoss())
    strategy.method = method
    return strategy


@pytest.mark.parametrize("method", [name for name in OPTIMIZERS if name not in BY_ROW])
def test_each_turn_has_the_gradients_that_its_optimiser_takes(method):
    loader = TrainDataLoader(graph(), batch_size=16)
    training = Trainer(second(method), loader, 1, 0.01, opt_method="adam", **CPU)
    training.run()
    assert finite(training)


@pytest.mark.parametrize(
    ("method", "options", "message"),
    [
        ("adamm", {}, "opt_method is 'adamm', expected one of"),
        ("lazy_adam", {"clip_norm": 1.0}, "opt_method 'lazy_adam' needs gradients by row"),
    ],
)
def test_an_optimiser_that_a_turn_cannot_have(method, options, message):
    loader = TrainDataLoader(graph(), batch_size=16)
    with pytest.raises(ValueError, match=message):
        Trainer(second(method), loader, 1, 0.01, opt_method="adam", **options, **CPU)


def test_the_first_turn_is_forward():
    class Other(NegativeSampling):
        def turns(self):
            return (Turn("model", list(self.parameters()), lambda batch: batch),)

    loader = TrainDataLoader(graph(), batch_size=16)
    with pytest.raises(ValueError, match=r"Other.turns: the loss of the first turn is not forward"):
        Trainer(Other(build("TransE"), SigmoidLoss()), loader, 1, 0.01, **CPU)


def test_more_epochs_of_what_depends_on_their_number_are_refused(tmp_path):
    def training(epochs):
        torch.manual_seed(0)
        strategy = KBGAN(build("TransE"), SigmoidLoss(), pretrain=0.5)
        loader = TrainDataLoader(graph(), batch_size=16, neg_ent=4)
        return Trainer(strategy, loader, epochs, 0.01, save_steps=1, checkpoint_dir=tmp_path, **CPU)

    training(2).run()
    with pytest.raises(ValueError, match="epochs is 2 there and 4 here"):
        training(4).resume(tmp_path / "last.ckpt")
    training(2).resume(tmp_path / "last.ckpt")


def test_views_of_other_widths_are_not_compared():
    assert isinstance(MANS(build("TBKGC"), MarginLoss(), schedule="H"), MANS)
    with pytest.raises(ValueError, match="the view image has 3 reals and structure 6; take sched"):
        MANS(build("TBKGC"), MarginLoss(), schedule="A")


def test_reciprocal_models_have_turns_too():
    model = Reciprocal(DistMult(ENTITIES, 2 * RELATIONS, dim=4))
    loader = TrainDataLoader(graph(), batch_size=16, neg_ent=4, bern_flag=True)
    training = Trainer(KBGAN(model, SigmoidLoss()), loader, 1, 0.01, opt_method="adam", **CPU)
    training.run()
    assert finite(training)
