"""GC-OTE: OTE both ways, and against what an entity's neighbours say of it."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

import torch
import torch.nn.functional as F  # noqa: N812 - the name everybody knows
from numpy.typing import ArrayLike
from torch import Tensor

from openke import kernels
from openke.data.batch import Batch, Side
from openke.module.interaction import orthogonal
from openke.module.model.facts import checked_facts
from openke.module.model.neighbours import Neighbours
from openke.module.model.ote import OTE, OTEConfig
from openke.module.scoring.compare import Compare
from openke.module.scoring.encodings import Encodings
from openke.module.scoring.negatives import Scores


@dataclass(frozen=True, kw_only=True)
class GCOTEConfig(OTEConfig):
    """Settings of :class:`GCOTE`; defaults are those of the published FB15k-237 run."""

    margin: float = 12.0
    """gamma: added to the negative mean of four distances."""
    context: Literal["mean", "attention"] = "mean"
    """How an entity and where its facts put it make its context: all alike, or weighed by
    softmax_i <e, m_i> / sqrt(d), as the authors' recipes have it."""


class GCOTE(OTE):
    """Score gamma - (d(h', t) + d(h', t^c) + d(t', h) + d(t', h^c)) / 4, d the distance of OTE.

    h' = h M e^s and t' = t M^T e^-s are where OTE puts the other end. The context t^c is the mean
    of t and of where the facts (h_i, r_i, t) put it, h^c of h and of where (h, r_i, t_i) do. In
    training the facts of the batch are not among them, where ``forward`` scores it. With
    ``context="attention"`` it is a weighted mean, w = softmax_i(<e, m_i> / sqrt(d)), e being the
    entity and m_i what the mean is of.

    The paper starts it from trained tables of OTE: ``gcote.set_parameters(ote.get_parameters())``.

    Parameters
    ----------
    ent_tot, rel_tot
        Numbers of entities and relations.
    triples
        Int["n 3"], the distinct facts that make the context: ``store.triples("train")``.
    *values, **settings
        Fields of :class:`GCOTEConfig`.

    Raises
    ------
    ValueError
        Triples of another graph.

    References
    ----------
    Tang et al., Orthogonal Relation Transforms with Graph Context Modeling for Knowledge Graph
    Embedding, ACL 2020, sections 3.2 and 3.3. The mean of the four distances is that of the
    authors' code, where the paper has their sum; its code adds a node of its own to the contexts
    instead of the entity itself.
    """

    Config = GCOTEConfig
    config: GCOTEConfig
    projects_entities: ClassVar[bool] = True
    asymmetric_queries = False
    needs_triples: ClassVar[bool] = True

    facts: Tensor

    def __init__(
        self, ent_tot: int, rel_tot: int, *values: Any, triples: ArrayLike = (), **settings: Any
    ) -> None:
        super().__init__(ent_tot, rel_tot, *values, **settings)
        rows = checked_facts("GCOTE", triples, ent_tot, rel_tot)
        keys = torch.unique(self._keys(rows))
        head, relation, tail = keys // ent_tot // rel_tot, keys // ent_tot % rel_tot, keys % ent_tot
        self.register_buffer("facts", keys, persistent=False)
        self.into = Neighbours(tail, relation, head, ent_tot)
        self.out_of = Neighbours(head, relation, tail, ent_tot)
        self._left_out: Tensor | None = None

    def encode(self, entities: Tensor) -> Encodings:
        """Return "entity" and its contexts "into" (as a tail) and "out_of": Float["u d"] each."""
        rows = self.ent_embeddings(entities)
        into = self._context(self.into, entities, rows, "tail")
        out_of = self._context(self.out_of, entities, rows, "head")
        return {"entity": rows, "into": into, "out_of": out_of}

    def project(self, encodings: Encodings, relation: Tensor) -> Encodings:
        """Return also where each entity puts its tails and its heads, "forth" and "back"."""
        forth, back = (self.move(encodings["entity"], relation, side) for side in ("tail", "head"))
        return {**encodings, "forth": forth, "back": back}

    def query(self, anchor: Encodings, relation: Tensor, side: Side) -> Encodings:
        """Return "moved", "entity", "context": Float["q d"] each; "gate", 1 for tails."""
        for_tail = side == "tail"
        return {
            "moved": anchor["forth" if for_tail else "back"],
            "entity": anchor["entity"],
            "context": anchor["out_of" if for_tail else "into"],
            "gate": anchor["entity"].new_full((len(relation),), float(for_tail)),
        }

    def match(self, query: Encodings, candidates: Encodings, compare: Compare) -> Tensor:
        """Return margin minus the mean of the four distances."""
        size, gate = self.config.group, query["gate"]

        def near(asked: str, tail: str, head: str) -> Tensor:
            tables = candidates[tail], candidates[head]
            return orthogonal.distance(compare, size, query[asked], *tables, gate)

        total = orthogonal.distance(compare, size, query["moved"], candidates["entity"])
        total = total + near("moved", "into", "out_of")
        total = total + near("entity", "back", "forth") + near("context", "back", "forth")
        return self.config.margin + total / 4

    def forward(self, batch: Batch) -> Scores:
        """Score a batch; in training its facts are left out of all contexts."""
        if self.training and len(self.facts):
            keys = self._keys(batch.positive)
            at = torch.searchsorted(self.facts, keys).clamp(max=len(self.facts) - 1)
            found = (self.facts[at] == keys).long()
            self._left_out = torch.zeros_like(self.facts).index_add(0, at, found) > 0
        try:
            return super().forward(batch)
        finally:
            self._left_out = None

    def identity(self) -> dict[str, Any]:
        """Return what a checkpoint must agree on, the facts of the contexts included."""
        digest = hashlib.sha256(self.facts.cpu().numpy().tobytes()).hexdigest()
        return {**super().identity(), "facts": digest}

    def _context(self, near: Neighbours, entities: Tensor, rows: Tensor, side: Side) -> Tensor:
        around = near(entities)
        if not len(around.fact):
            return rows
        pairs, index = torch.unique(
            around.relation * self.ent_tot + around.other, return_inverse=True
        )
        moved = self.move(self.ent_embeddings(pairs % self.ent_tot), pairs // self.ent_tot, side)
        here = torch.ones_like(around.owner, dtype=torch.bool)
        if self._left_out is not None:
            here = ~self._left_out[around.fact]
        weights, own = here.to(rows.dtype), rows.new_ones(len(rows))
        if self.config.context == "attention":
            logits, of_own = self._logits(rows, moved, around.owner, index)
            logits = torch.where(here, logits, of_own[around.owner])
            most = of_own.detach().scatter_reduce(0, around.owner, logits.detach(), "amax")
            weights, own = weights * (logits - most[around.owner]).exp(), (of_own - most).exp()
        total = F.embedding_bag(index, moved, around.first, mode="sum", per_sample_weights=weights)
        number = own.index_add(0, around.owner, weights)
        return (total + own[:, None] * rows) / number[:, None]

    def _logits(
        self, rows: Tensor, moved: Tensor, owner: Tensor, index: Tensor
    ) -> tuple[Tensor, Tensor]:
        """Return how alike each entity is to where its facts put it, Float["k"], and to itself."""
        scale = self.config.dim**-0.5
        alike = kernels.compare_pairs("dot", rows, moved, owner, index)
        return alike * scale, rows.square().sum(dim=1) * scale

    def _keys(self, triples: Tensor) -> Tensor:
        head, relation, tail = triples.unbind(dim=1)
        return (head * self.rel_tot + relation) * self.ent_tot + tail
