"""``openke list``: what is known by name, in this package and in others."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

from tabulate import tabulate

from lbmkgc_models.features.encoders.registry import IMAGE_ENCODERS, TEXT_ENCODERS
from lbmkgc_models.model import MULTIMODAL
from openke.datasets.registry import DATA_SETS, KnownDataSet
from openke.datasets.search import CHECKOUT, datasets_here
from openke.module.loss import LOSSES
from openke.module.loss.query_losses import QUERY_LOSSES
from openke.module.penalty import PENALTIES
from openke.module.strategy import OBJECTIVES
from openke.runs.recipe import KNOWN_MODELS, Recipe
from openke.runtime.names import check_known
from openke.runtime.registry import Registry
from openke.training.optimizers import OPTIMIZERS
from openke.training.schedule import SCHEDULES

RETURNED = re.compile(r"^Return (?:\w+\[\"[^\"]*\"\], )?")
"""How the docstring of a function begins."""
RECIPES = ("benchmarks/settings/*/*.*.json", "examples/openke_recipes/*.json")
"""Files of recipes in a checkout; an installed package has none."""


class Known(NamedTuple):
    """Something that has a name."""

    name: str
    about: str
    package: str = ""
    """Which other package it comes from."""


def of_registry(registry: Mapping[str, Any], remark: str = "") -> Iterator[Known]:
    """Yield the entries of a registry, described by the first line of their docstrings."""
    for name in registry:
        package = registry.package_of(name) if isinstance(registry, Registry) else ""
        try:
            about = _about(registry[name])
        except ValueError as error:  # of another package
            about = f"cannot be loaded: {error.__cause__}"
        yield Known(name, about + remark, package)


def models() -> Iterator[Known]:
    """Yield models over structure, and those that see pictures and text too."""
    yield from of_registry(KNOWN_MODELS)
    yield from of_registry(MULTIMODAL, " (with pictures and text)")


def losses() -> Iterator[Known]:
    """Yield losses of sampled negatives, and of queries that all entities answer."""
    yield from of_registry(LOSSES, " (negative sampling)")
    yield from of_registry(QUERY_LOSSES, " (1vsall, kvsall)")


def encoders() -> Iterator[Known]:
    """Yield encoders of texts and of pictures."""
    yield from of_registry(TEXT_ENCODERS, " (text)")
    yield from of_registry(IMAGE_ENCODERS, " (pictures)")


def datasets() -> Iterator[Known]:
    """Yield data sets that can be had by name: those on this machine, and those to download."""
    here = datasets_here()
    for name in sorted({*here, *DATA_SETS}):
        package = DATA_SETS.package_of(name) if name in DATA_SETS else ""
        if name in here:
            about = f"here: {here[name]}"
        elif package:
            about = "found or made by its package"
        else:
            found = DATA_SETS[name]
            assert isinstance(found, KnownDataSet)
            about = f"downloaded on first use from {found.page}"
        yield Known(name, about, package)


def recipes() -> Iterator[Known]:
    """Yield files of a checkout for ``openke train --recipe``."""
    for pattern in RECIPES:
        for path in sorted(CHECKOUT.glob(pattern)):
            recipe = Recipe.read(path)
            shown = path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path
            yield Known(str(shown), f"{recipe.model_name} on {recipe.data.name}")


KINDS: dict[str, Callable[[], Iterator[Known]]] = {
    "models": models,
    "objectives": partial(of_registry, OBJECTIVES),
    "losses": losses,
    "penalties": partial(of_registry, PENALTIES),
    "optimizers": partial(of_registry, OPTIMIZERS),
    "schedules": partial(of_registry, SCHEDULES),
    "encoders": encoders,
    "datasets": datasets,
    "recipes": recipes,
}


def command(kind: str = "", /) -> None:
    """List what is known by name: models, losses, encoders, data sets and the like.

    One line each; what another package offers by an entry point has that package's name behind it.

        openke list models

    Parameters
    ----------
    kind
        models, objectives, losses, penalties, optimizers, schedules, encoders, datasets or recipes;
        by default all of them.
    """
    if kind:
        check_known("KIND", kind, KINDS)
    for each in [kind] if kind else KINDS:
        found = list(KINDS[each]())
        if not kind:
            print(f"{each}:")
        if not found:
            print("none here: recipes are files of a checkout of the repository")
        rows = [(k.name, f"{k.about} [{k.package}]" if k.package else k.about) for k in found]
        print(tabulate(rows, tablefmt="plain", disable_numparse=True))
        if not kind:
            print()


def _about(thing: Any) -> str:
    if isinstance(thing, partial):
        given = [*map(str, thing.args), *(f"{n}={v}" for n, v in thing.keywords.items())]
        return f"{_about(thing.func)} With {', '.join(given)}."
    first = (inspect.getdoc(thing) or "").partition("\n")[0].replace("``", "")
    said = RETURNED.sub("", first)
    return said if said == first else said[:1].upper() + said[1:]
