"""Models with pictures and text: one small file each."""

from lbmkgc_models.model.adamf import AdaMF
from lbmkgc_models.model.ikrl import IKRL
from lbmkgc_models.model.imf import IMF
from lbmkgc_models.model.lbmkgc import LBMKGC
from lbmkgc_models.model.mmkrl import MMKRL
from lbmkgc_models.model.mmrns import MMRNS
from lbmkgc_models.model.mygo import MyGO
from lbmkgc_models.model.otkge import OTKGE
from lbmkgc_models.model.qeb import QEB
from lbmkgc_models.model.rsme import RSME
from lbmkgc_models.model.tbkgc import TBKGC
from lbmkgc_models.model.transae import TransAE
from lbmkgc_models.model.vista import VISTA
from openke.module.model import Model
from openke.runtime.registry import Registry

MULTIMODAL: Registry[type[Model]] = Registry(
    {
        "AdaMF": AdaMF,
        "IKRL": IKRL,
        "IMF": IMF,
        "LBMKGC": LBMKGC,
        "MMKRL": MMKRL,
        "MMRNS": MMRNS,
        "OTKGE": OTKGE,
        "MyGO": MyGO,
        "QEB": QEB,
        "RSME": RSME,
        "TBKGC": TBKGC,
        "TransAE": TransAE,
        "VISTA": VISTA,
    },
    "openke.multimodal_models",
)
"""Models with pictures and text by name, with those of other packages."""

__all__ = [
    "IKRL",
    "IMF",
    "LBMKGC",
    "MMKRL",
    "MMRNS",
    "MULTIMODAL",
    "OTKGE",
    "QEB",
    "RSME",
    "TBKGC",
    "VISTA",
    "AdaMF",
    "MyGO",
    "TransAE",
]
