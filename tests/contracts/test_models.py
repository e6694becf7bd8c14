"""What holds for every registered model."""

import inspect
import warnings

import numpy as np
import pytest
import torch

from openke.module.loss import LOSSES, Loss
from openke.module.loss.query_losses import QUERY_LOSSES
from openke.module.model import Model
from openke.module.model.wrapped import Wrapped
from openke.module.scoring.all_entities import encode_all, score_all
from openke.module.scoring.negatives import score_batch
from openke.module.scoring.triples import score_triples
from openke.module.strategy import STRATEGIES, NegativeSampling
from tests.contracts.combinations import on_batches
from tests.contracts.graphs import (
    BATCHES,
    CASES,
    ENTITIES,
    MODELS,
    RELATIONS,
    build,
    first_batch,
    sizes_of,
    small,
    takes_features,
)
from tests.contracts.registered import loadable

cases = pytest.mark.parametrize("case", CASES)
TAIL_QUESTIONS = ("tail", "shared tail")
"""Shapes of batch whose triples all are answers to (h, r, ?)."""
SIDES_DIFFER = """
(h, r, ?) and (?, r, t) give a triple different scores. Where that is meant, say so in the class:
asymmetric_queries = True. Else look at what query does for side "head" and for side "tail", and,
where an entity looks different to every relation, at projects_entities and project.
"""


def assert_same_scores(found, expected):
    torch.testing.assert_close(found, expected, msg=lambda text: text + SIDES_DIFFER)


def test_every_registered_model_has_a_case():
    assert {case.split()[0] for case in CASES} == set(MODELS)


def test_a_model_without_a_case_of_its_own_gets_one():
    for name in MODELS:
        model = small(name)
        assert (type(model).__name__, model.ent_tot) == (name, ENTITIES)


def test_every_registered_class_is_listed_under_its_name():
    for registry in (MODELS, loadable(LOSSES), STRATEGIES):
        for name, found in registry.items():
            assert found.__name__ == name, "a run is loaded by the name of its model's class"


def test_every_model_loss_and_strategy_says_what_it_computes():
    for found in [*MODELS.values(), *loadable(LOSSES).values(), *STRATEGIES.values()]:
        assert len(inspect.getdoc(found).splitlines()) > 3, f"{found.__name__}: a longer docstring"
    for name, found in MODELS.items():
        assert getattr(found, "citation", ""), f"{name} has no citation"
        assert "References" in found.__doc__, f"{name}'s docstring has no section References"


@on_batches(CASES, BATCHES)
def test_a_batch_scores_as_its_triples_do(case, shape):
    model, batch = build(case), first_batch(shape)
    if model.asymmetric_queries and shape not in TAIL_QUESTIONS:
        return  # its triples score otherwise as answers to (?, r, t)
    scores = score_batch(model, batch)
    k = batch.head.shape[1] - 1
    expected = score_triples(
        model, batch.head.reshape(-1), batch.relation.reshape(-1), batch.tail.reshape(-1)
    ).view(len(batch), 1 + k)
    assert_same_scores(scores.positive, expected[:, 0])
    assert_same_scores(scores.negative, expected[:, 1:])
    assert scores.negative.shape == (len(batch), k)


@cases
@pytest.mark.parametrize("side", ["head", "tail"])
def test_all_candidates_score_as_their_triples_do(case, side):
    model = build(case)
    anchor, relation = torch.tensor([0, 5, 5]), torch.tensor([1, 0, 3])
    scores = score_all(model, side, anchor, relation)
    assert scores.shape == (3, ENTITIES)
    if model.asymmetric_queries and side == "head":
        return
    everyone = torch.arange(ENTITIES)
    for row in range(3):
        known, r = anchor[row].expand(ENTITIES), relation[row].expand(ENTITIES)
        head, tail = (everyone, known) if side == "head" else (known, everyone)
        assert_same_scores(scores[row], score_triples(model, head, r, tail))


@on_batches(CASES, BATCHES)
def test_each_distinct_entity_is_encoded_once(case, shape, monkeypatch):
    model, batch = build(case), first_batch(shape)
    encode, seen = model.encode, []
    monkeypatch.setattr(model, "encode", lambda ids: (seen.append(ids), encode(ids))[1])
    score_batch(model, batch)
    assert len(seen) == 1
    occurring = torch.cat([batch.head.reshape(-1), batch.tail.reshape(-1)])
    assert torch.equal(seen[0], occurring.unique())


@on_batches(CASES, BATCHES)
def test_each_distinct_pair_is_projected_once(case, shape, monkeypatch):
    model, batch = build(case), first_batch(shape)
    project, seen = model.project, []
    monkeypatch.setattr(model, "project", lambda rows, r: (seen.append(r), project(rows, r))[1])
    score_batch(model, batch)
    if not model.projects_entities:
        assert not seen
        return
    relation = batch.relation.reshape(-1)
    pairs = [torch.stack([relation, e.reshape(-1)], 1) for e in (batch.head, batch.tail)]
    assert len(seen) == 1
    assert torch.equal(seen[0], torch.cat(pairs).unique(dim=0)[:, 0])


@cases
@pytest.mark.parametrize("side", ["head", "tail"])
def test_all_candidates_are_projected_once_for_each_relation(case, side, monkeypatch):
    model = build(case)
    project, seen = model.project, []
    monkeypatch.setattr(model, "project", lambda rows, r: (seen.append(r), project(rows, r))[1])
    score_all(model, side, torch.tensor([0, 5, 7]), torch.tensor([2, 0, 2]))
    expected = [0, 2] if model.projects_entities else []
    assert [r.unique().tolist() for r in seen] == [[r] for r in expected]
    assert all(len(r) == ENTITIES for r in seen)


@cases
@pytest.mark.parametrize(
    ("flag", "step"), [("projects_entities", "project"), ("linear_in_relation", "relation_query")]
)
def test_a_flag_and_its_step_belong_together(case, flag, step):
    model = build(case)
    written = getattr(type(model), step) is not getattr(Model, step)
    if getattr(model, flag):
        assert written, f"{flag} is True: write {step}, too"
    elif step == "project" and not isinstance(model, Wrapped):
        assert not written, f"{step} is never called: set {flag} = True, too"


@cases
def test_every_parameter_receives_a_gradient(case):
    model = build(case)
    everything = dict.fromkeys(model.auxiliary_losses, 1.0)
    strategy = NegativeSampling(
        model, LOSSES["SigmoidLoss"](), regul_rate=0.1, auxiliary=everything
    )
    strategy(first_batch("mixed")).backward()
    for name, parameter in model.named_parameters():
        if name.split(".")[0] in model.unscored:
            assert parameter.grad is None, f"a score depends on {name}"
            continue
        assert parameter.grad is not None, f"neither score nor auxiliary loss depends on {name}"
        assert parameter.grad.abs().sum() > 0, f"the gradient of {name} is 0 at the start"


@on_batches(CASES, BATCHES)
def test_training_mode_scores_and_learns(case, shape):
    model, batch = build(case).train(), first_batch(shape)
    scores = model(batch)
    assert scores.negative.isfinite().all()
    (scores.positive.sum() - scores.negative.sum()).backward()
    assert all(p.grad is None or p.grad.isfinite().all() for p in model.parameters())


@cases
def test_parameters_round_trip(case):
    model, other = build(case), CASES[case]().eval()
    other.load_state_dict(model.state_dict())
    batch = first_batch("mixed")
    torch.testing.assert_close(model(batch).negative, other(batch).negative, rtol=0, atol=0)
    assert model.identity() == other.identity()


@cases
@pytest.mark.parametrize("form", ["checkpoint", "parameters"])
def test_files_round_trip(case, form, tmp_path):
    model, other = build(case), CASES[case]()
    path = tmp_path / "new" / "model"
    getattr(model, f"save_{form}")(path)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        getattr(other, f"load_{form}")(path)
    for name, values in model.state_dict().items():
        assert torch.equal(values, other.state_dict()[name]), name


@cases
def test_gradients_are_those_of_the_float64_score(case):
    model, batch = build(case).double(), first_batch("mixed")
    names = [name for name, _ in model.named_parameters()]

    def scores(*values):
        out = torch.func.functional_call(model, dict(zip(names, values, strict=True)), (batch,))
        return torch.cat([out.positive[:3], out.negative[:3].reshape(-1)])

    values = tuple(p.detach().clone().requires_grad_() for p in model.parameters())
    assert torch.autograd.gradcheck(scores, values, fast_mode=True)


@cases
def test_entities_encode_alike_alone_and_together(case):
    model = build(case)
    together = encode_all(model)
    alone = model.encode(torch.tensor([4]))
    assert set(together) == set(alone)
    for name, rows in together.items():
        assert len(rows) == ENTITIES
        torch.testing.assert_close(rows[4:5], alone[name])


@cases
@torch.no_grad()
def test_vectors_are_a_row_for_each_entity_of_all_that_a_score_depends_on(case, monkeypatch):
    model = build(case).eval()
    rows = encode_all(model)
    found = model.vectors(torch.arange(ENTITIES))
    assert found.shape[0] == ENTITIES
    assert found.isfinite().all()
    scored = {
        name: values
        for name, values in rows.items()
        if name not in model.unscored_encodings and values.is_floating_point()
    }
    assert set(rows) >= set(model.unscored_encodings)
    expected = list(scored.values()) or [model.entity_embeddings(torch.arange(ENTITIES))]
    torch.testing.assert_close(found, torch.cat(expected, dim=1))
    monkeypatch.setattr("openke.module.model.model.ENCODE_BLOCK", 5)
    some = torch.tensor([7, 0, 3, 21, 4, 9])
    torch.testing.assert_close(model.vectors(some), found[some])


def made(case, entities=ENTITIES, **settings):
    """Return a registered model with these settings, and no features."""
    kind = MODELS[case.split()[0]]
    return kind(
        entities, RELATIONS, **({"features": {}} if takes_features(kind) else {}), **settings
    )


@cases
def test_an_unknown_setting_lists_the_known_ones(case):
    with pytest.raises(ValueError, match=r"has no setting 'width'; it knows "):
        made(case, width=3)


@cases
def test_sizes_below_one_are_refused(case):
    with pytest.raises(ValueError, match="ent_tot is 0; expected a whole number, 1"):
        made(case, entities=0)
    for size in sizes_of(MODELS[case.split()[0]]):
        with pytest.raises(ValueError, match=f"{size} is 0; expected a whole number, 1"):
            made(case, **{size: 0})


def with_and_without_temperature(name) -> list[Loss]:
    """Return the loss by name; where it has self-adversarial weights, also with them."""
    kind = LOSSES[name]
    weighs = "adv_temperature" in inspect.signature(kind).parameters
    return [kind(), kind(adv_temperature=2.0)] if weighs else [kind()]


@pytest.mark.parametrize("name", loadable(LOSSES))
def test_a_loss_falls_when_positives_rise_and_negatives_sink(name):
    for loss in with_and_without_temperature(name):
        positive = torch.zeros(4, requires_grad=True)
        negative = torch.randn(4, 5, generator=torch.Generator().manual_seed(0)).requires_grad_()
        loss(positive, negative).backward()
        assert (positive.grad <= 0).all()
        assert (negative.grad >= 0).all()
        assert positive.grad.sum() < 0 < negative.grad.sum()


@pytest.mark.parametrize("name", loadable(LOSSES))
def test_masked_negatives_do_not_count(name):
    generator = np.random.default_rng(0)
    positive = torch.from_numpy(generator.normal(size=3))
    negative = torch.from_numpy(generator.normal(size=(3, 6)))
    mask = torch.zeros(3, 6, dtype=torch.bool)
    mask[:, 4:] = True
    for loss in with_and_without_temperature(name):
        kept = loss(positive, negative[:, :4])
        torch.testing.assert_close(loss(positive, negative, mask), kept)
        assert loss(positive, negative, torch.ones_like(mask)).isfinite()


@pytest.mark.parametrize("name", loadable(QUERY_LOSSES))
@pytest.mark.parametrize("several", [False, True], ids=["one answer", "several answers"])
def test_a_query_loss_is_a_number_for_each_query_that_falls_with_right_answers(name, several):
    loss = QUERY_LOSSES[name]
    logits = torch.randn(3, 7, generator=torch.Generator().manual_seed(0)).requires_grad_()
    answer = torch.tensor([4, 1, 0, 2, 6] if several else [4, 1, 0])
    offsets = torch.tensor([0, 1, 3, 5]) if several else None
    found = loss(logits, answer, offsets, 0.0)
    assert found.shape == (3,)
    rows = torch.arange(3).repeat_interleave(offsets.diff()) if several else torch.arange(3)
    right = torch.zeros(3, 7, dtype=torch.bool)
    right[rows, answer] = True
    for row in range(3):  # queries come in blocks: each knows itself alone
        alone = None if offsets is None else offsets[row : row + 2] - offsets[row]
        of_row = loss(logits[row, None], answer[rows == row], alone, 0.0)
        torch.testing.assert_close(of_row, found[row, None])
    found.sum().backward()
    assert (logits.grad[~right] >= 0).all()
    assert logits.grad[right].sum() < 0
    assert loss(logits, answer, offsets, 0.3).isfinite().all()
