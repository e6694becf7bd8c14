"""What a step against all entities holds: it encodes in blocks, and makes no array [q, e, d]."""

import pytest
import torch

from lbmkgc_models.feature_store.store import ModalFeatures
from lbmkgc_models.model import MULTIMODAL
from openke.config import Tester
from openke.data import QueryDataLoader, TestDataLoader
from openke.module.model import Reciprocal
from openke.module.scoring.all_entities import encode_all
from openke.module.strategy import OneVsAll
from tests.contracts.graphs import RELATIONS, graph
from tests.contracts.memory import Memory

ENTITIES, QUERIES, DIM = 600, 200, 64
ARRAY = QUERIES * ENTITIES * DIM
"""Numbers of an array [q, e, d]; of [q, e], by side, there are about 1 / 64 or 1 / 128 of it."""
OF_TOKENS = {"dim": DIM, "hidden": 128, "dropout": 0.3}
SYSTEMS = {
    "RSME": {"dim": DIM // 2},
    "OTKGE": {"dim": DIM // 2, "scale": 1.0, "plan_entities": 2},
    "IMF": {"dim": DIM},
    "VISTA": OF_TOKENS,
    "MyGO": OF_TOKENS,
}
systems = pytest.mark.parametrize("name", SYSTEMS)


def rows(modality, entities, dim, parts=1):
    """Return random features, ``parts`` rows of each entity."""
    names = [f"entity {i}" for i in range(entities)]
    values = torch.randn(entities * parts, dim)
    of_row = [name for name in names for _ in range(parts)]
    return ModalFeatures.from_rows(modality, of_row, values, names, several=parts > 1)


def codes(modality, entities, dim, parts, book):
    """Return random codes of a random codebook."""
    names = [f"entity {i}" for i in range(entities)]
    chosen = torch.randint(book, (entities * parts,))
    of_row = [name for name in names for _ in range(parts)]
    return ModalFeatures.from_codes(modality, of_row, chosen, torch.randn(book, dim), names)


def made(name, reciprocal=False, **settings):
    torch.manual_seed(0)
    given = {"image": rows("image", ENTITIES, 20), "text": rows("text", ENTITIES, 24)}
    if name == "VISTA":
        given["image"] = rows("image", ENTITIES, 20, parts=3)
    if name == "MyGO":
        given = {
            "image": codes("image", ENTITIES, 8, parts=8, book=50),
            "text": codes("text", ENTITIES, 12, parts=4, book=90),
        }
    if name == "RSME":
        del given["text"]
    relations = RELATIONS * (1 + reciprocal)
    model = MULTIMODAL[name](ENTITIES, relations, given, **{**SYSTEMS[name], **settings})
    return Reciprocal(model) if reciprocal else model


def store():
    return graph(entities=ENTITIES, triples=400)


@systems
@pytest.mark.parametrize("reciprocal", [False, True])
def test_no_array_of_queries_entities_and_reals_is_made(name, reciprocal):
    model = made(name, reciprocal)
    assert not reciprocal or name not in ("VISTA", "MyGO") or model.inner.encode_block
    weights = dict.fromkeys(model.auxiliary_losses, 0.1)
    batch = next(QueryDataLoader(store(), QUERIES).epoch(0))
    with Memory() as memory:
        OneVsAll(model, auxiliary=weights)(batch).backward()
        Tester(model, TestDataLoader(store()), device="cpu", progress=False).rank("test")
    assert QUERIES * ENTITIES / 2 <= memory.largest < ARRAY / 6
    with Memory() as memory:  # an array as they are not to be
        e = encode_all(model)
        table = next(rows for rows in e.values() if rows.is_floating_point())
        (torch.randn(QUERIES, 1, table.shape[1]) * table).sum()
    assert memory.largest >= ARRAY


@pytest.mark.parametrize("name", ["VISTA", "MyGO"])
def test_blocks_bound_what_encoding_all_entities_holds(name):
    batch = next(QueryDataLoader(store(), QUERIES).epoch(0))

    def peak(block):
        model = made(name)
        assert model.encode_block >= ENTITIES  # so few entities are a block
        model.encode_block = block
        with Memory() as memory:
            OneVsAll(model)(batch).backward()
        return memory.peak

    assert peak(ENTITIES // 10) < 0.6 * peak(0)
