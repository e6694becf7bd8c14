"""Mixtures of rows of Table 1: trained apart, weighed on valid, tested once."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from comparison.entries import Entry, find_ranks
from comparison.picture_graphs import INTERVALS, KINDS, difference
from comparison.runs import (
    Bench,
    chosen_epochs,
    feature_digests,
    open_dataset,
    tested,
    trained,
)
from comparison.table import Table
from comparison.table_rows import TUNED, Row, find_rows, read_content, slug
from lbmkgc_models.runs.side_by_side import SEED_STEP, spread
from openke.evaluation.mixing import mix
from openke.module.model import Model
from openke.runtime.environment import environment
from openke.runtime.files import write_text
from openke.runtime.json_text import through_json

TEXT, PICTURES = "LBMKGC without pictures", "LBMKGC with free pictures"
CONTROLS = {2: "text twice", 3: "text three times"}
"""By the number of parts, what says how much of a gain is that of several models alone."""
MIXTURES: Mapping[str, Sequence[str]] = {
    "text and pictures": (TEXT, PICTURES),
    "text twice, and pictures": (TEXT, TEXT, PICTURES),
    "LBMKGC, text and pictures": ("LBMKGC", TEXT, PICTURES),
    **{control: (TEXT,) * count for count, control in CONTROLS.items()},
}
"""The rows of Table 1 that each is made of."""

Models = dict[tuple[str, int], tuple[Model, float]]
"""By row and seed what was trained, and the seconds it took."""

EXPLAINED = (
    "Models of Table 1, each trained alone with a seed of its own, answer together: their scores "
    "are weighed for each relation, and the weights fitted to valid. *Text* is LBMKGC without "
    "pictures; *pictures* LBMKGC without text, with N3 of the structure alone. Filtered test, "
    "realistic ranks, %; mean ± standard deviation over seeds; then the mean difference of MRR "
    "from as many models of text over the same seeds, and "
    f"{INTERVALS}"
)


def rows_of(name: str, dataset: str) -> list[Row]:
    """Return the parts of a mixture."""
    return [find_rows([part], [dataset], [TUNED])[0] for part in MIXTURES[name]]


def run_mixture(
    name: str, rows: Sequence[Row], seed: int, bench: Bench, parts: Bench, models: Models
) -> None:
    """Train, weigh and test a mixture of rows, unless it has a result.

    ``parts`` has the choice of epochs of each row; what is trained is kept in ``models``.

    Raises
    ------
    ValueError
        The epochs of a row have not been chosen; the result is that of other settings.
    """
    settings = through_json(
        [{**row.settings(), "epochs": chosen_epochs(row, parts)} for row in rows]
    )
    path = bench.results / rows[0].dataset / f"{slug(name)}.seed{seed}.json"
    if path.is_file():
        if read_content(path).get("parts") != settings:
            raise ValueError(
                f"{path}: made with other settings than its parts have now; remove it to run again"
            )
        return
    chosen, seconds = [], 0.0
    for number, row in enumerate(rows):
        key = row.name, seed + SEED_STEP * number
        if key not in models:
            models[key] = trained(row, key[1], bench, settings[number]["epochs"])
        model, took = models[key]
        chosen.append(model)
        seconds += took
    store, _ = open_dataset(rows[0].dataset, bench.data)
    mixture = mix(chosen, store)
    content: dict[str, Any] = {
        "name": name,
        "dataset": rows[0].dataset,
        "mode": TUNED,
        "recipe": rows[0].recipe.to_dict(),
        "parts": settings,
        "inputs": {
            "triples": store.fingerprint,
            "features": [feature_digests(model) for model in chosen],
        },
        "seed": seed,
        "epochs": max(part["epochs"] for part in settings),
        "weights": mixture.weights.detach().tolist(),
        **tested(mixture, store, bench, seed, path),
        "seconds": seconds,
        "environment": environment(),
    }
    write_text(path, json.dumps(content, indent=1) + "\n")
    mrr = content["metrics"]["both"]["mrr"]
    print(f"{name}, seed {seed}: test MRR {100 * mrr:.2f}", flush=True)


def read_mixtures(folder: Path, dataset: str) -> list[Entry]:
    """Return the mixtures that have results, in the order of :data:`MIXTURES`."""
    found = []
    for name in MIXTURES:
        paths = sorted((folder / dataset).glob(f"{slug(name)}.seed*.json"))
        runs = [read_content(path) for path in paths]
        if runs:
            ranks = find_ranks(folder / dataset, slug(name), runs)
            found.append(Entry(name=name, dataset=dataset, mode=TUNED, runs=runs, ranks=ranks))
    return found


def mixture_table(folder: Path, dataset: str) -> Table:
    """Return what mixtures are worth on a graph with pictures."""
    entries = read_mixtures(folder, dataset)
    by_name = {entry.name: entry for entry in entries}
    header = ("mixture", "MRR", *KINDS, "Hits@1", "Hits@10", "seeds", "difference", KINDS[0])
    rows = []
    for entry in entries:
        control = by_name.get(CONTROLS[len(MIXTURES[entry.name])])
        compared = ("–", "–")
        if control is not None:
            compared = (difference(entry, control), difference(entry, control, KINDS[0]))
        rows.append(
            (
                *(entry.name, spread(entry.metric("mrr"))),
                *(spread(entry.of_kind(kind)) for kind in KINDS),
                *(spread(entry.metric(f"hits@{k}")) for k in (1, 10)),
                *(str(len(entry.runs)), *compared),
            )
        )
    return Table(f"{dataset}: mixtures", header, rows, EXPLAINED)
