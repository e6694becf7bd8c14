"""VISTA on DB15K.

    python examples/train_vista_db15k.py --epochs 10

Its authors did not train it on DB15K: these are their settings for VTKG-C. A step encodes all
entities.
"""

from lbmkgc_models.runs.script import train_script

RECIPE = {
    "model": {
        "name": "VISTA",
        "dim": 256,
        "heads": 4,
        "hidden": 2048,
        "entity_layers": 2,
        "relation_layers": 1,
        "decoder_layers": 2,
        "dropout": 0.9,
        "modal_dropout": {"image": 0.4, "text": 0.1},
        "layer_dropout": 0.01,
    },
    "data": {"name": "DB15K"},
    "training": {
        "objective": "1vsall",
        "one_side": True,
        "optimizer": "adam",
        "lr": 1e-4,
        "schedule": {"name": "cosine restarts", "first": 50, "factor": 2},
        "clip_norm": 0.1,
        "epochs": 150,
        "batch_size": 512,
    },
}

if __name__ == "__main__":
    train_script(RECIPE, __doc__)
