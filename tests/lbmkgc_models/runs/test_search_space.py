"""Spaces of a search: read from files, checked, and by default around a recipe's own values."""

import warnings

import optuna
import pytest

from lbmkgc_models.runs.default_space import default_space
from lbmkgc_models.runs.defaults import default_recipe
from lbmkgc_models.runs.make_model import ALL_MODELS, modalities_of, model_maker
from lbmkgc_models.runs.search_space import Range, read_space, value_at, without
from tests.contracts.graphs import both, graph, one

STORE = graph()


@pytest.mark.parametrize("model", ALL_MODELS)
def test_every_model_can_be_built_at_the_ends_of_its_default_space(model):
    features = one() if modalities_of(model) == "one" else both()
    recipe = default_recipe(model)
    if recipe.training.sampling:
        recipe = recipe.changed({"training.sampling.neg_ent": min(3, STORE.entity_count)})
    space = default_space(recipe, STORE.entity_count)
    assert {"training.lr", "training.batch_size"} < set(space)
    values = {place: value_at(recipe, place) for place in space}
    trial = optuna.trial.FixedTrial(values)
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # the recipe's own value is outside the range
        assert {place: found.draw(trial, place) for place, found in space.items()} == values
    for end in (0, -1):
        other = recipe.changed({place: found.ends[end] for place, found in space.items()})
        other.build(STORE, make=model_maker(features))


def test_default_spaces():
    sampled = default_space(default_recipe("TransE"), 50)
    assert sampled["training.sampling.neg_ent"].choices == (32, 64)  # no more than before
    assert default_space(default_recipe("TransE"), 100)["training.sampling.neg_ent"].choices == (
        32, 64, 100,
    )  # fmt: skip
    assert (sampled["model.margin"].low, sampled["model.margin"].high) == (4.5, 22.5)
    assert not [place for place in sampled if "dropout" in place or "penalty" in place]
    against_all = default_space(default_recipe("ComplEx"), 50, settled=["model.dim"])
    assert (against_all["training.lr"].low, against_all["training.lr"].high) == (0.01, 0.5)
    assert "training.dropout" in against_all
    assert "model.dim" not in against_all
    own = default_space(default_recipe("TuckER"), 50)
    assert {"model.input_dropout", "model.hidden_dropout1"} < set(own)
    assert "training.dropout" not in own


def test_sections_and_places_with_points_are_the_same(tmp_path):
    (tmp_path / "a.json").write_text('{"training.penalty.weight": {"low": 0.1, "high": 1}}')
    (tmp_path / "b.toml").write_text("training.penalty.weight = {low = 0.1, high = 1}")
    assert read_space(tmp_path / "a.json") == read_space(tmp_path / "b.toml")
    assert list(read_space(tmp_path / "b.toml")) == ["training.penalty.weight"]


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        ("{", "Expecting property name"),
        ("[1]", "its content is .1.; expected settings by name"),
        ("{}", "no setting is searched"),
        ('{"a.b": 3}', "a.b is 3; expected settings by name"),
        ('{"a.b": {}}', "a.b: expected either choices, or low and high"),
        ('{"a.b": {"low": 1}}', "a.b: expected either choices, or low and high"),
        ('{"a.b": {"choices": [1], "low": 1}}', "a.b: expected either choices, or low and high"),
        ('{"a.b": {"choices": []}}', "a.b: expected either choices"),
        ('{"a.b": {"choices": "abc"}}', "a.b.choices is 'abc'; expected a list"),
        ('{"a.b": {"choices": [[1]]}}', r"a.b: choices has \[1\]; expected numbers, texts"),
        ('{"a.b": {"lower": 1, "high": 3}}', "a.b has no setting 'lower'"),
        ('{"a.b": {"low": "x", "high": 3}}', "a.b.low is 'x'; expected a number"),
        ('{"a.b": {"low": 4, "high": 3}}', "a.b: low is 4, which is above high, 3"),
        ('{"a.b": {"low": 0, "high": 3, "log": true}}', "a.b: low is 0; with log it must be above"),
    ],
)
def test_a_malformed_space_is_named(tmp_path, content, problem):
    path = tmp_path / "space.json"
    path.write_text(content)
    with pytest.raises(ValueError, match=f"space.json: .*{problem}"):
        read_space(path)


def test_a_file_that_is_none(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"none.json: no such file of a search space"):
        read_space(tmp_path / "none.json")
    (tmp_path / "space.yaml").write_text("")
    with pytest.raises(ValueError, match=r"space.yaml: .*ends in .toml or .json"):
        read_space(tmp_path / "space.yaml")


def test_whole_numbers_give_whole_numbers():
    trial = optuna.create_study().ask()
    assert isinstance(Range(low=2, high=4).draw(trial, "a"), int)
    assert isinstance(Range(low=2.0, high=4.0).draw(trial, "b"), float)


def test_a_recipe_without_what_is_searched():
    recipe = default_recipe("ComplEx")
    space = {"training.lr": Range(low=0.1, high=1.0), "model.nothing.x": Range(choices=[1])}
    assert without(recipe, space) == without(recipe.changed({"training.lr": 0.7}), space)
    assert without(recipe, space) != without(recipe.changed({"training.epochs": 7}), space)
    assert value_at(default_recipe("TuckER"), "model.input_dropout") == 0.3
    assert value_at(recipe, "model.nothing") is None
