"""The training loop."""

from __future__ import annotations

import time
import warnings
from collections.abc import Sequence
from contextlib import nullcontext
from os import PathLike

import torch

from openke.data.loader import Loader
from openke.module.strategy.strategy import Strategy
from openke.runtime.device import choose_device
from openke.runtime.distributed import join
from openke.runtime.interruption import Interruption
from openke.runtime.progress import say
from openke.training.callback import Callback
from openke.training.callbacks import Checkpoint, EarlyStopping
from openke.training.epoch_so_far import EpochSoFar, random_state
from openke.training.history import History, Record
from openke.training.loss_total import LossTotal
from openke.training.openke_setters import check_strategy, check_values
from openke.training.precision import check_precision
from openke.training.progress import TrainingProgress
from openke.training.step_graphs import own_stream
from openke.training.stepping import Stepping

CHECK_EVERY = 100
"""Steps between two looks at the loss on an accelerator, each of which waits for the device."""


class Trainer(Stepping):
    """Trains a strategy on a loader's batches (OpenKE's name and arguments).

    Parameters
    ----------
    model
        The strategy, e.g. ``NegativeSampling(model=…, loss=…)``.
    data_loader
        Where batches come from.
    train_times
        Epochs.
    alpha
        Learning rate.
    use_gpu
        OpenKE's switch; None takes a GPU where there is one. ``device`` says it by name.
    opt_method
        "sgd", "adagrad", "adadelta", "rmsprop", "adam", "lazy_adam" or "rowwise_adagrad", see
        :mod:`openke.training.optimizers`.
    save_steps, checkpoint_dir
        Write ``checkpoint_dir/last.ckpt`` every ``save_steps`` epochs.
    device
        See :func:`.choose_device`.
    weight_decay, lr_decay
        The optimiser's L2 decay; Adagrad's decay of the learning rate.
    clip_norm
        The greatest length of the gradient of all parameters together; longer ones are scaled down
        to it.
    callbacks
        Called after each step and each epoch in this order; the checkpoint of ``save_steps`` comes
        last.
    precision
        "float32", "float32-ieee" or "bfloat16" for matrix products, see
        :func:`.check_precision`.
    compile
        Have ``torch.compile`` make one program of scores and loss; the first steps then take long.
    progress
        Show on standard error how far training is: a bar on a terminal, else a line an epoch.

    Raises
    ------
    ValueError
        An unknown optimiser, fewer than one epoch, a learning rate that is not positive, a model
        of another graph.
    """

    def __init__(
        self,
        model: Strategy,
        data_loader: Loader,
        train_times: int = 1000,
        alpha: float = 0.5,
        use_gpu: bool | None = None,
        opt_method: str = "sgd",
        save_steps: int | None = None,
        checkpoint_dir: str | PathLike[str] | None = None,
        *,
        device: str | torch.device | None = None,
        weight_decay: float = 0.0,
        lr_decay: float = 0.0,
        clip_norm: float | None = None,
        callbacks: Sequence[Callback] = (),
        precision: str = "float32",
        compile: bool = False,
        progress: bool = True,
    ) -> None:
        check_values(
            opt_method=opt_method, train_times=train_times, alpha=alpha, clip_norm=clip_norm
        )
        check_strategy(model, data_loader)
        self.world = join()
        self.device = self.world.device(choose_device(device, use_gpu))
        check_precision(precision, self.device)
        self.precision = precision
        self.compile = compile
        self._objective = torch.compile(self._loss) if compile else self._loss
        self.strategy = model.to(self.device)
        self.data_loader = data_loader
        self.train_times = train_times
        self.alpha = alpha
        self.opt_method = opt_method.lower()
        self.weight_decay = weight_decay
        self.lr_decay = lr_decay
        self.clip_norm = clip_norm
        self.callbacks = list(callbacks)
        self.checkpoint_dir = checkpoint_dir
        self._saving: Checkpoint | None = None
        self.set_save_steps(save_steps)
        self._check_saving()
        self.progress = progress and self.world.chief
        self._make_optimizers()
        self._parallel = self.world.parallel(
            self.strategy, turns=len(self._turns), unused=not self.strategy.model.moves_whole
        )
        self.history = History()
        self.epoch = 0
        self._begun: EpochSoFar | None = None
        self._stopped: str | None = None

    @property
    def finished(self) -> bool:
        """Whether no epoch follows: all are done, or a callback stopped the run."""
        return self.epoch >= self.train_times or self._stopped is not None

    @property
    def steps(self) -> int:
        """How many steps an epoch has."""
        return len(self.data_loader)

    def stop(self, reason: str) -> None:
        """End training after this epoch; for callbacks."""
        self._stopped = reason

    def run(self) -> History:
        """Train until ``train_times`` epochs are done or a callback stops.

        Ctrl-C and SIGTERM end it after the step in progress; after an epoch's last step its
        callbacks are called first. Each :class:`.Checkpoint` then writes its file, from which
        :meth:`resume` goes on in the middle of the epoch, and a line on standard error names it;
        on a CPU the weights are the same bit for bit. Nothing is kept in memory for that, and a
        second signal ends everything at once. Of several processes none can stop by itself: there
        both signals do what they always do, and the last checkpoint is of a whole epoch.

        Returns
        -------
        History
            The records of all epochs, those before a resume included.

        Raises
        ------
        FloatingPointError
            The loss is infinite or not a number; names epoch and step.
        KeyboardInterrupt, SystemExit
            Ctrl-C; SIGTERM, with exit status 143.
        """
        self._check_saving()
        if self.finished and self.world.chief:
            done = f"all {self.train_times} epochs are done; ask for more to go on"
            say(f"nothing to train: {self._stopped or done}")
        if self.lr_decay and "adagrad" not in self.opt_method:
            warnings.warn(
                f"lr_decay is {self.lr_decay}, which {self.opt_method} ignores: it is Adagrad's",
                stacklevel=2,
            )
        for callback in self.callbacks:
            callback.on_start(self)
        self._graphs = self._find_graphs()
        alone = own_stream(self.device) if self._graphs else nullcontext()
        with Interruption(active=self.world.size == 1) as interruption:
            with alone:
                self._train(interruption)
            if interruption.signal is not None:
                self._save_interrupted()
                interruption.leave()
        for callback in self.callbacks:
            callback.on_end(self)
        self._tell_best()
        return self.history

    def _train(self, interruption: Interruption) -> None:
        """Train epoch after epoch, until the last or a signal."""
        steps = len(self.data_loader)
        done = self.epoch * steps + (self._begun.step if self._begun else 0)
        last = self.history.records[-1] if self.history.records else None
        with TrainingProgress(
            self.train_times, steps, done=done, last=last, show=self.progress
        ) as progress:
            while not self.finished and interruption.signal is None:
                progress.begin_epoch(self.epoch + 1)
                record = self._train_epoch(progress, interruption)
                if record is None:
                    return
                self.epoch += 1
                self.history.records.append(record)
                for callback in self.callbacks:
                    callback.on_epoch_end(self, record)
                progress.end_epoch(record)
            if self._stopped:
                progress.say(f"stopped after epoch {self.epoch}: {self._stopped}")

    def _train_epoch(self, progress: TrainingProgress, interruption: Interruption) -> Record | None:
        """Return the record of an epoch; None where a signal broke it off."""
        self.strategy.train()
        begun, self._begun = self._begun or EpochSoFar.none(self.device), None
        started = time.perf_counter() - begun.seconds
        losses = self._loss_total(begun)
        positives = begun.positives if self.world.chief else 0
        shard = (self.world.rank, self.world.size)
        pin = self.device.type == "cuda"
        self.data_loader.prepare(self._prepare, pin=pin, shard=shard)
        if not begun.step:
            self._begin_epoch()
        for batch in begun.rest(self.data_loader.epoch(self.epoch), self.device):
            self.strategy.clock = self._clock(losses.step)
            loss = self._step(batch)
            positives += len(batch) if batch.share else 0
            for callback in self.callbacks:
                callback.on_step_end(self)
            if losses.add(loss):
                progress.loss(loss.item())
            progress.step()
            if interruption.signal is not None and losses.step < len(self.data_loader):
                self._begun = EpochSoFar(
                    at_start=begun.at_start,
                    now=random_state(self.device),
                    step=losses.step,
                    total=losses.value(),
                    positives=positives,
                    seconds=time.perf_counter() - started,
                )
                return None
        if len(self._turns) > 1:  # else they are sent with each step
            self.world.share_buffers(self.strategy)
        sums = self.world.total(torch.tensor([losses.value(), positives], dtype=torch.float64))
        mean, positives = float(sums[0]) / losses.step / self.world.size, int(sums[1])
        seconds = time.perf_counter() - started
        return {
            "epoch": self.epoch + 1,
            "loss": mean,
            "seconds": seconds,
            "triples_per_second": positives / seconds,
            "lr": float(self.optimizer.param_groups[0]["lr"]),
        }

    def _loss_total(self, begun: EpochSoFar) -> LossTotal:
        every = 1 if self.device.type == "cpu" else CHECK_EVERY
        place = (
            f"in epoch {self.epoch + 1}, step {{step}} of {len(self.data_loader)}: lower the "
            f"learning rate (now {self.alpha}) or the margin"
        )
        return LossTotal(begun.total, begun.step, every, place)

    def _tell_best(self) -> None:
        """Say which epoch was best and which one the weights are of, if any was measured."""
        stopping = next((c for c in self.callbacks if isinstance(c, EarlyStopping)), None)
        metric = stopping.metric if stopping else "valid_mrr"
        best = self.history.best(metric)
        if best is not None and self.progress:
            say(
                f"best epoch: {best['epoch']:.0f} of {self.epoch}, {metric} {best[metric]:.4f}; "
                f"the weights are of epoch {stopping.best_epoch if stopping else self.epoch}"
            )
