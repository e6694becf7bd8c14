"""What speed is held to does the same work: same scores, same ranks, same triples."""

import numpy as np
import pytest
import torch
from common.plain import PlainStore, draw_negatives, filtered_ranks
from common.speed_models import own_model, plain_model

from openke.config import Tester
from openke.data import TestDataLoader
from openke.data.store import TripleStore
from openke.evaluation.report import ranks
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
        elif name in ("TBKGC", "QEB"):
            _copy_energies(own, plain)
        else:
            plain.entity.weight.copy_(own.ent_embeddings.weight)
            relation = own.rel_embeddings.weight
            plain.relation.weight.copy_(relation if name == "TransE" else own.phases(relation))
    return own.eval(), plain.eval()


def _copy_energies(own, plain):
    tables = [table for name, table in own.named_children() if name.endswith("embeddings")]
    for ours, theirs in zip(tables, [plain.entity, *plain.relations], strict=True):
        theirs.weight.copy_(ours.weight)
    layers = [projector.layers for projector in own.projectors]
    if len(plain.projections) == 1:
        plain.projections[0].weight.copy_(torch.cat([layer.weight for layer in layers], dim=1))
        plain.projections[0].bias.copy_(own.projectors.bias)
        return
    for ours, theirs in zip(layers, plain.projections, strict=True):
        theirs.load_state_dict(ours.state_dict())


@pytest.mark.parametrize("name", ["TransE", "ComplEx", "RotatE", "TBKGC", "QEB"])
def test_plain_models_score_and_rank_as_ours(name):
    store = graph()
    own, plain = twins(name, store)
    triples = store.triples("test")
    head, relation, tail = torch.tensor(triples).unbind(dim=1)
    with torch.inference_mode():
        ours = score_triples(own, head, relation, tail)
        shift = own.config.margin if name == "RotatE" else 0.0
        torch.testing.assert_close(ours - shift, plain(head, relation, tail), rtol=1e-4, atol=1e-4)
        ranked = list(filtered_ranks(plain, store, triples))
    report = Tester(own, TestDataLoader(store, type_constrain=False), progress=False).rank()
    expected = ranks(report.greater, report.equal).reshape(2, -1)  # head rows, then tail rows
    np.testing.assert_array_equal(np.array(ranked).reshape(-1, 2), expected[::-1].T)


def test_plain_negatives_are_no_facts():
    store = graph()
    facts = set(map(tuple, store.triples("train").tolist()))
    positive = store.triples("train")[:20]
    drawn = draw_negatives(store, np.random.default_rng(0), 16)(positive)
    assert drawn.shape == (20, 16, 3)
    assert not facts & set(map(tuple, drawn.reshape(-1, 3).tolist()))
    assert ((drawn != positive[:, None]).sum(axis=-1) == 1).all()


def test_the_plain_store_holds_the_same_triples(tmp_path):
    folder = tmp_path / "tiny"
    folder.mkdir()
    write_openke(graph(), folder)
    plain, own = PlainStore(folder), TripleStore.open(folder)
    for split in ("train", "valid", "test"):
        assert set(map(tuple, plain.splits[split].tolist())) == set(
            map(tuple, own.triples(split).tolist())
        )
