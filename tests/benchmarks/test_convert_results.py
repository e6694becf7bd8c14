"""Settings and results of release 0.1.0 become those of today."""

import json

from convert_results import Settings, main

from openke.runs.recipe import Recipe

FLAT = {
    "model": "LBMKGC",
    "model_settings": {"dim": 4, "interaction": "ComplEx"},
    "training": "1vsall",
    "optimizer": {"name": "adagrad", "lr": 0.2},
    "penalty": {"name": "N3", "weight": 0.07},
    "epochs": 40,
}
BESIDE = {"precision": "bfloat16", "modalities": ["text"], "text_encoder": "minilm"}


def written(folder, name, content):
    path = folder / "MKG-W" / name
    path.parent.mkdir(exist_ok=True, parents=True)
    path.write_text(json.dumps(content))
    main(Settings(folder=folder))
    return json.loads(path.read_text())


def test_settings_keep_what_they_say_and_no_more(tmp_path):
    content = {"source": "a test", "recipe": FLAT, **BESIDE, "dev": {"patience": 8}}
    found = written(tmp_path, "A.tuned.json", content)
    assert found == {
        "source": "a test",
        "recipe": {
            "model": {"name": "LBMKGC", "dim": 4, "interaction": "ComplEx"},
            "data": {"name": "MKG-W"},
            "features": {
                "modalities": ["text"],
                "text_encoder": "minilm",
                "texts": "descriptions",
            },
            "training": {
                "objective": "1vsall",
                "optimizer": "adagrad",
                "lr": 0.2,
                "penalty": {"name": "N3", "weight": 0.07},
                "epochs": 40,
                "precision": "bfloat16",
            },
            "evaluation": {"every": 1, "patience": 8},
        },
    }
    assert written(tmp_path, "A.tuned.json", found) == found
    published = written(tmp_path, "A.published.json", {"source": "x", "recipe": FLAT})
    assert published["recipe"]["evaluation"] == {}


def test_results_say_everything(tmp_path):
    named = {"name": "A", "dataset": "MKG-W", "mode": "tuned", "every": 2, "patience": 6}
    found = written(tmp_path, "A.tuned.seed0.json", {**named, "recipe": FLAT, **BESIDE, "seed": 3})
    assert set(found) == {"name", "dataset", "mode", "recipe", "seed"}
    assert Recipe.from_dict(found["recipe"]).to_dict() == found["recipe"]
    assert found["recipe"]["evaluation"] == {"every": 2, "patience": 6}


def test_spaces_name_places_of_today(tmp_path):
    path = tmp_path / "spaces" / "A.json"
    path.parent.mkdir()
    flat = {"optimizer.lr": {}, "model_settings.dim": {}, "penalty.weight": {}, "dropout": {}}
    path.write_text(json.dumps(flat))
    main(Settings(folder=tmp_path))
    assert list(json.loads(path.read_text())) == [
        "training.lr", "model.dim", "training.penalty.weight", "training.dropout",
    ]  # fmt: skip
