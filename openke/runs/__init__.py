"""A whole run: its recipe, its folder, and what a trained model is asked afterwards."""

from openke.runs.experiment import RunOptions
from openke.runs.load import Run, load_run
from openke.runs.predict import Answer, Predictor
from openke.runs.recipe import Recipe

__all__ = ["Answer", "Predictor", "Recipe", "Run", "RunOptions", "load_run"]
