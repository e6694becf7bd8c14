"""What speed is held to does the same work: same scores, same ranks, same triples."""

import shutil

import numpy as np
import pytest
import torch
from common.plain import log_sigmoid_loss
from common.plain_data import PlainStore, draw_negatives
from common.plain_evaluation import PlainEvaluation
from common.plain_modal import ENERGIES, PlainMMKRL
from common.plain_objectives import PlainSimilarity
from common.speed_models import AUXILIARY, own_model, plain_model, plain_training
from speed_training import NEGATIVES

from openke.config import Tester
from openke.data import TestDataLoader
from openke.data.store import TripleStore
from openke.evaluation.report import ranks
from openke.module.model.rotate import Phases
from openke.module.scoring.triples import score_triples
from tests.contracts.graphs import graph
from tests.openke.data.test_train_data_loader import write_openke


def twins(name, store):
    torch.manual_seed(0)
    own = own_model(name, store.entity_count, store.relation_count)
    plain = plain_model(name, store.entity_count, store.relation_count)
    with torch.no_grad():
        if name == "ComplEx":
            for kind, table in (("ent", plain.entity), ("rel", plain.relation)):
                parts = [getattr(own, f"{kind}_{part}_embeddings").weight for part in ("re", "im")]
                table.weight.copy_(torch.cat(parts, dim=1))
        elif name in ENERGIES:
            _copy_energies(own, plain)
        elif name == "TransAE":
            _copy_coders(own, plain)
        else:
            plain.entity.weight.copy_(own.ent_embeddings.weight)
            relation = own.rel_embeddings.weight
            plain.relation.weight.copy_(relation if name == "TransE" else _phases(own)(relation))
        if name == "LBMKGC":
            for ours, theirs in zip(own.projectors, plain.projections, strict=True):
                _copy_layer(ours.layers, theirs)
            plain.attention.weight.copy_(own.attention.vector[None])
            plain.gate.weight.copy_(own.gate.logit.uniform_(-2, 2)[:, None])
        if name == "AdaMF":
            for ours, theirs in zip(own.projectors, plain.projections, strict=True):
                _copy_layer(ours.layers, theirs)
            plain.attention.weight.copy_(own.attention.vector[None])
    return own.eval(), plain.eval()


def _phases(own):
    c = own.config
    return Phases(c.dim, c.margin, c.epsilon)


def _copy_layer(ours, theirs):
    theirs.load_state_dict(ours.state_dict())


def _copy_energies(own, plain):
    tables = [table for name, table in own.named_children() if name.endswith("embeddings")]
    for ours, theirs in zip(tables, [plain.entity, *plain.relations], strict=True):
        theirs.weight.copy_(ours.weight)
    if isinstance(plain, PlainMMKRL):
        _copy_layer(own.mapping, plain.mapping)
        _copy_layer(own.alignment, plain.alignment)
        biases = [own.head_bias, own.tail_bias, own.relation_bias]
        plain.biases.copy_(torch.stack(biases))
    layers = [projector.layers for projector in own.projectors]
    if len(plain.projections) > 1:
        for ours, theirs in zip(layers, plain.projections, strict=True):
            _copy_layer(ours, theirs)
        return
    (joint,) = plain.projections
    joint.weight.copy_(torch.cat([layer.weight for layer in layers], dim=1))
    if joint.bias is not None:
        joint.bias.copy_(own.projectors.bias)


def _copy_coders(own, plain):
    plain.relation.weight.copy_(own.rel_embeddings.weight)
    own.constrain()
    _copy_layer(own.code, plain.code)
    for place, coder in enumerate(own.coders.values()):
        plain.features[place].copy_(coder.rows(torch.arange(own.ent_tot)))
        for part in ("enter", "expand", "rebuild"):
            _copy_layer(getattr(coder, part), getattr(plain, part)[place])


MODELS = ["TransE", "ComplEx", "RotatE", *ENERGIES, "AdaMF", "TransAE", "LBMKGC"]
RANKED = ["TransE", "ComplEx", "RotatE", "LBMKGC"]


@pytest.mark.parametrize("name", MODELS)
def test_plain_models_score_as_ours(name):
    store = graph()
    own, plain = twins(name, store)
    triples = store.triples("test")
    head, relation, tail = torch.tensor(triples).unbind(dim=1)
    with torch.inference_mode():
        ours = score_triples(own, head, relation, tail)
        shift = own.config.margin if name in ("RotatE", "AdaMF", "LBMKGC") else 0.0
        torch.testing.assert_close(ours - shift, plain(head, relation, tail), rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("name", RANKED)
def test_plain_models_rank_as_ours(name):
    store = graph()
    own, plain = twins(name, store)
    report = Tester(own, TestDataLoader(store, type_constrain=False), progress=False).rank()
    expected = ranks(report.greater, report.equal).reshape(2, -1)  # head rows, then tail rows
    ranked = PlainEvaluation(plain, store, compiled=False).ranks(store.triples("test"))
    np.testing.assert_array_equal(ranked, expected)


def drawn_of(store, facts=12, negatives=6):
    """Facts and negatives, some in place of heads and some in place of tails."""
    draw = draw_negatives(store, np.random.default_rng(0), negatives)
    return draw(store.triples("train")[:facts])


def triples_of(drawn):
    """Int["b k 3"]: the negatives written out."""
    facts = drawn.positive[:, None].repeat(1, drawn.others.shape[1], 1)
    facts[..., 0] = torch.where(drawn.on_head, drawn.others, facts[..., 0])
    facts[..., 2] = torch.where(drawn.on_head, facts[..., 2], drawn.others)
    return facts


@pytest.mark.parametrize("name", MODELS)
def test_plain_negatives_score_as_their_triples(name):
    store = graph()
    _, plain = twins(name, store)
    drawn = drawn_of(store)
    assert drawn.on_head.any()
    assert not drawn.on_head.all()
    with torch.inference_mode():
        positive, negative = plain.scores_of(drawn)
        written = triples_of(drawn).view(-1, 3)
        torch.testing.assert_close(positive, plain(*drawn.positive.T))
        torch.testing.assert_close(negative.view(-1), plain(*written.T), rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("name", ["MMKRL", "TransAE"])
def test_plain_auxiliary_losses_are_ours(name):
    store = graph()
    own, plain = twins(name, store)
    drawn = drawn_of(store)
    every = torch.cat([drawn.positive[:, None], triples_of(drawn)], dim=1).view(-1, 3)
    (loss,) = AUXILIARY[name]
    rows = own.encode(torch.arange(own.ent_tot))
    with torch.no_grad():
        ours = own.auxiliary_loss(loss, rows, *every.T)
        theirs = plain.loss(plain.placed(drawn)) - log_sigmoid_loss(*plain.scores_of(drawn))
    torch.testing.assert_close(ours, theirs, rtol=1e-4, atol=1e-5)


def test_plain_similarities_are_ours():
    store = graph()
    torch.manual_seed(0)
    own = own_model("MMRNS", store.entity_count, store.relation_count)
    everyone = torch.arange(store.entity_count)
    rows = [own.sampler.rows[name](everyone) for name in own.sampler.names]
    scorer = own.inner
    plain = PlainSimilarity(scorer.config.dim, scorer.config.dim, rows)
    with torch.no_grad():
        for place, name in enumerate(own.sampler.names):
            _copy_layer(own.sampler.inputs[name], plain.inputs[place])
            _copy_layer(own.sampler.attention[name].gate, plain.gates[place])
            _copy_layer(own.sampler.attention[name].projection, plain.outputs[place])
        _copy_layer(own.sampler.first, plain.first)
        _copy_layer(own.sampler.second, plain.second)
        entities, pool = torch.tensor([0, 3, 5, 3]), torch.arange(9)
        relation = torch.tensor([1, 0, 1, 1])
        distinct, at = torch.unique(relation, return_inverse=True)
        structure, *modal = plain(
            (entities, scorer.ent_embeddings(entities)),
            (pool, scorer.ent_embeddings(pool)),
            scorer.rel_embeddings(distinct),
            at,
        )
        found = own.similarities(entities, pool, relation)
    for name, cosines in zip(["structure", *own.sampler.names], [structure, *modal], strict=True):
        torch.testing.assert_close(found[name], cosines, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("name", sorted(NEGATIVES))
def test_plain_training_learns(name):
    learns(name, compiled=False)


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("c++") is None, reason="compiling needs a C++ compiler")
@pytest.mark.parametrize("name", ["RotatE", "KBGAN", "LBMKGC"])
def test_compiled_plain_training_learns(name):
    learns(name, compiled=True)


def test_shared_plain_negatives_are_one_set_and_facts_among_them_are_told():
    store = graph()
    facts = set(map(tuple, store.triples("train").tolist()))
    positive = store.triples("train")[:20]
    drawn = draw_negatives(store, np.random.default_rng(0), 16, shared=True)(positive)
    assert drawn.others.shape == (1, 16)
    written = triples_of(drawn)
    told = [tuple(triple) in facts for triple in written.view(-1, 3).tolist()]
    assert drawn.facts.view(-1).tolist() == told
    assert any(told)
    assert not all(told)
    _, plain = twins("LBMKGC", store)
    with torch.inference_mode():
        _, negative = plain.scores_of(drawn)
        expected = plain(*written.view(-1, 3).T).view(20, 16)
    torch.testing.assert_close(negative[~drawn.facts], expected[~drawn.facts], rtol=1e-4, atol=1e-4)
    assert (negative[drawn.facts] < -1e8).all()


def learns(name, compiled):
    store = graph()
    torch.manual_seed(0)
    training = plain_training(name, store, 16 if name != "MMRNS" else 30, compiled=compiled)
    triples = store.triples("train")
    for _ in range(8):
        training.step(triples)
    head, relation, tail = torch.tensor(triples).unbind(dim=1)
    with torch.no_grad():
        others = tail.roll(1)
        assert (
            training.model(head, relation, tail).mean()
            > training.model(head, relation, others).mean()
        )


def test_plain_negatives_are_no_facts():
    store = graph()
    facts = set(map(tuple, store.triples("train").tolist()))
    positive = store.triples("train")[:20]
    drawn = draw_negatives(store, np.random.default_rng(0), 16)(positive)
    written = triples_of(drawn)
    assert written.shape == (20, 16, 3)
    assert not facts & set(map(tuple, written.view(-1, 3).tolist()))
    assert ((written != drawn.positive[:, None]).sum(dim=-1) == 1).all()


def test_the_plain_store_holds_the_same_triples(tmp_path):
    folder = tmp_path / "tiny"
    folder.mkdir()
    write_openke(graph(), folder)
    plain, own = PlainStore(folder), TripleStore.open(folder)
    for split in ("train", "valid", "test"):
        assert set(map(tuple, plain.splits[split].tolist())) == set(
            map(tuple, own.triples(split).tolist())
        )
