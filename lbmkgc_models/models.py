"""Every model by name, those over structure and those with pictures and text."""

from lbmkgc_models.ikrl import IKRL
from lbmkgc_models.lbmkgc import LBMKGC
from openke.module.model import MODELS as STRUCTURAL
from openke.module.model import Model

MODELS: dict[str, type[Model]] = {**STRUCTURAL, "IKRL": IKRL, "LBMKGC": LBMKGC}
