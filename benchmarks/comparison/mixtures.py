"""Mixtures of rows of Table 1: trained apart, weighed on valid, tested once."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from comparison.entries import Entry, find_ranks
from comparison.picture_graphs import INTERVALS, KINDS, difference
from comparison.runs import Bench, chosen_epochs, open_dataset, tested, trained
from comparison.table import Table
from comparison.table_rows import TUNED, Row, find_rows, read_content, slug
from lbmkgc_models.runs.side_by_side import SEED_STEP, spread
from openke.evaluation.mixing import mix
from openke.runtime.environment import environment
from openke.runtime.files import write_text

TEXT, PICTURES = "LBMKGC without pictures", "LBMKGC with free pictures"
CONTROL = "text twice"
MIXTURES: Mapping[str, Sequence[str]] = {
    "text and pictures": (TEXT, PICTURES),
    "text twice, and pictures": (TEXT, TEXT, PICTURES),
    "LBMKGC, text and pictures": ("LBMKGC", TEXT, PICTURES),
    CONTROL: (TEXT, TEXT),
    "text three times": (TEXT, TEXT, TEXT),
}
"""The rows of Table 1 that each is made of."""

EXPLAINED = (
    "Models of Table 1, each trained alone with a seed of its own, answer together: their scores "
    "are weighed for each relation, and the weights fitted to valid. *Text* is LBMKGC without "
    "pictures; *pictures* LBMKGC without text, with N3 of the structure alone. Filtered test, "
    "realistic ranks, %; mean ± standard deviation over seeds; then the mean difference of MRR "
    f"from *{CONTROL}* over the same seeds, and {INTERVALS}"
)


def rows_of(name: str, dataset: str) -> list[Row]:
    """Return the parts of a mixture."""
    return [find_rows([part], [dataset], [TUNED])[0] for part in MIXTURES[name]]


def run_mixture(
    name: str, rows: Sequence[Row], seeds: Sequence[int], bench: Bench, parts: Bench
) -> None:
    """Train, weigh and test a mixture of rows for each seed that has no result yet.

    ``parts`` has the choice of epochs of each row.

    Raises
    ------
    ValueError
        The epochs of a row have not been chosen.
    """
    epochs = [chosen_epochs(row, parts) for row in rows]
    for seed in seeds:
        path = bench.results / rows[0].dataset / f"{slug(name)}.seed{seed}.json"
        if not path.is_file():
            _run(name, rows, epochs, seed, path, bench)


def _run(
    name: str, rows: Sequence[Row], epochs: Sequence[int], seed: int, path: Path, bench: Bench
) -> None:
    models, seconds = [], 0.0
    for number, row in enumerate(rows):
        model, took = trained(row, seed + SEED_STEP * number, bench, epochs[number])
        models.append(model)
        seconds += took
    store, _ = open_dataset(rows[0].dataset, bench.data)
    mixture = mix(models, store)
    content: dict[str, Any] = {
        "name": name,
        "dataset": rows[0].dataset,
        "mode": TUNED,
        "recipe": rows[0].recipe.to_dict(),
        "parts": [row.settings() for row in rows],
        "seed": seed,
        "epochs": max(epochs),
        "weights": mixture.weights.detach().mean(dim=0).tolist(),
        **tested(mixture, store, bench, seed, path),
        "seconds": seconds,
        "environment": environment(),
    }
    write_text(path, json.dumps(content, indent=1) + "\n")
    print(
        f"{name}, seed {seed}: test MRR {100 * content['metrics']['both']['mrr']:.2f}", flush=True
    )


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
    control = next((entry for entry in entries if entry.name == CONTROL), None)
    header = ("mixture", "MRR", *KINDS, "Hits@1", "Hits@10", "seeds", "difference", KINDS[0])
    rows = [
        (
            *(entry.name, spread(entry.metric("mrr"))),
            *(spread(entry.of_kind(kind)) for kind in KINDS),
            *(spread(entry.metric(f"hits@{k}")) for k in (1, 10)),
            str(len(entry.runs)),
            *(
                ("–", "–")
                if control is None
                else (difference(entry, control), difference(entry, control, KINDS[0]))
            ),
        )
        for entry in entries
    ]
    return Table(f"{dataset}: mixtures", header, rows, EXPLAINED)
