"""The rows of Table 1: one file of settings for each model, data set and mode."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

from openke.module.settings import configure
from openke.runs.parts import divide
from openke.runs.recipe import Recipe
from openke.runtime.files import read_text, write_text
from openke.runtime.json_text import read_json, read_json_file, through_json
from openke.runtime.values import Bound, Count, Fraction, Natural, Weight, check_value

FOLDER = Path(__file__).parents[1] / "settings"
DATASETS = ("DB15K", "MKG-W", "MKG-Y")
"""Those of the paper's Table 1."""
BUNDLED = "Factbook"
"""The bundled graph, of which the paper has no figures."""
EMOJI = "OpenMoji"
"""Another graph with pictures, made by openmoji_build.py."""
PICTURE_GRAPHS = (BUNDLED, EMOJI)
KNOWN_DATASETS = (*DATASETS, *PICTURE_GRAPHS)
"""Those that have settings."""
LENT: Mapping[str, str] = {EMOJI: BUNDLED}
"""Data sets whose rows have the settings of another's, but for those with a file of their own; only
the epochs are chosen on them."""
HOLD_OUT: Mapping[str, float] = {"DB15K": 0.1}
"""Share of train to choose on where the published valid split repeats train and test."""
PUBLISHED, TUNED = "published", "tuned"
MODES = (PUBLISHED, TUNED)
"""By settings that were published, as far as they are, for a fixed number of epochs; by ours, for
as many epochs as were best on dev."""

RESULT: Mapping[str, Any] = {
    "name": str,
    "dataset": str,
    "mode": Literal["published", "tuned"],
    "recipe": Mapping,
    "seed": Natural,
    "epochs": Count,
    "seconds": Weight,
}
"""What a file of results of a test says."""
FIGURES = ("mrr", "mr", "hits@1", "hits@3", "hits@10")
MeanRank = Annotated[float, Bound(", 1 or more", lambda number: number >= 1)]


@dataclass(frozen=True, kw_only=True)
class Row:
    """One model on one data set, trained in one way."""

    name: str
    """Row of the table, e.g. "LBMKGC without text"."""
    dataset: str
    mode: str
    """published or tuned."""
    source: str
    """Where the settings come from."""
    recipe: Recipe
    """How to train; a tuned row's epochs are the most that dev may choose, and its section
    ``evaluation`` says how dev is looked at."""

    @property
    def stem(self) -> str:
        """Begin the names of its files with this."""
        return f"{slug(self.name)}.{self.mode}"

    @property
    def hold_out(self) -> float:
        """Share of train that is dev; 0 where the valid split is."""
        return HOLD_OUT.get(self.dataset, 0.0)

    def settings(self) -> dict[str, Any]:
        """Return what decides its results, as JSON values."""
        named = {"name": self.name, "dataset": self.dataset, "mode": self.mode}
        return {**named, "recipe": self.recipe.to_dict()}


@dataclass(frozen=True, kw_only=True)
class _File:
    """What a settings file holds."""

    source: str
    recipe: Mapping[str, Any]


def slug(name: str) -> str:
    """Return a row's name as file names have it."""
    return name.replace(" ", "_")


def read_content(path: Path) -> dict[str, Any]:
    """Return what a file of results says; what its recipes do not name has its default.

    So results stay when a recipe gets another setting whose default changes nothing.

    Raises
    ------
    ValueError
        It is no JSON of results, a recipe in it is none, or a figure is none; names the file.
    """
    try:
        content: dict[str, Any] = read_json_file(path)
        check_value("its content", content, Mapping)
        if "dev_mrr" not in content and ".seed" in path.name:
            _check_result(content)
        for one in (content, *_checked_parts(content)):
            if "recipe" in one:
                one["recipe"] = through_json(Recipe.from_dict(one["recipe"]).to_dict())
    except (ValueError, TypeError) as error:
        raise ValueError(f"{path}: no results: {error}") from error
    return content


def _checked_parts(content: Mapping[str, Any]) -> Sequence[dict[str, Any]]:
    """Return the parts of a mixture's result, none of another's.

    Raises
    ------
    ValueError
        They are no parts, or features were written down of another number of them.
    """
    parts: Sequence[dict[str, Any]] = content.get("parts", [])
    check_value("parts", parts, list)
    for part in parts:
        check_value("a part", part, Mapping)
    if parts and "inputs" in content:
        features = content["inputs"].get("features")
        check_value("inputs.features", features, list)
        if len(features) != len(parts):
            raise ValueError(f"{len(parts)} parts, and features of {len(features)}")
    return parts


def _check_result(content: Any) -> None:
    """Raise ``ValueError`` unless figures are such as a measurement can give."""
    for name, kind in RESULT.items():
        check_value(name, content.get(name), kind)
    metrics = content.get("metrics")
    check_value("metrics", metrics, Mapping)
    _check_seen(content.get("by_seen"))
    for side in ("both", "head", "tail"):
        check_value(f"metrics.{side}", metrics.get(side), Mapping)
        for name in FIGURES:
            kind = MeanRank if name == "mr" else Fraction
            check_value(f"metrics.{side}.{name}", metrics[side].get(name), kind)


def _check_seen(content: Any) -> None:
    check_value("by_seen", content, Mapping)
    for side, groups in content.items():
        check_value(f"by_seen.{side}", groups, Mapping)
        for group, figures in groups.items():
            place = f"by_seen.{side}.{group}"
            check_value(place, figures, Mapping)
            check_value(f"{place}.mrr", figures.get("mrr"), Fraction)
            check_value(f"{place}.count", figures.get("count"), Count)


def read_row(path: Path, dataset: str = "") -> Row:
    """Read settings/DATASET/NAME.MODE.json, for another data set where one is named.

    Raises
    ------
    ValueError
        No JSON, unknown or missing settings, a schedule that needs dev; names the file.
    """
    name, _, mode = path.stem.rpartition(".")
    if mode not in MODES:
        raise ValueError(f"{path}: expected a name that ends in {' or '.join(MODES)}.json")
    text = read_text(path)
    try:
        content = read_json(text)
        found = configure(_File, "settings", content)
        recipe = Recipe.from_dict({"data": {"name": path.parent.name}, **found.recipe})
        if dataset:
            recipe = recipe.changed({"data.name": dataset})
        if divide("schedule", recipe.training.schedule or "constant")[0] == "plateau":
            raise ValueError("a plateau schedule looks at dev, which what is tested trains without")
        if (mode == TUNED) != bool(recipe.evaluation.patience):
            raise ValueError("expected evaluation.patience of tuned rows, and of these alone")
        return Row(
            name=name.replace("_", " "),
            dataset=dataset or path.parent.name,
            mode=mode,
            source=found.source,
            recipe=recipe,
        )
    except (ValueError, TypeError) as error:
        raise ValueError(f"{path}: {error}") from error


def write_row(path: Path, source: str, recipe: Mapping[str, Any]) -> None:
    """Write a file of settings, as :func:`read_row` reads it."""
    write_text(path, json.dumps({"source": source, "recipe": recipe}, indent=2) + "\n")


def parts_of(result: Mapping[str, Any]) -> Sequence[Mapping[str, Any]]:
    """Return the parts of a mixture's result, each with its recipe and inputs; else the result."""
    if "parts" not in result:
        return [result]
    parts: Sequence[Mapping[str, Any]] = result["parts"]
    if "inputs" not in result:  # older ones do not say
        return parts
    inputs = result["inputs"]
    each = [{"triples": inputs["triples"], "features": found} for found in inputs["features"]]
    return [{**part, "inputs": own} for part, own in zip(parts, each, strict=True)]


def digests_in(result: Mapping[str, Any]) -> tuple[Any, Any]:
    """Return the digests of the triples and features of a result; of older ones None.

    What encoded the features says no more than these, and older results do not name it.
    """
    inputs = result.get("inputs", {})
    return inputs.get("triples"), inputs.get("features")


def made_features(result: Mapping[str, Any]) -> Mapping[str, str]:
    """Return digests by modality of those features of a result that a script here makes.

    None where its recipe names no folder: an encoder's are known by its name.
    """
    if not result.get("recipe", {}).get("features", {}).get("folder"):
        return {}
    found: Mapping[str, str] = result.get("inputs", {}).get("features", {})
    return found


def find_rows(
    names: Collection[str] = (),
    datasets: Collection[str] = KNOWN_DATASETS,
    modes: Collection[str] = MODES,
    folder: Path = FOLDER,
) -> list[Row]:
    """Return the rows asked for, by data set; no names are all.

    Raises
    ------
    ValueError
        A row that no file of settings describes.
    """
    found = [
        read_row(path, dataset)
        for dataset in datasets
        for path in _files(folder, dataset)
        if path.stem.rpartition(".")[2] in modes
    ]
    known = dict.fromkeys(row.name for row in found)
    for name in names:
        if name not in known:
            raise ValueError(
                f"no settings of {name!r} for {', '.join(datasets)} ({', '.join(modes)}) in "
                f"{folder}; there are {', '.join(known) or 'none'}"
            )
    order = {name: place for place, name in enumerate(names or known)}
    chosen = [row for row in found if row.name in order]
    return sorted(chosen, key=lambda row: (datasets_order(row.dataset, datasets), order[row.name]))


def _files(folder: Path, dataset: str) -> list[Path]:
    """Return the files of settings of a data set's rows, by name."""
    places = [folder / place for place in (LENT.get(dataset, dataset), dataset)]
    found = {path.name: path for place in places for path in place.glob("*.json")}
    return [found[name] for name in sorted(found)]


def datasets_order(dataset: str, datasets: Collection[str]) -> int:
    """Return the place of a data set among those asked for."""
    return list(datasets).index(dataset)
