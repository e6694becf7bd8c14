"""TransE on FB15K237 with the settings of OpenKE's example.

A first look, of few epochs:

    python examples/train_transe_fb15k237.py --epochs 10
"""

from lbmkgc_models.runs.script import train_script

RECIPE = {
    "model": {"name": "TransE", "dim": 200, "p_norm": 1, "norm_flag": True},
    "data": {"name": "FB15K237"},
    "training": {
        "objective": "negative sampling",
        "loss": {"name": "MarginLoss", "margin": 5.0},
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

if __name__ == "__main__":
    train_script(RECIPE, __doc__)
