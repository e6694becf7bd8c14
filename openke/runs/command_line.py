"""The command line of a recipe: an option for what it settles, and for nothing else."""

from __future__ import annotations

import dataclasses
import inspect
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import tyro

from openke.module.loss import LOSSES
from openke.runs.experiment import RunOptions
from openke.runs.parts import divide
from openke.runs.recipe import Recipe
from openke.runs.sections import SAMPLING
from openke.runtime.field_texts import field_texts
from openke.runtime.script import parse_arguments

LONGER = 2
"""A schedule that is cut to less than one of so many parts gets a word of warning."""


@dataclass(frozen=True)
class Option:
    """An option of the command line and the places in the recipe that it sets."""

    name: str
    places: tuple[str, ...]
    help: str
    value: Any
    """What the recipe has there; its type is the option's."""


def options_of(recipe: Recipe, *, features: bool) -> list[Option]:
    """Return the options that mean something for a recipe.

    Parameters
    ----------
    recipe
        What is trained and how.
    features
        Whether its model takes pictures and text.
    """
    t = recipe.training
    unit = "Positive triples" if t.objective == SAMPLING else "Queries"
    found = [
        Option("epochs", ("training.epochs",), "Passes over the train split.", t.epochs),
        Option("lr", ("training.lr",), "Learning rate.", t.lr),
        Option("batch_size", ("training.batch_size",), f"{unit} in a step.", t.batch_size),
        *_of_model(recipe),
        *_of_objective(recipe),
    ]
    if features:
        found += _of_features(recipe)
    return [
        *found,
        Option("seed", ("training.seed",), "Of initial parameters, order and negatives.", t.seed),
        Option("precision", ("training.precision",), "float32 or bfloat16.", t.precision),
        Option(
            "hold_out",
            ("data.hold_out",),
            "Share of the train split to validate on; what is published trains on all of it.",
            recipe.data.hold_out,
        ),
        Option(
            "validate_every",
            ("evaluation.every",),
            "Epochs between two validations; 0 never validates.",
            recipe.evaluation.every,
        ),
        Option(
            "patience",
            ("evaluation.patience",),
            "Validations without a better MRR before training stops; 0 never stops early.",
            recipe.evaluation.patience,
        ),
    ]


def _of_model(recipe: Recipe) -> list[Option]:
    numbers = {n: v for n, v in recipe.model_settings.items() if _is_number(v)}
    dims = [name for name in numbers if name in ("dim", "dim_e", "dim_r")]
    found = []
    if dims:
        places = tuple(f"model.{name}" for name in dims)
        found.append(Option("dim", places, "Size of the embeddings.", numbers[dims[0]]))
    known = {"margin": "gamma of the score."}
    found += [
        Option(name, (f"model.{name}",), known.get(name, f"The model's {name}."), value)
        for name, value in numbers.items()
        if name not in dims
    ]
    return found


def _of_objective(recipe: Recipe) -> list[Option]:
    t = recipe.training
    found = []
    if t.objective == SAMPLING:
        negatives = t.sampling.get("neg_ent", 1)
        place = ("training.sampling.neg_ent",)
        found.append(Option("negatives", place, "Negatives of each positive triple.", negatives))
        found += _of_loss(recipe)
    if t.penalty is not None:
        name, settings = divide("penalty", t.penalty)
        place = ("training.penalty.weight",)
        found.append(Option("penalty", place, f"Weight of {name}.", settings["weight"]))
    for name, what in (("regul_rate", "mean squares"), ("l3_regul_rate", "cubes")):
        if rate := getattr(t, name):
            text = f"Weight of the {what} of a batch's vectors."
            found.append(Option(name, (f"training.{name}",), text, rate))
    return found


def _of_loss(recipe: Recipe) -> list[Option]:
    name, settings = divide("loss", recipe.training.loss)
    taken = inspect.signature(LOSSES[name]).parameters
    texts = {
        "margin": "How much better than a negative a positive must be.",
        "adv_temperature": "beta of self-adversarial weighting.",
    }
    return [
        # A margin of the loss goes before one of the model: it is what training looks at.
        Option(setting, (f"training.loss.{setting}",), text, settings[setting])
        for setting, text in texts.items()
        if setting in taken and _is_number(settings.get(setting))
    ]


def _of_features(recipe: Recipe) -> list[Option]:
    section = recipe.features
    named = section.modalities
    return [
        Option(
            "modalities",
            ("features.modalities",),
            "auto: whatever features are there; or names, e.g. text or image,text; or none.",
            named if isinstance(named, str) else ",".join(named),
        ),
        Option(
            "features",
            ("features.folder",),
            "Folder of feature stores or of the lineage's .pth files.",
            section.folder,
        ),
        Option(
            "text_encoder",
            ("features.text_encoder",),
            'What makes the text features, e.g. minilm+spelling; "": what is there, or minilm.',
            section.text_encoder,
        ),
        Option(
            "texts",
            ("features.texts",),
            "Which texts are read: names, descriptions, all, or masked (all, with the names of "
            "other entities hidden).",
            section.texts,
        ),
    ]


def parse(
    recipe: Recipe,
    *,
    features: bool,
    description: str,
    program: str,
    arguments: Sequence[str] | None = None,
) -> tuple[Recipe, RunOptions]:
    """Return the recipe as the command line changes it, and how to run it.

    Raises
    ------
    ValueError
        A value that does not fit; names the option.
    """
    options = {option.name: option for option in options_of(recipe, features=features)}
    given = parse_arguments(
        _settings(list(options.values())), prog=program, description=description, args=arguments
    )
    chosen = {f.name: getattr(given, f.name) for f in dataclasses.fields(given)}
    run = {f.name: chosen.pop(f.name) for f in dataclasses.fields(RunOptions)}
    for name in ("data", "out"):
        run[name] = Path(run[name]) if run[name] else None
    assignments = chosen.pop("set")
    changes = {
        name: dict.fromkeys(options[name].places, value)
        for name, value in chosen.items()
        if value != options[name].value
    }
    if "features" in changes and "text_encoder" not in changes:
        # Whoever names a folder of features takes what is there, not the recipe's encoder.
        changes["text_encoder"] = {"features.text_encoder": ""}
    changed = _changed(recipe, {f"--{n.replace('_', '-')}": c for n, c in changes.items()})
    changed = changed.changed(assigned(assignments))
    if note := shorter(recipe, changed):
        print(note)
    return changed, RunOptions(**run)


def assigned(assignments: Sequence[str]) -> dict[str, Any]:
    """Return place -> value of PLACE=VALUE, values being JSON or else text.

    Raises
    ------
    ValueError
        There is no equals sign.
    """
    found = {}
    for assignment in assignments:
        place, sign, value = assignment.partition("=")
        if not sign or not place:
            raise ValueError(f"--set {assignment}: expected PLACE=VALUE, such as training.lr=0.05")
        try:
            found[place] = json.loads(value)
        except ValueError:
            found[place] = value
    return found


def shorter(recipe: Recipe, changed: Recipe) -> str:
    """Return what to say where a training is cut short and its rate stays that of the long one."""
    before, now = recipe.training, changed.training
    steps = now.optimizer in ("adam", "lazy_adam") and now.schedule is None
    if not steps or now.lr != before.lr or LONGER * now.epochs > before.epochs:
        return ""
    rate = float(f"{before.lr * before.epochs / now.epochs:.2g}")
    return (
        f"{now.epochs} epochs instead of {before.epochs}: the learning rate {before.lr:g} is made "
        f"for the long training and hardly moves the model in the short one; --lr {rate:g} takes "
        "steps that add up to as much"
    )


def _changed(recipe: Recipe, changes: Mapping[str, Mapping[str, Any]]) -> Recipe:
    """Apply the options' changes together; where they do not fit, find the one to blame."""
    together = {place: value for change in changes.values() for place, value in change.items()}
    try:
        return recipe.changed(together)
    except ValueError:
        for option, change in changes.items():
            try:
                recipe.changed(change)
            except ValueError as error:
                value = next(iter(change.values()))
                raise ValueError(f"{option} {value}: {error}") from error
        raise


def _settings(options: Sequence[Option]) -> type[Any]:
    """Return a dataclass with a field for each option and each of :class:`RunOptions`."""
    fields: list[tuple[str, Any, Any]] = [
        (
            option.name,
            Annotated[type(option.value), tyro.conf.arg(help=option.help)],
            dataclasses.field(default=option.value),
        )
        for option in options
    ]
    texts = field_texts(RunOptions)
    for found in dataclasses.fields(RunOptions):
        kind = str if found.name in ("data", "out") else type(found.default)
        default = "" if kind is str and found.default is None else found.default
        metavar = {"data": "FOLDER", "out": "FOLDER"}.get(found.name)
        about = tyro.conf.arg(help=texts[found.name], metavar=metavar)
        fields.append((found.name, Annotated[kind, about], dataclasses.field(default=default)))
    about = tyro.conf.arg(
        help="Anything else in the recipe, e.g. training.penalty.weight=0.1.",
        metavar="PLACE=VALUE",
    )
    fields.append(("set", Annotated[tyro.conf.UseAppendAction[tuple[str, ...]], about], ()))
    return dataclasses.make_dataclass("Options", fields, frozen=True, kw_only=True)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
