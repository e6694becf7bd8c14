"""One experiment in one folder: train, rank, and write down everything that was done."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

import safetensors.torch
import torch

from openke.data.loader import Loader
from openke.data.store import TripleStore
from openke.data.test_data_loader import TestDataLoader
from openke.evaluation.report import RankingReport
from openke.evaluation.tester import Tester
from openke.module.strategy.strategy import Strategy
from openke.runs.recipe import Make, Recipe, Training, structural
from openke.runtime.environment import environment
from openke.runtime.files import write_text, write_whole
from openke.training.callback import Callback
from openke.training.callbacks import Checkpoint, EarlyStopping, Log, Validation
from openke.training.trainer import Trainer


@dataclass(frozen=True, kw_only=True)
class ExperimentSettings:
    """Options that every training script takes."""

    epochs: int = 100
    """Passes over the train split."""
    dim: int = 200
    """Size of the embeddings (complex coordinates for LBMKGC and RotatE)."""
    negatives: int = 64
    """Negatives of each positive triple."""
    lr: float = 1e-3
    """Learning rate."""
    batch_size: int = 512
    """Positive triples in a step."""
    seed: int = 0
    """Seed of initial parameters, order and negatives."""
    device: str = "auto"
    """auto, cpu, cuda, cuda:1, mps."""
    precision: Literal["float32", "bfloat16"] = "float32"
    """bfloat16: matrix products in half the bits, about twice as fast where the processor can."""
    compile: bool = False
    """Compile the step: worth it on a GPU, after a minute of waiting."""
    modalities: str = "auto"
    """auto: whatever features are there; or names, e.g. text or image,text; or none."""
    features: Path | None = None
    """Folder of feature stores or of the lineage's .pth files."""
    text_encoder: str = ""
    """What makes the text features, e.g. minilm+spelling; else what is there, or minilm."""
    data: Path | None = None
    """Folder of the data set; else OPENKE_DATA, benchmarks/, the cache and a download."""
    out: Path | None = None
    """Folder for report, settings, checkpoint and log; by default runs/MODEL-DATASET."""
    hold_out: float = 0.0
    """Share of the train split to validate on; what is published trains on all of it."""
    validate_every: int = 0
    """Epochs between two validations; 0 never validates."""
    patience: int = 0
    """Validations without a better MRR before training stops; 0 never stops early."""
    checkpoint_every: int = 10
    """Epochs between two checkpoints; one is also written after five minutes."""
    resume: bool = False
    """Go on from the checkpoint under --out."""
    overwrite: bool = False
    """Replace an earlier run under --out."""

    def __post_init__(self) -> None:
        """Check the values and what belongs together."""
        least = {"epochs": 1, "dim": 1, "negatives": 1, "batch_size": 1, "checkpoint_every": 1}
        least |= {"validate_every": 0, "patience": 0}
        for name, bound in least.items():
            if getattr(self, name) < bound:
                option = f"--{name.replace('_', '-')}"
                raise ValueError(f"{option} {getattr(self, name)}: expected at least {bound}")
        if not self.lr > 0:
            raise ValueError(f"--lr {self.lr}: expected more than 0")
        if not 0 <= self.hold_out < 1:
            raise ValueError(f"--hold-out {self.hold_out}: expected a share from 0 to below 1")
        if self.patience and not self.validate_every:
            raise ValueError("--patience needs --validate-every: nothing would be measured")
        if self.resume and self.overwrite:
            raise ValueError("--resume and --overwrite exclude each other")


class Experiment:
    """A training run and its results in one folder.

    ``settings.json`` (resolved settings, versions, commit), ``training.csv`` (one row an epoch),
    ``last.ckpt`` (to resume), ``model.safetensors`` (final weights), ``report.json`` (metrics).

    Parameters
    ----------
    settings
        What the script was asked to do.
    out
        The folder.

    Raises
    ------
    FileExistsError
        The folder holds a run already and neither ``resume`` nor ``overwrite`` was asked for.
    """

    CHECKPOINT = "last.ckpt"
    SETTINGS = "settings.json"
    WEIGHTS = "model.safetensors"

    def __init__(self, settings: ExperimentSettings, out: Path) -> None:
        self.settings = settings
        self.out = out
        if out.exists() and not out.is_dir():
            raise NotADirectoryError(f"--out {out} is a file, expected a folder")
        resumable = (out / self.CHECKPOINT).is_file()
        begun = any((out / name).exists() for name in self._results())
        if begun and not (settings.resume or settings.overwrite):
            goes_on = (
                "--resume goes on from its checkpoint" if resumable else "it has no checkpoint"
            )
            raise FileExistsError(
                f"{out} holds a run already: {goes_on}, --overwrite replaces it, --out names "
                "another folder"
            )
        if settings.resume and not resumable:
            raise FileNotFoundError(
                f"--resume: there is no {out / self.CHECKPOINT}; leave --resume out"
                + (", and take --overwrite: that run stopped before a checkpoint" if begun else "")
            )
        torch.manual_seed(settings.seed)

    def train(self, strategy: Strategy, loader: Loader, opt_method: str) -> Trainer:
        """Train, or go on training; writes settings, log, checkpoints and final weights.

        Nothing is written, and nothing of an earlier run replaced, before all is known to fit.
        """
        own = {"train_times": self.settings.epochs, "alpha": self.settings.lr}
        options = {**own, "opt_method": opt_method}
        return self._train(Training(strategy, loader, options, None), {})

    def follow(self, recipe: Recipe, store: TripleStore, make: Make = structural) -> Trainer:
        """Train as :meth:`train` does, by a recipe, which decides instead of the options.

        Parameters
        ----------
        recipe
            How to train; it is written to ``settings.json``, too.
        store
            The triples.
        make
            Makes the model, see :meth:`Recipe.build`.
        """
        seed, hold_out = self.settings.seed, self.settings.hold_out
        training = recipe.build(store, make=make, seed=seed, hold_out=hold_out)
        return self._train(training, {"recipe": recipe.to_json()})

    def _train(self, training: Training, described: dict[str, Any]) -> Trainer:
        settings, loader = self.settings, training.loader
        model = training.strategy.model
        callbacks: list[Callback] = []
        if settings.validate_every:
            rows = TestDataLoader(loader.store, type_constrain=False)
            tester = Tester(model, rows, device=settings.device, progress=False)

            def measure() -> dict[str, float]:
                return tester.rank("valid").metrics()

            callbacks.append(Validation(measure, loader.store, settings.validate_every))
        if training.schedule is not None:
            callbacks.append(training.schedule)
        if settings.patience:
            callbacks.append(EarlyStopping(patience=settings.patience))
        callbacks.append(Log(self.out / "training.csv"))
        saving = Checkpoint(self.out / self.CHECKPOINT, settings.checkpoint_every, minutes=5)
        callbacks.append(saving)
        trainer = Trainer(
            training.strategy,
            loader,
            **training.options,
            device=settings.device,
            callbacks=callbacks,
            precision=settings.precision,
            compile=settings.compile,
        )
        if settings.resume:
            trainer.resume(self.out / self.CHECKPOINT)
        if trainer.world.chief:
            if settings.overwrite:
                for name in self._results():
                    (self.out / name).unlink(missing_ok=True)
            self._write_settings(trainer, described)
        trainer.run()
        if trainer.world.chief:
            self._write_weights(model)
        return trainer

    def test(self, strategy: Strategy, loader: TestDataLoader) -> RankingReport:
        """Rank the test split, print the table and write the report."""
        tester = Tester(strategy.model, loader, device=self.settings.device)
        report = tester.rank(
            "test", seed=self.settings.seed, settings=strategy.model.identity()["settings"]
        )
        if not tester.world.chief:
            return report
        report.write_json(self.out / "report.json")
        print(report.to_text())
        print(f"written to {self.out}")
        return report

    @classmethod
    def _results(cls) -> tuple[str, ...]:
        return cls.CHECKPOINT, cls.WEIGHTS, "report.json", "training.csv"

    def _write_settings(self, trainer: Trainer, described: dict[str, Any]) -> None:
        loader = trainer.data_loader
        folder = loader.store.directory
        resolved: dict[str, Any] = {
            "options": asdict(self.settings),
            **described,
            **trainer.identity(),
            "data": {
                "name": loader.store.name,
                "directory": folder and folder.resolve(),
                "fingerprint": loader.store.fingerprint,
            },
            "environment": environment(),
        }
        text = json.dumps(resolved, indent=2, default=str)
        write_text(self.out / self.SETTINGS, text + "\n")

    def _write_weights(self, model: torch.nn.Module) -> None:
        weights = {name: value.cpu().contiguous() for name, value in model.state_dict().items()}
        content = safetensors.torch.save(weights)
        write_whole(self.out / self.WEIGHTS, lambda stream: stream.write(content))
