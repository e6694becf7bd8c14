"""ComplEx on DB15K, trained against all entities with reciprocal relations.

    python examples/train_complex_db15k.py --hold-out 0.1 --validate-every 1

As Lacroix et al. (ICML 2018) do it; the settings are this project's.
"""

from lbmkgc_models.runs.script import train_script

RECIPE = {
    "model": {"name": "ComplEx", "dim": 200, "init_scale": 1e-3},
    "data": {"name": "DB15K"},
    "training": {
        "objective": "1vsall",
        "reciprocal": True,
        "penalty": {"name": "N3", "weight": 0.05},
        "optimizer": "adagrad",
        "lr": 0.1,
        "epochs": 15,
        "batch_size": 1000,
    },
}

if __name__ == "__main__":
    train_script(RECIPE, __doc__)
