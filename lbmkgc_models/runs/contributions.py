"""What a score of LBMKGC rests on: structure, each modality, mentions, weights and gate."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from lbmkgc_models.model.lbmkgc import ID, LBMKGC
from openke.module.model import Model
from openke.module.scoring.encodings import Encodings, presence
from openke.module.scoring.triples import score_rows

BLOCK = 4096
"""Entities looked at together."""


def contributions(model: Model, head: Tensor, relation: Tensor, tail: Tensor) -> dict[str, Any]:
    """Return "parts", "weights" and "gate" of a triple, Int["1"] each; nothing of other models.

    The parts are what the score loses without "structure", where there is more than that, each
    modality, and "mentions". The score is no sum of them. For weights see
    :meth:`.LBMKGC.modality_weights`.
    """
    inner = getattr(model, "inner", model)
    if not isinstance(inner, LBMKGC):
        return {}
    parts = {name: float(part[0]) for name, part in _parts(inner, head, relation, tail).items()}
    weights = {
        slot: {name: float(weight[0]) for name, weight in inner.modality_weights(entity).items()}
        for slot, entity in (("head", head), ("tail", tail))
    }
    gate = float(inner.gate(relation)[0]) if inner.gated else None
    return {"parts": parts, "weights": weights, "gate": gate}


def mean_weights(model: Model) -> dict[str, float]:
    """Return the mean of :meth:`.LBMKGC.modality_weights` of entities that have a modality.

    Nothing of other models, and where no entity has one.
    """
    inner = getattr(model, "inner", model)
    if not isinstance(inner, LBMKGC):
        return {}
    device = next(inner.parameters()).device
    was_training = inner.training
    inner.eval()
    parts: list[Tensor] = []
    with torch.inference_mode():
        for begin in range(0, inner.ent_tot, BLOCK):
            end = min(begin + BLOCK, inner.ent_tot)
            found = inner.modality_weights(torch.arange(begin, end, device=device))
            parts.append(torch.stack(list(found.values()), 1) if found else torch.empty(0, 0))
    inner.train(was_training)
    rows = torch.cat(parts).double()
    rows = rows[rows.any(dim=1)]
    if not len(rows):
        return {}
    return dict(zip(inner.projectors.names, rows.mean(dim=0).tolist(), strict=True))


def _parts(model: LBMKGC, head: Tensor, relation: Tensor, tail: Tensor) -> dict[str, Tensor]:
    views = model.views(torch.cat([head, tail]))
    first, second = torch.arange(2 * len(head), device=head.device).chunk(2)

    def score(some: Encodings) -> Tensor:
        return score_rows(model, model.fuse(some), first, second, relation)

    whole, names = score(views), model.projectors.names
    parts = {
        name: whole - score({**views, presence(name): torch.zeros_like(views[presence(name)])})
        for name in names
    }
    if names and model.config.structural:
        rows = torch.cat(list(model.rows_without_structure(views[ID]).values()), dim=1)
        some = torch.cat([views[presence(name)] for name in names], dim=1).any(1, keepdim=True)
        rows = torch.where(some, rows, views["entity"])
        parts = {"structure": whole - score({**views, "entity": rows}), **parts}
    if model.mentioned is not None:
        weights = model.mentioned.weight_rows(relation, "tail")
        parts["mentions"] = model.mentioned.worth(head, weights, tail)
    return parts
