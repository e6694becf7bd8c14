"""GC-OTE on FB15K237 from OTE's tables, with the settings of its authors' code.

OTE takes 250,000 steps, GC-OTE 60,000: a GPU's work. For a first look lower OTE_EPOCHS, too:

    python examples/train_gcote_fb15k237.py --epochs 1
"""

from lbmkgc_models.runs.script import train_script
from openke.module.model import GCOTE
from openke.runs.recipe import Recipe

OTE_EPOCHS = 459
SAMPLING = {"neg_ent": 256, "sampling_mode": "cross", "weights": "frequency"}
OTE = {
    "model": {"name": "OTE", "dim": 400, "group": 20, "margin": 15.0},
    "training": {
        "objective": "negative sampling",
        "loss": {"name": "SigmoidLoss", "adv_temperature": 0.5},
        "sampling": SAMPLING,
        "optimizer": "adam",
        "lr": 2e-3,
        "schedule": {"name": "step", "unit": "steps", "every": 25000, "factor": 0.5},
        "epochs": OTE_EPOCHS,
        "batch_size": 500,
    },
}
RECIPE = {
    "model": {"name": "GCOTE", "dim": 400, "group": 20, "margin": 12.0, "context": "attention"},
    "data": {"name": "FB15K237"},
    "training": {
        "objective": "negative sampling",
        "loss": {"name": "SigmoidLoss", "adv_temperature": 1.4},
        "sampling": SAMPLING,
        "optimizer": "adam",
        "lr": 2e-4,
        "schedule": {"name": "step", "unit": "steps", "every": 8000, "factor": 0.5},
        "epochs": 22,
        "batch_size": 100,
    },
}


def from_ote(name, store, relations, settings):
    """Return GC-OTE with the tables of a trained OTE."""
    sizes = {f"model.{size}": settings[size] for size in ("dim", "group")}
    most = {"training.sampling.neg_ent": min(SAMPLING["neg_ent"], store.entity_count)}
    trainer = Recipe.from_dict(OTE).changed({**sizes, **most}).trainer(store)
    trainer.run()
    gcote = GCOTE(store.entity_count, relations, triples=store.triples("train"), **settings)
    gcote.set_parameters(trainer.strategy.model.get_parameters())
    return gcote


if __name__ == "__main__":
    train_script(RECIPE, __doc__, make=from_ote)
