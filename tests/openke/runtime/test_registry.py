"""Models, losses, encoders and data sets of another package join by an entry point each."""

from importlib.metadata import EntryPoint

import pytest
import torch

from lbmkgc_models.features.encoders.registry import text_encoder
from lbmkgc_models.model import MULTIMODAL
from lbmkgc_models.runs.make_model import config_of, modalities_of
from openke.datasets.registry import DATA_SETS
from openke.module.loss import LOSSES
from openke.runs.load import load_run
from openke.runs.recipe import Recipe
from openke.runtime import registry
from openke.runtime.registry import Registry
from tests.contracts.graphs import graph
from tests.openke.runs.trained import data_folder, trained

PLUGINS = {
    "openke.models": "Squared",
    "openke.multimodal_models": "Pictured",
    "openke.losses": "HingeLoss",
    "openke.text_encoders": "Lengths",
    "openke.datasets": "KNOWN",
}
BROKEN = EntryPoint("Broken", "tests.openke.runtime.no_such_module:Broken", "openke.models")


@pytest.fixture(autouse=True)
def plugins(monkeypatch):
    """Install a package that offers one of each."""

    def entry_points(group):
        if group not in PLUGINS:
            return []
        name = PLUGINS[group]
        return [EntryPoint(name, f"tests.openke.runtime.plugin:{name}", group)]

    monkeypatch.setattr(registry, "entry_points", entry_points)
    monkeypatch.setattr("openke.runs.rebuilders.entry_points", entry_points)


def test_own_entries_come_first_and_others_are_loaded_when_asked_for():
    found = Registry({"HingeLoss": 1, "b": 2}, "openke.losses")
    assert list(found) == ["HingeLoss", "b"]
    assert found["HingeLoss"] == 1
    assert len(Registry({"b": 2}, "openke.losses")) == 2
    assert "HingeLoss" in LOSSES
    with pytest.raises(KeyError):
        LOSSES["Nothing"]


def test_an_entry_that_cannot_be_loaded_is_said_to_be_so(monkeypatch):
    monkeypatch.setattr(
        registry, "entry_points", lambda group: [BROKEN] if group == BROKEN.group else []
    )
    message = (
        "^'Broken' of tests, an entry point of openke.models, cannot be loaded: "
        "ModuleNotFoundError: No module named 'tests.openke.runtime.no_such_module'$"
    )
    with pytest.raises(ValueError, match=message):
        Registry({}, "openke.models")["Broken"]
    with pytest.raises(ValueError, match=message):
        config_of("Broken")


def test_a_recipe_knows_models_and_losses_of_others(tmp_path):
    recipe = Recipe.from_dict(
        {
            "model": {"name": "Squared", "dim": 4},
            "training": {
                "objective": "negative sampling", "loss": "HingeLoss", "optimizer": "adam",
                "lr": 0.05, "epochs": 3, "batch_size": 16,
            },
        }
    )  # fmt: skip
    losses = recipe.trainer(graph(), device="cpu", progress=False).run().losses
    assert losses[-1] < losses[0]
    model = recipe.build(graph()).strategy.model
    directory = data_folder(tmp_path)
    trained(tmp_path / "run", directory, model)
    loaded = load_run(tmp_path / "run").model
    assert type(loaded) is type(model)
    assert torch.equal(loaded.ent_embeddings.weight, model.ent_embeddings.weight)


def test_multimodal_models_encoders_and_data_sets_of_others():
    assert "Pictured" in MULTIMODAL
    assert modalities_of("Pictured") == "several"
    assert modalities_of("Squared") == "none"
    assert text_encoder("Lengths").encode(["abc", "a"]).tolist() == [[3.0], [1.0]]
    assert DATA_SETS["KNOWN"].page == "a page"
    assert "DB15K" in DATA_SETS
