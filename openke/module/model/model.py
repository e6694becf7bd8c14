"""What a model is: encode entities, ask a question, match candidates against it."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from dataclasses import asdict
from typing import Any, ClassVar

import torch
from torch import Tensor, nn

from openke.data.batch import Batch, Side
from openke.module.model import scoring
from openke.module.model.scoring import Compare, Rows, Scores
from openke.module.settings import configure


class Model(nn.Module, ABC):
    """A scoring function of triples; higher is better.

    A model implements three steps, and every shape of scoring follows from them
    (:mod:`openke.module.model.scoring`): :meth:`encode` runs once for each distinct entity,
    :meth:`query` once for each question, :meth:`match` compares questions with candidates through
    a kernel that never writes a [batch, candidates, dim] array.

    Parameters
    ----------
    ent_tot, rel_tot
        Numbers of entities and relations.
    **settings
        Fields of the model's ``Config``.

    Raises
    ------
    ValueError
        Fewer than one entity or relation, or a setting the model does not have.
    """

    Config: ClassVar[type]
    citation: ClassVar[str]

    def __init__(self, ent_tot: int, rel_tot: int, **settings: Any) -> None:
        super().__init__()
        for name, value in (("ent_tot", ent_tot), ("rel_tot", rel_tot)):
            if value < 1:
                raise ValueError(f"{type(self).__name__}: {name} is {value}, expected at least 1")
        self.ent_tot = ent_tot
        self.rel_tot = rel_tot
        self.config: Any = configure(self.Config, type(self).__name__, settings)

    @abstractmethod
    def encode(self, entities: Tensor) -> Rows:
        """Return what scoring needs of distinct ``entities`` (Int["u"]): named Float["u ..."]."""

    @abstractmethod
    def query(self, anchor: Rows, relation: Tensor, side: Side) -> Rows:
        """Return the questions (h, r, ?) or (?, r, t), named Float["q ..."].

        ``anchor`` holds the encoded known entities, ``relation`` is Int["q"], ``side`` the slot
        that is asked for.
        """

    @abstractmethod
    def match(self, query: Rows, candidates: Rows, compare: Compare) -> Tensor:
        """Return scores: ``compare`` decides which queries meet which candidates."""

    @abstractmethod
    def structure(self, entities: Tensor) -> Tensor:
        """Return the structural table's rows, Float["u d"], as the penalties see them."""

    @abstractmethod
    def relation_rows(self, relation: Tensor) -> Tensor:
        """Return the relation table's rows, Float["q d"], as the penalties see them."""

    def forward(self, batch: Batch) -> Scores:
        """Score a batch's positives and negatives."""
        return scoring.score_batch(self, batch)

    def regularization(self, scores: Scores) -> Tensor:
        """Return the mean square of the batch's vectors: (mean h^2 + mean t^2 + mean r^2) / 3.

        Means run over every occurrence in the batch, negatives included, as in OpenKE.
        """
        entities, relations = scores.entities, scores.relations
        squares = self.structure(entities.ids).square().mean(dim=1)  # [u]
        relation_squares = self.relation_rows(relations).square().mean()
        return (
            squares[entities.head].mean() + squares[entities.tail].mean() + relation_squares
        ) / 3

    def l3_regularization(self) -> Tensor:
        """Return the cubes of all structural and relation vectors, sum |e|^3 + sum |r|^3."""
        device = next(self.parameters()).device
        entities = self.structure(torch.arange(self.ent_tot, device=device))
        relations = self.relation_rows(torch.arange(self.rel_tot, device=device))
        return entities.abs().pow(3).sum() + relations.abs().pow(3).sum()

    def identity(self) -> dict[str, Any]:
        """Return what a checkpoint must agree on: class, sizes and settings, as JSON values."""
        return {
            "model": type(self).__name__,
            "entities": self.ent_tot,
            "relations": self.rel_tot,
            "settings": asdict(self.config),
        }


def table(rows: int, dim: int, bound: float | None = None) -> nn.Embedding:
    """Return an embedding table [rows, dim], uniform in +-bound, by default Xavier's bound."""
    embedding = nn.Embedding(rows, dim)
    limit = math.sqrt(6 / (rows + dim)) if bound is None else bound
    nn.init.uniform_(embedding.weight, -limit, limit)
    return embedding
