"""Models with pictures and text: one small file each."""

from lbmkgc_models.model.ikrl import IKRL
from lbmkgc_models.model.lbmkgc import LBMKGC
from openke.module.model import Model

MULTIMODAL: dict[str, type[Model]] = {"IKRL": IKRL, "LBMKGC": LBMKGC}
"""Every model of this package by name."""

__all__ = ["IKRL", "LBMKGC", "MULTIMODAL"]
