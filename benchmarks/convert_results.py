"""Turn settings and results of release 0.1.0, whose recipes were flat, into those of today.

All files of a folder are converted in place; those of today's form stay as they are.

    python benchmarks/convert_results.py --folder benchmarks/results/table1
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from openke.runs.recipe import Recipe
from openke.runtime.files import write_text
from openke.runtime.json_text import read_json_file
from openke.runtime.script import run_script

Content = dict[str, Any]
OUTSIDE = ("precision", "modalities", "text_encoder", "every", "patience", "dev")
"""What stood beside the recipe and is a part of it today."""
DEV = {"every": 1, "patience": 3}
"""How dev was looked at where a tuned row did not say."""


@dataclass(frozen=True, kw_only=True)
class Settings:
    """What is converted."""

    folder: Path
    """Folder of settings or of results."""


def converted_settings(content: Content, dataset: str, mode: str) -> Content:
    """Return a file of settings, its recipe in sections; what it did not say stays out."""
    dev = {**DEV, **content.get("dev", {})} if mode == "tuned" else {}
    kept = {name: value for name, value in content.items() if name not in OUTSIDE}
    return {**kept, "recipe": in_sections(content["recipe"], content, dev, dataset)}


def converted_result(content: Content) -> Content:
    """Return a file of results, its recipe in sections and whole."""
    dev = {name: content[name] for name in DEV} if content["mode"] == "tuned" else {}
    recipe = in_sections(content["recipe"], content, dev, content["dataset"])
    kept = {name: value for name, value in content.items() if name not in OUTSIDE}
    told = with_texts({**kept, "recipe": recipe})
    return {**told, "recipe": Recipe.from_dict(told["recipe"]).to_dict()}


def in_sections(
    flat: Mapping[str, Any], beside: Mapping[str, Any], dev: Mapping[str, int], dataset: str
) -> Content:
    """Return a flat recipe in sections."""
    training = {
        name: value
        for name, value in flat.items()
        if name not in ("model", "model_settings", "training", "optimizer")
    }
    if "training" in flat:
        training["objective"] = flat["training"]
    optimizer = flat.get("optimizer", {})
    named = {"name": optimizer} if isinstance(optimizer, str) else dict(optimizer)
    if "name" in named:
        training["optimizer"] = named.pop("name")
    training |= named
    if "precision" in beside:
        training["precision"] = beside["precision"]
    features: Content = {"modalities": beside.get("modalities") or "none"}
    if beside.get("text_encoder"):
        features["text_encoder"] = beside["text_encoder"]
    return {
        "model": {"name": flat["model"], **flat.get("model_settings", {})},
        "data": {"name": dataset},
        "features": features,
        "training": training,
        "evaluation": dict(dev),
    }


def converted_space(content: Content) -> Content:
    """Return the places of a search in today's recipe."""
    return {_place(place): given for place, given in content.items()}


def _place(flat: str) -> str:
    first, _, rest = flat.partition(".")
    if first in ("model_settings", "optimizer"):
        return f"{'model' if first == 'model_settings' else 'training'}.{rest}"
    return f"training.{flat}"


def with_texts(content: Content) -> Content:
    """Return settings or results that say which texts they had: once there were descriptions only.

    Whatever saw no text gets the default of a recipe, as a result has its recipe whole.
    """
    recipe = content["recipe"]
    features = recipe.get("features", {})
    if "texts" in features:
        return content
    reads = features.get("modalities", "none") not in ("none", [])
    if "source" in content and not reads:
        return content
    chosen = "descriptions" if reads else "all"
    return {**content, "recipe": {**recipe, "features": {**features, "texts": chosen}}}


def _is_of_today(content: Content) -> bool:
    return not isinstance(content["recipe"].get("model"), str)


def main(settings: Settings) -> None:
    for path in sorted(settings.folder.rglob("*.json")):
        content = read_json_file(path)
        if path.parent.name == "spaces":
            today = converted_space(content) if "training.lr" not in content else content
        elif "recipe" not in content:
            continue
        elif _is_of_today(content):
            today = with_texts(content)
        elif "source" in content:
            mode = path.stem.rpartition(".")[2]
            today = with_texts(converted_settings(content, path.parent.name, mode))
        else:
            today = converted_result(content)
        if today != content:
            indent = 1 if "mode" in content else 2
            write_text(path, json.dumps(today, indent=indent, ensure_ascii=False) + "\n")
            print(path)


if __name__ == "__main__":
    run_script(Settings, main)
