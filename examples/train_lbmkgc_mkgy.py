"""LBMKGC on MKG-Y with the published settings: days on a CPU, minutes on a fast GPU.

    python examples/train_lbmkgc_mkgy.py

For a first look take `openke train MKG-Y`, which learns within minutes.
"""

from lbmkgc_models.runs.script import train_script

RECIPE = {
    "model": {"name": "LBMKGC", "dim": 500, "margin": 24.0},
    "data": {"name": "MKG-Y"},
    "features": {"texts": "descriptions"},
    "training": {
        "objective": "negative sampling",
        "loss": {"name": "SigmoidLoss", "adv_temperature": 4.0},
        "sampling": {"neg_ent": 128, "bern_flag": True, "filter_flag": True},
        "regul_rate": 1e-5,
        "optimizer": "adam",
        "lr": 1e-5,
        "epochs": 1250,
        "batch_size": 512,
    },
}

if __name__ == "__main__":
    train_script(RECIPE, __doc__)
