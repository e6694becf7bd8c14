"""A recipe's command line has an option for what it settles, and for nothing else."""

from pathlib import Path

import pytest

from openke.data.train_data_loader import TrainDataLoader
from openke.module.loss import MarginLoss
from openke.module.model import TransE
from openke.runs.command_line import assigned, options_of, parse, shorter
from openke.runs.experiment import RunOptions
from openke.runs.recipe import Recipe
from openke.runs.sections import TrainingSection
from openke.runtime.field_texts import field_texts, parameter_texts

SAMPLED = Recipe.from_dict(
    {
        "model": {"name": "TransE", "dim": 8, "norm_flag": True},
        "data": {"name": "DB15K"},
        "training": {
            "objective": "negative sampling", "loss": {"name": "MarginLoss", "margin": 5.0},
            "sampling": {"neg_ent": 4}, "regul_rate": 0.1, "optimizer": "adam", "lr": 1e-3,
            "epochs": 200,
        },
    }
)  # fmt: skip
QUERY_RECIPE = Recipe.from_dict(
    {
        "model": {"name": "TransR", "dim_e": 8, "dim_r": 8},
        "training": {"penalty": {"name": "N3", "weight": 0.05}, "epochs": 3},
    }
)


def parsed(recipe, *arguments, features=False):
    return parse(recipe, features=features, description="A test.", program="x", arguments=arguments)


def names(recipe, features=False):
    return {option.name for option in options_of(recipe, features=features)}


def test_options_follow_the_recipe():
    assert {"negatives", "margin", "regul_rate", "dim"} <= names(SAMPLED)
    assert not {"penalty", "adv_temperature", "l3_regul_rate", "modalities"} & names(SAMPLED)
    assert {"penalty", "dim"} <= names(QUERY_RECIPE)
    assert not {"negatives", "margin", "regul_rate"} & names(QUERY_RECIPE)
    assert names(QUERY_RECIPE, features=True) - names(QUERY_RECIPE) == {
        "modalities", "features", "text_encoder", "texts",
    }  # fmt: skip


def test_values_arrive_at_their_places():
    recipe, options = parsed(
        SAMPLED, "--dim", "4", "--negatives", "9", "--margin", "2", "--validate-every", "1",
        "--set", "training.clip_norm=1.5", "--set", "training.schedule=cosine", "--resume",
        "--out", "here",
    )  # fmt: skip
    assert (recipe.model_settings["dim"], recipe.training.sampling["neg_ent"]) == (4, 9)
    assert (recipe.training.loss["margin"], recipe.evaluation.every) == (2.0, 1)
    assert (recipe.training.clip_norm, recipe.training.schedule) == (1.5, "cosine")
    assert (options.resume, str(options.out), options.data) == (True, "here", None)
    both, _ = parsed(QUERY_RECIPE, "--dim", "5", "--penalty", "0.5")
    assert (both.model_settings["dim_e"], both.model_settings["dim_r"]) == (5, 5)
    assert both.training.penalty == {"name": "N3", "weight": 0.5}


def test_nothing_given_changes_nothing():
    assert parsed(SAMPLED) == (SAMPLED, RunOptions())


def test_a_folder_of_features_goes_before_the_recipes_encoder():
    recipe = SAMPLED.changed({"features.text_encoder": "tfidf"})
    chosen, _ = parsed(recipe, "--features", "folder", features=True)
    assert (chosen.features.folder, chosen.features.text_encoder) == ("folder", "")
    both = ("--features", "folder", "--text-encoder", "minilm")
    assert parsed(recipe, *both, features=True)[0].features.text_encoder == "minilm"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--epochs", "0"], "--epochs 0: training.epochs is 0; expected a whole number, 1"),
        (["--lr", "0.1", "--hold-out", "1"], "--hold-out 1.0: data.hold_out is 1.0"),
        (["--patience", "1"], "--patience 1: evaluation.patience needs evaluation.every"),
        (["--set", "lr"], "--set lr: expected PLACE=VALUE, such as training.lr=0.05"),
        (["--set", "lr=0.1"], r"no setting 'lr' \(did you mean training.lr\?\); it knows model"),
        (["--set", "neg_ents=2"], r"'neg_ents' \(did you mean training.sampling.neg_ent\?\)"),
        (["--set", "learning_rate=2"], r"'learning_rate' \(did you mean training.lr\?\)"),
        (["--set", "zzz=1"], "recipe has no setting 'zzz'; it knows"),
        (
            ["--set", "training.penalty={name=N3}"],
            r"--set training.penalty=\{name=N3\}: neither JSON nor TOML: .* texts need quotes",
        ),
        (["--set", "training.lr.x=1"], "training.lr.x: lr is 0.001 in the recipe"),
        (
            ["--checkpoint-every", "0"],
            "--checkpoint-every is 0; expected a whole number, 1 or more",
        ),
        (["--resume", "--overwrite"], "--resume and --overwrite exclude each other"),
    ],
)
def test_a_bad_value_names_its_option(arguments, message):
    with pytest.raises(ValueError, match=message):
        parsed(SAMPLED, *arguments)


def test_texts_are_those_of_what_is_set_and_choices_those_of_its_type():
    options = {option.name: option for option in options_of(SAMPLED, features=False)}
    assert options["epochs"].help == field_texts(TrainingSection)["epochs"]
    assert options["negatives"].help == parameter_texts(TrainDataLoader)["neg_ent"]
    assert options["margin"].help == parameter_texts(MarginLoss)["margin"]
    assert options["dim"].help == field_texts(TransE.Config)["dim"]
    both = {option.name: option for option in options_of(QUERY_RECIPE, features=True)}
    assert both["dim"].help.startswith("Both dim_e and dim_r: ")
    assert both["penalty"].help.startswith("Weight of N3. ")
    assert all(option.help for option in [*options.values(), *both.values()])
    with pytest.raises(ValueError, match=r"invalid choice 'float64' .* 'bfloat16'"):
        parsed(SAMPLED, "--precision", "float64")


def test_values_of_set_are_json_or_text():
    assert assigned(['p={name="N3", weight=1}', "q=['text']", "r={}", "s='x'"]) == {
        "p": {"name": "N3", "weight": 1}, "q": ["text"], "r": {}, "s": "'x'",
    }  # fmt: skip
    assert assigned(["a.b=1", "c=[2]", "d=x=y", "e=true", "f="]) == {
        "a.b": 1, "c": [2], "d": "x=y", "e": True, "f": "",
    }  # fmt: skip


def test_a_training_cut_short_is_told_the_rate_that_goes_as_far():
    def said(**changes):
        places = {f"training.{name}": value for name, value in changes.items()}
        return shorter(SAMPLED, SAMPLED.changed(places))

    assert said(epochs=20).startswith("20 epochs instead of 200: the learning rate 0.001 is made")
    assert said(epochs=20).endswith("; try --lr 0.01")
    assert said(epochs=1).endswith("; try --lr 0.05")  # not 0.2
    assert said(epochs=150) == said(epochs=20, lr=0.01) == ""
    first_look = (
        "20 epochs instead of 200: a first look, well below what the whole training reaches"
    )
    assert said(epochs=20, optimizer="adagrad") == said(epochs=20, schedule="cosine") == first_look


def test_a_path_may_be_a_string():
    options = RunOptions(out="runs/here", data="there")
    assert (options.out, options.data) == (Path("runs/here"), Path("there"))
