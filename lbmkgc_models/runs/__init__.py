"""Runs of every model: features chosen for a training, models made with them."""

from lbmkgc_models.runs.defaults import default_recipe
from lbmkgc_models.runs.experiment import run
from lbmkgc_models.runs.train_command import fitted

__all__ = ["default_recipe", "fitted", "run"]
