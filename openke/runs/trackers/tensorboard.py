"""TensorBoard: curves in files, which ``tensorboard --logdir runs`` shows."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from typing import Any

from openke.runs.trackers.tracker import Tracker


class TensorBoard(Tracker):
    """Writes into the folder ``tensorboard`` of the run."""

    PACKAGE = "tensorboard"

    def begin(self, epoch: int) -> None:
        """Open the files; what an interrupted run wrote of later epochs is hidden."""
        writer = import_module("torch.utils.tensorboard").SummaryWriter
        folder = str(self.run.folder / "tensorboard")
        self._writer: Any = writer(folder, purge_step=epoch + 1 if epoch else None)
        if not epoch:
            lines = [f"    {place} = {value}" for place, value in self.run.flat().items()]
            self._writer.add_text("recipe", "\n".join(lines))

    def log(self, values: Mapping[str, float], epoch: int) -> None:
        """Add a point to each curve."""
        for name, value in values.items():
            self._writer.add_scalar(name, value, epoch)

    def close(self) -> None:
        """Write what is left."""
        self._writer.close()
