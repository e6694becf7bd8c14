"""Small graphs, features and models for the tests."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields
from functools import partial
from inspect import signature
from unittest.mock import patch

import numpy as np
import torch

from lbmkgc_models.feature_store.labels import EntityLabel
from lbmkgc_models.feature_store.mentions import Mentions, find_mentions
from lbmkgc_models.feature_store.store import ModalFeatures
from lbmkgc_models.fusion.mention_score import MentionScore
from lbmkgc_models.fusion.modal_tokens import Tokens
from lbmkgc_models.fusion.structural_interaction import INTERACTIONS
from lbmkgc_models.model import MULTIMODAL
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
from openke.data.batch import Batch
from openke.data.store import TripleStore
from openke.data.train_data_loader import TrainDataLoader
from openke.module.model import (
    GCOTE,
    OTE,
    RESCAL,
    Analogy,
    ComplEx,
    DistMult,
    HolE,
    Model,
    PairRE,
    Reciprocal,
    RotatE,
    SimplE,
    TransD,
    TransE,
    TransH,
    TransR,
    TuckER,
)
from openke.runs.recipe import KNOWN_MODELS
from tests.contracts.registered import loadable

ENTITIES, RELATIONS = 23, 4

MODELS: dict[str, type[Model]] = {
    name: kind
    for registry in (KNOWN_MODELS, MULTIMODAL)
    for name, kind in loadable(registry).items()
    if isinstance(kind, type) and issubclass(kind, Model)
}
"""Every registered model, with those of other packages that are installed."""


def graph(seed: int = 0, entities: int = ENTITIES, triples: int = 60) -> TripleStore:
    """Return a random graph with named entities and all three splits."""
    generator = np.random.default_rng(seed)
    rows = np.stack(
        [
            generator.integers(entities, size=triples),
            generator.integers(RELATIONS, size=triples),
            generator.integers(entities, size=triples),
        ],
        axis=1,
    )
    rows = np.unique(rows, axis=0)
    generator.shuffle(rows)
    held = len(rows) // 5
    return TripleStore.from_triples(
        rows[2 * held :],
        rows[:held],
        rows[held : 2 * held],
        entities=[f"entity {i}" for i in range(entities)],
        relations=[f"relation {i}" for i in range(RELATIONS)],
    )


def facts() -> np.ndarray:
    """Return the train triples of a graph, Int["n 3"]."""
    return graph(triples=120).triples("train")


def features(modality: str, dim: int, seed: int, missing: float = 0.3) -> ModalFeatures:
    """Return random features that some entities lack."""
    generator = np.random.default_rng(seed)
    names = [f"entity {i}" for i in range(ENTITIES)]
    here = [i for i in range(ENTITIES) if generator.random() >= missing]
    rows = torch.from_numpy(generator.normal(size=(len(here), dim)).astype(np.float32))
    return ModalFeatures.from_rows(modality, [names[i] for i in here], rows, names)


def both() -> dict[str, ModalFeatures]:
    """Return features of two modalities."""
    return {"image": features("image", 5, 1), "text": features("text", 6, 2)}


def everyone() -> dict[str, ModalFeatures]:
    """Return features of two modalities, one of which no entity lacks."""
    return {**both(), "text": features("text", 6, 2, missing=0)}


def one() -> dict[str, ModalFeatures]:
    """Return features of one modality."""
    return {"text": features("text", 6, 2)}


def several(modality: str, dim: int, seed: int, parts: int = 3) -> ModalFeatures:
    """Return random features of which an entity has up to ``parts`` rows, some none."""
    generator = np.random.default_rng(seed)
    names = [f"entity {i}" for i in range(ENTITIES)]
    of_row = [name for name in names for _ in range(generator.integers(parts + 1))]
    rows = torch.from_numpy(generator.normal(size=(len(of_row), dim)).astype(np.float32))
    return ModalFeatures.from_rows(modality, of_row, rows, names, several=True)


def coded(modality: str, dim: int, seed: int, parts: int = 3, codes: int = 7) -> ModalFeatures:
    """Return the same of a few codes of a random codebook."""
    generator = np.random.default_rng(seed)
    names = [f"entity {i}" for i in range(ENTITIES)]
    of_row = [name for name in names for _ in range(generator.integers(parts + 1))]
    book = torch.from_numpy(generator.normal(size=(codes, dim)).astype(np.float32))
    chosen = torch.from_numpy(generator.integers(codes, size=len(of_row)))
    return ModalFeatures.from_codes(modality, of_row, chosen, book, names)


def of_relations(text: int = 6, image: int = 10) -> dict[str, Tokens]:
    """Return random features of relations, as wide as VISTA takes them; some lack a picture."""
    generator = torch.Generator().manual_seed(3)
    there = torch.rand(RELATIONS, 3, generator=generator) < 0.7
    return {
        "text": Tokens(
            torch.randn(RELATIONS, 1, text, generator=generator), torch.ones_like(there[:, :1])
        ),
        "image": Tokens(torch.randn(RELATIONS, 3, image, generator=generator), there),
    }


def worn(model: Model) -> Model:
    """Return the model with other numbers where it starts with zeros and ones."""
    for name, module in model.named_modules():
        if isinstance(module, torch.nn.BatchNorm1d):
            module.running_mean.normal_()
            module.running_var.uniform_(0.5, 2.0)
        elif name == "rel_scales":
            torch.nn.init.normal_(module.weight, std=0.3)
        elif isinstance(module, MentionScore):
            torch.nn.init.normal_(module.weight)
    return model


INNER = {"TransE": {"p_norm": 2}, "TuckER": {"dim_r": 3}}
MODERN = {
    "drop_structure": 0.5,
    "projection": "linear",
    "modal_norm": True,
    "modal_dropout": 0.2,
    "modal_scale": 0.1,
}


def fused(**settings: object) -> Model:
    """Return LBMKGC with both modalities, some entities being unseen in train."""
    seen = torch.arange(ENTITIES) % 3 != 1  # 19 has no modality
    settings = {"dim": 4, "drop_unseen": True, **settings}
    named = mentions() if settings.get("score_mentions") else None
    return worn(LBMKGC(ENTITIES, RELATIONS, both(), seen=seen, mentions=named, **settings))


def mentions() -> Mentions:
    """Return who names whom where each entity's text has two names, some of them twice."""
    return find_mentions(
        [
            EntityLabel(f"entity {i}", f"name{i}", f"name{7 * i % ENTITIES}, name{i // 2}")
            for i in range(ENTITIES)
        ]
    )


CASES: dict[str, Callable[[], Model]] = {
    "TransE": lambda: TransE(ENTITIES, RELATIONS, dim=6),
    "TransE L2 margin": lambda: TransE(
        ENTITIES, RELATIONS, dim=6, p_norm=2, norm_flag=False, margin=3.0, epsilon=2.0
    ),
    "TransH": lambda: TransH(ENTITIES, RELATIONS, dim=6),
    "TransH L2 margin": lambda: TransH(
        ENTITIES, RELATIONS, dim=6, p_norm=2, norm_flag=False, margin=3.0, epsilon=2.0
    ),
    "TransR": lambda: TransR(ENTITIES, RELATIONS, dim_e=5, dim_r=4),
    "TransR L2 random margin": lambda: TransR(
        *(ENTITIES, RELATIONS),
        **{"dim_e": 4, "dim_r": 6, "p_norm": 2, "norm_flag": False, "rand_init": True},
        margin=3.0,
    ),
    "TransD": lambda: TransD(ENTITIES, RELATIONS, dim_e=6, dim_r=6),
    "TransD narrow relations": lambda: TransD(
        ENTITIES, RELATIONS, dim_e=6, dim_r=4, norm_flag=False, margin=4.0, epsilon=2.0
    ),
    "TransD wide relations": lambda: TransD(ENTITIES, RELATIONS, dim_e=4, dim_r=7, p_norm=2),
    "RESCAL": lambda: RESCAL(ENTITIES, RELATIONS, dim=5),
    "DistMult": lambda: DistMult(ENTITIES, RELATIONS, dim=6),
    "DistMult started wide": lambda: DistMult(ENTITIES, RELATIONS, dim=6, margin=4.0, epsilon=2.0),
    "ComplEx": lambda: ComplEx(ENTITIES, RELATIONS, dim=5),
    "SimplE": lambda: SimplE(ENTITIES, RELATIONS, dim=6),
    "SimplE two roles": lambda: SimplE(ENTITIES, RELATIONS, dim=6, two_roles=True),
    "HolE": lambda: HolE(ENTITIES, RELATIONS, dim=6),
    "HolE odd": lambda: HolE(ENTITIES, RELATIONS, dim=7, margin=4.0, epsilon=2.0),
    "Analogy": lambda: Analogy(ENTITIES, RELATIONS, dim=3),
    "RotatE": lambda: RotatE(ENTITIES, RELATIONS, dim=5),
    "PairRE": lambda: PairRE(ENTITIES, RELATIONS, dim=6),
    "TuckER": lambda: worn(TuckER(ENTITIES, RELATIONS, dim=6, dim_r=4)),
    "OTE": lambda: worn(OTE(ENTITIES, RELATIONS, dim=6, group=3)),
    "GCOTE": lambda: worn(
        GCOTE(ENTITIES, RELATIONS, dim=6, group=2, triples=graph(triples=120).triples("train"))
    ),
    "GCOTE attention": lambda: worn(
        GCOTE(
            *(ENTITIES, RELATIONS),
            **{"dim": 6, "group": 2, "context": "attention"},
            triples=graph(triples=120).triples("train"),
        )
    ),
    "AdaMF": lambda: AdaMF(ENTITIES, RELATIONS, both(), dim=4),
    "AdaMF frozen": lambda: AdaMF(ENTITIES, RELATIONS, both(), dim=4, tuned=False, missing="mean"),
    "AdaMF text": lambda: AdaMF(ENTITIES, RELATIONS, one(), dim=4, missing="zero"),
    "IKRL": lambda: IKRL(ENTITIES, RELATIONS, one(), dim=6),
    "TBKGC": lambda: TBKGC(ENTITIES, RELATIONS, both(), dim=6),
    "TBKGC text L2 margin": lambda: TBKGC(
        ENTITIES, RELATIONS, one(), dim=5, p_norm=2, norm_flag=False, margin=9.0, epsilon=2.0
    ),
    "TBKGC tuned": lambda: TBKGC(ENTITIES, RELATIONS, both(), dim=6, tuned=True),
    "TBKGC tanh": lambda: TBKGC(
        ENTITIES, RELATIONS, both(), dim=6, norm_flag=False, tanh=True, structure_dim=4
    ),
    "QEB": lambda: QEB(ENTITIES, RELATIONS, both(), dim=6),
    "QEB text L2 margin": lambda: QEB(
        ENTITIES, RELATIONS, one(), dim=5, p_norm=2, norm_flag=False, margin=3.0, epsilon=2.0
    ),
    "QEB tanh trained": lambda: QEB(
        ENTITIES, RELATIONS, both(), dim=6, tanh=True, structure_dim=4, missing="trained"
    ),
    "MMKRL": lambda: MMKRL(ENTITIES, RELATIONS, both(), dim=6),
    "MMKRL text L2 margin": lambda: MMKRL(
        ENTITIES, RELATIONS, one(), dim=5, p_norm=2, norm_flag=False, margin=3.0, epsilon=2.0
    ),
    "TransAE": lambda: TransAE(ENTITIES, RELATIONS, both(), dim=4, hidden={"image": 6, "text": 3}),
    "TransAE text": lambda: TransAE(ENTITIES, RELATIONS, one(), dim=4, margin=2.0),
    "MMRNS": lambda: MMRNS(ENTITIES, RELATIONS, both(), dim=4, interaction_settings={"dim": 6}),
    "MMRNS TransD": lambda: MMRNS(
        *(ENTITIES, RELATIONS, one()),
        **{"dim": 4, "hidden": 5, "interaction": "TransD"},
        interaction_settings={"dim_e": 6, "dim_r": 4},
    ),
    "RSME": lambda: RSME(ENTITIES, RELATIONS, one(), facts(), dim=5, init_scale=None),
    "OTKGE": lambda: OTKGE(ENTITIES, RELATIONS, both(), facts(), dim=5, scale=2.0, init_scale=1.0),
    "OTKGE text": lambda: OTKGE(
        *(ENTITIES, RELATIONS, one()), **{"dim": 4, "plan_of": "first", "modal_scale": 0.1}
    ),
    "IMF": lambda: worn(IMF(ENTITIES, RELATIONS, both(), dim=6)),
    "IMF text frozen": lambda: worn(IMF(ENTITIES, RELATIONS, one(), dim=4, tuned=False)),
    "MyGO": lambda: worn(
        MyGO(ENTITIES, RELATIONS, {"image": coded("image", 5, 1), **one()}, dim=4, hidden=6)
    ),
    "MyGO without features": lambda: worn(MyGO(ENTITIES, RELATIONS, dim=6, hidden=5, heads=3)),
    "VISTA": lambda: VISTA(
        *(ENTITIES, RELATIONS, {**both(), "image": several("image", 5, 1)}, of_relations()),
        **{"dim": 4, "hidden": 6},
    ),
    "VISTA without features": lambda: VISTA(
        ENTITIES, RELATIONS, dim=6, hidden=5, heads=3, entity_layers=1, decoder_layers=1
    ),
    "LBMKGC": lambda: LBMKGC(ENTITIES, RELATIONS, both(), dim=4),
    "LBMKGC elementwise": lambda: LBMKGC(
        ENTITIES, RELATIONS, both(), dim=4, attention="elementwise"
    ),
    "LBMKGC complete": lambda: LBMKGC(ENTITIES, RELATIONS, everyone(), dim=4),
    "LBMKGC text": lambda: LBMKGC(ENTITIES, RELATIONS, one(), dim=4),
    "LBMKGC without structural": lambda: LBMKGC(
        ENTITIES, RELATIONS, both(), dim=4, structural=False
    ),
    "LBMKGC without CGuAF": lambda: LBMKGC(
        ENTITIES, RELATIONS, both(), dim=4, attention="mean", gate="mean"
    ),
    "LBMKGC without features": lambda: LBMKGC(ENTITIES, RELATIONS, dim=4),
    **{
        f"LBMKGC {name}": partial(fused, interaction=name, interaction_settings=INNER.get(name, {}))
        for name in INTERACTIONS
    },
    "LBMKGC sum": lambda: fused(interaction="ComplEx", gate="sum", **MODERN),
    "LBMKGC mean": lambda: fused(interaction="DistMult", gate="mean", **MODERN),
    "LBMKGC gated": lambda: fused(interaction="DistMult", **MODERN),
    "LBMKGC sum mentions": lambda: fused(interaction="ComplEx", gate="sum", score_mentions=True),
    "LBMKGC gated mentions": lambda: fused(score_mentions=True),
    "LBMKGC TuckER without structural": lambda: fused(interaction="TuckER", structural=False),
}
"""Instances that the contracts hold for; the first word is the registered name."""


def sizes_of(kind: type[Model]) -> list[str]:
    """Return the settings of a model whose names begin with "dim"."""
    return [field.name for field in fields(kind.Config) if field.name.startswith("dim")]


def takes_features(kind: type[Model]) -> bool:
    """Return whether a model is made with features."""
    return "features" in signature(kind).parameters


def small(name: str) -> Model:
    """Return a registered model with small sizes, and features if it takes them."""
    kind = MODELS[name]
    found = one() if getattr(kind, "one_modality", False) else both()
    given = {"features": found} if takes_features(kind) else {}
    facts = {"triples": graph().triples("train")} if kind.needs_triples else {}
    return kind(ENTITIES, RELATIONS, **given, **facts, **dict.fromkeys(sizes_of(kind), 20))


# A model that was registered and has no case of its own yet gets one.
named = {case.split()[0] for case in CASES}
CASES |= {name: partial(small, name) for name in MODELS if name not in named}

WAITING = dict.fromkeys(
    ("GCOTE", "GCOTE attention"),
    "contexts leave out the facts of the batch, whose number has to be known",
)
"""Models whose steps wait for the device, and why."""


def build(case: str) -> Model:
    """Return the model of a case, for evaluation, with the same random parameters each time."""
    torch.manual_seed(0)
    return CASES[case]().eval()


def reciprocal(case: str) -> Model:
    """Return the same with a reciprocal of each relation."""
    with patch(f"{__name__}.RELATIONS", 2 * RELATIONS):
        return Reciprocal(build(case))


BATCHES: dict[str, dict[str, object]] = {
    "mixed": {"neg_ent": 7, "bern_flag": True},
    "head": {"neg_ent": 3, "sampling_mode": "head"},
    "tail": {"neg_ent": 3, "sampling_mode": "tail"},
    "relations": {"neg_ent": 2, "neg_rel": 2},
    "only relations": {"neg_ent": 0, "neg_rel": 2},
    "shared mixed": {"neg_ent": 9, "negatives": "shared"},
    "shared head": {"neg_ent": 9, "negatives": "shared", "sampling_mode": "head"},
    "shared tail": {"neg_ent": 9, "negatives": "shared", "sampling_mode": "tail"},
}
"""Loader arguments for every shape of batch."""


def first_batch(shape: str) -> Batch:
    """Return a batch of 16 triples of the given shape."""
    loader = TrainDataLoader(graph(), batch_size=16, **BATCHES[shape])  # type: ignore[arg-type]
    return next(iter(loader))
