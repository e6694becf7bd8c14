"""What the models that multiply share: a query's dot product with the candidate is the score."""

from __future__ import annotations

from torch import Tensor, nn

from openke.module.model.model import Model
from openke.module.model.scoring import Compare, Rows


class Bilinear(Model):
    """Score h^T M_r t, linear in the head and in the tail; :meth:`query` is h^T M_r or M_r t.

    A subclass makes the tables ``ent_embeddings`` and ``rel_embeddings``, or says by
    :meth:`structure` and :meth:`relation_rows` what it has instead.
    """

    ent_embeddings: nn.Embedding
    rel_embeddings: nn.Embedding

    def encode(self, entities: Tensor) -> Rows:
        """Return "entity": Float["u d"], the structural rows."""
        return {"entity": self.structure(entities)}

    def match(self, query: Rows, candidates: Rows, compare: Compare) -> Tensor:
        """Return the dot products."""
        return compare("dot", query["query"], candidates["entity"])

    def structure(self, entities: Tensor) -> Tensor:
        """Return the entity table's rows."""
        rows: Tensor = self.ent_embeddings(entities)
        return rows

    def factors(self, entities: Tensor, rows: Rows | None = None) -> Tensor:
        """Return the structural rows, which :meth:`encode` returns, too."""
        return self.structure(entities) if rows is None else rows["entity"]

    def relation_rows(self, relation: Tensor) -> Tensor:
        """Return the relation table's rows."""
        rows: Tensor = self.rel_embeddings(relation)
        return rows
