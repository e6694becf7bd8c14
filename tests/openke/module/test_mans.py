"""MANS: negatives that differ in pictures alone, and when there are some."""

import pytest
import torch
from torch.nn.functional import relu

from lbmkgc_models.feature_store.store import ModalFeatures
from lbmkgc_models.model.ikrl import IKRL
from openke.config import Trainer
from openke.data import TrainDataLoader
from openke.data.batch import Batch
from openke.module.loss import MarginLoss, SigmoidLoss
from openke.module.scoring.compare import ALL_PAIRS
from openke.module.scoring.encodings import presence
from openke.module.scoring.negatives import score_batch
from openke.module.strategy import MANS, NegativeSampling
from openke.module.strategy.clock import Clock
from openke.module.strategy.mans import crossing_share, exchange
from tests.contracts.graphs import CASES, ENTITIES, RELATIONS, build, graph, one, reciprocal
from tests.openke.training.test_trainer import CPU, same

WITH_VIEWS = [case for case in CASES if build(case).modal_views]
SYMMETRIC = [case for case in WITH_VIEWS if not build(case).asymmetric_queries]
views_of = pytest.mark.parametrize("case", WITH_VIEWS)


def loader(**options):
    options = {"batch_size": 12, "neg_ent": 3, "bern_flag": True, **options}
    return TrainDataLoader(graph(), **options)


def first_batch(**options):
    return next(iter(loader(**options).epoch(0)))


def toy():
    """Return IKRL in one dimension: s = (0, 1), r = 1, and v = (2, 0), of a third entity 1."""
    names = ["head", "tail", "other"]
    rows = torch.tensor([[2.0], [0.0], [1.0]])
    features = {"image": ModalFeatures.from_rows("image", names, rows, names)}
    model = IKRL(3, 1, features, dim=1, norm_flag=False)
    with torch.no_grad():
        model.ent_embeddings.weight.copy_(torch.tensor([[0.0], [1.0], [5.0]]))
        model.rel_embeddings.weight.fill_(1.0)
        next(model.projectors.parameters()).fill_(1.0)
    return model


def test_energies_of_the_toy_are_those_by_hand():
    model = toy()
    batch = Batch(
        positive=torch.tensor([[0, 0, 1]]),
        negative=torch.tensor([[2]]),
        slot=torch.tensor([[2]], dtype=torch.uint8),
        side="tail",
        entities=torch.arange(3),
        index=torch.tensor([0, 1, 2]),
    )
    views = model.views(batch.entities)
    mixed, chimeras = exchange(model, batch, views, torch.tensor([[True]]))
    assert chimeras["entity"].item() == 1  # of the tail
    assert chimeras["image"].item() == 1  # of the other
    rows = {n: torch.cat([r, model.fuse(chimeras)[n]]) for n, r in model.fuse(views).items()}
    scores = score_batch(model, mixed, rows)
    assert scores.positive.item() == -6
    assert scores.negative.item() == -4
    # (0, 1, 5) and (2, 0, 1): E(s,s) = 4, E(v,v) = 2, E(s,v) = 0, E(v,s) = 2.
    assert crossing_share(model, batch, views).item() == 1


@views_of
def test_a_share_of_nothing_is_negative_sampling_bit_by_bit(case):
    def trained(kind, **settings):
        torch.manual_seed(0)
        strategy = kind(CASES[case](), SigmoidLoss(adv_temperature=1.0), regul_rate=0.1, **settings)
        trainer = Trainer(strategy, loader(), 2, 0.02, opt_method="adam", **CPU)
        return trainer.run().losses, strategy

    losses, strategy = trained(MANS, schedule="H", share=0.0)
    expected, plain = trained(NegativeSampling)
    assert losses == expected
    assert same(strategy, plain)


@views_of
@pytest.mark.parametrize("make", [build, reciprocal], ids=["plain", "reciprocal"])
def test_negatives_that_are_not_wanted_stay_as_they_are(case, make):
    model, batch = make(case).double(), first_batch()
    loss = MarginLoss(margin=3.0)
    mans = MANS(model, loss, schedule="H", share=1e-12, regul_rate=0.1)
    plain = NegativeSampling(model, loss, regul_rate=0.1)
    found, expected = mans(batch), plain(batch)
    torch.testing.assert_close(found, expected)
    parameters = list(model.parameters())
    torch.testing.assert_close(
        torch.autograd.grad(found, parameters, allow_unused=True),
        torch.autograd.grad(expected, parameters, allow_unused=True),
    )


@pytest.mark.parametrize("case", SYMMETRIC)
def test_loss_and_gradients_are_those_of_triples_written_out(case):
    """Each negative by itself: views taken by hand, fused alone, and scored alone."""
    torch.manual_seed(0)
    # Elsewhere negatives of the head score otherwise as answers to (h, r, ?).
    model = CASES[case]().double().eval()
    batch = first_batch()
    strategy = MANS(model, MarginLoss(margin=3.0), schedule="H", share=0.6)
    noise = strategy.clock.uniform(1, tuple(batch.negative.shape), batch.negative.device)
    found = strategy(batch)
    terms, exchanged = [], 0
    for row, (head, relation, tail) in enumerate(batch.positive):
        score = score_of(model, model.views(head[None]), relation, model.views(tail[None]))
        for column in range(batch.negative.shape[1]):
            ends = {0: model.views(head[None]), 2: model.views(tail[None])}
            slot = int(batch.slot[row, column])
            other = model.views(batch.negative[row, column, None])
            has = any(other[presence(view)].item() for view in model.modal_views)
            if noise[row, column] < 0.6 and has:
                exchanged += 1
                for view in model.modal_views:
                    for name in (view, presence(view)):
                        ends[slot][name] = other[name]
            else:
                ends[slot] = other
            terms.append(relu(3 - score + score_of(model, ends[0], relation, ends[2])))
    assert 0 < exchanged < len(terms)
    expected = torch.stack(terms).mean()
    torch.testing.assert_close(found, expected)
    parameters = list(model.parameters())
    torch.testing.assert_close(
        torch.autograd.grad(found, parameters, allow_unused=True),
        torch.autograd.grad(expected, parameters, allow_unused=True),
    )


def score_of(model, head, relation, tail):
    query = model.query(model.fuse(head), relation[None], "tail")
    return model.match(query, model.fuse(tail), ALL_PAIRS)[0, 0]


def test_the_crossing_share_is_counted_as_written():
    torch.manual_seed(0)
    model = IKRL(ENTITIES, RELATIONS, one(), dim=6, p_norm=2).double().eval()
    batch = first_batch(neg_ent=5)
    found = crossing_share(model, batch, model.views(batch.entities))
    rows = torch.nn.functional.normalize
    counted, present = [], one()["text"].present
    for head, relation, tail in zip(
        batch.head[:, 1:].reshape(-1),
        batch.relation[:, 1:].reshape(-1),
        batch.tail[:, 1:].reshape(-1),
        strict=True,
    ):
        r = rows(model.rel_embeddings(relation), dim=0)
        coded = model.encode(torch.stack([head, tail]))
        ends = [[coded[view][at] for view in ("entity", "modal")] for at in (0, 1)]
        energy = [[(ends[0][a] + r - ends[1][b]).norm() for b in (0, 1)] for a in (0, 1)]
        lower = energy[0][1] + energy[1][0] < energy[0][0] + energy[1][1]
        counted.append(lower & present[head] & present[tail])
    assert found.item() == pytest.approx(torch.stack(counted).double().mean().item())
    assert 0 < found < 1


def test_schedules_follow_the_clock():
    model, loss = build("IKRL"), MarginLoss()
    at = Clock(epoch=3, epochs=10, step=0, steps=5)
    for schedule, expected in (("V", 1.0), ("H", 0.3), ("A", None), ("T", 0.0)):
        strategy = MANS(model, loss, schedule=schedule)
        strategy.clock = at
        assert strategy._share() == expected
    strategy.clock = Clock(epoch=2, epochs=10, step=4, steps=5)
    assert strategy._share() == 1.0


@pytest.mark.parametrize("schedule", ["V", "T", "H", "A"])
def test_every_schedule_trains(schedule):
    torch.manual_seed(0)
    strategy = MANS(CASES["IKRL"](), MarginLoss(margin=3.0), schedule=schedule, share=0.5)
    losses = Trainer(strategy, loader(), 10, 0.02, opt_method="adam", **CPU).run().losses
    assert losses[-1] < losses[0]


def test_what_it_does_not_take_is_named():
    with pytest.raises(ValueError, match=r"MANS.share is 1.5; expected a number from 0 to 1"):
        MANS(build("IKRL"), MarginLoss(), share=1.5)
    with pytest.raises(
        ValueError, match=r"MANS\.schedule is 'W'; expected one of 'V', 'T', 'H', 'A"
    ):
        MANS(build("IKRL"), MarginLoss(), schedule="W")
    with pytest.raises(ValueError, match=r"MANS exchanges the modal views .* but TransE has none"):
        MANS(build("TransE"), MarginLoss())
    shared = first_batch(negatives="shared")
    with pytest.raises(ValueError, match=r"MANS: expected .*, found shared ones"):
        MANS(build("IKRL"), MarginLoss())(shared)
