"""Figure 4 anew: what pictures weigh beside text, by entity, and examples."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch

from comparison.ablations import WHOLE, ablation_rows, features_of
from comparison.completed_pictures import make_features
from comparison.figures.canvas import SMALL, open_canvas, save
from comparison.runs import DEV_SEED, Bench, check_inputs, choose, open_dataset, trained
from comparison.table_rows import BUNDLED, Row, digests_in, read_content
from lbmkgc_models.model.lbmkgc import LBMKGC
from openke.runtime.environment import environment
from openke.runtime.files import write_text

FOLDER = "figure4"
"""Of results."""
EXAMPLES = 6
"""Entities at each end that are named."""
Shown = Mapping[str, Any]
"""The weight of the picture by entity, of those with both; and the number of epochs."""


def row() -> Row:
    """Return what has to be trained: LBMKGC of Table 2."""
    return next(row for row in ablation_rows() if row.name == WHOLE)


def run(seeds: Sequence[int], bench: Bench) -> None:
    """Train as Table 2 did, on the same features, and write the weights down.

    What is there is made again where Table 2 has other settings, epochs, triples or features now.

    Raises
    ------
    ValueError
        Features made here are others than those of Table 2.
    """
    results = bench.results.parent
    path, table2 = _path(results), replace(bench, results=results / "table2")
    if path.is_file() and not _differing(read_content(path), results):
        return
    store, directory = open_dataset(BUNDLED, bench.data)
    make_features(directory / "features", features_of(BUNDLED), str(directory))
    epochs = choose(row(), table2)["epochs"]
    model, _, inputs = trained(row(), DEV_SEED, bench, epochs)
    check_inputs(row(), table2, inputs)
    assert isinstance(model, LBMKGC)
    content = {
        **row().settings(),
        "inputs": inputs,
        "seed": DEV_SEED,
        "epochs": epochs,
        "weights": picture_weights(model, store.entity_names),
        "environment": environment(),
    }
    write_text(path, json.dumps(content, indent=1) + "\n")


def _path(results: Path) -> Path:
    return results / FOLDER / BUNDLED / "weights.json"


def _differing(found: Mapping[str, Any], results: Path) -> list[str]:
    """Return in what the weights' training differs from that of Table 2 with the same seed.

    Raises
    ------
    FileNotFoundError
        Table 2 has no such result.
    """
    path = results / "table2" / BUNDLED / f"{row().stem}.seed{DEV_SEED}.json"
    if not path.is_file():
        raise FileNotFoundError(f"no {path}: run benchmarks/table2.py first")
    other = read_content(path)
    names = [name for name in ("recipe", "epochs") if found.get(name) != other[name]]
    return names if digests_in(found) == digests_in(other) else [*names, "inputs"]


@torch.no_grad()
def picture_weights(model: LBMKGC, names: Sequence[str]) -> dict[str, float]:
    """Return the weight of the picture of each entity that has both picture and text."""
    device = next(model.parameters()).device
    model.eval()
    weights = model.modality_weights(torch.arange(model.ent_tot, device=device))
    both = (weights["image"] > 0) & (weights["text"] > 0)
    return {
        names[entity]: round(float(weights["image"][entity]), 4)
        for entity in both.nonzero()[:, 0].tolist()
    }


def shown(results: Path) -> Shown:
    """Return what is drawn.

    Raises
    ------
    FileNotFoundError
        It was not measured, or Table 2 was not.
    ValueError
        It was measured on something else than Table 2.
    """
    path = _path(results)
    if not path.is_file():
        raise FileNotFoundError(f"no {path}: run benchmarks/figures.py --figure 4 --run first")
    content = read_content(path)
    if differing := _differing(content, results):
        raise ValueError(
            f"{path}: made with other {', '.join(differing)} than {WHOLE} of Table 2: run "
            "benchmarks/figures.py --figure 4 --run again"
        )
    return {"weights": content["weights"], "epochs": content["epochs"]}


def draw(path: Path, numbers: Shown) -> None:
    """Draw how many entities have which weight, and name those at the ends."""
    weights = dict(sorted(numbers["weights"].items(), key=lambda item: item[1]))
    figure, (left, right) = open_canvas(2, 10, 4.4)
    left.hist(list(weights.values()), bins=40, range=(0, 1), color="C0")
    left.axvline(0.5, color="0.5", linewidth=1)
    left.annotate(
        "as much as text",
        (0.5, 0.97),
        xycoords=("data", "axes fraction"),
        xytext=(4, 0),
        textcoords="offset points",
        va="top",
        fontsize=SMALL,
    )
    left.set_xlim(0, 1)
    left.set_xlabel("weight of the picture (the rest is that of the text)")
    left.set_ylabel("entities")
    left.set_title(f"all {len(weights)} entities with both", fontsize=10)
    left.grid(alpha=0.3)
    ends = [*list(weights.items())[:EXAMPLES], *list(weights.items())[-EXAMPLES:]]
    places = [*range(EXAMPLES), *range(EXAMPLES + 1, 2 * EXAMPLES + 1)]
    values = [weight for _, weight in ends]
    right.barh(places, values, color="C0", label="picture")
    right.barh(places, [1 - value for value in values], left=values, color="C1", label="text")
    for place, value in zip(places, values, strict=True):
        right.text(0.02, place, f"{value:.2f}", va="center", fontsize=SMALL, color="white")
    right.set_yticks(places, [name for name, _ in ends], fontsize=SMALL)
    right.set_xlim(0, 1)
    right.set_xlabel("weight")
    right.set_title("the least and the most weight of the picture", fontsize=10)
    figure.legend(
        *right.get_legend_handles_labels(), loc="outside lower right", fontsize=SMALL, ncols=2
    )
    figure.suptitle(
        f"{BUNDLED}, {WHOLE} of Table 2, one seed: how its attention weighs an entity's picture "
        "and text"
    )
    save(figure, path, numbers)
