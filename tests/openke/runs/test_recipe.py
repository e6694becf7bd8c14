"""A recipe says all about a training, or what is wrong with it."""

import json

import pytest
import torch

from lbmkgc_models.fusion.structure_mask import seen_in_train
from lbmkgc_models.runs.make_model import model_maker
from openke.config import Tester, Validation
from openke.data import QueryDataLoader, TestDataLoader, TrainDataLoader
from openke.module.loss import MarginLoss, SampledSoftmaxLoss
from openke.module.model import ComplEx, Reciprocal, TransE
from openke.module.penalty import N3
from openke.module.strategy import KVsAll, NegativeSampling, OneVsAll
from openke.runs.recipe import Recipe
from openke.runs.sections import TrainingSection
from openke.training.callbacks import Checkpoint
from tests.contracts.graphs import ENTITIES, RELATIONS, both, graph
from tests.openke.training.stopping import StopAt

WHOLE = {
    "model": {"name": "ComplEx", "dim": 4, "init_scale": 0.01},
    "data": {"name": "TOY", "hold_out": 0.1},
    "features": {"modalities": ["text"], "text_encoder": "tfidf"},
    "training": {
        "objective": "kvsall",
        "reciprocal": True,
        "loss": "bce",
        "label_smoothing": 0.1,
        "relation_prediction": 0.5,
        "penalty": {"name": "N3", "weight": 0.05},
        "dropout": 0.1,
        "query_dropout": 0.2,
        "optimizer": "adam",
        "lr": 0.01,
        "weight_decay": 0.001,
        "schedule": {"name": "cosine", "warm_up": 1},
        "clip_norm": 1.0,
        "epochs": 3,
        "batch_size": 16,
        "seed": 3,
    },
    "evaluation": {"every": 1, "patience": 2},
}
SAMPLED = {
    "model": {"name": "TransE", "dim": 4},
    "training": {
        "objective": "negative sampling",
        "loss": {"name": "MarginLoss", "margin": 3.0},
        "sampling": {"neg_ent": 5, "bern_flag": True},
        "regul_rate": 0.1,
        "optimizer": "sgd",
        "lr": 0.5,
        "batch_size": 16,
        "epochs": 2,
    },
}


def recipe_of(model, **training):
    return Recipe.from_dict({"model": model, "training": training})


def test_models_over_a_graph_and_over_features_get_what_they_need():
    small = {"objective": "kvsall", "loss": "bce", "optimizer": "adam", "lr": 0.01}
    recipe = recipe_of({"name": "GCOTE", "dim": 4, "group": 2}, **small)
    assert len(recipe.build(graph()).strategy.model.facts) == len(graph().triples("train"))
    settings = {"dim": 4, "interaction": "TuckER", "drop_unseen": True}
    recipe = recipe_of({"name": "LBMKGC", **settings}, **small)
    model = recipe.build(graph(), make=model_maker(both())).strategy.model
    assert torch.equal(model.mask.seen, seen_in_train(graph()))


def test_every_field_of_queries_arrives():
    made = Recipe.from_dict(WHOLE).build(graph())
    strategy, model = made.strategy, made.strategy.model
    assert isinstance(strategy, KVsAll)
    assert isinstance(model, Reciprocal)
    assert isinstance(model.inner, ComplEx)
    assert (model.rel_tot, model.inner.rel_tot) == (RELATIONS, 2 * RELATIONS)
    assert model.inner.config.init_scale == 0.01
    assert (strategy.loss, strategy.label_smoothing, strategy.relation_prediction) == (
        "bce", 0.1, 0.5,
    )  # fmt: skip
    assert isinstance(strategy.penalty, N3)
    assert (strategy.anchor_dropout, strategy.query_dropout) == (0.1, 0.2)
    assert isinstance(made.loader, QueryDataLoader)
    assert made.loader.settings == {
        "batch_size": 16, "targets": "all", "seed": 3, "hold_out": 0.1,
    }  # fmt: skip
    assert made.schedule.name == "cosine"
    assert made.options == {
        "train_times": 3, "opt_method": "adam", "alpha": 0.01, "weight_decay": 0.001,
        "lr_decay": 0.0, "clip_norm": 1.0, "precision": "float32",
    }  # fmt: skip


def test_every_field_of_negative_sampling_arrives():
    made = Recipe.from_dict(SAMPLED).build(graph())
    assert isinstance(made.strategy, NegativeSampling)
    assert isinstance(made.strategy.model, TransE)
    assert isinstance(made.strategy.loss, MarginLoss)
    assert (made.strategy.loss.margin, made.strategy.regul_rate) == (3.0, 0.1)
    assert isinstance(made.loader, TrainDataLoader)
    assert (made.loader.neg_ent, made.loader.bern_flag, made.loader.batch_size) == (5, True, 16)
    assert made.schedule is None


@pytest.mark.parametrize("content", [WHOLE, SAMPLED, {"model": "RotatE"}])
@pytest.mark.parametrize("form", ["json", "toml"])
def test_files_round_trip(content, form, tmp_path):
    recipe = Recipe.from_dict(content)
    path = tmp_path / f"recipe.{form}"
    recipe.write(path)
    again = Recipe.read(path)
    assert again.to_dict() == recipe.to_dict()
    for section, values in content.items():
        if section != "model":
            assert {name: again.to_dict()[section][name] for name in values} == values
    assert Recipe.from_dict(json.loads(json.dumps(recipe.to_dict()))) == again


def test_the_settings_of_a_run_hold_its_recipe(tmp_path):
    path = tmp_path / "settings.json"
    content = {"recipe": Recipe.from_dict(WHOLE).to_dict(), "model": {"model": "ComplEx"}}
    path.write_text(json.dumps(content))
    assert Recipe.read(path).to_dict() == Recipe.from_dict(WHOLE).to_dict()


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("a.json", "{", "a.json: Expecting"),
        ("a.json", "3", "a.json: recipe is 3; expected settings by name"),
        ("a.toml", "model =", "a.toml: "),
        ("a.toml", "[training]", "a.toml: recipe has no model; give model"),
        (
            "a.json",
            '{"model": "ComplEx", "training": 3}',
            "a.json: training is 3; expected settings by name",
        ),
    ],
)
def test_a_bad_file_is_named(name, text, message, tmp_path):
    (tmp_path / name).write_text(text)
    with pytest.raises(ValueError, match=message):
        Recipe.read(tmp_path / name)
    with pytest.raises(FileNotFoundError, match="no such file of a recipe"):
        Recipe.read(tmp_path / "none.json")


def test_some_places_are_changed():
    recipe = Recipe.from_dict(WHOLE)
    changes = {"training.lr": 0.5, "training.penalty.weight": 1.0, "model.dim": 8}
    other = recipe.changed(changes)
    assert (other.training.lr, other.training.penalty["weight"]) == (0.5, 1.0)
    assert other.model_settings["dim"] == 8
    assert recipe.training.lr == 0.01
    named = Recipe.from_dict(SAMPLED).changed({"training.schedule": "cosine"})
    assert named.changed({"training.schedule.warm_up": 2}).training.schedule == {
        "name": "cosine", "warm_up": 2,
    }  # fmt: skip
    with pytest.raises(ValueError, match=r"training.lr.x: lr is 0.01 in the recipe, and has no x"):
        recipe.changed({"training.lr.x": 1})


@pytest.mark.parametrize("content", [WHOLE, SAMPLED])
def test_a_trainer_is_made_and_the_same_seed_trains_the_same(content):
    def losses(seed):
        recipe = Recipe.from_dict(content).changed({"training.seed": seed})
        return recipe.trainer(graph(), device="cpu", progress=False).run().losses

    assert losses(0) == losses(0)
    assert losses(0) != losses(1)


def test_a_schedule_sees_what_callbacks_measure():
    store = graph()
    schedule = {"name": "plateau", "patience": 0, "min_delta": 1.0}
    recipe = recipe_of("DistMult", epochs=4, schedule=schedule)
    validation = Validation(lambda: {"mrr": 0.1}, store)
    trainer = recipe.trainer(store, device="cpu", callbacks=[validation], progress=False)
    assert trainer.run().records[-1]["lr"] == pytest.approx(0.1 / 4)


def test_a_training_that_is_resumed_has_the_rates_of_one_that_was_not(tmp_path):
    def trainer():
        recipe = recipe_of("DistMult", epochs=5, schedule="cosine")
        saving = Checkpoint(tmp_path / "last.ckpt", every=2)
        return recipe.trainer(graph(), device="cpu", callbacks=[saving], progress=False)

    begun = trainer()
    begun.callbacks.append(StopAt(2))
    begun.run()
    resumed = trainer()
    resumed.callbacks.append(StopAt(9))
    resumed.resume(tmp_path / "last.ckpt")
    (tmp_path / "last.ckpt").unlink()
    rates = [record["lr"] for record in trainer().run().records]
    assert [record["lr"] for record in resumed.run().records] == rates


def test_one_vs_all_learns_the_graph():
    store = graph()
    recipe = recipe_of(
        {"name": "ComplEx", "dim": 16, "init_scale": 1e-3}, reciprocal=True, epochs=40,
        batch_size=8, penalty={"name": "N3", "weight": 1e-3},
    )  # fmt: skip
    trainer = recipe.trainer(store, device="cpu", progress=False)
    trainer.run()
    assert isinstance(trainer.strategy, OneVsAll)
    loader = TestDataLoader(store)
    tester = Tester(trainer.strategy.model, loader, device="cpu", progress=False)
    assert tester.rank("train").metrics()["mrr"] > 0.9
    assert tester.rank("train").model == "ComplEx"
    assert tester.rank_relations("train").metrics()["mrr"] > 0.5


def test_shared_negatives_and_sampled_softmax_learn_the_graph():
    recipe = recipe_of(
        {"name": "ComplEx", "dim": 16}, reciprocal=True,
        objective="negative sampling", loss="SampledSoftmaxLoss", epochs=60, batch_size=8,
        sampling={"negatives": "shared", "neg_ent": 12},
    )  # fmt: skip
    store = graph()
    trainer = recipe.trainer(store, device="cpu", progress=False)
    trainer.run()
    assert isinstance(trainer.strategy.loss, SampledSoftmaxLoss)
    tester = Tester(trainer.strategy.model, TestDataLoader(store), device="cpu", progress=False)
    assert tester.rank("train").metrics()["mrr"] > 0.9


def test_an_ending_that_is_none_of_a_recipe_and_texts_without_quotes(tmp_path):
    (tmp_path / "r.yaml").write_text("model: TransE")
    with pytest.raises(ValueError, match=r"r\.yaml: no recipe, expected .* in \.toml or \.json$"):
        Recipe.read(tmp_path / "r.yaml")
    (tmp_path / "r.toml").write_text("[model]\nname = TransE\n")
    with pytest.raises(
        ValueError, match=r"r\.toml: not TOML, in which texts need quotes: .*line 2"
    ):
        Recipe.read(tmp_path / "r.toml")


def test_models_with_features_are_made_by_their_package():
    recipe = recipe_of({"name": "LBMKGC", "dim": 4}, reciprocal=True)
    model = recipe.build(graph(), make=model_maker(both())).strategy.model
    assert list(model.inner.projectors.names) == ["image", "text"]
    other = recipe_of("TransE").build(graph(), make=model_maker({})).strategy.model
    assert isinstance(other, TransE)
    with pytest.raises(ValueError, match="model is 'LBMKGC'; expected one of 'Analogy'"):
        recipe.build(graph())


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"width": 3}, "training has no setting 'width'; it knows objective, reciprocal"),
        (
            {"objective": "all"},
            r"training.objective is 'all' .did you mean kvsall\?.; expected one of '1vsall', 'kvs",
        ),
        (
            {"loss": "SigmoidLoss"},
            "training.loss is 'SigmoidLoss'; expected one of 'softmax', 'bce'.* with kvsall; "
            "SigmoidLoss belongs to negative sampling$",
        ),
        (
            {"loss": {"name": "bce", "margin": 1}},
            "training.loss 'bce' has no setting 'margin'; it knows none",
        ),
        (
            {"loss": {"margin": 1}},
            r"training.loss is \{'margin': 1\}, which has no name; give training.loss.name as one",
        ),
        ({"sampling": {"neg_ent": 3}}, "sampling is .*, but training by kvsall has none"),
        ({"regul_rate": 0.1}, "regul_rate is 0.1, but training by kvsall has none; leave it out"),
        ({"penalty": "N4"}, "training.penalty is 'N4'; expected one of 'DURA', 'L2', 'N3'"),
        ({"penalty": "N3"}, "training.penalty 'N3' has no weight; give training.penalty.weight"),
        (
            {"penalty": {"name": "N3", "weight": -1}},
            "training.penalty.weight is -1; expected a number, 0 or more",
        ),
        ({"optimizer": "lion"}, "training.optimizer is 'lion'; expected one of 'sgd', 'adagrad'"),
        ({"lr": 0}, "training.lr is 0; expected a number above 0"),
        ({"schedule": "linear"}, "schedule is 'linear'; expected one of"),
        ({"clip_norm": 0}, "training.clip_norm is 0; expected a number above 0, or null"),
        ({"epochs": 0}, "training.epochs is 0; expected a whole number, 1 or more"),
        ({"batch_size": 0}, "training.batch_size is 0; expected a whole number, 1"),
        (
            {"precision": "float16"},
            "training.precision is 'float16'; expected one of 'float32', "
            "'float32-ieee', 'bfloat16'",
        ),
    ],
)
def test_what_is_wrong_is_said_at_once(change, message):
    with pytest.raises(ValueError, match=message):
        Recipe.from_dict({**WHOLE, "training": {**WHOLE["training"], **change}})


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            {"loss": "softmax"},
            "training.loss is 'softmax'; expected one of 'MarginLoss', .* with negative "
            "sampling; softmax belongs to 1vsall and kvsall$",
        ),
        (
            {"loss": {"name": "MarginLoss", "gamma": 1}},
            "loss 'MarginLoss' has no setting 'gamma'; it knows adv_temp",
        ),
        ({"label_smoothing": 0.1}, "label_smoothing is 0.1, but training by negative sampling has"),
        ({"answer_weights": "frequency"}, "answer_weights is 'frequency', but training by negat"),
        ({"relation_prediction": 1}, "relation_prediction is 1, but training by negative sampling"),
        ({"sampling": {"neg_ent": 0}}, "training.sampling has neg_ent 0 and no neg_rel; expected"),
        ({"sampling": {"negs": 3}}, "training.sampling has no setting 'negs' .did you mean neg"),
        ({"sampling": {"seed": 3}}, "training.sampling has no setting 'seed'; it knows threads"),
    ],
)
def test_what_is_wrong_with_sampling_is_said_at_once(change, message):
    with pytest.raises(ValueError, match=message):
        Recipe.from_dict({**SAMPLED, "training": {**SAMPLED["training"], **change}})


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"models": "RotatE"}, r"recipe has no setting 'models' .did you mean model\?.; it knows"),
        ({"data": {"hold_out": 1}}, "data.hold_out is 1; expected a number from 0 to below 1"),
        (
            {"evaluation": {"patience": 2}},
            "evaluation.patience needs evaluation.every, the epochs between two",
        ),
        ({"evaluation": {"every": -1}}, "evaluation.every is -1; expected a whole number, 0 or"),
        ({"features": {"text": "x"}}, "features has no setting 'text' .did you mean"),
        ({"model": {"dim": 3}}, r"model is \{'dim': 3\}, which has no name; give model.name"),
    ],
)
def test_what_is_wrong_with_other_sections_is_said_at_once(change, message):
    with pytest.raises(ValueError, match=message):
        Recipe.from_dict({**SAMPLED, **change})


@pytest.mark.parametrize(
    ("place", "value", "expected"),
    [
        ("training.epochs", "abc", "a whole number, 1 or more"),
        ("training.epochs", 1.5, "a whole number, 1 or more"),
        ("training.lr", "0.1", "a number above 0, at most 1000"),
        ("training.lr", float("nan"), "a number above 0, at most 1000"),
        ("training.batch_size", True, "a whole number, 1 or more"),
        ("training.reciprocal", "no", "true or false"),
        ("training.regul_rate", -1, "a number, 0 or more"),
        ("training.sampling", "", "settings by name"),
        ("training.sampling.neg_ent", "5", "a whole number, 0 or more"),
        ("training.sampling.bern_flag", 1, "true or false"),
        ("training.loss.margin", "5", "a number"),
        ("training.loss.adv_temperature", -1.0, "a number, 0 or more, or null"),
        ("training.loss", 3, "a name, or {'name': …}"),
        ("training.penalty", ["N3"], "a name, or {'name': …}, or null"),
        ("training.optimizer", None, "a text"),
        ("data.name", 3, "a text"),
        ("data.hold_out", [0.1], "a number from 0 to below 1"),
        ("evaluation.every", "3", "a whole number, 0 or more"),
        ("features.modalities", {}, "a text, or a list"),
        ("model", 3, "a name, or {'name': …}"),
        ("model.name", None, "a text"),
        ("training", None, "settings by name"),
    ],
)
def test_values_of_a_wrong_type_name_file_place_and_what_is_expected(
    place, value, expected, tmp_path
):
    with pytest.raises(ValueError, match="expected") as caught:
        Recipe.from_dict(SAMPLED).changed({place: value})
    assert str(caught.value) == f"{place} is {value!r}; expected {expected}"
    content = Recipe.from_dict(SAMPLED).to_dict()
    *above, last = place.split(".")
    inside = content
    for name in above:
        inside = inside[name]
    inside[last] = value
    path = tmp_path / "recipe.json"
    path.write_text(json.dumps(content))
    with pytest.raises(ValueError, match="expected") as caught:
        Recipe.read(path)
    assert str(caught.value) == f"{path}: {place} is {value!r}; expected {expected}"


def test_sections_made_in_python_are_checked_too():
    with pytest.raises(ValueError, match=r"^training\.epochs is 'abc'; expected a whole number"):
        Recipe(model="TransE", training=TrainingSection(epochs="abc"))


def test_a_part_that_is_not_there_must_be_named():
    recipe = Recipe.from_dict(SAMPLED)
    with pytest.raises(ValueError, match=r"give training.penalty.name as one of 'DURA', 'L2', 'N3"):
        recipe.changed({"training.penalty.weight": 0.1})
    both = {"training.penalty.weight": 0.1, "training.penalty.name": "N3"}
    assert recipe.changed(both).training.penalty == {"name": "N3", "weight": 0.1}


def test_what_only_the_model_knows_is_said_when_it_is_made():
    with pytest.raises(ValueError, match="ComplEx has no setting 'width'"):
        recipe_of({"name": "ComplEx", "width": 3}).build(graph())
    with pytest.raises(ValueError, match="DURA is for scores that are dot products"):
        recipe_of("TransE", penalty={"name": "DURA", "weight": 1.0}).build(graph())


def test_more_negatives_than_entities_are_refused_by_their_place():
    recipe = Recipe.from_dict(SAMPLED).changed({"training.sampling.neg_ent": 64})
    with pytest.raises(ValueError, match=r"neg_ent is 64, .* has 23 entities; set it to so many"):
        recipe.build(graph())


def test_small_tables_start_small():
    made = recipe_of({"name": "ComplEx", "dim": 50, "init_scale": 1e-3}).build(graph())
    for name, values in made.strategy.named_parameters():
        assert values.std().item() == pytest.approx(1e-3, rel=0.3), name
    assert made.strategy.model.ent_tot == ENTITIES
    assert torch.initial_seed() == 0
