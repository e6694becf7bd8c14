"""One experiment in one folder: train by a recipe, rank, and write down all that was done."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated, Any

import torch
import tyro

from openke.data.store import TripleStore
from openke.data.test_data_loader import TestDataLoader
from openke.evaluation.report import RankingReport
from openke.evaluation.tester import Tester
from openke.module.model import Model
from openke.runs.calibration import Calibration, calibrate_if_possible
from openke.runs.curves import write_curves
from openke.runs.page import Picture, write_page
from openke.runs.predictor import Predictor
from openke.runs.recipe import Make, Recipe, structural_model
from openke.runs.seal import SUMS, check_seal, seal
from openke.runs.trackers import TRACKERS, Tracked, Tracker
from openke.runs.weights import write_weights
from openke.runtime.distributed import join
from openke.runtime.environment import environment
from openke.runtime.files import is_there, write_text
from openke.runtime.holding import held
from openke.runtime.names import check_known
from openke.runtime.values import Count, check_value
from openke.training.callback import Callback
from openke.training.callbacks import Checkpoint, EarlyStopping, Log, Validation
from openke.training.history import History
from openke.training.trainer import Trainer


@dataclass(frozen=True, kw_only=True)
class Execution:
    """How a recipe is run and where results go; nothing here changes what comes out."""

    out: Path | None = None
    """Folder for everything the run writes; by default runs/MODEL-DATASET."""
    device: str = "auto"
    """auto, cpu, cuda, cuda:1 or mps; auto takes a GPU where there is one."""
    compile: bool = False
    """Compile the step: worth it on a GPU, after a minute of waiting."""
    checkpoint_every: Count = 10
    """Epochs between two checkpoints; one is also written after five minutes."""
    resume: bool = False
    """Go on from the checkpoint under --out."""
    overwrite: bool = False
    """Replace an earlier run under --out."""
    lean: bool = False
    """Leave names, triples, texts and features out of the folder: it then needs them where they
    are."""
    tracker: Annotated[
        tyro.conf.UseAppendAction[tuple[str, ...]], tyro.conf.arg(metavar="NAME")
    ] = ()
    """Follow the run in tensorboard, wandb or mlflow, whose package must be installed; may be given
    more than once."""

    def __post_init__(self) -> None:
        """Check the values and what belongs together; a path may be a string in Python."""
        for name in ("out", "data"):
            if isinstance(getattr(self, name, None), str):
                object.__setattr__(self, name, Path(getattr(self, name)))
        check_value("--checkpoint-every", self.checkpoint_every, Count)
        if self.resume and self.overwrite:
            raise ValueError("--resume and --overwrite exclude each other")
        for name in self.tracker:
            check_known("--tracker", name, TRACKERS)


@dataclass(frozen=True, kw_only=True)
class RunOptions(Execution):
    """Where and how a recipe is run."""

    data: Path | None = None
    """Folder of the data set or one that holds it, or the name of another data set; else
    OPENKE_DATA, benchmarks/, the cache and a download."""


class Experiment:
    """A training run and its results in one folder.

    ``settings.json`` (recipe, options, what they resolve to, versions, commit), ``training.csv``
    (one row an epoch) and ``training.png`` (its curves), ``last.ckpt`` (to resume),
    ``model.safetensors`` (final weights), ``report.json`` (metrics) and ``report.html`` (a page of
    these), ``SHA256SUMS`` (their checksums).

    Parameters
    ----------
    recipe
        How to train.
    options
        Where and how to run it.
    out
        The folder.

    Raises
    ------
    FileExistsError
        The folder holds a run already and neither ``resume`` nor ``overwrite`` was asked for.
    FileNotFoundError
        There is nothing to resume.
    """

    CHECKPOINT = "last.ckpt"
    SETTINGS = "settings.json"
    WEIGHTS = "model.safetensors"
    LOG, CURVES, REPORT = "training.csv", "training.png", "report.json"
    PAGE = "report.html"
    KEPT = (SETTINGS, WEIGHTS, REPORT, PAGE, LOG, CURVES)
    """What is of use once training has ended; the weights have a checksum inside."""
    PARTS = "parts"
    """The folder of a mixture's parts, each of them a run."""

    def __init__(self, recipe: Recipe, options: RunOptions, out: Path) -> None:
        self.recipe = recipe
        self.options = options
        self.out = out
        self.trackers: list[Tracker] = []
        self._check()

    @contextmanager
    def held(self) -> Iterator[None]:
        """Be the only process that writes into the folder while it lasts.

        Of several that train together the first holds it. What a killed one left half-written is
        cleared away.

        Raises
        ------
        FileExistsError
            Another run is being written there, or has been since this one was made.
        """
        if not join().chief:
            yield
            return
        with held(self.out):
            self._check()
            yield

    def _check(self) -> None:
        out, options = self.out, self.options
        if os.path.lexists(out) and not out.is_dir():
            what = "a file" if out.exists() else "a link that leads nowhere"
            raise NotADirectoryError(f"--out {out} is {what}, expected a folder")
        resumable = is_there(out / self.CHECKPOINT)
        begun = any((out / name).exists() for name in self._results())
        if begun and not (options.resume or options.overwrite):
            goes_on = (
                "--resume goes on from its checkpoint" if resumable else "it has no checkpoint"
            )
            raise FileExistsError(
                f"{out} holds a run already: {goes_on}, --overwrite replaces it, --out names "
                "another folder"
            )
        if options.resume and not resumable:
            raise FileNotFoundError(
                f"--resume: there is no {out / self.CHECKPOINT}; leave --resume out"
                + (", and take --overwrite: that run stopped before a checkpoint" if begun else "")
            )

    def train(self, store: TripleStore, make: Make = structural_model) -> Trainer:
        """Train, or go on training; writes settings, log, curves, checkpoints and final weights.

        Nothing is written, and nothing of an earlier run replaced, before all is known to fit.

        Parameters
        ----------
        store
            The triples.
        make
            Makes the model, see :meth:`Recipe.build`.
        """
        tracked = Tracked(name=self.out.name, folder=self.out, recipe=self.recipe.to_dict())
        self.trackers = [TRACKERS[name](tracked) for name in self.options.tracker]
        built, options = self.recipe.build(store, make=make), self.options
        model = built.strategy.model
        callbacks = self._watching(built.loader.store, model)
        if built.schedule is not None:
            callbacks.append(built.schedule)
        if self.recipe.evaluation.patience:
            callbacks.append(EarlyStopping(patience=self.recipe.evaluation.patience))
        callbacks += [Log(self.out / self.LOG), *self.trackers]
        checkpoint = self.out / self.CHECKPOINT
        callbacks.append(Checkpoint(checkpoint, options.checkpoint_every, minutes=5))
        trainer = Trainer(
            built.strategy,
            built.loader,
            **built.options,
            device=options.device,
            callbacks=callbacks,
            compile=options.compile,
        )
        if options.resume:
            trainer.resume(checkpoint)
        if trainer.world.chief:
            if options.overwrite:
                for name in self._results():
                    (self.out / name).unlink(missing_ok=True)
            self._write_settings(trainer)
        try:
            trainer.run()
        except BaseException:
            for tracker in self.trackers:
                tracker.end()
            raise
        finally:  # an interrupted run has its curves, too
            if trainer.world.chief:
                write_curves(trainer.history, self.out / self.CURVES)
        if trainer.world.chief:
            self._write_weights(model)
            seal_run(self.out)
        return trainer

    def test(
        self,
        trainer: Trainer,
        store: TripleStore,
        notes: Mapping[str, Any] | None = None,
        picture: Picture | None = None,
    ) -> RankingReport:
        """Rank the test split, print the table and write the report, with ``notes`` at its end.

        ``picture`` returns those of entities, for the page.
        """
        model = trainer.strategy.model
        loader = TestDataLoader(store, type_constrain=False)
        tester = Tester(model, loader, device=self.options.device)
        report = tester.rank(
            "test",
            seed=self.recipe.training.seed,
            settings=model.identity()["settings"],
        )
        if not tester.world.chief:
            return report
        for tracker in self.trackers:
            tracker.finish(report.metrics(), trainer.epoch)
        write_report(
            self.out,
            report,
            store,
            model,
            recipe=self.recipe.to_dict(),
            best_epoch=_best(trainer.history),
            calibration=calibrate_if_possible(Predictor(model, trainer.data_loader.store)),
            picture=picture,
            notes=notes,
        )
        seal_run(self.out)
        print(report.to_text())
        print(f"written to {self.out}")
        return report

    def _watching(self, store: TripleStore, model: Any) -> list[Callback]:
        """Return what measures the valid split."""
        every = self.recipe.evaluation.every
        if not every:
            return []
        loader = TestDataLoader(store, type_constrain=False)
        tester = Tester(model, loader, device=self.options.device, progress=False)
        return [Validation(lambda: tester.rank("valid").metrics(), store, every)]

    @classmethod
    def _results(cls) -> tuple[str, ...]:
        return SUMS, cls.CHECKPOINT, cls.WEIGHTS, cls.REPORT, cls.PAGE, cls.LOG, cls.CURVES

    def _write_settings(self, trainer: Trainer) -> None:
        loader = trainer.data_loader
        folder = loader.store.directory
        resolved: dict[str, Any] = {
            "recipe": self.recipe.to_dict(),
            "options": asdict(self.options),
            **trainer.identity(),
            "data": {
                "name": loader.store.name,
                "directory": folder and folder.resolve(),
                "fingerprint": loader.store.fingerprint,
            },
            "environment": environment(),
        }
        text = json.dumps(resolved, indent=2, default=str)
        (self.out / SUMS).unlink(missing_ok=True)  # of a training that this one goes on with
        write_text(self.out / self.SETTINGS, text + "\n")

    def _write_weights(self, model: torch.nn.Module) -> None:
        write_weights(self.out / self.WEIGHTS, model.state_dict())


def write_report(
    folder: Path,
    report: RankingReport,
    store: TripleStore,
    model: Model,
    *,
    recipe: Mapping[str, Any],
    best_epoch: Mapping[str, float] | None = None,
    calibration: Calibration | None = None,
    picture: Picture | None = None,
    notes: Mapping[str, Any] | None = None,
) -> None:
    """Write ``report.json``, with ``notes`` at its end, and the page of it into a run's folder.

    See :func:`.write_page`.
    """
    content = {
        **report.to_dict(),
        "best_epoch": best_epoch,
        **({"calibration": calibration.to_dict()} if calibration else {}),
        **(notes or {}),
    }
    text = json.dumps(content, indent=2, allow_nan=False)
    write_text(folder / Experiment.REPORT, text + "\n")
    write_page(
        folder / Experiment.PAGE,
        report,
        store,
        model,
        recipe=recipe,
        curves=folder / Experiment.CURVES,
        calibration=calibration,
        picture=picture,
        notes=notes,
    )


def seal_run(folder: Path) -> None:
    """Write the checksums of a run's files as they are now; weights and data have their own.

    So have the parts of a mixture: what is sealed here are their checksums.
    """
    kept = [name for name in Experiment.KEPT if name != Experiment.WEIGHTS]
    parts = sorted(folder.glob(f"{Experiment.PARTS}/*/{SUMS}"))
    kept += [path.relative_to(folder).as_posix() for path in parts]
    seal(folder, (name for name in kept if (folder / name).is_file()))


def check_run(folder: Path) -> None:
    """Raise where a file of a run is gone or was changed, see :func:`.check_seal`."""
    check_seal(folder, "copy the run's folder again, or train again")


def _best(history: History) -> dict[str, float] | None:
    """Return the epoch with the best MRR of the valid split and its metrics, where measured."""
    best = history.best()
    return best and {n: v for n, v in best.items() if n == "epoch" or n.startswith("valid_")}
