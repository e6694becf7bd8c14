"""Weights & Biases: runs on a server, set up by its own environment variables."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

from openke.runs.trackers.tracker import Tracker


class WandB(Tracker):
    """Sends a run to the project that ``WANDB_PROJECT`` names, by default openke."""

    PACKAGE = "wandb"

    def begin(self, epoch: int) -> None:
        """Open the run, or the one that was interrupted."""
        self._run: Any = self.package.init(
            project=os.environ.get("WANDB_PROJECT", "openke"),
            name=self.run.name,
            dir=str(self.run.folder),
            config=self.run.flat(),
            id=self.id or None,
            resume="allow",
        )
        self.id = self._run.id

    def log(self, values: Mapping[str, float], epoch: int) -> None:
        """Send the numbers of an epoch."""
        self._run.log({**values, "epoch": epoch})

    def close(self) -> None:
        """Send what is left."""
        self._run.finish()
