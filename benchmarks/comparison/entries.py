"""What was measured of each row of Table 1, and what the paper says."""

from __future__ import annotations

import csv
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from comparison.rank_files import rank_path, read_ranks
from comparison.table_rows import (
    KNOWN_DATASETS,
    MODES,
    PICTURE_GRAPHS,
    made_features,
    parts_of,
    read_content,
    slug,
)
from lbmkgc_models.runs.make_model import takes_tokens

PAPER = Path(__file__).parents[1] / "paper_table1.csv"
"""LBMKGC's Table 1, in percent: model, dataset, mrr, hits@1, hits@3, hits@10."""

MODALITIES = ("image", "text")
NOTHING = "–"
"""What a row sees that reads triples alone."""

Result = Mapping[str, Any]
Paper = Mapping[tuple[str, str], Mapping[str, float]]
"""The paper's metrics in percent by model and data set."""


@dataclass(frozen=True)
class Entry:
    """The runs of one row: the same model, data set and mode, other seeds."""

    name: str
    dataset: str
    mode: str
    runs: Sequence[Result]
    dev: Result | None = None
    """The choice of epochs; None where these were published."""
    ranks: Mapping[int, Path] = field(default_factory=dict)
    """Files of ranks by seed, of those tests that left some."""
    trials: int = 0
    """Trials that tune.py has recorded; 0: it was not searched."""

    def values(self, read: Callable[[Result], float]) -> list[float]:
        """Return what ``read`` finds in each run."""
        return [read(run) for run in self.runs]

    def metric(self, metric: str, side: str = "both") -> list[float]:
        """Return a metric of each seed; mean rank as it is, others in percent."""
        scale = 1 if metric == "mr" else 100
        return self.values(lambda run: scale * run["metrics"][side][metric])

    def unseen(self, group: str, side: str = "both") -> list[float]:
        """Return the MRR in percent of triples with ("unseen") or without such entities."""
        return self.values(lambda run: 100 * run["by_seen"][side][group]["mrr"])

    def by_seed(self, kind: str = "") -> dict[int, float]:
        """Return the MRR in percent of each seed, of all relations or of a kind."""
        values = self.of_kind(kind) if kind else self.metric("mrr")
        return {run["seed"]: value for run, value in zip(self.runs, values, strict=True)}

    def by_question(self, kind: str = "") -> dict[int, NDArray[np.float64]]:
        """Return 100 / rank of each test triple, the mean of both sides, by seed; as by_seed.

        Raises
        ------
        ValueError
            Ranks are not those of the test whose figures stand beside them.
        """
        found = {}
        for seed, mrr in self.by_seed(kind).items():
            if seed not in self.ranks:
                continue
            ranks = read_ranks(self.ranks[seed])
            kinds = [kind] if kind else sorted(ranks)
            found[seed] = np.concatenate([100 / ranks[kind] for kind in kinds], axis=1).mean(axis=0)
            if abs(found[seed].mean() - mrr) > 1e-6:
                raise ValueError(f"{self.ranks[seed]}: ranks of another test than the figures'")
        return found

    def of_kind(self, kind: str, side: str = "both") -> list[float]:
        """Return the MRR in percent of a kind of relation, such as "perceptual"."""
        return self.values(lambda run: 100 * run["by_kind"][side][kind]["mrr"])

    @property
    def sees(self) -> str:
        """Return what it reads beside the triples, such as "pictures, text: descriptions"."""
        run = self.runs[0]
        seen = [
            part
            for recipe in (one.get("recipe", {}) for one in parts_of(run))
            for part in _seen(recipe, self.dataset)
        ]
        return ", ".join(dict.fromkeys(seen)) or NOTHING

    @property
    def epochs(self) -> int:
        """Return the epochs every seed was trained for."""
        found: int = self.runs[0]["epochs"]
        return found

    @property
    def shown_epochs(self) -> str:
        """Return the epochs, with a + where dev was still rising at the last its settings allow."""
        rising = self.dev is not None and self.dev["curve"][-1]["epoch"] == self.dev["epochs"]
        return f"{self.epochs}+" if rising else str(self.epochs)

    @property
    def hours(self) -> float:
        """Return how long all of its training took, the choice of epochs included."""
        seconds = [run["seconds"] for run in self.runs]
        if self.dev is not None:
            # Where dev is the valid split, the run that chose is that of its seed.
            alone = self.dev["hold_out"] > 0
            seconds = [self.dev["seconds"]] + [
                run["seconds"] for run in self.runs if alone or run["seed"] != self.dev["seed"]
            ]
        return sum(seconds) / 3600


def _seen(recipe: Mapping[str, Any], dataset: str) -> list[str]:
    """Return what a recipe's model reads beside the triples."""
    features = recipe.get("features", {})
    modalities = features.get("modalities", ())
    parts = ["pictures"] if "image" in modalities else []
    if "text" in modalities:
        # These have one kind of text, whatever is asked for.
        parts.append("text" if dataset in PICTURE_GRAPHS else f"text: {features['texts']}")
    return parts


def _count_trials(path: Path) -> int:
    """Return how many trials stand in a table of a search; 0 where there is none."""
    if not path.is_file():
        return 0
    with path.open(encoding="utf-8", newline="") as file:
        return sum(1 for _ in csv.DictReader(file))


def read_paper(path: Path = PAPER) -> Paper:
    """Return the paper's Table 1."""
    with path.open(encoding="utf-8", newline="") as file:
        return {
            (row.pop("model"), row.pop("dataset")): {name: float(v) for name, v in row.items()}
            for row in csv.DictReader(file)
        }


def read_entries(folder: Path, paper: Paper, made_by: str = "table1.py") -> list[Entry]:
    """Return what results there are, in the paper's order of models, then of data sets.

    Models that the paper does not have follow, by name; the published mode comes before the tuned.

    Raises
    ------
    FileNotFoundError
        No results.
    ValueError
        Seeds of one row were trained with different settings, data, texts or numbers of epochs.
    """
    runs: dict[tuple[str, str, str], list[Result]] = {}
    for path in sorted(folder.glob("*/*.seed*.json")):
        run = read_content(path)
        runs.setdefault((run["dataset"], run["name"], run["mode"]), []).append(run)
    if not runs:
        raise FileNotFoundError(f"no results in {folder}: run benchmarks/{made_by} first")
    models = list(dict.fromkeys(model for model, _ in paper))
    for key, found in runs.items():
        check_seeds(folder, " ".join(key), found)

    def place(key: tuple[str, str, str]) -> tuple[Any, ...]:
        dataset, name, mode = key
        known = models.index(name) if name in models else len(models)
        return known, name, MODES.index(mode), KNOWN_DATASETS.index(dataset)

    def entry(key: tuple[str, str, str]) -> Entry:
        dataset, name, mode = key
        path = folder / dataset / f"{slug(name)}.{mode}.dev.json"
        dev = read_content(path) if path.is_file() else None
        ranks = find_ranks(folder / dataset, f"{slug(name)}.{mode}", runs[key])
        return Entry(
            **{"name": name, "dataset": dataset, "mode": mode, "runs": runs[key], "dev": dev},
            ranks=ranks,
            trials=_count_trials(folder.parent / "tune" / dataset / f"{slug(name)}.{mode}.csv"),
        )

    return [entry(key) for key in sorted(runs, key=place)]


def check_seeds(
    folder: Path, name: str, runs: Sequence[Result], settings: Sequence[str] = ("recipe", "epochs")
) -> None:
    """Raise ``ValueError`` where results of a row's seeds are not to be averaged.

    That is, where a seed is there twice, or seeds differ in ``settings``, or in what they were made
    of.
    """
    seeds = [run["seed"] for run in runs]
    if twice := sorted({seed for seed in seeds if seeds.count(seed) > 1}):
        raise ValueError(f"{folder}: {name} has the seed {twice[0]} more than once")
    for setting in settings:
        if any(run.get(setting) != runs[0].get(setting) for run in runs):
            raise ValueError(f"{folder}: seeds of {name} differ in their {setting}")
    # Older results do not say what they were made of.
    if len({_content(run) for run in runs if "inputs" in run}) > 1:
        raise ValueError(f"{folder}: seeds of {name} differ in their data, texts or made features")


def find_ranks(folder: Path, stem: str, runs: Sequence[Result]) -> dict[int, Path]:
    """Return the files of ranks, by seed, of those results STEM.seedK.json that have one."""
    paths = {run["seed"]: rank_path(folder / f"{stem}.seed{run['seed']}.json") for run in runs}
    return {seed: path for seed, path in paths.items() if path.is_file()}


def check_same_features(entries: Sequence[Entry]) -> None:
    """Raise ``ValueError`` where rows with the same folder of made features saw other ones.

    They are made anew where they are missing, and come out otherwise on another kind of processor;
    a difference of such rows would be one of features, too.
    """
    seen: dict[tuple[str, str, str], tuple[str, str]] = {}
    for entry in entries:
        for run in entry.runs:
            for modality, digest in made_features(run).items():
                folder = run["recipe"]["features"]["folder"]
                first, name = seen.setdefault(
                    (entry.dataset, folder, modality), (digest, entry.name)
                )
                if digest != first:
                    raise ValueError(
                        f"{entry.dataset}: {entry.name} saw other {modality} features of {folder} "
                        f"than {name}: remove the results of one of them, and run it again"
                    )


def with_other_features(entries: Sequence[Entry]) -> list[str]:
    """Return the rows of one graph with features of other digests than most rows that see some.

    Features of a folder are left out, see :func:`check_same_features`. Tokens are set beside tokens
    alone, and earlier results of IMF, whose digests are of what it made of its features, beside one
    another.
    """
    rows: dict[tuple[str, str], dict[str, set[str]]] = {}
    for entry in entries:
        for run in entry.runs:
            for modality in MODALITIES:
                digest = run.get("inputs", {}).get("features", {}).get(modality)
                if digest and not made_features(run):
                    by_digest = rows.setdefault((modality, _kind(run)), {})
                    by_digest.setdefault(digest, set()).add(entry.name)
    others: set[str] = set()
    for by_digest in rows.values():
        most = max(by_digest.values(), key=len)
        others |= set().union(*(names for names in by_digest.values() if names is not most))
    return sorted(others)


def _kind(run: Result) -> str:
    """Return whose features alone have digests that are to be set beside those of a result."""
    name: str = run["recipe"]["model"]["name"]
    narrowed = name == "IMF" and "encoders" not in run["inputs"]
    return name if narrowed or takes_tokens(name) else ""


def _content(run: Result) -> tuple[str, ...]:
    """Return what tells other triples, texts, or features that a script here makes.

    Not features of an encoder: the recipe names it, and it rounds otherwise on other processors.
    """
    found = [run["inputs"]["triples"]]
    for part in parts_of(run):
        found.append(part["inputs"]["features"].get("mentions", ""))
        found += map(str, made_features(part).items())
    return tuple(found)
