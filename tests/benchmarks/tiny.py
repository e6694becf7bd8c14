"""A small data set that can be learned, and rows that train on it in a moment."""

import json

import numpy as np

from openke.config import Tester
from openke.data.store import TripleStore
from openke.training.trainer import Trainer
from tests.openke.data.test_train_data_loader import write_openke

ENTITIES, RELATIONS = 31, 3
"""Entity 30 is in test only."""


def write_dataset(folder, name="MKG-W"):
    """Write a graph in which each relation has three tails, and return its store."""
    generator = np.random.default_rng(0)
    rows = [
        (head, relation, 3 * relation + tail)
        for head in range(ENTITIES - 1)
        for relation in range(RELATIONS)
        for tail in generator.choice(3, size=2, replace=False)
    ]
    rows = generator.permutation(np.array(rows))
    test = np.append(rows[20:40], [(30, 0, 1)], axis=0)
    store = TripleStore.from_triples(
        *(rows[40:], rows[:20], test),
        entities=[f"entity {i}" for i in range(ENTITIES)],
        relations=[f"relation {i}" for i in range(RELATIONS)],
    )
    place = folder / name
    place.mkdir(parents=True)
    write_openke(store, place)
    return store


RECIPE = {
    "model": {"name": "ComplEx", "dim": 4},
    "features": {"modalities": "none"},
    "training": {
        "objective": "1vsall",
        "reciprocal": True,
        "dropout": 0.2,
        "optimizer": "adagrad",
        "lr": 0.5,
        "epochs": 12,
        "batch_size": 40,
        "penalty": {"name": "N3", "weight": 0.01},
    },
}


def write_row(
    folder,
    dataset="MKG-W",
    mode="tuned",
    name="ComplEx",
    model=None,
    modalities=(),
    text_encoder="",
    evaluation=None,
    **changes,
):
    """Write a file of settings and return its path; ``changes`` are those of the training."""
    path = folder / dataset / f"{name}.{mode}.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    features = {"modalities": list(modalities) or "none", "text_encoder": text_encoder}
    looks = {"every": 1, "patience": 1} if mode == "tuned" else {}
    recipe = {
        **RECIPE,
        "model": model or RECIPE["model"],
        "features": features,
        "training": {**RECIPE["training"], **changes},
        "evaluation": looks if evaluation is None else evaluation,
    }
    path.write_text(json.dumps({"source": "a test", "recipe": recipe}))
    return path


class Watch:
    """Writes down what is trained on and which splits are ranked, in their order."""

    def __init__(self, monkeypatch):
        self.events = []
        self.stores = []
        run, rank = Trainer.run, Tester.rank

        def watched_run(trainer):
            self.events.append("train")
            self.stores.append(trainer.data_loader.store)
            return run(trainer)

        def watched_rank(tester, split="test", **options):
            self.events.append(split)
            return rank(tester, split, **options)

        monkeypatch.setattr(Trainer, "run", watched_run)
        monkeypatch.setattr(Tester, "rank", watched_rank)
