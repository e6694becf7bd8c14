"""The command line of a recipe: an option for what it settles, and for nothing else."""

from __future__ import annotations

import inspect
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from typing import Annotated, Any, Literal, get_origin, get_type_hints

import tyro

from openke.data.train_data_loader import TrainDataLoader
from openke.module.loss import LOSSES
from openke.module.loss.loss import Loss
from openke.module.penalty import PENALTIES
from openke.runs.experiment import RunOptions
from openke.runs.parts import divide
from openke.runs.recipe import KNOWN_MODELS, Recipe
from openke.runtime.arguments import Argument, arguments_of
from openke.runtime.arguments import parse as parse_all
from openke.runtime.field_texts import field_texts, parameter_texts
from openke.runtime.json_text import read_json
from openke.runtime.toml import read_toml
from openke.runtime.words import counted

Assignments = Annotated[
    tyro.conf.UseAppendAction[tuple[str, ...]], tyro.conf.arg(metavar="PLACE=VALUE")
]
ASSIGNMENTS = (
    "Another value in the recipe, e.g. training.lr=0.05 or training.penalty.weight=0.1; may be "
    "given more than once."
)
LONGER = 2
"""A schedule that is cut to less than one of so many parts gets a word of warning."""
MOST = 0.05
"""The greatest learning rate of Adam that is proposed; above, trainings often diverge."""


@dataclass(frozen=True)
class Option:
    """An option of the command line and the places in the recipe that it sets."""

    name: str
    places: tuple[str, ...]
    help: str
    value: Any
    """What the recipe has there."""
    choices: Any = None
    """The Literal of the values it may have; otherwise it has the type of ``value``."""


def options_of(recipe: Recipe, *, features: bool, config: type | None = None) -> list[Option]:
    """Return the options that mean something for a recipe; texts are those of what they set.

    Parameters
    ----------
    recipe
        What is trained and how.
    features
        Whether its model takes pictures and text.
    config
        Its model's ``Config``; by default that of the registered model of its name.
    """
    data, training, evaluation = recipe.data, recipe.training, recipe.evaluation
    return [
        *_of_section("training", training, epochs="epochs", lr="lr", batch_size="batch_size"),
        *_of_model(recipe, config),
        *_of_objective(recipe),
        *(_of_features(recipe) if features else []),
        *_of_section("training", training, seed="seed", precision="precision"),
        *_of_section("data", data, hold_out="hold_out"),
        *_of_section("evaluation", evaluation, validate_every="every", patience="patience"),
    ]


def _of_section(place: str, section: Any, **names: str) -> list[Option]:
    """Return options for fields of a section, each by its name on the command line."""
    texts, kinds = field_texts(type(section)), get_type_hints(type(section))
    found = []
    for name, field in names.items():
        choices = kinds[field] if get_origin(kinds[field]) is Literal else None
        value = getattr(section, field)
        found.append(Option(name, (f"{place}.{field}",), texts[field], value, choices))
    return found


def _of_model(recipe: Recipe, config: type | None) -> list[Option]:
    if config is None:
        config = getattr(KNOWN_MODELS.get(recipe.model_name), "Config", None)
    texts = field_texts(config) if config else {}
    numbers = {n: v for n, v in recipe.model_settings.items() if _is_number(v)}
    dims = [name for name in numbers if name in ("dim", "dim_e", "dim_r")]
    found = []
    if dims:
        places = tuple(f"model.{name}" for name in dims)
        parts = [texts.get(name, "") for name in dims]
        text = parts[0] if len(dims) == 1 else f"Both {' and '.join(dims)}: {' '.join(parts)}"
        found.append(Option("dim", places, text, numbers[dims[0]]))
    return found + [
        Option(name, (f"model.{name}",), texts.get(name, ""), value)
        for name, value in numbers.items()
        if name not in dims
    ]


def _of_objective(recipe: Recipe) -> list[Option]:
    t = recipe.training
    found = []
    if t.samples:
        negatives = t.sampling.get("neg_ent", 1)
        text = parameter_texts(TrainDataLoader)["neg_ent"]
        found.append(Option("negatives", ("training.sampling.neg_ent",), text, negatives))
        found += _of_loss(recipe)
    if t.penalty is not None:
        name, settings = divide("penalty", t.penalty)
        text = f"Weight of {name}. {parameter_texts(PENALTIES[name]).get('weight', '')}"
        found.append(Option("penalty", ("training.penalty.weight",), text, settings["weight"]))
    rates = [name for name in ("regul_rate", "l3_regul_rate") if getattr(t, name)]
    return found + _of_section("training", t, **{name: name for name in rates})


def _of_loss(recipe: Recipe) -> list[Option]:
    name, settings = divide("loss", recipe.training.loss)
    taken = inspect.signature(LOSSES[name]).parameters
    texts = {**parameter_texts(LOSSES[name]), **parameter_texts(Loss)}
    return [
        # A margin of the loss goes before one of the model: it is what training looks at.
        Option(setting, (f"training.loss.{setting}",), texts.get(setting, ""), settings[setting])
        for setting in ("margin", "adv_temperature")
        if setting in taken and _is_number(settings.get(setting))
    ]


def _of_features(recipe: Recipe) -> list[Option]:
    section = recipe.features
    named = section.modalities
    together = replace(section, modalities=named if isinstance(named, str) else ",".join(named))
    names = {name: name for name in ("modalities", "text_encoder", "texts")}
    return _of_section("features", together, features="folder", **names)


def parse(
    recipe: Recipe,
    *,
    features: bool,
    config: type | None = None,
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
    options = {o.name: o for o in options_of(recipe, features=features, config=config)}
    chosen = parse_all(
        [
            *(
                Argument(o.name, o.choices or type(o.value), o.value, o.help)
                for o in options.values()
            ),
            *arguments_of(RunOptions),
            Argument("set", Assignments, (), ASSIGNMENTS),
        ],
        program,
        description,
        arguments,
    )
    run = {f.name: chosen.pop(f.name) for f in fields(RunOptions)}
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
    """Return place -> value of PLACE=VALUE, values being JSON, TOML's lists and tables, or text.

    Raises
    ------
    ValueError
        There is no equals sign; a list or table that is neither JSON nor TOML.
    """
    found = {}
    for assignment in assignments:
        place, sign, value = assignment.partition("=")
        if not sign or not place:
            raise ValueError(f"--set {assignment}: expected PLACE=VALUE, such as training.lr=0.05")
        try:
            found[place] = _value(value)
        except ValueError as error:
            raise ValueError(f"--set {assignment}: neither JSON nor TOML: {error}") from error
    return found


def _value(text: str) -> Any:
    try:
        return read_json(text)
    except ValueError:
        return read_toml(f"value = {text}")["value"] if text[:1] in ("[", "{") else text


def shorter(recipe: Recipe, changed: Recipe, rate_option: str = "--lr ") -> str:
    """Return what to say where a training is cut short, "" where it is not.

    ``rate_option`` sets the learning rate. Adam moves a parameter by about the rate in each step,
    so a rate for many steps does little in few; of other optimisers no rate is proposed.
    """
    before, now = recipe.training, changed.training
    if now.lr != before.lr or LONGER * now.epochs > before.epochs:
        return ""
    said = f"{counted(now.epochs, 'epoch')} instead of {before.epochs}: "
    rate = float(f"{min(before.lr * before.epochs / now.epochs, MOST):.2g}")
    steps = now.optimizer in ("adam", "lazy_adam") and now.schedule is None
    if not steps or rate <= before.lr:
        return f"{said}a first look, well below what the whole training reaches"
    return (
        f"{said}the learning rate {before.lr:g} is made for the long training and may hardly move "
        f"the model in the short one; try {rate_option}{rate:g}"
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


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
