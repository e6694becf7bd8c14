"""A model around a model: everything is the inner one's, unless a subclass says otherwise."""

from __future__ import annotations

from typing import Any

from torch import Tensor

from openke.data.batch import Side
from openke.module.model.model import Model
from openke.module.scoring.compare import Compare
from openke.module.scoring.contract import ask
from openke.module.scoring.encodings import Encodings
from openke.module.scoring.negatives import Scores


class Wrapped(Model):
    """Scores of the inner model.

    Parameters
    ----------
    inner
        What scores.
    rel_tot
        Numbers of relations that can be asked for; None: the inner model's.
    **settings
        Fields of the wrapper's own ``Config``.

    Raises
    ------
    ValueError
        A model written for OpenKE, which knows no queries.
    """

    def __init__(self, inner: Model, rel_tot: int | None = None, **settings: Any) -> None:
        if inner.in_openke_form:
            raise ValueError(
                f"{type(inner).__name__} is written for OpenKE, which knows no queries: "
                f"{type(self).__name__} needs a model with encode, query and match"
            )
        super().__init__(inner.ent_tot, inner.rel_tot if rel_tot is None else rel_tot, **settings)
        self.inner = inner
        self.projects_entities = inner.projects_entities  # type: ignore[misc]
        self.asymmetric_queries = inner.asymmetric_queries  # type: ignore[misc]
        self.inverse_offset = inner.inverse_offset
        self.linear_in_relation = inner.linear_in_relation  # type: ignore[misc]
        self.modal_views = inner.modal_views
        self.noise_view = inner.noise_view
        self.encode_block = inner.encode_block
        self.moves_whole = inner.moves_whole  # type: ignore[misc]
        self.compares_entities = inner.compares_entities  # type: ignore[misc]
        self.auxiliary_losses = inner.auxiliary_losses  # type: ignore[misc]

    def encode(self, entities: Tensor) -> Encodings:
        """Return what the inner model needs."""
        return self.inner.encode(entities)

    def views(self, entities: Tensor) -> Encodings:
        """Return the inner model's views."""
        return self.inner.views(entities)

    def fuse(self, views: Encodings) -> Encodings:
        """Return the inner model's encodings."""
        return self.inner.fuse(views)

    def project(self, encodings: Encodings, relation: Tensor) -> Encodings:
        """Return entities as the inner model's relations see them."""
        return self.inner.project(encodings, relation)

    def query(self, anchor: Encodings, relation: Tensor, side: Side) -> Encodings:
        """Return the inner model's queries."""
        return ask(self.inner, anchor, relation, side)

    def match(self, query: Encodings, candidates: Encodings, compare: Compare) -> Tensor:
        """Return the inner model's scores."""
        return self.inner.match(query, candidates, compare)

    def heads(
        self, query: Encodings, candidates: Encodings, compare: Compare
    ) -> tuple[Tensor, ...]:
        """Return the inner model's scores."""
        return self.inner.heads(query, candidates, compare)

    def relation_query(self, head: Encodings, tail: Encodings) -> Tensor:
        """Return what the inner model says."""
        return self.inner.relation_query(head, tail)

    def entity_embeddings(self, entities: Tensor) -> Tensor:
        """Return the inner model's rows."""
        return self.inner.entity_embeddings(entities)

    def relation_embeddings(self, relation: Tensor) -> Tensor:
        """Return the inner model's rows."""
        return self.inner.relation_embeddings(relation)

    def factors(self, entities: Tensor, encodings: Encodings | None = None) -> Tensor:
        """Return the inner model's vectors."""
        return self.inner.factors(entities, encodings)

    def vectors(self, entities: Tensor) -> Tensor:
        """Return the inner model's vectors."""
        return self.inner.vectors(entities)

    def entity_moduli(self, rows: Tensor) -> Tensor:
        """Return what the inner model says."""
        return self.inner.entity_moduli(rows)

    def relation_moduli(self, rows: Tensor) -> Tensor:
        """Return what the inner model says."""
        return self.inner.relation_moduli(rows)

    def auxiliary_loss(
        self, name: str, rows: Encodings, head: Tensor, relation: Tensor, tail: Tensor
    ) -> Tensor:
        """Return the inner model's loss."""
        return self.inner.auxiliary_loss(name, rows, head, relation, tail)

    def similarities(
        self, entities: Tensor, candidates: Tensor, relation: Tensor
    ) -> dict[str, Tensor]:
        """Return what the inner model says."""
        return self.inner.similarities(entities, candidates, relation)

    def constrain(self) -> None:
        """Let the inner model do it."""
        self.inner.constrain()

    def begin_epoch(self, epoch: int) -> None:
        """Let the inner model do it."""
        self.inner.begin_epoch(epoch)

    def entity_part_widths(self) -> tuple[int, ...]:
        """Return the inner model's widths."""
        return self.inner.entity_part_widths()

    def relation_part_widths(self) -> tuple[int, ...]:
        """Return the inner model's widths."""
        return self.inner.relation_part_widths()

    def regularization(self, scores: Scores) -> Tensor:
        """Return the inner model's penalty."""
        return self.inner.regularization(scores)

    def l3_regularization(self) -> Tensor:
        """Return the inner model's penalty."""
        return self.inner.l3_regularization()

    def constants(self) -> dict[str, float]:
        """Return the inner model's constants."""
        return self.inner.constants()

    def identity(self) -> dict[str, Any]:
        """Return the inner model's identity."""
        return self.inner.identity()
