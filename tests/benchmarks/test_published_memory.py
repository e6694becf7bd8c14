"""What a step of a published training holds at the size of DB15K, on a device without numbers."""

import numpy as np
import pytest
import torch
from common.published_features import SIZES, published_features
from comparison.table_rows import FOLDER, read_row

from lbmkgc_models.runs.make_trainer import make_trainer
from openke.data.store import TripleStore
from tests.contracts.memory import Memory

ENTITIES, RELATIONS, TRIPLES = 12842, 279, 79222
"""Of DB15K, the largest graph of Table 1."""
MOST = 4 * 2**30


def graph():
    """Return a random graph of DB15K's size."""
    draw = np.random.default_rng(0).integers
    sides = [draw(high, size=TRIPLES) for high in (ENTITIES, RELATIONS, ENTITIES)]
    triples = np.unique(np.stack(sides, axis=1), axis=0)
    names = [str(i) for i in range(ENTITIES)], [f"r{i}" for i in range(RELATIONS)]
    return TripleStore.from_triples(
        triples, triples[:1], triples[1:2], entities=names[0], relations=names[1]
    )


@pytest.mark.slow
@pytest.mark.parametrize("name", SIZES)
def test_a_step_fits_in_4_gib_beside_the_model(name, monkeypatch):
    monkeypatch.setattr("lbmkgc_models.fusion.transport.ITERATIONS", 1)
    recipe = read_row(FOLDER / "DB15K" / f"{name}.published.json").recipe
    given, meta = published_features(name, ENTITIES), torch.device("meta")
    trainer = make_trainer(recipe, graph(), given, device=meta, progress=False)
    loader = trainer.data_loader
    loader.prepare(trainer.strategy.prepare, pin=False)
    batch = next(iter(loader.epoch(0))).to(meta)
    with Memory() as memory:
        trainer._train_on(batch)
    assert memory.peak < MOST, f"{memory.peak / 2**30:.2f} GiB"
