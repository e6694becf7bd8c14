"""Models over the structure of a graph: one small file each."""

from openke.module.model.model import Model
from openke.module.model.rotate import RotatE
from openke.module.model.transe import TransE

MODELS: dict[str, type[Model]] = {"RotatE": RotatE, "TransE": TransE}
"""Every model of this package by name."""

__all__ = ["MODELS", "Model", "RotatE", "TransE"]
