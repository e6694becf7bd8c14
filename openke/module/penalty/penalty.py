"""What a penalty is: a number from the vectors of the facts in a batch."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any, NamedTuple

import torch
from torch import Tensor

from openke.module.model.model import Model
from openke.module.scoring.encodings import Encodings
from openke.runtime.values import Weight, check_value


class Facts(NamedTuple):
    """Facts as they are asked for, first those whose tail is, then those whose head is."""

    anchor: Tensor
    """Int["n"]: the known entity"""
    relation: Tensor
    """Int["n"]: as :meth:`.Scorer.effective_relation` returns it"""
    answer: Tensor
    """Int["n"]"""
    tails: int
    """How many ask for a tail."""

    def entities(self) -> tuple[Tensor, Tensor]:
        """Return :func:`distinct` entities, Int["u"], and which is each anchor and answer."""
        return distinct(torch.cat([self.anchor, self.answer]))


def distinct(ids: Tensor) -> tuple[Tensor, Tensor]:
    """Return distinct ids, Int["u"] or Int["u 2"], and which of them each is, Int["n"].

    Elsewhere than on the CPU, and in a compiled step, all ids as they are: how many differ would
    have to be waited for, and looking at one more often changes a result by no more than rounding.
    """
    if ids.device.type != "cpu" or torch.compiler.is_compiling():
        return ids, torch.arange(len(ids), device=ids.device)
    if ids.dim() == 1:
        found, place = torch.unique(ids, return_inverse=True)
    else:
        found, place = torch.unique(ids, dim=0, return_inverse=True)
    return found, place


class Penalty(ABC):
    """Weight times the mean over facts of the sum of a term of each of their three vectors.

    Parameters
    ----------
    weight
        Of the whole, beside the loss.

    Raises
    ------
    ValueError
        A weight below 0.
    """

    def __init__(self, weight: Weight) -> None:
        check_value(f"{type(self).__name__}.weight", weight, Weight)
        self.weight = weight

    def identity(self) -> dict[str, Any]:
        """Return what a checkpoint must agree on, as JSON values."""
        return {"name": type(self).__name__, "weight": self.weight}

    def check(self, model: Model) -> None:
        """Raise ``ValueError`` where a model does not have what is penalised."""
        if model.in_openke_form:
            raise ValueError(
                f"{type(self).__name__}: {type(model).__name__} is written for OpenKE, its tables "
                "are its own; leave the penalty out, or use regul_rate and its regularization"
            )

    @abstractmethod
    def term(self, moduli: Tensor) -> Tensor:
        """Return Float["u"] of vectors whose coordinates have these absolute values (["u m"])."""

    def __call__(self, model: Model, facts: Facts, encodings: Encodings | None = None) -> Tensor:
        """Return the penalty of a batch, a scalar; each distinct vector is looked at once.

        ``encodings`` are the entities of :meth:`Facts.entities` encoded, where the caller has them.
        """
        entities, index = facts.entities()
        of_entity = self.term(model.entity_moduli(model.factors(entities, encodings)))[index]
        relations, index = distinct(facts.relation)
        of_relation = self.term(model.relation_moduli(model.relation_embeddings(relations)))[index]
        return self.weight * (of_entity.sum() + of_relation.sum()) / len(facts.anchor)
