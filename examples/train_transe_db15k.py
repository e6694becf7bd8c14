"""TransE on DB15K.

    python examples/train_transe_db15k.py --epochs 10

Table 1 does not publish its settings, these are this project's.
"""

from lbmkgc_models.runs.script import train_script

RECIPE = {
    "model": {"name": "TransE", "dim": 250, "p_norm": 1, "norm_flag": True},
    "data": {"name": "DB15K"},
    "training": {
        "objective": "negative sampling",
        "loss": {"name": "MarginLoss", "margin": 5.0},
        "sampling": {"neg_ent": 32, "bern_flag": True, "filter_flag": True},
        "optimizer": "adam",
        "lr": 1e-3,
        "epochs": 200,
        "batch_size": 512,
    },
}

if __name__ == "__main__":
    train_script(RECIPE, __doc__)
