"""LBMKGC on DB15K with names and descriptions, trained against all entities.

    python examples/train_lbmkgc_db15k_1vsall.py --hold-out 0.1 --validate-every 1

The settings are this project's: a quarter of an hour on two cores.
"""

from lbmkgc_models.runs.script import train_script

RECIPE = {
    "model": {
        "name": "LBMKGC",
        "dim": 200,
        "interaction": "ComplEx",
        "interaction_settings": {"init_scale": 1e-3},
        "gate": "sum",
        "projection": "linear",
        "modal_scale": 1e-3,
        "drop_structure": 0.1,
        "drop_unseen": True,
        "score_mentions": True,
    },
    "data": {"name": "DB15K"},
    "features": {"text_encoder": "minilm+spelling", "texts": "descriptions"},
    "training": {
        "objective": "1vsall",
        "reciprocal": True,
        "penalty": {"name": "N3", "weight": 0.05},
        "optimizer": "adagrad",
        "lr": 0.1,
        "epochs": 35,
        "batch_size": 1000,
    },
}

if __name__ == "__main__":
    train_script(RECIPE, __doc__)
