"""MyGO on DB15K.

    openke features tokens DB15K --pictures DB15K-images --text-tokens 4
    python examples/train_mygo_db15k.py --epochs 10

Settings are the published ones. Without tokens, one vector of a text or picture is one token. A
step encodes all entities.
"""

from lbmkgc_models.runs.script import train_script

RECIPE = {
    "model": {
        "name": "MyGO",
        "dim": 256,
        "heads": 2,
        "hidden": 1024,
        "entity_layers": 1,
        "decoder_layers": 1,
        "dropout": 0.6,
        "modal_dropout": {"image": 0.3, "text": 0.1},
    },
    "data": {"name": "DB15K"},
    "training": {
        "objective": "1vsall",
        "one_side": True,
        "auxiliary": {"contrast": 0.01},
        "optimizer": "adam",
        "lr": 1e-3,
        "schedule": {"name": "cosine restarts", "first": 50, "factor": 2},
        "clip_norm": 0.1,
        "epochs": 1500,
        "batch_size": 2048,
    },
}

if __name__ == "__main__":
    train_script(RECIPE, __doc__)
