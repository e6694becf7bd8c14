"""Factbook's settings serve data sets that have text alone."""

import json

import pytest
from comparison.moving import move
from comparison.table_rows import BUNDLED, TUNED, find_rows, read_row
from move_settings import Settings

TEXT = {"modalities": ["text"], "texts": "descriptions", "text_encoder": "minilm+spelling"}


@pytest.fixture
def moved(tmp_path):
    """Move Factbook's row of a name to MKG-W, and return both recipes as their files have them."""

    def one(name, epochs=0):
        (row,) = find_rows([name], [BUNDLED], [TUNED])
        folder = tmp_path / "settings"
        own = folder / BUNDLED / f"{row.stem}.json"
        own.parent.mkdir(parents=True, exist_ok=True)
        recipe = row.recipe.to_dict()
        own.write_text(json.dumps({"source": "a test", "recipe": recipe}))
        path = move(row, "MKG-W", epochs, folder)
        there = read_row(path)
        assert (there.name, there.dataset, there.mode) == (name, "MKG-W", TUNED)
        assert "nothing was chosen here but the epochs" in there.source
        return recipe, json.loads(path.read_text())["recipe"]

    return one


def test_all_that_is_not_of_pictures_stays(moved):
    own, there = moved("TransAE", epochs=50)
    assert own["model"]["hidden"] == {"image": 100, "text": 100}
    assert there["model"] == {**own["model"], "hidden": {"text": 100}}
    assert there["features"] == TEXT
    assert there["training"] == {**own["training"], "epochs": 50}
    assert there["evaluation"] == {"every": 3, "patience": 3}


@pytest.mark.parametrize("name", ["IKRL", "RSME"])
def test_a_model_of_pictures_alone_reads_texts(moved, name):
    own, there = moved(name)
    assert own["features"]["modalities"] == ["image"]
    assert there["features"] == TEXT
    assert there["training"] == own["training"]


def test_tokens_need_no_encoder_of_vectors(moved):
    _, there = moved("MyGO")
    assert there["features"] == {"modalities": ["text"], "texts": "descriptions"}


def test_a_model_of_structure_reads_nothing(moved):
    _, there = moved("RotatE")
    assert there["features"] == {"modalities": "none"}


def test_settings_are_moved_to_data_sets_of_the_paper():
    with pytest.raises(ValueError, match="--to"):
        Settings(rows=("RotatE",), to=("OpenMoji",))
    with pytest.raises(ValueError, match="--epochs"):
        Settings(rows=("RotatE",), to=("MKG-W",), epochs=-1)
