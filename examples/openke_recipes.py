"""The settings of OpenKE's own examples, as a table; train_openke.py runs any of them."""

import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Literal

import tyro

from lbmkgc_models.runs.experiment import run_experiment
from openke.module.loss import Loss, MarginLoss, SigmoidLoss, SoftplusLoss
from openke.module.model import MODELS, Model
from openke.runs.experiment import ExperimentSettings
from openke.runtime.script import exit_status, program_name


@dataclass(frozen=True, kw_only=True)
class Settings(ExperimentSettings):
    """Train by a recipe of OpenKE; the defaults are its settings."""

    opt_method: Literal["sgd", "adagrad", "adadelta", "adam"] = "sgd"
    """Optimiser."""
    sampling_mode: Literal["normal", "cross"] = "normal"
    """normal replaces heads and tails mixed, cross heads and tails in turns of a batch."""
    bern_flag: bool = True
    """Choose between head and tail by the relation's mean partners, else evenly."""
    regul_rate: float = 0.0
    """Weight of the mean squares of a batch's vectors."""
    l3_regul_rate: float = 0.0
    """Weight of the cubes of all vectors."""


@dataclass(frozen=True)
class Recipe:
    """What is trained on what."""

    model: str
    dataset: str
    loss: Loss
    settings: Settings
    options: dict[str, Any] = field(default_factory=dict)
    dims: tuple[str, ...] = ("dim",)
    """The model's settings that --dim sets."""

    def build(self, settings: Settings, entities: int, relations: int) -> Model:
        """Return the untrained model."""
        dims = dict.fromkeys(self.dims, settings.dim)
        return MODELS[self.model](entities, relations, **dims, **self.options)


def fb15k237(**settings: Any) -> Settings:
    """Return settings in 100 batches an epoch."""
    return Settings(**{"epochs": 1000, "dim": 200, "negatives": 25, "batch_size": 2722, **settings})


def wn18rr(**settings: Any) -> Settings:
    """Return settings in 100 batches an epoch, with Adagrad."""
    shared = {"negatives": 25, "batch_size": 869, "lr": 0.5, "opt_method": "adagrad"}
    return Settings(**{"epochs": 2000, "dim": 200, "regul_rate": 1.0, **shared, **settings})


def adversarial(**settings: Any) -> Settings:
    """Return settings of self-adversarial training, with Adam."""
    shared = {"batch_size": 2000, "sampling_mode": "cross", "bern_flag": False, "negatives": 64}
    return Settings(**{"dim": 1024, "opt_method": "adam", **shared, **settings})


TRANSLATION = {"p_norm": 1, "norm_flag": True}
PAIR = ("dim_e", "dim_r")

RECIPES: dict[str, Recipe] = {
    "transe_fb15k237": Recipe(
        "TransE", "FB15K237", MarginLoss(margin=5.0), fb15k237(lr=1.0), TRANSLATION
    ),
    "transh_fb15k237": Recipe(
        "TransH", "FB15K237", MarginLoss(margin=4.0), fb15k237(lr=0.5), TRANSLATION
    ),
    # train_transr_fb15k237.py starts this one from TransE.
    "transr_fb15k237": Recipe(
        "TransR", "FB15K237", MarginLoss(margin=4.0), fb15k237(lr=1.0), TRANSLATION, PAIR
    ),
    "transd_fb15k237": Recipe(
        "TransD", "FB15K237", MarginLoss(margin=4.0), fb15k237(lr=1.0), TRANSLATION, PAIR
    ),
    "rescal_fb15k237": Recipe(
        "RESCAL", "FB15K237", MarginLoss(margin=1.0), fb15k237(lr=0.1, dim=50, opt_method="adagrad")
    ),
    "distmult_wn18rr": Recipe("DistMult", "WN18RR", SoftplusLoss(), wn18rr()),
    "complex_wn18rr": Recipe("ComplEx", "WN18RR", SoftplusLoss(), wn18rr()),
    "simple_wn18rr": Recipe("SimplE", "WN18RR", SoftplusLoss(), wn18rr()),
    "analogy_wn18rr": Recipe("Analogy", "WN18RR", SoftplusLoss(), wn18rr()),
    "hole_wn18rr": Recipe("HolE", "WN18RR", SoftplusLoss(), wn18rr(epochs=1000, dim=100)),
    "transe_wn18rr_adv": Recipe(
        "TransE", "WN18RR", SigmoidLoss(adv_temperature=1.0), adversarial(epochs=3000, lr=2e-5),
        {"p_norm": 1, "norm_flag": False, "margin": 6.0},
    ),
    "rotate_wn18rr_adv": Recipe(
        "RotatE", "WN18RR", SigmoidLoss(adv_temperature=2.0), adversarial(epochs=6000, lr=2e-5),
        {"margin": 6.0, "epsilon": 2.0},
    ),
    "distmult_wn18rr_adv": Recipe(
        "DistMult", "WN18RR", SigmoidLoss(adv_temperature=0.5),
        adversarial(epochs=400, lr=2e-3, l3_regul_rate=5e-6), {"margin": 200.0, "epsilon": 2.0},
    ),
}  # fmt: skip

Build = Callable[[Settings, int, int], Model]


def run_recipe(name: str, arguments: list[str], build: Build | None = None) -> int:
    """Train by a recipe, with ``arguments`` of the command line in place of its settings."""
    recipe = RECIPES[name]
    make = build or recipe.build

    def train() -> None:
        about = f"{recipe.model} on {recipe.dataset} with {type(recipe.loss).__name__}."
        settings = tyro.cli(Settings, args=arguments, default=recipe.settings, description=about)
        run_experiment(
            recipe.model,
            recipe.dataset,
            settings,
            lambda store, features: make(settings, store.entity_count, store.relation_count),
            recipe.loss,
            regul_rate=settings.regul_rate,
            l3_regul_rate=settings.l3_regul_rate,
            opt_method=settings.opt_method,
            sampling={"sampling_mode": settings.sampling_mode, "bern_flag": settings.bern_flag},
            uses="structure",
        )

    return exit_status(program_name(), train)


def main() -> int:
    """Run the recipe that the command line names first."""
    name, *arguments = sys.argv[1:] or ["--help"]
    if name not in RECIPES:
        print(f"usage: {program_name()} RECIPE [options]\n\nRecipes: {', '.join(RECIPES)}")
        print(f"{program_name()} RECIPE --help lists the options and the recipe's settings.")
        return 0 if name in ("-h", "--help") else 2
    return run_recipe(name, arguments)
