"""What training is timed of, by this project and in PyTorch alone, at the same sizes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch

from common.plain import Plain, PlainModel, PlainSampling
from common.plain_modal import ENERGIES, PlainAdaMF, PlainEnergies, PlainMMKRL, PlainTransAE
from common.plain_objectives import PlainKBGAN, PlainMANS, PlainMAT, PlainMMRNS
from lbmkgc_models.feature_store.store import ModalFeatures
from lbmkgc_models.model import MULTIMODAL
from openke.data.store import TripleStore
from openke.module.loss import SigmoidLoss
from openke.module.model import ComplEx, Model, RotatE, TransE
from openke.module.strategy import KBGAN, MANS, MAT, MMRNS, NegativeSampling

REALS = 500
"""Reals of an entity's vector: 250 complex coordinates."""
FEATURES = 768
"""Reals of a picture's and of a text's features."""
CODE, WIDTHS = 50, {"image": 512, "text": 50}
"""Reals of TransAE's code and of its hidden layers, as published."""
OF_GENERATOR = 50
"""Reals of KBGAN's generator, as published."""
OF_MMRNS = 200
"""Reals of an entity where MMRNS chooses negatives, as published."""
AUXILIARY: Mapping[str, Mapping[str, float]] = {
    "MMKRL": {"alignment": 1.0},
    "TransAE": {"reconstruction": 1.0},
}
"""Losses that are part of a model's training."""
OBJECTIVES: Mapping[str, tuple[type[NegativeSampling], str]] = {
    "KBGAN": (KBGAN, "TransE"),
    "MANS": (MANS, "IKRL"),
    "AdaMF-MAT": (MAT, "AdaMF"),
    "MMRNS": (MMRNS, "MMRNS"),
}
"""Systems that are an objective, and the model they train; all others train by sampling."""
LOADERS: Mapping[str, Mapping[str, Any]] = {
    "MMRNS": {"negatives": "shared", "sampling_mode": "cross", "bern_flag": False}
}
"""Options of the loader, where they are not the usual ones."""


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
    if name == "IKRL":
        del modal["text"]
    return MULTIMODAL[name](entities, relations, modal, **_settings(name))


def _settings(name: str) -> dict[str, Any]:
    if name in ENERGIES:
        return {"dim": REALS, "norm_flag": False}
    if name == "TransAE":
        return {"dim": CODE, "hidden": WIDTHS}
    if name == "MMRNS":
        return {"interaction_settings": {"dim": OF_MMRNS, "p_norm": 1, "norm_flag": False}}
    return {"dim": REALS // 2, "margin": 12.0}


def own_strategy(name: str, entities: int, relations: int) -> NegativeSampling:
    """Return what a system of this project trains by, with RotatE's loss, which all have here."""
    kind, model = OBJECTIVES.get(name, (NegativeSampling, name))
    settings = {"generator_settings": {"dim": OF_GENERATOR}} if kind is KBGAN else {}
    return kind(
        model=own_model(model, entities, relations),
        loss=SigmoidLoss(adv_temperature=1.0),
        auxiliary=AUXILIARY.get(name, {}),
        **settings,
    )


def plain_model(name: str, entities: int, relations: int) -> Plain:
    """Return the same model in PyTorch."""
    if name == "MMKRL":
        return PlainMMKRL(entities, relations, REALS, features(entities))
    if name in ENERGIES:
        return PlainEnergies(name, entities, relations, REALS, features(entities))
    if name == "AdaMF":
        return PlainAdaMF(entities, relations, REALS, features(entities))
    if name == "TransAE":
        return PlainTransAE(relations, CODE, tuple(WIDTHS.values()), features(entities))
    modal = features(entities) if name == "LBMKGC" else []
    return PlainModel(name, entities, relations, REALS, modal)


def plain_training(
    name: str,
    store: TripleStore,
    negatives: int,
    *,
    compiled: bool = False,
    shared: bool = False,
) -> PlainSampling:
    """Return the same training in PyTorch, eager or compiled."""
    sizes = store.entity_count, store.relation_count
    if name == "KBGAN":
        generator = PlainModel("DistMult", *sizes, OF_GENERATOR, [])
        scorer = plain_model("TransE", *sizes)
        return PlainKBGAN(scorer, generator, store, negatives, compiled=compiled)
    if name == "MANS":
        return PlainMANS(plain_model("IKRL", *sizes), store, negatives, compiled=compiled)
    if name == "AdaMF-MAT":
        return PlainMAT(plain_model("AdaMF", *sizes), store, negatives, compiled=compiled)
    if name == "MMRNS":
        small = PlainModel("TransE", *sizes, OF_MMRNS, [])
        return PlainMMRNS(small, features(sizes[0]), store, negatives, compiled=compiled)
    model = plain_model(name, *sizes)
    return PlainSampling(model, store, negatives, compiled=compiled, shared=shared)
