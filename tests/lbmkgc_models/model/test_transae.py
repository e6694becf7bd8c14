"""TransAE: its score and its reconstruction against formulas, and what its steps keep."""

from dataclasses import replace

import pytest
import torch

from lbmkgc_models.model.transae import TransAE
from openke.config import Trainer
from openke.data import TrainDataLoader
from openke.module.loss import MarginLoss
from openke.module.scoring.negatives import score_batch
from openke.module.scoring.triples import score_triples
from openke.module.strategy import NegativeSampling
from tests.contracts.graphs import (
    BATCHES,
    ENTITIES,
    RELATIONS,
    both,
    build,
    first_batch,
    graph,
    one,
)

EVERYONE = torch.arange(ENTITIES)
WEIGHTS = {"reconstruction": 1.0}


def logistic(values):
    return 1 / (1 + (-values).exp())


def made(features, **settings):
    torch.manual_seed(1)
    settings = {"dim": 4, "hidden": {"image": 6, "text": 3}, **settings}
    return TransAE(ENTITIES, RELATIONS, features, **settings).double()


def by_formula(model, features):
    """Return Float["entities d"] and Float["entities"]: codes and errors, entity by entity."""
    state = dict(model.named_parameters())
    codes, errors = [], []
    for entity in range(ENTITIES):
        inputs = {}
        for name, found in features.items():
            there = found.values[found.present].double()
            scaled = (found.values[entity].double() - there.mean(0)) / there.std(0, correction=0)
            inputs[name] = scaled if found.present[entity] else torch.zeros(found.dim).double()
        hidden = [logistic(state[f"coders.{name}.enter.weight"] @ x) for name, x in inputs.items()]
        code = logistic(state["code.weight"] @ torch.cat(hidden))
        error = 0.0
        for name, x in inputs.items():
            if features[name].present[entity]:
                inner = logistic(state[f"coders.{name}.expand.weight"] @ code)
                error += (state[f"coders.{name}.rebuild.weight"] @ inner - x).pow(2).sum() / len(x)
        codes.append(code)
        errors.append(torch.as_tensor(error).double())
    return torch.stack(codes), torch.stack(errors)


@pytest.mark.parametrize("shape", BATCHES)
@pytest.mark.parametrize("features", [both(), one()], ids=["both", "text"])
def test_scores_and_reconstruction_are_those_of_the_formulas(features, shape):
    model, batch = made(features, margin=3.0), first_batch(shape)
    codes, errors = by_formula(model, features)
    r = model.rel_embeddings.weight
    moved = codes[batch.head] + r[batch.relation] - codes[batch.tail]
    expected = 3.0 - moved.abs().sum(dim=-1)
    scores = score_batch(model, batch)
    at = {"rtol": 1e-6, "atol": 1e-6}  # features are standardised in float32
    torch.testing.assert_close(scores.positive, expected[:, 0], **at)
    torch.testing.assert_close(scores.negative, expected[:, 1:], **at)
    loss = MarginLoss(margin=1.0)
    strategy = NegativeSampling(model, loss, auxiliary={"reconstruction": 0.7})
    added = strategy(batch) - NegativeSampling(model, loss)(batch)
    both_ends = errors[batch.head] + errors[batch.tail]  # [b 1+k]
    torch.testing.assert_close(added, 0.7 * both_ends.mean(), **at)
    parameters = list(model.parameters())
    total = expected.sum() + both_ends.mean()
    found = scores.positive.sum() + scores.negative.sum() + added / 0.7
    torch.testing.assert_close(
        *(torch.autograd.grad(x, parameters, materialize_grads=True) for x in (found, total)), **at
    )


def test_entities_with_equal_features_are_as_far_apart_as_the_relation_is_long():
    features = one()
    present, values = (x.clone() for x in (features["text"].present, features["text"].values))
    present[5] = present[7] = True
    present[2] = present[4] = False
    values[5] = values[7]
    model = made({"text": replace(features["text"], present=present, values=values)})
    relation = torch.arange(RELATIONS)
    head, tail = (torch.tensor([pair] * (RELATIONS // 2)).flatten() for pair in ((5, 2), (7, 4)))
    found = score_triples(model, head, relation, tail)
    torch.testing.assert_close(found, -model.rel_embeddings.weight.abs().sum(dim=1))


def test_relations_start_with_an_l1_norm_of_one():
    length = build("TransAE").rel_embeddings.weight.abs().sum(dim=1)
    torch.testing.assert_close(length, torch.ones(RELATIONS))


def test_a_decoder_that_rebuilds_nothing_is_off_by_the_variance():
    model, features = build("TransAE text"), one()["text"]
    with torch.no_grad():
        model.coders["text"].rebuild.weight.zero_()
        error = model.reconstruction_error(model.encode(EVERYONE))
    assert not error[~features.present].any()
    torch.testing.assert_close(error[features.present].mean(), torch.tensor(1.0))


def test_rows_of_the_code_s_weights_have_length_one_before_and_after_each_step():
    torch.manual_seed(0)
    model, lengths = made(both()).float(), []
    strategy = NegativeSampling(model, MarginLoss(margin=1.0), auxiliary=WEIGHTS)
    plain = strategy.forward
    strategy.forward = lambda batch: (lengths.append(norms(model)), plain(batch))[1]
    loader = TrainDataLoader(graph(), batch_size=16, neg_ent=1)
    Trainer(strategy, loader, 2, 0.05, opt_method="adam", device="cpu", progress=False).run()
    for found in [*lengths, norms(model)]:
        torch.testing.assert_close(found, torch.ones(4))


def norms(model):
    return model.code.weight.detach().square().sum(dim=1).sqrt()


def test_training_rebuilds_features():
    torch.manual_seed(0)
    model = made(both(), dim=16, hidden={"image": 16, "text": 16}).float()
    before = model.reconstruction_error(model.encode(EVERYONE)).mean().item()
    strategy = NegativeSampling(model, MarginLoss(margin=1.0), auxiliary={"reconstruction": 5.0})
    loader = TrainDataLoader(graph(), batch_size=16, neg_ent=1)
    Trainer(strategy, loader, 100, 0.03, opt_method="adam", device="cpu", progress=False).run()
    after = model.reconstruction_error(model.encode(EVERYONE)).mean().item()
    assert after < 0.7 * before


def test_the_paper_s_sizes_are_those_of_no_settings():
    c = TransAE(ENTITIES, RELATIONS, both()).config
    assert (c.dim, dict(c.hidden)) == (50, {"image": 512, "text": 50})
    other = made({"sound": one()["text"]}, dim=7)
    assert other.coders["sound"].enter.weight.shape == (7, 6)


def test_what_does_not_fit_is_refused():
    with pytest.raises(ValueError, match="TransAE takes features of one modality or more, got no"):
        TransAE(ENTITIES, RELATIONS, {})
    with pytest.raises(ValueError, match=r"hidden.text is 0; expected a whole number, 1 or more"):
        TransAE(ENTITIES, RELATIONS, both(), hidden={"text": 0})
