"""Mixtures of rows of Table 1: trained apart, weighed on dev, tested once."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch

from comparison.entries import Entry, check_seeds, find_ranks
from comparison.runs import (
    DEV_SEED,
    Bench,
    Trained,
    check_inputs,
    chosen_epochs,
    open_dataset,
    tested,
    trained,
)
from comparison.table_rows import (
    DATASETS,
    PICTURE_GRAPHS,
    TUNED,
    Row,
    find_rows,
    parts_of,
    read_content,
    slug,
)
from lbmkgc_models.runs.side_by_side import SEED_STEP
from openke.data.store import Split, TripleStore
from openke.data.test_data_loader import TestDataLoader
from openke.evaluation.mixing import mix
from openke.evaluation.tester import Tester
from openke.module.model import Model
from openke.module.model.mixture import Mixture
from openke.runtime.environment import environment
from openke.runtime.files import write_text
from openke.runtime.json_text import through_json

TEXT, PICTURES = "LBMKGC without pictures", "LBMKGC with free pictures"
CONTROLS = {2: "text twice", 3: "text three times"}
"""By the number of parts, what says how much of a gain is that of several models alone."""
OF_PICTURES: Mapping[str, Sequence[str]] = {
    "text and pictures": (TEXT, PICTURES),
    "text twice, and pictures": (TEXT, TEXT, PICTURES),
    "LBMKGC, text and pictures": ("LBMKGC", TEXT, PICTURES),
    **{control: (TEXT,) * count for count, control in CONTROLS.items()},
}
OF_GEOMETRIES: Mapping[str, Sequence[str]] = {
    " + ".join(parts): parts
    for parts in (
        ("ComplEx", "RotatE"),
        ("ComplEx", "RotatE", "TuckER"),
        ("ComplEx", "RotatE", "TransE"),
        ("LBMKGC", "RotatE"),
        ("LBMKGC", "RotatE", "ComplEx"),
    )
}
"""A bilinear model and one of distances, with others beside them."""
ROWS: Mapping[str, Mapping[str, Sequence[str]]] = {
    **dict.fromkeys(DATASETS, OF_GEOMETRIES),
    **dict.fromkeys(PICTURE_GRAPHS, OF_PICTURES),
}
"""By data set the mixtures, and the rows of Table 1 that each is made of."""

Models = dict[tuple[str, int], Trained]
"""By row and seed what was trained."""


def rows_of(name: str, dataset: str) -> list[Row]:
    """Return the parts of a mixture."""
    names = ROWS[dataset][name]
    found = {row.name: row for row in find_rows(names, [dataset], [TUNED])}
    return [found[part] for part in names]


def run_mixture(
    name: str, rows: Sequence[Row], seed: int, bench: Bench, parts: Bench, models: Models
) -> None:
    """Train, weigh and test a mixture of rows, unless it has a result.

    ``parts`` has the choice of epochs of each row; what is trained is kept in ``models``. Where dev
    is the valid split, the weights are fitted to it. Where it is a part of train, they are fitted
    to it with models that did not train on it, and hold for those that did, as the epochs do.

    Raises
    ------
    ValueError
        The epochs of a row have not been chosen; the result is that of other settings, or of other
        triples or made features than those of its parts' rows.
    """
    settings = through_json(
        [{**row.settings(), "epochs": chosen_epochs(row, parts)} for row in rows]
    )
    path = bench.results / rows[0].dataset / f"{slug(name)}.seed{seed}.json"
    if path.is_file():
        _check_result(path, rows, settings, parts)
        return
    made = []
    for number, row in enumerate(rows):
        key = row.name, seed + SEED_STEP * number
        if key not in models:
            models[key] = trained(row, key[1], bench, settings[number]["epochs"])
        check_inputs(row, parts, models[key].inputs)
        made.append(models[key])
    chosen = [each.model for each in made]
    store, _ = open_dataset(rows[0].dataset, bench.data)
    dev, watched = store, chosen
    if share := rows[0].hold_out:
        dev = store.hold_out(share, DEV_SEED)
        watched = [
            trained(row, DEV_SEED, bench, part["epochs"], hold_out=share)[0]
            for row, part in zip(rows, settings, strict=True)
        ]
    mixture = _weighed_as(mix(watched, dev), chosen)
    content: dict[str, Any] = {
        "name": name,
        "dataset": rows[0].dataset,
        "mode": TUNED,
        "recipe": rows[0].recipe.to_dict(),
        "parts": settings,
        "inputs": {
            "triples": store.fingerprint,
            "features": [each.inputs["features"] for each in made],
            "encoders": [each.inputs["encoders"] for each in made],
        },
        "seed": seed,
        "epochs": max(part["epochs"] for part in settings),
        "weights": mixture.weights.detach().tolist(),
        "dev_mrr": cross_fitted(watched, dev),
        "alone": [
            {"dev_mrr": _mrr(one, dev, "valid"), "mrr": _mrr(model, store, "test")}
            for one, model in zip(watched, chosen, strict=True)
        ],
        **tested(mixture, store, bench, seed, path),
        "seconds": sum(each.seconds for each in made),
        "environment": environment(),
    }
    write_text(path, json.dumps(content, indent=1) + "\n")
    mrr = content["metrics"]["both"]["mrr"]
    print(
        f"{name}, seed {seed}: dev MRR {100 * content['dev_mrr']:.2f}, test MRR {100 * mrr:.2f}",
        flush=True,
    )


def _check_result(path: Path, rows: Sequence[Row], settings: Any, parts: Bench) -> None:
    """Raise ``ValueError`` unless a result is of these parts, made of what their rows were."""
    found = read_content(path)
    if found.get("parts") != settings:
        raise ValueError(
            f"{path}: made with other settings than its parts have now; remove it to run again"
        )
    for row, part in zip(rows, parts_of(found), strict=True):
        if "inputs" not in part:  # older ones do not say
            continue
        try:
            check_inputs(row, parts, part["inputs"])
        except ValueError as error:
            raise ValueError(f"{path} does not fit the results of its parts: {error}") from error


def cross_fitted(parts: Sequence[Model], store: TripleStore) -> float:
    """Return the MRR on valid, of each half of it by weights that were fitted to the other.

    By this mixtures are set beside each other and beside their parts: weights look better than they
    are on what they were fitted to.
    """
    valid = store.triples("valid")
    found, counts = [], []
    for number in (0, 1):
        fitted_to, ranked = valid[number::2], valid[1 - number :: 2]
        mixture = mix(parts, _with_valid(store, fitted_to, ranked))
        found.append(_mrr(mixture, _with_valid(store, ranked, fitted_to), "valid"))
        counts.append(len(ranked))
    return float(np.average(found, weights=counts))


def _with_valid(store: TripleStore, valid: np.ndarray, known: np.ndarray) -> TripleStore:
    """Return a graph with another valid split, and further triples in train."""
    return TripleStore.from_triples(
        np.concatenate([store.triples("train"), known]),
        valid,
        store.triples("test"),
        entities=store.entity_count,
        relations=store.relation_count,
    )


def _weighed_as(mixture: Mixture, parts: Sequence[Model]) -> Mixture:
    """Return a mixture of other parts with the same weights."""
    other = Mixture(parts).eval()
    with torch.no_grad():
        other.weights.copy_(mixture.weights)
    return other


def _mrr(model: Model, store: TripleStore, split: Split) -> float:
    device = next(model.parameters()).device
    tester = Tester(
        model, TestDataLoader(store, type_constrain=False), device=device, progress=False
    )
    return tester.rank(split).metrics()["mrr"]


def read_mixtures(folder: Path, dataset: str) -> list[Entry]:
    """Return the mixtures that have results, in the order of :data:`ROWS`.

    Raises
    ------
    ValueError
        Seeds of one mixture have other parts, epochs, data or made features.
    """
    found = []
    for name in ROWS[dataset]:
        paths = sorted((folder / dataset).glob(f"{slug(name)}.seed*.json"))
        runs = [read_content(path) for path in paths]
        if runs:
            check_seeds(folder / dataset, name, runs, ("parts", "epochs"))
            ranks = find_ranks(folder / dataset, slug(name), runs)
            found.append(Entry(name=name, dataset=dataset, mode=TUNED, runs=runs, ranks=ranks))
    return found
