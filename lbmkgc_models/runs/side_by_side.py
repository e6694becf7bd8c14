"""Models side by side on one data set: each trained for each seed, alone or weighed; one table."""

from __future__ import annotations

import statistics
import time
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from tabulate import tabulate

from lbmkgc_models.feature_store.store import Features
from lbmkgc_models.runs.make_model import model_maker
from openke.data.store import Split, TripleStore
from openke.data.test_data_loader import TestDataLoader
from openke.evaluation.mixing import mix
from openke.evaluation.report import RankingReport
from openke.evaluation.tester import Tester
from openke.module.model import Model
from openke.runs.recipe import Recipe

MIXED_ON: Split = "valid"
"""What weights of several models are fitted to."""
SEED_STEP = 100
"""By how much the seeds of a row's parts differ: two of one recipe are not alike."""
COLUMNS = ("both", "head", "tail", "perceptual", "conceptual")


class Part(NamedTuple):
    """A model that is trained alone."""

    recipe: Recipe
    modalities: Sequence[str] = ()
    """What it sees."""


def compare(
    rows: Mapping[str, Sequence[Part]],
    store: TripleStore,
    features: Features,
    seeds: Sequence[int],
    *,
    split: Split = "test",
    device: str = "auto",
) -> dict[str, list[dict[str, float]]]:
    """Train and rank each row for each seed, and print what is being done.

    Parameters
    ----------
    rows
        Name of a row -> its model; of several, they answer together, weighed by :func:`.mix`.
    store, features
        The triples, and the features of all modalities that any row sees.
    seeds
        Each row is trained once for each; the second part with the seed and :data:`SEED_STEP`.
    split, device
        What is ranked, and where it is computed.

    Returns
    -------
    dict
        For each row and seed the mean reciprocal ranks in percent, by side and by kind of relation,
        and the seconds.

    Raises
    ------
    ValueError
        There are no features of a modality that a row sees; what is ranked is what a row of several
        models is fitted to.
    """
    for row, parts in rows.items():
        for part in parts:
            if missing := [name for name in part.modalities if name not in features]:
                raise ValueError(f"{row} needs {', '.join(missing)} features of {store.name}")
        if len(parts) > 1:
            store.require(MIXED_ON)
            if split == MIXED_ON:
                raise ValueError(f"{row} is fitted to {split}: rank another split, or leave it out")
    results: dict[str, list[dict[str, float]]] = {row: [] for row in rows}
    for seed in seeds:
        trained: dict[tuple[str, int], tuple[Model, float]] = {}
        for row, parts in rows.items():
            print(f"\n{row}, seed {seed}", flush=True)
            models, seconds = [], 0.0
            for number, part in enumerate(parts):
                key = f"{part.recipe.to_dict()} {part.modalities}", seed + SEED_STEP * number
                if key not in trained:  # an earlier row may have the same part
                    trained[key] = _trained(part, key[1], store, features, device)
                model, took = trained[key]
                models.append(model)
                seconds += took
            before = time.perf_counter()
            model = models[0] if len(models) == 1 else mix(models, store, MIXED_ON)
            loader = TestDataLoader(store, type_constrain=False)
            measured = mrr_percent(
                Tester(model, loader, device=device, progress=False).rank(split, seed=seed)
            )
            seconds += time.perf_counter() - before
            results[row].append({**measured, "seconds": seconds})
    return results


def _trained(
    part: Part, seed: int, store: TripleStore, features: Features, device: str
) -> tuple[Model, float]:
    """Return the model and the seconds it took."""
    before = time.perf_counter()
    chosen = {name: features[name] for name in part.modalities}
    recipe = part.recipe.changed({"training.seed": seed})
    trainer = recipe.trainer(store, make=model_maker(chosen), device=device)
    trainer.run()
    return trainer.strategy.model, time.perf_counter() - before


def mrr_percent(report: RankingReport) -> dict[str, float]:
    """Return the mean reciprocal ranks by side and by kind of relation, in percent."""
    found = {side: report.metrics(side)["mrr"] for side in report.sides}
    found |= {kind: row["mrr"] for kind, row in report.by_kind().get("both", {}).items()}
    return {name: 100 * value for name, value in found.items()}


def mrr_table(results: Mapping[str, Sequence[Mapping[str, float]]]) -> str:
    """Return a line per row: MRR in percent, mean and standard deviation over seeds."""
    columns = [name for name in COLUMNS if name in next(iter(results.values()))[0]]
    lines = []
    for row, runs in results.items():
        cells = []
        for column in columns:
            cells.append(spread([run[column] for run in runs]))
        seconds = statistics.mean(run["seconds"] for run in runs)
        lines.append([row, *cells, f"{seconds:.0f}"])
    header = ["MRR, %", *columns, "seconds"]
    return tabulate(lines, header, disable_numparse=True, colalign=("left",))


def spread(values: Sequence[float]) -> str:
    """Return the mean and, of several values, their standard deviation."""
    deviation = f" ± {statistics.stdev(values):.2f}" if len(values) > 1 else ""
    return f"{statistics.mean(values):.2f}{deviation}"
