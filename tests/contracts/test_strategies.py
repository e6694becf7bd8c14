"""What holds for every strategy that asks all entities, with every model that knows queries."""

import pytest
import torch

from openke.config import Trainer
from openke.data import QueryDataLoader
from openke.module.loss import SigmoidLoss
from openke.module.model import Reciprocal
from openke.module.model.bilinear import Bilinear
from openke.module.penalty import PENALTIES
from openke.module.scoring.compare import Pairwise
from openke.module.scoring.triples import score_triples
from openke.module.strategy import STRATEGIES, query_blocks, relation_prediction
from openke.module.strategy.all_entities import AllEntitiesStrategy
from tests.contracts.combinations import combined, on_batches
from tests.contracts.graphs import (
    BATCHES,
    CASES,
    ENTITIES,
    RELATIONS,
    build,
    first_batch,
    graph,
    reciprocal,
)
from tests.openke.module.openke_models import Margined

QUESTIONS = [name for name, kind in STRATEGIES.items() if issubclass(kind, AllEntitiesStrategy)]
BILINEAR = [case for case in CASES if isinstance(build(case), Bilinear)]
LOSSES = ("softmax", "bce")
cases = pytest.mark.parametrize("case", CASES)
strategies = pytest.mark.parametrize("name", QUESTIONS)
DIRECTIONS = (build, reciprocal)
POWERS = {"N3": 3, "L2": 2}


def first_queries(name, size=10):
    loader = QueryDataLoader(graph(), size, targets=STRATEGIES[name].targets)
    return next(loader.epoch(0))


def answers(batch):
    """Return the answers to each query of a batch, as lists."""
    if batch.offsets is None:
        return [[answer] for answer in batch.answer.tolist()]
    return [part.tolist() for part in torch.tensor_split(batch.answer, batch.offsets[1:-1])]


def scores_of(model, side, anchor, relation, answer):
    """Return Float["h n"], the scores of each answer to a query of its own (Int["n"] each)."""
    known, candidates = model.encode(anchor), model.encode(answer)
    if model.projects_entities:
        asked = model.effective_relation(relation, side)
        known, candidates = model.project(known, asked), model.project(candidates, asked)
    each = torch.arange(len(anchor))
    query = model.query(known, relation, side)
    return torch.stack(model.heads(query, candidates, Pairwise(each, each)))


def dense_scores(model, batch):
    """Return Float["h q e"], of each head, one query and answer at a time."""
    rows, everyone = [], torch.arange(ENTITIES)
    for side, part in (("tail", slice(batch.tails)), ("head", slice(batch.tails, None))):
        anchor, relation = (
            ids[part].repeat_interleave(ENTITIES) for ids in (batch.anchor, batch.relation)
        )
        answer = everyone.repeat(len(anchor) // ENTITIES)
        scores = scores_of(model, side, anchor, relation, answer)
        rows.append(scores.view(len(scores), -1, ENTITIES))
    return torch.cat(rows, dim=1)


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


@combined(CASES, name=QUESTIONS, make=DIRECTIONS, loss=LOSSES)
def test_the_loss_is_that_of_dense_labels(case, name, make, loss):
    model, batch = make(case).double(), first_queries(name)
    strategy = STRATEGIES[name](model, loss, label_smoothing=0.2)
    heads = dense_scores(model, batch)
    expected = sum(naive_loss(loss, scores, batch, 0.2) for scores in heads)
    torch.testing.assert_close(strategy(batch), expected)


@combined(CASES, name=QUESTIONS, make=DIRECTIONS)
def test_every_parameter_receives_a_finite_gradient(case, name, make):
    model = make(case)
    options = {"anchor_dropout": 0.1, "query_dropout": 0.1}
    everything = dict.fromkeys(model.auxiliary_losses, 1.0)
    STRATEGIES[name](model, auxiliary=everything, **options)(first_queries(name)).backward()
    for parameter_name, parameter in scored_parameters(model):
        assert parameter.grad is not None, parameter_name
        assert parameter.grad.isfinite().all(), parameter_name
        assert parameter.grad.abs().sum() > 0, parameter_name


def scored_parameters(model):
    """Return the parameters that scores depend on, by name."""
    inner = model.inner if isinstance(model, Reciprocal) else model
    unscored = [p for name in inner.unscored for p in getattr(inner, name).parameters()]
    return [(n, p) for n, p in model.named_parameters() if all(p is not q for q in unscored)]


@cases
@strategies
def test_blocks_change_neither_loss_nor_gradients(case, name, monkeypatch):
    def run():
        model = reciprocal(case).double()
        loss = STRATEGIES[name](model)(first_queries(name))
        loss.backward()
        return [loss.detach(), *(parameter.grad for _, parameter in scored_parameters(model))]

    whole = run()
    monkeypatch.setattr(query_blocks, "LOGITS_BYTES", 3 * 4 * ENTITIES)
    torch.testing.assert_close(run(), whole)


def facts_of(batch):
    """Return (side, anchor, relation, answer) of each answer of a batch, ids as Int["1"]."""
    for row, right in enumerate(answers(batch)):
        side = "tail" if row < batch.tails else "head"
        for answer in right:
            yield side, batch.anchor[row, None], batch.relation[row, None], torch.tensor([answer])


def added(model, batch, **option):
    """Return what an option adds to the loss of a batch."""
    kind = STRATEGIES["OneVsAll" if batch.offsets is None else "KVsAll"]
    return kind(model, **option)(batch) - kind(model)(batch)


@combined(CASES, make=DIRECTIONS, name=QUESTIONS, penalty=POWERS)
def test_penalties_are_means_over_facts(case, make, name, penalty):
    model, batch = make(case).double(), first_queries(name)
    power, terms = POWERS[penalty], []
    for side, anchor, relation, answer in facts_of(batch):
        for entity in (anchor, answer):
            terms.append(model.entity_moduli(model.factors(entity)).pow(power).sum())
        rows = model.relation_embeddings(model.effective_relation(relation, side))
        terms.append(model.relation_moduli(rows).pow(power).sum())
    found = added(model, batch, penalty=PENALTIES[penalty](0.5))
    torch.testing.assert_close(found, 0.5 * sum(terms) / len(batch.answer))


@combined(BILINEAR, make=DIRECTIONS, name=QUESTIONS)
def test_dura_is_the_mean_square_of_queries_and_answers(case, make, name):
    model, batch = make(case).double(), first_queries(name)
    terms = []
    for side, anchor, relation, answer in facts_of(batch):
        terms.append(model.query(model.encode(anchor), relation, side)["query"].square().sum())
        terms.append(model.encode(answer)["entity"].square().sum())
    found = added(model, batch, penalty=PENALTIES["DURA"](0.5))
    torch.testing.assert_close(found, 0.5 * sum(terms) / len(batch.answer))


@combined(BILINEAR, make=DIRECTIONS)
def test_dura_of_triples_asks_them_as_they_are_scored(case, make):
    model, batch = make(case).double(), first_batch("mixed")
    total, count = 0.0, 0
    for head, relation, tail in (row.split(1) for row in batch.positive):
        asked = [("tail", head, tail)]
        asked += [("head", tail, head)] if model.asymmetric_queries else []
        for side, anchor, answer in asked:
            query = model.query(model.encode(anchor), relation, side)["query"]
            total = total + query.square().sum() + model.encode(answer)["entity"].square().sum()
            count += 1
    kind = STRATEGIES["NegativeSampling"]
    found = kind(model, SigmoidLoss(), penalty=PENALTIES["DURA"](0.5))(batch)
    torch.testing.assert_close(found - kind(model, SigmoidLoss())(batch), 0.5 * total / count)


def test_dura_refuses_distances():
    with pytest.raises(ValueError, match="DURA is for scores that are dot products, TransE's is n"):
        STRATEGIES["OneVsAll"](reciprocal("TransE"), penalty=PENALTIES["DURA"](0.1))


@combined(CASES, make=DIRECTIONS, name=QUESTIONS)
def test_relation_prediction_is_a_cross_entropy_over_all_relations(case, make, name, monkeypatch):
    monkeypatch.setattr(relation_prediction, "PAIR_BLOCK", 3 * 2 * RELATIONS)
    model, batch = make(case).double(), first_queries(name)
    asks_inverses = isinstance(model, Reciprocal)
    inner = model.inner if asks_inverses else model
    everything, losses = torch.arange(inner.rel_tot), []
    for side, anchor, relation, answer in facts_of(batch):
        head, tail = (anchor, answer) if asks_inverses or side == "tail" else (answer, anchor)
        heads, tails = head.expand(len(everything)), tail.expand(len(everything))
        scores = score_triples(inner, heads, everything, tails)
        losses.append(-scores.log_softmax(dim=0)[model.effective_relation(relation, side)])
    found = added(model, batch, relation_prediction=0.5)
    torch.testing.assert_close(found, 0.5 * torch.stack(losses).mean())


@strategies
def test_a_resumed_run_is_an_unbroken_one(name, tmp_path):
    def trainer(epochs):
        strategy = STRATEGIES[name](reciprocal("ComplEx"), query_dropout=0.3)
        loader = QueryDataLoader(graph(), 16, targets=STRATEGIES[name].targets)
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


def test_what_a_strategy_does_not_take_is_named():
    one, every = STRATEGIES["OneVsAll"], STRATEGIES["KVsAll"]
    model = build("ComplEx")
    with pytest.raises(ValueError, match=r"OneVsAll\.loss is 'hinge'; expected one of 'softmax'"):
        one(model, "hinge")
    for option in ("label_smoothing", "anchor_dropout", "query_dropout"):
        with pytest.raises(ValueError, match=f"KVsAll.{option} is 1.0; expected a number from 0"):
            every(model, **{option: 1.0})
    with pytest.raises(ValueError, match="relation_prediction is -1; expected a number, 0 or"):
        one(model, relation_prediction=-1)
    with pytest.raises(ValueError, match=r"N3\.weight is -1; expected a number, 0 or"):
        PENALTIES["N3"](-1)
    for kind, batch, found in (
        (one, first_queries("KVsAll"), "all"),
        (every, first_queries("OneVsAll"), "one"),
        (one, first_batch("mixed"), "Batch"),
    ):
        message = rf"{kind.__name__} trains on QueryDataLoader\(…, targets='{kind.targets}'\), "
        with pytest.raises(ValueError, match=f"{message}found '{found}'"):
            kind(model)(batch)


def test_a_model_written_for_openke_has_no_queries():
    model = Margined(ENTITIES, RELATIONS, 4)
    with pytest.raises(ValueError, match="OneVsAll: Margined is written for OpenKE, which knows"):
        STRATEGIES["OneVsAll"](model)
    with pytest.raises(ValueError, match="Reciprocal needs a model with encode, query and match"):
        Reciprocal(model)
    with pytest.raises(ValueError, match="L2: Margined is written for OpenKE, its tables are its"):
        STRATEGIES["NegativeSampling"](model, SigmoidLoss(), penalty=PENALTIES["L2"](0.1))


def test_dropout_is_for_training_only():
    model, batch = build("ComplEx"), first_queries("OneVsAll")
    strategy = STRATEGIES["OneVsAll"](model, anchor_dropout=0.5, query_dropout=0.5)
    plain = STRATEGIES["OneVsAll"](model)(batch)
    assert strategy(batch) != plain
    assert strategy.eval()(batch) == plain
    assert strategy.identity()["dropout"] == {"anchor": 0.5, "query": 0.5}
    weighed = STRATEGIES["OneVsAll"](model, penalty=PENALTIES["N3"](0.5))
    assert weighed.identity()["penalty"] == {"name": "N3", "weight": 0.5}


@pytest.mark.parametrize("rates", [{"anchor_dropout": 0.5}, {"query_dropout": 0.5}])
def test_dropout_keeps_the_mean_of_a_score(rates):
    model, batch = build("DistMult"), first_batch("tail")
    strategy = STRATEGIES["NegativeSampling"](model, SigmoidLoss(), **rates)
    with torch.no_grad():
        drawn = torch.stack([strategy.forgetful(model)(batch).positive for _ in range(800)])
        torch.testing.assert_close(drawn.mean(0), model(batch).positive, rtol=0.2, atol=0.05)
        assert drawn.std(0).min() > 0


@on_batches(CASES, BATCHES)
def test_negative_sampling_asks_each_query_in_its_direction(case, shape):
    model, batch = reciprocal(case), first_batch(shape)
    scores = model(batch)
    b, k = len(batch), batch.head.shape[1] - 1
    slot = batch.slot[:, None].expand(b, k) if batch.shared else batch.slot

    def by_query(head, relation, tail, side):
        if side == "head":
            head, relation, tail = tail, relation + RELATIONS, head
        return score_triples(model.inner, head, relation, tail)

    both = {
        side: by_query(
            batch.head.reshape(-1), batch.relation.reshape(-1), batch.tail.reshape(-1), side
        ).view(b, 1 + k)
        for side in ("tail", "head")
    }
    counted = torch.ones_like(scores.negative, dtype=torch.bool)
    if scores.mask is not None:
        counted = ~scores.mask
    if len(scores.positive) == 2 * b:
        sides = ["tail"] * b + ["head"] * b
        assert torch.equal(counted, torch.cat([slot != 0, slot == 0]))
    elif batch.shared:
        sides = ["head" if at == 0 else "tail" for at in batch.slot]
    else:
        sides = ["tail" if batch.side == "mixed" else batch.side] * b  # mixed: relations alone
    assert len(scores.positive) == len(sides)
    for row, side in enumerate(sides):
        expected = both[side][row % b]
        torch.testing.assert_close(scores.positive[row], expected[0])
        kept = counted[row]
        torch.testing.assert_close(scores.negative[row][kept], expected[1:][kept])


def test_penalties_of_negative_sampling_are_of_the_positives():
    batch = first_batch("mixed")
    for model, n in ((build("ComplEx"), len(batch)), (reciprocal("ComplEx"), 2 * len(batch))):
        plain = STRATEGIES["NegativeSampling"](model, SigmoidLoss())
        weighed = STRATEGIES["NegativeSampling"](model, SigmoidLoss(), penalty=PENALTIES["L2"](1))
        found = weighed(batch) - plain(batch)
        head, relation, tail = batch.positive.unbind(1)
        asked = [relation] if n == len(batch) else [relation, relation + RELATIONS]
        expected = model.entity_embeddings(torch.cat([head, tail])).square().sum() * len(asked)
        expected = expected + model.relation_embeddings(torch.cat(asked)).square().sum()
        torch.testing.assert_close(found, expected / n)
