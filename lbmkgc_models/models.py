"""Every model by name, those over structure and those with pictures and text."""

from lbmkgc_models.ikrl import IKRL
from lbmkgc_models.lbmkgc import LBMKGC
from openke.module.model import MODELS as STRUCTURAL
from openke.module.model import Model

MULTIMODAL: dict[str, type[Model]] = {"IKRL": IKRL, "LBMKGC": LBMKGC}
"""Models with pictures and text, made with ``features`` by modality."""

MODELS: dict[str, type[Model]] = {**STRUCTURAL, **MULTIMODAL}
