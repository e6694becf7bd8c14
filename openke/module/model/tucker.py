"""TuckER: one core tensor, shared by all relations, makes a relation's matrix of its vector."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import torch.nn.functional as F  # noqa: N812 - the name everybody knows
from torch import Tensor, nn

from openke.data.batch import Side
from openke.module.interaction import bilinear, matrix
from openke.module.model.bilinear import Bilinear
from openke.module.scoring.encodings import Encodings
from openke.runtime.values import Count, Share


@dataclass(frozen=True, kw_only=True)
class TuckERConfig:
    """Settings of :class:`TuckER`; defaults are those of the published FB15k-237 run."""

    dim: Count = 200
    """Reals per entity."""
    dim_r: Count = 200
    """Reals per relation; the core has dim_r dim^2."""
    input_dropout: Share = 0.3
    """Share of the known entity's numbers that a training step forgets."""
    hidden_dropout1: Share = 0.4
    """Share of a relation matrix's numbers that a training step forgets."""
    hidden_dropout2: Share = 0.5
    """Share of the query's numbers that a training step forgets."""


class QueryNorm(nn.BatchNorm1d):
    """Batch normalisation that takes a single query, by the running mean and variance."""

    def forward(self, input: Tensor) -> Tensor:
        """Return Float["q d"], normalised."""
        if len(input) > 1 or not self.training:
            return super().forward(input)
        return F.batch_norm(
            input, self.running_mean, self.running_var, self.weight, self.bias, eps=self.eps
        )


class TuckERQuery(nn.Module):
    """What makes the query of a known entity's vector and a relation's: core, norms, dropout."""

    def make_query(self, core: nn.Linear, config: TuckERConfig) -> None:
        """Take the core, which makes dim^2 numbers of a relation's dim_r, and make the rest."""
        c = config
        self.core = core
        self.anchor_norm = QueryNorm(c.dim)
        self.query_norm = QueryNorm(c.dim)
        self.input_dropout = nn.Dropout(c.input_dropout)
        self.hidden_dropout1 = nn.Dropout(c.hidden_dropout1)
        self.hidden_dropout2 = nn.Dropout(c.hidden_dropout2)

    def ask(self, known: Tensor, relations: Tensor, index: Tensor, side: Side) -> Tensor:
        """Return Float["q d"]; each relation's matrix is made once.

        Parameters
        ----------
        known : Float["q d"]
            Vectors of the known entities.
        relations : Float["m dim_r"]
            Vectors of distinct relations.
        index : Int["q"]
            Which of them each query has.
        side
            The slot that is asked for.
        """
        dim = known.shape[1]
        matrices = self.core(relations).view(-1, dim, dim)
        known = self.input_dropout(self.anchor_norm(known))
        moved = bilinear.query(known, self.hidden_dropout1(matrices), index, side)
        query: Tensor = self.hidden_dropout2(self.query_norm(moved))
        return query


class TuckER(TuckERQuery, Bilinear):
    """Score W x_1 h x_2 r x_3 t: h^T M_r t with M_r = sum_k r_k W_k.

    The known entity and the query are batch-normalised, the candidates are not, so (h, r, ?) and
    (?, r, t) score a triple differently. The paper asks for tails only, with reciprocal relations.

    References
    ----------
    Balazevic et al., TuckER: Tensor Factorization for Knowledge Graph Completion, EMNLP 2019. What
    differs from its code: ``hidden_dropout1`` forgets the same numbers of M_r in all queries of
    a batch about r, as each distinct M_r is made once.
    """

    Config = TuckERConfig
    citation = "Balazevic et al., EMNLP 2019"
    config: TuckERConfig
    asymmetric_queries: ClassVar[bool] = True

    def __init__(self, ent_tot: int, rel_tot: int, *values: Any, **settings: Any) -> None:
        super().__init__(ent_tot, rel_tot, *values, **settings)
        c = self.config
        self.ent_embeddings = nn.Embedding(ent_tot, c.dim)
        self.rel_embeddings = nn.Embedding(rel_tot, c.dim_r)
        nn.init.xavier_normal_(self.ent_embeddings.weight)
        nn.init.xavier_normal_(self.rel_embeddings.weight)
        core = nn.Linear(c.dim_r, c.dim * c.dim, bias=False)
        nn.init.uniform_(core.weight, -1, 1)
        self.make_query(core, c)

    def query(self, anchor: Encodings, relation: Tensor, side: Side) -> Encodings:
        """Return "query": Float["q d"]; each distinct matrix is made once."""
        distinct, index = matrix.distinct(relation, self.rel_tot)
        return {"query": self.ask(anchor["entity"], self.rel_embeddings(distinct), index, side)}
