"""One experiment in one folder: train, rank, and write down everything that was done."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import safetensors.torch
import torch

from openke.config.callback import Callback
from openke.config.callbacks import Checkpoint, EarlyStopping, Log, Validation
from openke.config.environment import environment
from openke.config.report import RankingReport
from openke.config.tester import Tester
from openke.config.trainer import Trainer
from openke.data.loaders import TestDataLoader, TrainDataLoader
from openke.files import write_text, write_whole
from openke.module.strategy.strategy import Strategy


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
    modalities: str = "auto"
    """auto: whatever features are there; or names, e.g. text or image,text; or none."""
    features: Path | None = None
    """Folder of feature stores or of the lineage's .pth files."""
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
    """Epochs between two checkpoints."""
    resume: bool = False
    """Go on from the checkpoint under --out."""
    overwrite: bool = False
    """Replace an earlier run under --out."""

    def __post_init__(self) -> None:
        """Check what belongs together."""
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
        checkpoint = out / self.CHECKPOINT
        earlier = [out / name for name in (self.CHECKPOINT, "report.json", "training.csv")]
        if any(path.exists() for path in earlier) and not (settings.resume or settings.overwrite):
            raise FileExistsError(
                f"{out} holds a run already: --resume goes on from its checkpoint, --overwrite "
                "replaces it, --out names another folder"
            )
        if settings.resume and not checkpoint.is_file():
            raise FileNotFoundError(f"--resume: there is no {checkpoint}")
        if settings.overwrite:
            for path in [*earlier, out / self.WEIGHTS]:
                path.unlink(missing_ok=True)
        torch.manual_seed(settings.seed)

    def train(self, strategy: Strategy, loader: TrainDataLoader, opt_method: str) -> Trainer:
        """Train, or go on training; writes log, checkpoints and final weights."""
        settings = self.settings
        model = strategy.model
        self._write_settings(
            {
                "options": asdict(settings),
                "model": model.identity(),
                "loader": loader.settings,
                "strategy": type(strategy).__name__,
                "loss": type(getattr(strategy, "loss", strategy)).__name__,
                "optimizer": opt_method,
                "data": {
                    "name": loader.store.name,
                    "directory": loader.store.directory and loader.store.directory.resolve(),
                    "fingerprint": loader.store.fingerprint,
                },
                "environment": environment(),
            }
        )
        callbacks: list[Callback] = []
        if settings.validate_every:
            tester = Tester(
                model, TestDataLoader(loader.store), device=settings.device, progress=False
            )

            def measure() -> dict[str, float]:
                return tester.rank("valid").metrics()

            callbacks.append(Validation(measure, loader.store, settings.validate_every))
        if settings.patience:
            callbacks.append(EarlyStopping(patience=settings.patience))
        callbacks.append(Log(self.out / "training.csv"))
        callbacks.append(Checkpoint(self.out / self.CHECKPOINT, settings.checkpoint_every))
        trainer = Trainer(
            strategy,
            loader,
            settings.epochs,
            settings.lr,
            opt_method=opt_method,
            device=settings.device,
            callbacks=callbacks,
        )
        if settings.resume:
            trainer.resume(self.out / self.CHECKPOINT)
        trainer.run()
        self._write_weights(model)
        return trainer

    def test(self, strategy: Strategy, loader: TestDataLoader) -> RankingReport:
        """Rank the test split, print the table and write the report."""
        tester = Tester(strategy.model, loader, device=self.settings.device)
        report = tester.rank(
            "test", seed=self.settings.seed, settings=strategy.model.identity()["settings"]
        )
        report.write_json(self.out / "report.json")
        print(report.to_text())
        print(f"written to {self.out}")
        return report

    def _write_settings(self, resolved: dict[str, Any]) -> None:
        text = json.dumps(resolved, indent=2, default=str)
        write_text(self.out / self.SETTINGS, text + "\n")

    def _write_weights(self, model: torch.nn.Module) -> None:
        weights = {name: value.cpu().contiguous() for name, value in model.state_dict().items()}
        content = safetensors.torch.save(weights)
        write_whole(self.out / self.WEIGHTS, lambda stream: stream.write(content))
