"""The models whose speed is measured, by this project and in plain PyTorch, at the same sizes."""

from __future__ import annotations

import torch

from common.plain import PlainEnergies, PlainModel
from lbmkgc_models.feature_store.store import ModalFeatures
from lbmkgc_models.model.lbmkgc import LBMKGC
from lbmkgc_models.model.qeb import QEB
from lbmkgc_models.model.tbkgc import TBKGC
from openke.module.loss import SigmoidLoss
from openke.module.model import ComplEx, Model, RotatE, TransE
from openke.module.strategy import NegativeSampling

REALS = 500
"""Reals of an entity's vector: 250 complex coordinates."""
FEATURES = 768
"""Reals of a picture's and of a text's features."""

ENERGIES: dict[str, type[TBKGC]] = {"TBKGC": TBKGC, "QEB": QEB}
"""Sums of energies of structure and modalities."""


def features(entities: int) -> list[torch.Tensor]:
    """Return random image and text features, Float["e 768"] each."""
    generator = torch.Generator().manual_seed(0)
    return [torch.randn(entities, FEATURES, generator=generator) for _ in ("image", "text")]


def own_model(name: str, entities: int, relations: int) -> Model:
    """Return a fresh model of this project."""
    if name == "TransE":
        return TransE(entities, relations, dim=REALS, p_norm=1, norm_flag=False)
    if name == "ComplEx":
        return ComplEx(entities, relations, dim=REALS // 2)
    if name == "RotatE":
        return RotatE(entities, relations, dim=REALS // 2, margin=12.0)
    names = [str(entity) for entity in range(entities)]
    modal = {
        modality: ModalFeatures.from_rows(modality, names, rows, names)
        for modality, rows in zip(("image", "text"), features(entities), strict=True)
    }
    if name in ENERGIES:
        return ENERGIES[name](entities, relations, modal, dim=REALS, norm_flag=False)
    return LBMKGC(entities, relations, modal, dim=REALS // 2, margin=12.0)


def plain_model(name: str, entities: int, relations: int) -> PlainModel | PlainEnergies:
    """Return the same in eager PyTorch."""
    if name in ENERGIES:
        return PlainEnergies(name, entities, relations, REALS, features(entities))
    modal = features(entities) if name == "LBMKGC" else []
    return PlainModel(name, entities, relations, REALS, modal)


def strategy(model: Model) -> NegativeSampling:
    """Return RotatE's objective, which all are timed with."""
    return NegativeSampling(model=model, loss=SigmoidLoss(adv_temperature=1.0))
