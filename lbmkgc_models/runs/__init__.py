"""Runs of every model: features chosen for a training, models made with them."""

from lbmkgc_models.runs.defaults import default_recipe
from lbmkgc_models.runs.experiment import run

__all__ = ["default_recipe", "run"]
