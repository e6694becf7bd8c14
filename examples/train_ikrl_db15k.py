"""IKRL on DB15K.

    python examples/train_ikrl_db15k.py --epochs 10

Table 1 does not publish its settings, these are this project's. The margin belongs to a sum of
four energies.
"""

from lbmkgc_models.runs.script import train_script

RECIPE = {
    "model": {"name": "IKRL", "dim": 250},
    "data": {"name": "DB15K"},
    "training": {
        "objective": "negative sampling",
        "loss": {"name": "MarginLoss", "margin": 20.0},
        "sampling": {"neg_ent": 32, "bern_flag": True, "filter_flag": True},
        "optimizer": "adam",
        "lr": 1e-3,
        "epochs": 200,
        "batch_size": 512,
    },
}

if __name__ == "__main__":
    train_script(RECIPE, __doc__)
