"""Why a triple has its score: what each part of the model adds, and facts that are like it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor
from torch.nn.functional import normalize

from openke.module.model.mixture import Mixture
from openke.module.model.model import Model
from openke.runs.predictor import Predictor

Contributions = Callable[[Model, Tensor, Tensor, Tensor], dict[str, Any]]
"""Returns "parts", "weights" and "gate" of a triple, Int["1"] each, as far as a model has them."""


def explain(
    predictor: Predictor,
    head: int | str,
    relation: int | str,
    tail: int | str,
    facts: int = 3,
    contributions: Contributions | None = None,
) -> dict[str, Any]:
    """Return what the score of a triple rests on.

    Parameters
    ----------
    predictor
        Asks the model.
    head, relation, tail
        The triple, by name, label or id.
    facts
        How many facts of train are shown.
    contributions
        Takes the model's score apart, where it has parts.

    Returns
    -------
    dict
        ``score``; ``parts``, what the score would lose without structure, each modality and
        mentions; ``weights``, how much each modality counts in head and tail; ``gate``, the
        relation's share of structure, where the model has one; ``facts``, the train triples of the
        relation whose head and tail are most like these, and how much (the product of the cosines
        of the vectors of heads and of tails, 1 for the same ones). What a model does not have is
        empty.

    Raises
    ------
    ValueError
        An unknown name.
    """
    names, relations = predictor.entities, predictor.relations
    h, r, t = names.id(head), relations.id(relation), names.id(tail)
    device = next(predictor.model.parameters()).device
    ids = (torch.tensor([i], device=device) for i in (h, r, t))
    said: dict[str, Any] = {"parts": {}, "weights": {}, "gate": None}
    with torch.inference_mode():
        if contributions is not None:
            said |= contributions(predictor.model, *ids)
        near = _nearest(predictor, h, r, t, facts)
    score = predictor.judge(h, r, t)
    return {"score": score.score, "known": score.known, **said, "facts": near}


def parts_of_mixture(model: Model, head: Tensor, relation: Tensor, tail: Tensor) -> dict[str, Any]:
    """Return what each part of a :class:`.Mixture` adds to a score, as "parts"; Int["1"] each."""
    assert isinstance(model, Mixture)
    added = model.contributions(head, relation, tail)
    return {"parts": {name: float(score[0]) for name, score in added.items()}}


def _nearest(predictor: Predictor, h: int, r: int, t: int, count: int) -> list[dict[str, Any]]:
    train = predictor.store.triples("train")
    if not predictor.facts:
        return []
    train = train[train[:, 1] == r]
    train = train[(train[:, 0] != h) | (train[:, 2] != t)]
    if not len(train) or predictor.model.in_openke_form:
        return []
    heads, tails = torch.from_numpy(train[:, 0].copy()), torch.from_numpy(train[:, 2].copy())
    alike = _alike(predictor, h, heads).clamp(min=0) * _alike(predictor, t, tails).clamp(min=0)
    values, places = torch.topk(alike, min(count, len(alike)))
    names = predictor.entities
    return [
        {
            "head": names.name(int(train[place, 0])),
            "relation": predictor.relations.name(r),
            "tail": names.name(int(train[place, 2])),
            "likeness": value,
        }
        for value, place in zip(values.tolist(), places.tolist(), strict=True)
    ]


def _alike(predictor: Predictor, entity: int, others: Tensor) -> Tensor:
    """Return the cosine of an entity's vector and those of others."""
    device = next(predictor.model.parameters()).device
    distinct, places = torch.unique(others, return_inverse=True)
    ids = torch.cat([torch.tensor([entity]), distinct]).to(device)
    rows = normalize(predictor.model.vectors(ids).float(), dim=1).cpu()
    found: Tensor = (rows[1:] @ rows[0])[places]
    return found
