"""MLflow: runs on a server or in a folder, set up by its own environment variables."""

from __future__ import annotations

from collections.abc import Mapping

from openke.runs.trackers.tracker import Tracker

LONGEST = 250
"""Characters of a parameter that every version of MLflow takes."""


class MLflow(Tracker):
    """Logs to the experiment that ``MLFLOW_EXPERIMENT_NAME`` names, where MLflow's settings say."""

    PACKAGE = "mlflow"

    def begin(self, epoch: int) -> None:
        """Open the run, or the one that was interrupted."""
        if self.id:
            self.package.start_run(run_id=self.id)
            return
        self.id = self.package.start_run(run_name=self.run.name).info.run_id
        self.package.log_params(
            {place: str(value)[:LONGEST] for place, value in self.run.flat().items()}
        )

    def log(self, values: Mapping[str, float], epoch: int) -> None:
        """Send the numbers of an epoch; MLflow's names have no @."""
        named = {name.replace("@", "_at_"): value for name, value in values.items()}
        self.package.log_metrics(named, step=epoch)

    def close(self) -> None:
        """End the run."""
        self.package.end_run()
