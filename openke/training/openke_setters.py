"""OpenKE's setters of the Trainer: each does what the constructor's argument does."""

from __future__ import annotations

from collections.abc import Sequence
from os import PathLike
from pathlib import Path
from typing import Any, NamedTuple

import torch

from openke.data.loader import Loader
from openke.module.model.model import require_same_graph
from openke.module.strategy.strategy import Strategy
from openke.module.strategy.turn import Turn
from openke.runtime.device import choose_device
from openke.runtime.distributed import World
from openke.runtime.values import LearningRate, check_value
from openke.runtime.words import counted
from openke.training.callback import Callback
from openke.training.callbacks import Checkpoint
from openke.training.epoch_so_far import EpochSoFar
from openke.training.optimizers import BY_ROW, OPTIMIZERS, make_optimizer, tables_by_row


class Moved(NamedTuple):
    """A turn with what moves its parameters."""

    turn: Turn
    optimizer: torch.optim.Optimizer
    tables: Sequence[torch.nn.Embedding]
    """Those that hand over their gradients as rows."""


class Setters:
    """What the optimiser is made of can be set until training begins, the rest at any time."""

    device: torch.device
    strategy: Strategy
    data_loader: Loader
    train_times: int
    epoch: int
    callbacks: list[Callback]
    optimizer: torch.optim.Optimizer
    """That of the first turn."""
    opt_method: str
    alpha: float
    weight_decay: float
    lr_decay: float
    clip_norm: float | None
    compile: bool
    world: World
    _parallel: torch.nn.Module
    checkpoint_dir: str | PathLike[str] | None
    save_steps: int | None
    _saving: Checkpoint | None
    _begun: EpochSoFar | None
    _turns: list[Moved]

    def _make_optimizers(self) -> None:
        """Make an optimiser for each turn of the strategy."""
        turns = self.strategy.turns()
        if turns[0].loss != self.strategy.forward:
            raise ValueError(
                f"{type(self.strategy).__name__}.turns: the loss of the first turn is not forward"
            )
        owner = type(self.strategy).__name__
        if self.compile and not self.strategy.compiles:
            raise ValueError(
                f"compile is on, but each step of {owner} draws random numbers of its own, for "
                "which it would be compiled anew; leave it out"
            )
        if self.compile and len(turns) > 1:
            raise ValueError(
                f"compile is on, but {owner} trains in turns "
                f"({', '.join(turn.name for turn in turns)}), which are not compiled; leave it out"
            )
        self._turns = [self._moved(turn) for turn in turns]
        self.optimizer = self._turns[0].optimizer

    def _moved(self, turn: Turn) -> Moved:
        method, own = turn.optimizer or self.opt_method, turn.optimizer is not None
        check_values(opt_method=method)
        # A gradient of rows repeats some: its length would come out wrong, and processes would have
        # to exchange rows that differ. PyTorch's compiler knows no sparse tensors.
        whole = self.clip_norm is not None or self.world.size > 1 or self.compile
        if whole and method in BY_ROW:
            raise ValueError(
                f"opt_method {method!r} needs gradients by row, which clip_norm, "
                "compile and training in several processes do not have: take 'adam' or 'adagrad'"
            )
        decay = 0.0 if own else self.weight_decay
        tables = tables_by_row(self.strategy, turn.parameters, method, self.device, decay)
        optimizer = make_optimizer(
            turn.parameters,
            tables,
            method,
            self.device,
            lr=self.alpha if turn.lr is None else turn.lr,
            weight_decay=decay,
            lr_decay=0.0 if own else self.lr_decay,
        )
        return Moved(turn, optimizer, [] if whole else tables)

    def set_model(self, model: Strategy) -> None:
        """Train another strategy."""
        self._settle("set_model")
        check_strategy(model, self.data_loader)
        self.strategy = model.to(self.device)
        self._make_optimizers()
        self._parallel = self.world.parallel(
            self.strategy, turns=len(self._turns), unused=not self.strategy.model.moves_whole
        )

    def set_use_gpu(self, use_gpu: bool) -> None:
        """Choose the device anew."""
        self._settle("set_use_gpu")
        self.device = self.world.device(choose_device(None, use_gpu))
        self.set_model(self.strategy)

    def set_alpha(self, alpha: float) -> None:
        """Set the learning rate."""
        self._reoptimise("set_alpha", alpha=alpha)

    def set_lr_decay(self, lr_decay: float) -> None:
        """Set Adagrad's decay of the learning rate."""
        self._reoptimise("set_lr_decay", lr_decay=lr_decay)

    def set_weight_decay(self, weight_decay: float) -> None:
        """Set the optimiser's L2 decay."""
        self._reoptimise("set_weight_decay", weight_decay=weight_decay)

    def set_opt_method(self, opt_method: str) -> None:
        """Choose the optimiser."""
        check_values(opt_method=opt_method)
        self._reoptimise("set_opt_method", opt_method=opt_method.lower())

    def set_train_times(self, train_times: int) -> None:
        """Set the epochs, those trained already included."""
        check_values(train_times=train_times)
        self.train_times = train_times

    def set_checkpoint_dir(self, checkpoint_dir: str | PathLike[str] | None) -> None:
        """Set the folder of ``last.ckpt``; :meth:`set_save_steps` says how often."""
        self.checkpoint_dir = checkpoint_dir
        self.set_save_steps(self.save_steps)

    def set_save_steps(
        self, save_steps: int | None, checkpoint_dir: str | PathLike[str] | None = None
    ) -> None:
        """Write ``last.ckpt`` every ``save_steps`` epochs from now on; None never."""
        if self.checkpoint_dir is None:
            self.checkpoint_dir = checkpoint_dir
        self.save_steps = save_steps
        if self._saving:
            self.callbacks.remove(self._saving)
            self._saving = None
        if save_steps is not None and self.checkpoint_dir is not None:
            self._saving = Checkpoint(Path(self.checkpoint_dir) / "last.ckpt", save_steps)
            self.callbacks.append(self._saving)

    def _check_saving(self) -> None:
        if self.save_steps is not None and self._saving is None:
            raise ValueError("save_steps without checkpoint_dir: say where checkpoints go")

    def _settle(self, setter: str) -> None:
        if self.epoch or self._begun:
            raise ValueError(
                f"{setter} after {counted(self.epoch, 'epoch')}: what is trained, how and where "
                "stays as it began; make another Trainer"
            )

    def _reoptimise(self, setter: str, **changes: Any) -> None:
        self._settle(setter)
        if "alpha" in changes:
            check_values(alpha=changes["alpha"])
        for name, value in changes.items():
            setattr(self, name, value)
        self._make_optimizers()


def check_values(
    *,
    opt_method: str = "sgd",
    train_times: int = 1,
    alpha: float = 1.0,
    clip_norm: float | None = None,
) -> None:
    """Raise ``ValueError`` for what the constructor refuses."""
    if opt_method.lower() not in OPTIMIZERS:
        raise ValueError(f"opt_method is {opt_method!r}, expected one of {', '.join(OPTIMIZERS)}")
    if train_times < 1:
        raise ValueError(f"train_times is {train_times}, expected at least 1 epoch")
    check_value("alpha (the learning rate)", alpha, LearningRate)
    if clip_norm is not None and not clip_norm > 0:
        raise ValueError(f"clip_norm is {clip_norm}, expected more than 0, or None")


def check_strategy(strategy: Strategy, loader: Loader) -> None:
    """Raise ``ValueError`` unless it is a strategy that the graph and the batches fit."""
    if not isinstance(strategy, Strategy):
        raise ValueError(
            f"Trainer got a {type(strategy).__name__}, expected a strategy such as "
            "NegativeSampling(model=…, loss=…)"
        )
    require_same_graph(strategy.model, loader.store)
    strategy.check_loader(loader.settings)
