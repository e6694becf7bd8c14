"""Trackers: services that trainings are followed and compared in, each in one file."""

from openke.runs.trackers.mlflow import MLflow
from openke.runs.trackers.tensorboard import TensorBoard
from openke.runs.trackers.tracker import Tracked, Tracker
from openke.runs.trackers.wandb import WandB
from openke.runtime.registry import Registry

__all__ = ["TRACKERS", "MLflow", "TensorBoard", "Tracked", "Tracker", "WandB"]

TRACKERS: Registry[type[Tracker]] = Registry(
    {"tensorboard": TensorBoard, "wandb": WandB, "mlflow": MLflow}, "openke.trackers"
)
"""By name, as ``--tracker`` takes them; other packages join by entry points ``openke.trackers``."""
