"""RotatE on WN18RR, self-adversarial, with the settings of OpenKE's example.

A first look, of few epochs:

    python examples/train_rotate_wn18rr_adv.py --epochs 10
"""

from lbmkgc_models.runs.script import train_script

RECIPE = {
    "model": {"name": "RotatE", "dim": 1024, "margin": 6.0, "epsilon": 2.0},
    "data": {"name": "WN18RR"},
    "training": {
        "objective": "negative sampling",
        "loss": {"name": "SigmoidLoss", "adv_temperature": 2.0},
        "sampling": {
            "neg_ent": 64,
            "sampling_mode": "cross",
            "bern_flag": False,
            "filter_flag": True,
        },
        "optimizer": "adam",
        "batch_size": 2000,
        "epochs": 6000,
        "lr": 2e-05,
    },
}

if __name__ == "__main__":
    train_script(RECIPE, __doc__)
