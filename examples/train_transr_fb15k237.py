"""TransR on FB15K237 from TransE's tables, with the settings of OpenKE's example.

A first look, of few epochs:

    python examples/train_transr_fb15k237.py --epochs 10
"""

from lbmkgc_models.runs.script import train_script
from openke.config import Trainer
from openke.data import TrainDataLoader
from openke.module.loss import MarginLoss
from openke.module.model import TransE, TransR
from openke.module.strategy import NegativeSampling

RECIPE = {
    "model": {"name": "TransR", "dim_e": 200, "dim_r": 200, "p_norm": 1, "norm_flag": True},
    "data": {"name": "FB15K237"},
    "training": {
        "objective": "negative sampling",
        "loss": {"name": "MarginLoss", "margin": 4.0},
        "sampling": {
            "neg_ent": 25,
            "sampling_mode": "normal",
            "bern_flag": True,
            "filter_flag": True,
        },
        "optimizer": "sgd",
        "lr": 1.0,
        "epochs": 1000,
        "batch_size": 2722,
    },
}


def from_transe(name, store, relations, settings):
    """Return TransR with the tables of TransE, trained for one epoch."""
    loader = TrainDataLoader(store, batch_size=2722, bern_flag=True, neg_ent=25)
    transe = TransE(store.entity_count, relations, dim=settings["dim_e"], p_norm=1, norm_flag=True)
    strategy = NegativeSampling(transe, MarginLoss(margin=5.0))
    Trainer(strategy, loader, train_times=1, alpha=0.5).run()
    transr = TransR(store.entity_count, relations, **settings)
    transr.set_parameters(transe.get_parameters())
    return transr


if __name__ == "__main__":
    train_script(RECIPE, __doc__, make=from_transe)
