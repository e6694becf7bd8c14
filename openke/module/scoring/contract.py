"""What a model promises: encode entities, ask a query, match candidates against it.

Shapes: u distinct entities, p pairs of an entity and a relation, q queries, c candidates, d reals
of a vector.
"""

from __future__ import annotations

from typing import ClassVar

from torch import Tensor, nn

from openke import kernels
from openke.data.batch import Side
from openke.module.scoring.compare import Compare
from openke.module.scoring.encodings import Encodings


class Scorer(nn.Module):
    """A scoring function of triples, in steps; higher is better.

    Every shape of scoring follows from three steps: :meth:`encode` runs once for each distinct
    entity, :meth:`query` once for each query, :meth:`match` compares queries with candidates
    through a kernel that never writes a [batch, candidates, dim] array. Where an entity looks
    different to every relation, :meth:`project` runs once for each distinct pair of both.

    A model whose tables are called ``ent_embeddings`` and ``rel_embeddings`` writes :meth:`query`
    and :meth:`match`; the rest has defaults.
    """

    ent_tot: int
    rel_tot: int
    ent_embeddings: nn.Embedding
    rel_embeddings: nn.Embedding

    projects_entities: ClassVar[bool] = False
    """Whether entities look different to every relation: :meth:`project` then says how."""
    asymmetric_queries: ClassVar[bool] = False
    """Whether (h, r, ?) and (?, r, t) score a triple differently."""
    inverse_offset: int = 0
    """What queries about heads add to their relation: the ids of inverses, where there are."""
    linear_in_relation: ClassVar[bool] = False
    """Whether scores are linear in :meth:`relation_embeddings`: see :meth:`relation_query`."""
    modal_views: tuple[str, ...] = ()
    """Names of the :meth:`views` that are of a modality, such as image and text: a strategy may
    put others in their place. Where there are some, :meth:`encode` is :meth:`fuse` of views."""

    noise_view: str = ""
    """Name of a view, as wide as "entity", that :meth:`fuse` adds where it is there: a strategy may
    hand over noise by it. "": there is none."""

    encode_block: int = 0
    """The most entities encoded at a time where all are and a gradient is wanted, for encoders
    that write far more than they return: each block is computed again on the way back. 0: all in
    one piece."""

    def encode(self, entities: Tensor) -> Encodings:
        """Return what scoring needs of distinct ``entities`` (Int["u"]): named Float["u ..."].

        By default :meth:`fuse` of their :meth:`views`, which is "entity", the rows of
        :meth:`entity_embeddings`.
        """
        return self.fuse(self.views(entities))

    def views(self, entities: Tensor) -> Encodings:
        """Return what an entity is in each view of it, before these are fused: Float["u ..."].

        Beside each of :attr:`modal_views`, Float["u d"], stands whether an entity has that
        modality, Bool["u 1"], under the name that :func:`.presence` gives.
        """
        return {"entity": self.entity_embeddings(entities)}

    def fuse(self, views: Encodings) -> Encodings:
        """Return :meth:`encode` of entities whose views these are; row by row, in any order."""
        return views

    def effective_relation(self, relation: Tensor, side: Side) -> Tensor:
        """Return Int["q"], the relation that a query about slot ``side`` really asks.

        It is ``relation`` itself, or where heads are asked for that of its inverse, if it has one.
        """
        inverted = side == "head" and self.inverse_offset
        return relation + self.inverse_offset if inverted else relation

    def project(self, encodings: Encodings, relation: Tensor) -> Encodings:
        """Return encoded entities as relations see them; only where ``projects_entities``.

        ``encodings`` are named Float["p ..."] of :meth:`encode`, ``relation`` is Int["p"], as
        :meth:`effective_relation` returns it. What is returned goes into :meth:`query` and
        :meth:`match`.
        """
        raise NotImplementedError(f"{type(self).__name__} does not project entities")

    def query(self, anchor: Encodings, relation: Tensor, side: Side) -> Encodings:
        """Return the queries (h, r, ?) or (?, r, t), named Float["q ..."].

        ``anchor`` holds the encoded known entities, ``relation`` is Int["q"], ``side`` the slot
        that is asked for.
        """
        raise NotImplementedError(f"{type(self).__name__} has no query")

    def match(self, query: Encodings, candidates: Encodings, compare: Compare) -> Tensor:
        """Return scores: ``compare`` decides which queries meet which candidates."""
        raise NotImplementedError(f"{type(self).__name__} has no match")

    def heads(
        self, query: Encodings, candidates: Encodings, compare: Compare
    ) -> tuple[Tensor, ...]:
        """Return the scores that have a loss each in training against all entities.

        By default those of :meth:`match` alone. A model with several score heads returns the scores
        of each, and says in :meth:`match` how they are joined where triples are ranked.
        """
        return (self.match(query, candidates, compare),)

    def entity_embeddings(self, entities: Tensor) -> Tensor:
        """Return the structural vectors of entities, Float["u d"], as the penalties see them."""
        return kernels.lookup(self.ent_embeddings, entities)

    def relation_embeddings(self, relation: Tensor) -> Tensor:
        """Return the vectors of relations, Float["q d"], as the penalties see them.

        ``relation`` is Int["q"], as :meth:`effective_relation` returns it.
        """
        rows: Tensor = self.rel_embeddings(relation)
        return rows

    def relation_query(self, head: Encodings, tail: Encodings) -> Tensor:
        """Return Float["q d"], the query (h, ?, t), whose dot product with a relation is the score.

        ``head`` and ``tail`` hold encoded entities, pair by pair; only where
        :attr:`linear_in_relation`.
        """
        raise NotImplementedError(f"{type(self).__name__} is not linear in its relations")


def ask(model: Scorer, anchor: Encodings, relation: Tensor, side: Side) -> Encodings:
    """Return :meth:`Scorer.query` of a model.

    Raises
    ------
    TypeError
        It returned something else than named tensors.
    """
    queries = model.query(anchor, relation, side)
    if not isinstance(queries, dict):
        raise TypeError(
            f"{type(model).__name__}.query returned {type(queries).__name__}; expected named "
            'tensors, such as {"query": vectors}'
        )
    return queries
