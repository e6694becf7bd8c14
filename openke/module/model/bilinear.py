"""What the models that multiply share: a query's dot product with the candidate is the score."""

from __future__ import annotations

from torch import Tensor

from openke.module.model.model import Model
from openke.module.scoring.compare import Compare
from openke.module.scoring.encodings import Encodings


class Bilinear(Model):
    """Score q . c of a query's vector and a candidate's, as of h^T M_r t: q is h^T M_r or M_r t.

    Scores need not be linear in the known entity: :meth:`query` may do with it what it wants.
    A subclass writes :meth:`query`. It makes the tables ``ent_embeddings`` and ``rel_embeddings``,
    or says by :meth:`entity_embeddings` and :meth:`relation_embeddings` what it has instead.
    """

    def match(self, query: Encodings, candidates: Encodings, compare: Compare) -> Tensor:
        """Return the dot products."""
        return compare("dot", query["query"], candidates["entity"])

    def factors(self, entities: Tensor, encodings: Encodings | None = None) -> Tensor:
        """Return what :meth:`encode` does: the vectors that are multiplied."""
        return (self.encode(entities) if encodings is None else encodings)["entity"]
