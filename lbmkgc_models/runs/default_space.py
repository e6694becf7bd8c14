"""What is searched where nobody says so: settings around those of a recipe."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import fields

from lbmkgc_models.runs.make_model import config_of
from lbmkgc_models.runs.search_space import Range, SearchSpace, value_at
from openke.runs.recipe import Recipe

FACTORS: dict[str, tuple[float, float]] = {
    "training.lr": (0.1, 5.0),
    "training.penalty.weight": (0.02, 10.0),
    "training.regul_rate": (0.01, 10.0),
    "training.l3_regul_rate": (0.01, 10.0),
    "model.margin": (0.5, 2.5),
    "model.modal_scale": (0.1, 100.0),
}
"""How far below and above its value a setting is searched, by orders of magnitude."""
HALF_TO_DOUBLE = ("model.dim", "training.sampling.neg_ent", "training.batch_size")
"""Sizes: half, as now, and double."""
LEAST_DROPOUT, MOST_DROPOUT = 0.05, 0.7
"""A model's dropout below the least is off, and stays so."""


def default_space(recipe: Recipe, entities: int, settled: Collection[str] = ()) -> SearchSpace:
    """Return ranges around the values of a recipe, for settings that it has.

    These are the learning rate, the dimension, the weight of the penalty, dropout, margin, batch
    size, and with sampled negatives their number.

    Parameters
    ----------
    recipe
        What the search begins with.
    entities
        How many the graph has: there are no more negatives than that.
    settled
        Places that stay as they are.
    """
    found: dict[str, Range] = {}
    for place, (below, above) in FACTORS.items():
        value = value_at(recipe, place)
        if _is_number(value) and value > 0:
            found[place] = Range(low=_short(value * below), high=_short(value * above), log=True)
    for place in HALF_TO_DOUBLE:
        value = value_at(recipe, place)
        if _is_number(value) and value > 1:
            most = entities if place.endswith("neg_ent") else 2 * value
            sizes = {value // 2, value, max(value, min(2 * value, most))}
            found[place] = Range(choices=tuple(sorted(sizes)))
    for place in _dropouts(recipe):
        most = max(MOST_DROPOUT, value_at(recipe, place))
        found[place] = Range(low=0.0, high=most)
    return {place: values for place, values in found.items() if place not in settled}


def _dropouts(recipe: Recipe) -> list[str]:
    """Return the model's own, and where it has none that of queries against all entities."""
    config = config_of(recipe.model_name)
    places = (
        [f"model.{each.name}" for each in fields(config) if "drop" in each.name] if config else []
    )
    values = {place: value_at(recipe, place) for place in places}
    own = [place for place, v in values.items() if _is_number(v) and v >= LEAST_DROPOUT]
    return own or ([] if recipe.training.samples else ["training.dropout"])


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _short(value: float) -> float:
    """Return a bound as somebody would write it."""
    return float(f"{value:.3g}")
