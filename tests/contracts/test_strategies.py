"""What holds for every strategy that asks all entities, with every model that knows questions."""

import pytest
import torch

from openke.config import Trainer
from openke.data import QuestionDataLoader
from openke.module.model import Reciprocal
from openke.module.model.scoring import score_triples
from openke.module.penalty import PENALTIES
from openke.module.strategy import STRATEGIES, against_all
from openke.module.strategy.against_all import AgainstAll
from tests.contracts.graphs import CASES, ENTITIES, RELATIONS, build, graph, reciprocal

QUESTIONS = [name for name, kind in STRATEGIES.items() if issubclass(kind, AgainstAll)]
LOSSES = ("softmax", "bce")
cases = pytest.mark.parametrize("case", CASES)
strategies = pytest.mark.parametrize("name", QUESTIONS)
directions = pytest.mark.parametrize("make", [build, reciprocal], ids=["plain", "reciprocal"])


def first_questions(name, size=16):
    loader = QuestionDataLoader(graph(), size, targets=STRATEGIES[name].targets)
    return next(loader.epoch(0))


def answers(batch):
    """Return the answers to each question of a batch, as lists."""
    if batch.offsets is None:
        return [[answer] for answer in batch.answer.tolist()]
    return [part.tolist() for part in torch.tensor_split(batch.answer, batch.offsets[1:-1])]


def dense_scores(model, batch):
    """Return Float["q e"] by the scores of single triples."""
    everyone, rows = torch.arange(ENTITIES), []
    for number, (anchor, r) in enumerate(zip(batch.anchor, batch.relation, strict=True)):
        known, for_tail = anchor.expand(ENTITIES), number < batch.tails
        if isinstance(model, Reciprocal):
            relation = (r if for_tail else r + RELATIONS).expand(ENTITIES)
            rows.append(score_triples(model.inner, known, relation, everyone))
        else:
            head, tail = (known, everyone) if for_tail else (everyone, known)
            rows.append(score_triples(model, head, r.expand(ENTITIES), tail))
    return torch.stack(rows)


def naive_loss(loss, scores, batch, smoothing):
    """Return the loss by dense labels."""
    labels = torch.zeros_like(scores)
    for row, right in enumerate(answers(batch)):
        labels[row, right] = 1.0
    if loss == "softmax":
        labels = labels / labels.sum(dim=1, keepdim=True)
    labels = (1 - smoothing) * labels + smoothing / ENTITIES
    if loss == "softmax":
        return -(labels * scores.log_softmax(dim=1)).sum(dim=1).mean()
    return torch.nn.functional.binary_cross_entropy_with_logits(scores, labels)


@cases
@strategies
@directions
@pytest.mark.parametrize("loss", LOSSES)
def test_the_loss_is_that_of_dense_labels(case, name, make, loss):
    model, batch = make(case).double(), first_questions(name)
    strategy = STRATEGIES[name](model, loss, label_smoothing=0.2)
    expected = naive_loss(loss, dense_scores(model, batch), batch, 0.2)
    torch.testing.assert_close(strategy(batch), expected)


@cases
@strategies
@directions
def test_every_parameter_receives_a_finite_gradient(case, name, make):
    model = make(case)
    STRATEGIES[name](model, anchor_dropout=0.1, query_dropout=0.1)(first_questions(name)).backward()
    for parameter_name, parameter in model.named_parameters():
        assert parameter.grad is not None, parameter_name
        assert parameter.grad.isfinite().all(), parameter_name
        assert parameter.grad.abs().sum() > 0, parameter_name


@cases
@strategies
def test_blocks_change_neither_loss_nor_gradients(case, name, monkeypatch):
    def run():
        model = reciprocal(case).double()
        loss = STRATEGIES[name](model)(first_questions(name))
        loss.backward()
        return [loss.detach(), *(parameter.grad for parameter in model.parameters())]

    whole = run()
    monkeypatch.setattr(against_all, "LOGITS_BYTES", 3 * 4 * ENTITIES)
    torch.testing.assert_close(run(), whole)


@cases
@directions
@pytest.mark.parametrize("penalty", PENALTIES)
def test_penalties_are_sums_over_facts(case, make, penalty):
    model, batch = make(case).double(), first_questions("KVsAll")
    weighed = STRATEGIES["KVsAll"](model, penalty=PENALTIES[penalty](0.5))(batch)
    found = weighed - STRATEGIES["KVsAll"](model)(batch)
    power = {"N3": 3, "L2": 2}[penalty]
    terms = []
    for row, right in enumerate(answers(batch)):
        side = "tail" if row < batch.tails else "head"
        anchor, relation = batch.anchor[row, None], batch.relation[row, None]
        for answer in right:
            for entity in (anchor, torch.tensor([answer])):
                moduli = model.entity_moduli(model.structure(entity))
                terms.append(moduli.pow(power).sum())
            rows = model.relation_rows(model.asked(relation, side))
            terms.append(model.relation_moduli(rows).pow(power).sum())
    torch.testing.assert_close(found, 0.5 * sum(terms) / len(batch.answer))


@strategies
def test_a_resumed_run_is_an_unbroken_one(name, tmp_path):
    def trainer(epochs):
        strategy = STRATEGIES[name](reciprocal("ComplEx"), query_dropout=0.3)
        loader = QuestionDataLoader(graph(), 16, targets=STRATEGIES[name].targets)
        options = {"opt_method": "adagrad", "device": "cpu", "progress": False}
        return Trainer(strategy, loader, epochs, 0.1, **options)

    whole, begun, resumed = trainer(4), trainer(2), trainer(4)
    for unbroken in (whole, begun):
        torch.manual_seed(1)
        unbroken.run()
    begun.save(tmp_path / "last.ckpt")
    resumed.resume(tmp_path / "last.ckpt")
    resumed.run()
    assert resumed.history.losses == whole.history.losses
    assert whole.history.losses[-1] < whole.history.losses[0]
    for a, b in zip(whole.strategy.parameters(), resumed.strategy.parameters(), strict=True):
        assert torch.equal(a, b)
