"""A training script: a recipe, and a command line with the options that apply to it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from lbmkgc_models.runs.experiment import run
from lbmkgc_models.runs.make_model import config_of, modalities_of
from openke.runs.command_line import parse
from openke.runs.recipe import Make, Recipe
from openke.runtime.script import program_name, run_program


def train_script(
    recipe: Mapping[str, Any] | Recipe, description: str, *, make: Make | None = None
) -> None:
    """Train by a recipe as the command line changes it, and exit.

    Parameters
    ----------
    recipe
        What is trained on what, and how, see :class:`.Recipe`.
    description
        What ``--help`` says first, usually the script's docstring.
    make
        Makes the model, see :meth:`Recipe.build`.
    """
    run_program(lambda: _train(recipe, description, make))


def _train(recipe: Mapping[str, Any] | Recipe, description: str, make: Make | None) -> None:
    made = recipe if isinstance(recipe, Recipe) else Recipe.from_dict(recipe)
    changed, options = parse(
        made,
        features=modalities_of(made.model_name) != "none",
        config=config_of(made.model_name),
        description=description,
        program=program_name(),
    )
    run(changed, options, make=make)
