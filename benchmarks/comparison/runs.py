"""One row of Table 1: epochs chosen on dev, then trained, tested once and written down."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple

from comparison.rank_files import rank_path, write_ranks
from comparison.table_rows import (
    EMOJI,
    TUNED,
    Row,
    digests_in,
    made_features,
    parts_of,
    read_content,
)
from lbmkgc_models.feature_store.store import ModalFeatures
from lbmkgc_models.fusion.digest import digest_of
from lbmkgc_models.fusion.mention_score import MentionScore
from lbmkgc_models.fusion.relation_rows import RelationRows
from lbmkgc_models.runs.experiment import features_for
from lbmkgc_models.runs.make_trainer import make_trainer
from openke.config import Tester
from openke.data import TestDataLoader
from openke.data.store import TripleStore
from openke.datasets.search import find_dataset
from openke.module.model import Model
from openke.runs.weights import read_weights, write_weights
from openke.runtime.environment import environment
from openke.runtime.files import write_text
from openke.runtime.json_text import read_json_file, through_json
from openke.training.callback import Callback, Training
from openke.training.callbacks import Checkpoint, EarlyStopping
from openke.training.history import Record
from openke.training.trainer import Trainer

DEV_SEED = 0
"""Seed of the run whose epochs count for all seeds."""
Content = dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class Bench:
    """Where runs find their data and leave their results and checkpoints."""

    results: Path
    """Folder for DATASET/ROW.MODE.dev.json, ROW.MODE.seedK.json and ROW.MODE.seedK.ranks.npz."""
    checkpoints: Path
    """Folder for what a run that is stopped goes on from."""
    data: Path | None = None
    device: str = "auto"
    progress: bool = True
    minutes: float = 3
    """Minutes of training that a run which is stopped may lose."""

    def dev_path(self, row: Row) -> Path:
        """Return where the choice on dev is written."""
        return self.results / row.dataset / f"{row.stem}.dev.json"

    def seed_path(self, row: Row, seed: int) -> Path:
        """Return where a seed's test is written."""
        return self.results / row.dataset / f"{row.stem}.seed{seed}.json"

    def checkpoint_path(self, row: Row, kind: str, epochs: int) -> Path:
        """Return where a run is saved; of other settings, or for other epochs, elsewhere."""
        decisive = json.dumps([row.settings(), epochs], sort_keys=True)
        digest = hashlib.sha256(decisive.encode()).hexdigest()[:8]
        return self.checkpoints / row.dataset / f"{row.stem}.{kind}.{digest}.ckpt"


class Prepared(NamedTuple):
    """What trains a row, and what it is made of, see :func:`inputs_of`."""

    trainer: Trainer
    inputs: Content


class Trained(NamedTuple):
    """A model, the seconds of its training, and what it is made of, see :func:`inputs_of`."""

    model: Model
    seconds: float
    inputs: Content


class StopAt(Callback):
    """Ends training after an epoch; schedules still see the recipe's own number of epochs."""

    def __init__(self, epoch: int) -> None:
        self.epoch = epoch

    def on_epoch_end(self, trainer: Training, record: Record) -> None:
        """Stop when it is time."""
        if trainer.epoch >= self.epoch < trainer.train_times:
            trainer.stop("as many epochs as were chosen on dev")


def run_row(row: Row, seeds: Sequence[int], bench: Bench) -> None:
    """Do what is missing of a row: the choice on dev, and for each seed training and test.

    Raises
    ------
    ValueError
        Results of other settings, or of another number of epochs, are there already.
    """
    # What is stale is said now, not after hours of training what comes before it.
    if row.mode == TUNED:
        read_result(bench.dev_path(row), row)
    for seed in seeds:
        read_result(bench.seed_path(row, seed), row)
    epochs = row.recipe.training.epochs
    if row.mode == TUNED:
        epochs = choose(row, bench)["epochs"]
    for seed in seeds:
        if read_result(bench.seed_path(row, seed), row, epochs=epochs) is None:
            path = bench.checkpoint_path(row, f"seed{seed}", epochs)
            made = _train(row, seed, bench, [StopAt(epochs)], path)
            _test(row, seed, bench, made, epochs, _seconds(made.trainer))
            path.unlink()


def chosen_epochs(row: Row, bench: Bench) -> int:
    """Return the epochs that were chosen on dev.

    Raises
    ------
    ValueError
        None were, or for other settings.
    """
    found = read_result(bench.dev_path(row), row)
    if found is None:
        raise ValueError(
            f"{bench.dev_path(row)} is not there: first run benchmarks/table1.py --datasets "
            f'{row.dataset} --rows "{row.name}"'
        )
    epochs: int = found["epochs"]
    return epochs


def trained(row: Row, seed: int, bench: Bench, epochs: int, *, hold_out: float = 0.0) -> Trained:
    """Return a model trained for so many epochs.

    Its weights are kept beside checkpoints, and found there the next time. With ``hold_out`` a part
    of train is left out.
    """
    kind = f"seed{seed}.held_out" if hold_out else f"seed{seed}"
    path = bench.checkpoint_path(row, kind, epochs)
    weights, notes = (path.with_suffix(ending) for ending in (".safetensors", ".json"))
    if notes.is_file():
        trainer, inputs = prepare(row, seed, bench, [], hold_out=hold_out)
        found = read_json_file(notes)
        if digests_in(found) != digests_in({"inputs": inputs}):
            raise ValueError(
                f"{weights}: trained on other triples or features than there are now; remove it "
                f"and {notes.name} to train again"
            )
        model = trainer.strategy.model
        model.load_state_dict(read_weights(weights))
        return Trained(model, found["seconds"], inputs)
    trainer, inputs = _train(row, seed, bench, [StopAt(epochs)], path, hold_out=hold_out)
    model, seconds = trainer.strategy.model, _seconds(trainer)
    write_weights(weights, model.state_dict())
    write_text(notes, json.dumps({"seconds": seconds, "inputs": inputs}) + "\n")
    path.unlink()
    return Trained(model, seconds, inputs)


def choose(row: Row, bench: Bench) -> Content:
    """Choose epochs on dev, or return what was chosen before.

    Where dev is the valid split, this run trained on all of train already: its best weights are
    those of its seed, and are tested at once.
    """
    path = bench.dev_path(row)
    found = read_result(path, row)
    if found is not None:
        return found
    saved = bench.checkpoint_path(row, "dev", row.recipe.training.epochs)
    stopping = EarlyStopping(patience=row.recipe.evaluation.patience)
    made = _train(row, DEV_SEED, bench, [stopping], saved, hold_out=row.hold_out, validate=True)
    records = made.trainer.history.records
    content = {
        **row.settings(),
        "hold_out": row.hold_out,
        "seed": DEV_SEED,
        "epochs": stopping.best_epoch,
        "dev_mrr": stopping.best,
        "curve": [
            {name: value for name, value in record.items() if _lasting(name)}
            for record in records
            if "valid_mrr" in record
        ],
        "seconds": _seconds(made.trainer),
        "environment": environment(),
    }
    if not row.hold_out:
        # Seconds until the chosen epoch: what training this seed anew would take.
        until = sum(float(record["seconds"]) for record in records[: stopping.best_epoch])
        _test(row, DEV_SEED, bench, made, stopping.best_epoch, until)
    _write(path, content)
    saved.unlink()  # not before: what is stopped until here goes on from it
    return content


def read_result(path: Path, row: Row, **more: Any) -> Content | None:
    """Return the content of a result, None where there is none yet.

    Raises
    ------
    ValueError
        It was made with other settings, or has other values than ``more``.
    """
    if not path.is_file():
        return None
    content = read_content(path)
    expected = through_json({**row.settings(), **more})
    differing = [name for name, value in expected.items() if content.get(name) != value]
    if differing:
        raise ValueError(
            f"{path}: made with other settings ({', '.join(differing)}) than {row.name} on "
            f"{row.dataset} has now; remove it to run again"
        )
    return content


@lru_cache(maxsize=1)
def open_dataset(name: str, data: Path | None) -> tuple[TripleStore, Path]:
    """Return the triples and their folder.

    Raises
    ------
    FileNotFoundError, ValueError
        It is not on this machine and cannot be fetched.
    """
    try:
        directory = find_dataset(name, data)
    except ValueError as error:
        if name != EMOJI:
            raise
        raise FileNotFoundError(
            f"{name} is not on this machine: run benchmarks/openmoji_build.py, whose --help says "
            "how its features are made, too"
        ) from error
    return TripleStore.open(directory), directory


def prepare(
    row: Row,
    seed: int,
    bench: Bench,
    callbacks: Sequence[Callback],
    *,
    hold_out: float = 0.0,
    validate: bool = False,
) -> Prepared:
    """Return what trains a row, and what it is made of.

    With ``validate`` it measures dev before ``callbacks``.
    """
    store, directory = open_dataset(row.dataset, bench.data)
    recipe = row.recipe.changed({"training.seed": seed, "data.hold_out": hold_out})
    features = features_for(recipe, store, directory, bench.device)
    trainer = make_trainer(
        recipe,
        store,
        features,
        device=bench.device,
        callbacks=callbacks,
        validate=validate,
        progress=bench.progress,
    )
    return Prepared(trainer, inputs_of(store, trainer.strategy.model, features))


def _train(
    row: Row,
    seed: int,
    bench: Bench,
    callbacks: list[Callback],
    path: Path,
    *,
    hold_out: float = 0.0,
    validate: bool = False,
) -> Prepared:
    """Train, or go on from ``path``; returns what has trained, and what it is made of."""
    kind = "dev" if validate else f"seed {seed}" + (", without dev" if hold_out else "")
    print(f"\n{row.dataset}: {row.name}, {row.mode}, {kind}", flush=True)
    saving = Checkpoint(path, every=10**9, minutes=bench.minutes)
    made = prepare(row, seed, bench, [*callbacks, saving], hold_out=hold_out, validate=validate)
    check_inputs(row, bench, made.inputs)
    if path.is_file():
        made.trainer.resume(path)
    # Puts the best weights back, too, where a run was stopped after its last epoch.
    made.trainer.run()
    return made


def _seconds(trainer: Trainer) -> float:
    """Return those of all epochs."""
    return sum(float(record["seconds"]) for record in trainer.history.records)


def _test(row: Row, seed: int, bench: Bench, made: Prepared, epochs: int, seconds: float) -> None:
    store, _ = open_dataset(row.dataset, bench.data)
    model = made.trainer.strategy.model
    path = bench.seed_path(row, seed)
    content = {
        **row.settings(),
        "inputs": made.inputs,
        "seed": seed,
        "epochs": epochs,
        **tested(model, store, bench, seed, path),
        "seconds": seconds,
        "environment": environment(),
    }
    _write(path, content)
    mrr = content["metrics"]["both"]["mrr"]
    print(f"test MRR {100 * mrr:.2f} after {epochs} epochs", flush=True)


def tested(model: Model, store: TripleStore, bench: Bench, seed: int, result: Path) -> Content:
    """Return what a test says of a model, and leave its ranks beside where the result goes."""
    loader = TestDataLoader(store, type_constrain=False)
    report = Tester(model, loader, device=bench.device, progress=False).rank("test", seed=seed)
    write_ranks(rank_path(result), report)
    kinds = report.by_kind()
    return {
        "parameters": sum(part.numel() for part in model.parameters()),
        "metrics": {side: report.metrics(side) for side in report.sides},
        "by_seen": report.by_seen(),
        "by_category": report.by_category(),
        **({"by_kind": kinds} if kinds else {}),
        "test_seconds": report.seconds,
    }


def inputs_of(
    store: TripleStore, model: Model, features: Mapping[str, ModalFeatures]
) -> dict[str, Any]:
    """Return digests of what a model is trained on, and what made its features, where they say."""
    return {
        "triples": store.fingerprint,
        "features": feature_digests(model),
        "encoders": {
            modality: {
                "encoder": found.manifest.encoder,
                "revision": found.manifest.revision,
                "settings": dict(found.manifest.settings),
            }
            for modality, found in features.items()
            if found.manifest.encoder
        },
    }


def check_inputs(row: Row, bench: Bench, inputs: Mapping[str, Any]) -> None:
    """Raise ``ValueError`` where results that a row is set beside were made of something else.

    That is, of other triples; or of other features where a script here makes these, whose numbers
    differ from one kind of processor to another.
    """
    for path in sorted(bench.dev_path(row).parent.glob("*.seed*.json")):
        for other in parts_of(read_content(path)):
            triples, _ = digests_in(other)
            if triples not in (None, inputs["triples"]):  # older ones do not say
                raise ValueError(
                    f"{path}: made of other triples than those of {row.dataset} are now"
                )
            _check_made(path, other, row.recipe.features.folder, inputs["features"])


def _check_made(
    path: Path, other: Mapping[str, Any], folder: str, digests: Mapping[str, str]
) -> None:
    """Raise ``ValueError`` where a result has other features of a folder than a script made now."""
    made = made_features(other)
    if not made or other["recipe"]["features"]["folder"] != folder:
        return
    for modality, digest in made.items():
        if digests.get(modality, digest) != digest:
            raise ValueError(
                f"{path}: its {modality} features were others than those in {folder} are now: "
                f"remove the results of all rows with features below {Path(folder).parent}, "
                "and run them again"
            )


def feature_digests(model: Model) -> dict[str, str]:
    """Return a SHA-256 of each modality's features that a model sees, and of mentions.

    And of features of relations, where some have any.
    """
    digests = dict(model.identity().get("features", {}))
    for place, part in model.named_modules():
        if isinstance(part, MentionScore):
            digests["mentions"] = part.digest()
        elif isinstance(part, RelationRows) and part.present.any():
            name = place.rpartition(".")[2]
            digests[f"{name} of relations"] = digest_of(part.values, part.present)
    return digests


def _lasting(name: str) -> bool:
    return name.startswith("valid_") or name in ("epoch", "loss", "seconds")


def _write(path: Path, content: Content) -> None:
    write_text(path, json.dumps(content, indent=1) + "\n")
