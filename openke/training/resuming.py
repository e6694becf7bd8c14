"""What a Trainer writes so that another one can go on, and how that one does."""

from __future__ import annotations

from os import PathLike
from pathlib import Path
from typing import Any

from openke.runtime.progress import say
from openke.runtime.tensors import require_numbers
from openke.training.callbacks import Checkpoint
from openke.training.checkpoint import load_checkpoint, save_checkpoint
from openke.training.epoch_so_far import EpochSoFar, random_state, restore_random_state
from openke.training.history import History
from openke.training.openke_setters import Setters
from openke.training.optimizers import restore_optimizer


class Resuming(Setters):
    """Writes a checkpoint between two epochs or within one, and goes on from it."""

    history: History
    precision: str
    _stopped: str | None

    def save(self, path: str | PathLike[str]) -> None:
        """Write all that :meth:`resume` needs to go on as if nothing had happened.

        Between two epochs, or in the middle of one that a signal broke off.
        Of several processes the first one writes; any number of them can go on from it.
        """
        if not self.world.chief:
            return
        state = {
            "epoch": self.epoch,
            "stopped": self._stopped,
            "strategy": self.strategy.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "other_optimizers": [moved.optimizer.state_dict() for moved in self._turns[1:]],
            "random": self._begun.at_start if self._begun else random_state(self.device),
            "begun_epoch": None if self._begun is None else vars(self._begun),
            "history": self.history.records,
            "callbacks": [[type(c).__name__, c.state()] for c in self.callbacks],
        }
        save_checkpoint(Path(path), self.identity(), state)

    def resume(self, path: str | PathLike[str]) -> None:
        """Go on from a checkpoint of the same model, data and settings.

        Raises
        ------
        FileNotFoundError, ValueError
            No such file; a file of another run. The trainer is then unchanged.
        """
        state = load_checkpoint(Path(path), self.identity())
        there = ", ".join(name for name, _ in state["callbacks"]) or "no callbacks"
        here = ", ".join(type(callback).__name__ for callback in self.callbacks) or "none"
        if there != here and (state["callbacks"] or self.callbacks):
            raise ValueError(
                f"{path}: was written with {there}, this trainer has {here}; resume with the same "
                "callbacks"
            )
        require_numbers(Path(path), state["strategy"])
        self.strategy.load_state_dict(state["strategy"])
        restore_optimizer(self.optimizer, state["optimizer"])
        others = state.get("other_optimizers", [])  # earlier releases knew no turns
        for moved, saved in zip(self._turns[1:], others, strict=True):
            restore_optimizer(moved.optimizer, saved)
        self.epoch = state["epoch"]
        self._stopped = state["stopped"]
        self.history = History(state["history"])
        for callback, (_, remembered) in zip(self.callbacks, state["callbacks"], strict=True):
            callback.restore(remembered)
        begun = state.get("begun_epoch")
        self._begun = None if begun is None else EpochSoFar(**begun)
        restore_random_state(self.device, state["random"])

    def identity(self) -> dict[str, Any]:
        """Return what a checkpoint must agree on to be resumed here."""
        length = self.strategy.depends_on_length or any(c.depends_on_length for c in self.callbacks)
        callbacks = [found for callback in self.callbacks if (found := callback.identity())]
        return {
            **({"epochs": self.train_times} if length else {}),
            **({"callbacks": callbacks} if callbacks else {}),
            "model": self.strategy.model.identity(),
            "strategy": self.strategy.identity(),
            "data": self.data_loader.store.fingerprint,
            "loader": self.data_loader.settings,
            "precision": self.precision,
            "optimizer": {
                "method": self.opt_method,
                "lr": self.alpha,
                "weight_decay": self.weight_decay,
                "lr_decay": self.lr_decay,
                "clip_norm": self.clip_norm,
            },
        }

    def _save_interrupted(self) -> None:
        """Write checkpoints where a signal ended training, and say how to go on."""
        paths = [callback.path for callback in self.callbacks if isinstance(callback, Checkpoint)]
        for path in paths:
            self.save(path)
        where = (
            f"in epoch {self.epoch + 1}/{self.train_times}, after {self._begun.step} of "
            f"{len(self.data_loader)} steps"
            if self._begun
            else f"after epoch {self.epoch}/{self.train_times}"
        )
        how = (
            f"{' and '.join(map(str, paths))} has all of it; go on from it with --resume, in "
            "Python with Trainer.resume"
            if paths
            else "nothing is written, as there is no Checkpoint among the callbacks"
        )
        say(f"interrupted {where}: {how}")
