"""Models over the structure of a graph: one small file each."""

from openke.aliases import former_paths, homes_of, openke_paths
from openke.module.model.analogy import Analogy
from openke.module.model.bilinear import Bilinear
from openke.module.model.complex import ComplEx
from openke.module.model.decoder import Decoder
from openke.module.model.distmult import DistMult
from openke.module.model.gcote import GCOTE
from openke.module.model.hole import HolE
from openke.module.model.model import Model
from openke.module.model.ote import OTE
from openke.module.model.pairre import PairRE
from openke.module.model.reciprocal import Reciprocal
from openke.module.model.rescal import RESCAL
from openke.module.model.rotate import RotatE
from openke.module.model.simple import SimplE
from openke.module.model.tables import table
from openke.module.model.transd import TransD
from openke.module.model.transe import TransE
from openke.module.model.transh import TransH
from openke.module.model.translational import Translational, TranslationalConfig
from openke.module.model.transr import TransR
from openke.module.model.tucker import TuckER
from openke.runtime.names import check_known

MODELS: dict[str, type[Model]] = {
    "Analogy": Analogy,
    "ComplEx": ComplEx,
    "DistMult": DistMult,
    "GCOTE": GCOTE,
    "HolE": HolE,
    "OTE": OTE,
    "PairRE": PairRE,
    "RESCAL": RESCAL,
    "RotatE": RotatE,
    "SimplE": SimplE,
    "TransD": TransD,
    "TransE": TransE,
    "TransH": TransH,
    "TransR": TransR,
    "TuckER": TuckER,
}
"""Every model of this package by name."""


def model_inside(setting: str, name: str) -> type[Model]:
    """Return the model that a setting names, to be made inside another one or an objective.

    Raises
    ------
    ValueError
        An unknown name, or a model that is made with the facts of a graph.
    """
    check_known(setting, name, MODELS)
    kind = MODELS[name]
    if kind.needs_triples:
        raise ValueError(
            f"{setting} is {name!r}, which is made with the facts of a graph; take another model"
        )
    return kind


__all__ = [
    "GCOTE",
    "MODELS",
    "OTE",
    "RESCAL",
    "Analogy",
    "Bilinear",
    "ComplEx",
    "Decoder",
    "DistMult",
    "HolE",
    "Model",
    "PairRE",
    "Reciprocal",
    "RotatE",
    "SimplE",
    "TransD",
    "TransE",
    "TransH",
    "TransR",
    "Translational",
    "TranslationalConfig",
    "TuckER",
    "model_inside",
    "table",
]

openke_paths(__name__, homes_of([Model, *MODELS.values()]))
former_paths({"openke.module.model.lineage": "openke.module.model.openke_adapter"})
