"""RotatE on DB15K.

    python examples/train_rotate_db15k.py --epochs 10

Table 1 does not publish its settings, these are this project's.
"""

from lbmkgc_models.runs.script import train_script

RECIPE = {
    "model": {"name": "RotatE", "dim": 250, "margin": 12.0},
    "data": {"name": "DB15K"},
    "training": {
        "objective": "negative sampling",
        "loss": {"name": "SigmoidLoss", "adv_temperature": 1.0},
        "sampling": {"neg_ent": 64, "bern_flag": True, "filter_flag": True},
        "optimizer": "adam",
        "lr": 1e-3,
        "epochs": 200,
        "batch_size": 512,
    },
}

if __name__ == "__main__":
    train_script(RECIPE, __doc__)
