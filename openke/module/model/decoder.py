"""Models that score all entities at once and cannot be taken apart into query and candidate."""

from __future__ import annotations

import torch
from torch import Tensor

from openke.data.batch import Side
from openke.module.model.model import Model
from openke.module.scoring.compare import Compare
from openke.module.scoring.encodings import Encodings


class Decoder(Model):
    """A model that writes :meth:`score_all` alone; scores of single triples are picked from it.

    It trains against all entities and against sampled negatives, and is ranked as any other. Its
    (h, r, ?) and (?, r, t) may score a triple differently, unless ``asymmetric_queries`` is False.
    Penalties look at ``ent_embeddings`` and ``rel_embeddings``, where it has them.
    """

    asymmetric_queries = True

    def score_all(self, side: Side, anchor: Tensor, relation: Tensor) -> Tensor:
        """Return Float["q e"], every entity in slot ``side`` of the queries.

        ``anchor`` and ``relation`` are Int["q"], the known entity and the relation, as
        :meth:`effective_relation` returns it.
        """
        raise NotImplementedError(f"{type(self).__name__} has no score_all")

    def encode(self, entities: Tensor) -> Encodings:
        """Return "id": Int["u"]."""
        return {"id": entities}

    def query(self, anchor: Encodings, relation: Tensor, side: Side) -> Encodings:
        """Return "scores": Float["q e"]."""
        asked = self.effective_relation(relation, side)
        return {"scores": self.score_all(side, anchor["id"], asked)}

    def match(self, query: Encodings, candidates: Encodings, compare: Compare) -> Tensor:
        """Return the scores of the candidates that each query meets."""
        scores = query["scores"]
        each = torch.arange(len(scores), device=scores.device)
        rows, entities = compare.meet(each, candidates["id"])
        picked: Tensor = scores[rows, entities]
        return picked

    def _check_steps(self) -> None:
        if type(self).score_all is Decoder.score_all:
            raise TypeError(f"{type(self).__name__} has no score_all, which a Decoder writes")
