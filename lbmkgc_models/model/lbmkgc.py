"""LBMKGC: structure, pictures and text, weighed for each entity and each relation."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

import torch
from torch import Tensor

from lbmkgc_models.feature_store.mentions import Mentions
from lbmkgc_models.feature_store.store import ModalFeatures
from lbmkgc_models.fusion.mention_score import MentionScore
from lbmkgc_models.fusion.modality_attention import ModalityAttention
from lbmkgc_models.fusion.projection import Projectors, check_features
from lbmkgc_models.fusion.relation_gate import RelationGate
from lbmkgc_models.fusion.structural_interaction import make_interaction
from lbmkgc_models.fusion.structure_mask import StructureMask
from lbmkgc_models.model.lbmkgc_config import LBMKGCConfig
from openke.data.batch import Side
from openke.module.model.model import Model
from openke.module.scoring.compare import Blended, Compare
from openke.module.scoring.encodings import Encodings, presence

ID, WEIGHT_ROWS = "id", "weight_rows"
"""Names of rows that hold numbers, not vectors."""


class LBMKGC(Model):
    """A structural model on e_joint = zeta_r e_s + (1 - zeta_r) e_mm, for heads and tails alike.

    e_mm does not depend on the relation, so every distinct entity is projected once; the gate is
    applied inside the score kernel. An entity without any modality is its structural row alone,
    one that leaves this out (:class:`.StructureMask`) its modalities alone.

    With ``score_mentions`` a score is more than that of the fused entities, see
    :class:`.MentionScore`.

    The tables keep the names they have in the interaction, e.g. ``ent_embeddings`` of RotatE, so
    those of a trained one fit: ``lbmkgc.set_parameters(rotate.get_parameters())``.

    Parameters
    ----------
    ent_tot, rel_tot
        Numbers of entities and relations.
    features
        Frozen features by modality, any subset of what there is; empty is the interaction alone.
    seen
        Bool["entities"], which entities are in a train triple, as
        :func:`.seen_in_train` says; with ``drop_unseen`` alone.
    mentions
        Whose text names whom, as :func:`.find_mentions` says; with
        ``score_mentions`` alone.
    **settings
        Fields of :class:`LBMKGCConfig`.

    Raises
    ------
    ValueError
        Features of another number of entities; neither structure nor features; an interaction
        that does not take an entity as one row; ``seen`` without ``drop_unseen``, ``mentions``
        without ``score_mentions``, or the reverse.

    References
    ----------
    LBMKGC (Large Model-Driven Balanced Multimodal Knowledge Graph Completion), Eq. 9-12. What
    differs: a modality an entity lacks is masked out of the softmax; the reference code scores it
    as whatever row stands in its feature file. The paper's interaction is RotatE, and it has no
    sum for a gate, no structure left out at random, no mentions.
    """

    Config = LBMKGCConfig
    citation = "LBMKGC: Large Model-Driven Balanced Multimodal Knowledge Graph Completion"
    config: LBMKGCConfig

    def __init__(
        self,
        ent_tot: int,
        rel_tot: int,
        features: Mapping[str, ModalFeatures] | None = None,
        *,
        seen: Tensor | None = None,
        mentions: Mentions | None = None,
        **settings: Any,
    ) -> None:
        super().__init__(ent_tot, rel_tot, **settings)
        c = self.config
        features = dict(features or {})
        check_features(ent_tot, features, owner="LBMKGC")
        if not features and not c.structural:
            raise ValueError("LBMKGC: structural=False needs features of at least one modality")
        _check_together(
            "drop_unseen", c.drop_unseen, "seen", seen, "fusion.structure_mask.seen_in_train"
        )
        _check_together(
            "score_mentions",
            c.score_mentions,
            "mentions",
            mentions,
            "feature_store.mentions.find_mentions",
        )
        if seen is not None and seen.shape != (ent_tot,):
            raise ValueError(f"LBMKGC: seen is {list(seen.shape)}, expected [{ent_tot}]")
        if mentions is not None and mentions.entities != ent_tot:
            raise ValueError(
                f"LBMKGC: mentions are of {mentions.entities} entities, expected {ent_tot}"
            )
        rows = ent_tot if c.structural else 1
        self.structural_interaction = make_interaction(
            c.interaction, rows, rel_tot, asdict(c), c.interaction_settings
        )
        self.width = self.structural_interaction.width
        self.asymmetric_queries = self.interaction.asymmetric_queries  # type: ignore[misc]
        for name, part in self.structural_interaction.parts(entities=c.structural).items():
            self.add_module(name, part)
        self.projectors = Projectors(
            features,
            self.width,
            hidden=c.projection == "mlp",
            norm=c.modal_norm,
            dropout=c.modal_dropout,
            scale=c.modal_scale,
        )
        if features:
            # One modality needs no weights: a softmax over one number is 1.
            form = c.attention if len(features) > 1 else "mean"
            self.attention = ModalityAttention(self.width, form)
        if c.structural:  # else there is nothing that a generator of views could start from
            self.modal_views = tuple(self.projectors.names)
        self.mask = StructureMask(c.drop_structure, seen)
        self.gated = bool(features) and c.structural and c.gate == "relation"
        # What is added to the product of a relation's row is not linear in that row.
        added = self.gated or mentions is not None
        linear = self.interaction.linear_in_relation and not added
        self.linear_in_relation = linear  # type: ignore[misc]
        if self.gated:
            self.gate = RelationGate(rel_tot, (c.margin + c.epsilon) / (2 * c.dim))
        self.mentioned = None if mentions is None else MentionScore(mentions, rel_tot)

    @property
    def interaction(self) -> Model:
        """What scores the fused entities."""
        return self.structural_interaction.scorer

    def encode(self, entities: Tensor) -> Encodings:
        """Return "entity": Float["u d"] and what else scores need.

        Where a gate mixes them, "modal": Float["u d"]; where mentions count, "id": Int["u"].
        """
        return self.fuse(self.views(entities))

    def views(self, entities: Tensor) -> Encodings:
        """Return the structural "entity", unless left out, that of each modality, and "id".

        They are Float["u d"], "id" is Int["u"].
        """
        views = {**self.projectors.views(entities), ID: entities}
        if self.config.structural:
            views["entity"] = self.interaction.entity_embeddings(entities)
        return views

    def fuse(self, views: Encodings) -> Encodings:
        """Return what :meth:`encode` does, of these views."""
        rows = self._fuse(views)
        return rows if self.mentioned is None else {**rows, ID: views[ID]}

    def _fuse(self, views: Encodings) -> Encodings:
        names = self.projectors.names
        if not names:
            return {"entity": views["entity"]}
        present = torch.cat([views[presence(name)] for name in names], dim=1)
        mixed = self.attention([views[name] for name in names], present)
        if not self.config.structural:
            return {"entity": mixed}
        structural, entities = views["entity"], views[ID]
        count = present.sum(dim=1, keepdim=True)  # [u 1]
        some = count > 0
        if self.gated:
            entity, modal = structural, mixed.to(structural.dtype)
            if self.mask.active:
                entity = torch.where(self.mask(entities, some), structural, mixed)
            if not self.projectors.complete:
                modal = torch.where(some, modal, structural)
            return {"entity": entity, "modal": modal}
        kept = self.mask(entities, some)
        joint = structural * kept
        if self.config.gate == "sum":
            return {"entity": joint + mixed}
        return {"entity": (joint + count * mixed) / (kept + count)}

    def rows_without_structure(self, entities: Tensor) -> Encodings:
        """Return rows of the entity tables with which structure adds nothing to the modalities.

        By the name of the table in the state, Float["u d"]: zeros where structure is added, else
        the mixed modalities themselves.
        """
        if not self.config.structural:
            return {}
        views = self.projectors.views(entities)
        names = self.projectors.names
        present = torch.cat([views[presence(name)] for name in names], dim=1)
        mixed = self.attention([views[name] for name in names], present)
        if self.config.gate == "sum":
            mixed = torch.zeros_like(mixed)
        tables = {
            name: table
            for name, table in self.named_parameters()
            if name.startswith("ent_") and name.endswith(".weight")
        }
        parts = torch.split(mixed, [table.shape[1] for table in tables.values()], dim=1)
        return dict(zip(tables, parts, strict=True))

    def modality_weights(self, entities: Tensor) -> dict[str, Tensor]:
        """Return how much each modality counts in what is mixed of them, Float["u"] of Int["u"].

        The weights of an entity sum to one; a modality that it lacks has none. Weights of each
        dimension are averaged.
        """
        names = self.projectors.names
        if not names:
            return {}
        views = self.projectors.views(entities)
        present = torch.cat([views[presence(name)] for name in names], dim=1)
        weights = self.attention.weights([views[name] for name in names], present).mean(dim=2)
        return dict(zip(names, weights.unbind(dim=1), strict=True))

    def query(self, anchor: Encodings, relation: Tensor, side: Side) -> Encodings:
        """Return the interaction's queries and what else scores need.

        Where there is a gate, "gate": Float["q"]; where mentions count, "id" and "weight_rows":
        Int["q"], the known entity and the relation.
        """
        queries = self._ask(anchor, relation, side)
        if self.mentioned is None:
            return queries
        return {**queries, ID: anchor[ID], WEIGHT_ROWS: self.mentioned.weight_rows(relation, side)}

    def _ask(self, anchor: Encodings, relation: Tensor, side: Side) -> Encodings:
        if not self.gated:
            return self.interaction.query(anchor, relation, side)
        gate = self.gate(relation)
        joint = torch.lerp(anchor["modal"], anchor["entity"], gate[:, None])
        return {**self.interaction.query({"entity": joint}, relation, side), "gate": gate}

    def match(self, query: Encodings, candidates: Encodings, compare: Compare) -> Tensor:
        """Return the interaction's scores, and what mentions add to them."""
        blended: Compare = compare
        if self.gated:
            blended = Blended(compare, candidates["modal"], query["gate"])
        scores = self.interaction.match(query, candidates, blended)
        if self.mentioned is None:
            return scores
        whole: Tensor = self.mentioned(
            scores, query[ID], query[WEIGHT_ROWS], candidates[ID], compare
        )
        return whole

    def relation_query(self, head: Encodings, tail: Encodings) -> Tensor:
        """Return what the interaction says; only where nothing is added to it."""
        return self.interaction.relation_query(head, tail)

    def entity_embeddings(self, entities: Tensor) -> Tensor:
        """Return the entity table's rows e_s; without structure, the mixed modalities."""
        if not self.config.structural:
            return self.encode(entities)["entity"]
        return self.interaction.entity_embeddings(entities)

    def factors(self, entities: Tensor, encodings: Encodings | None = None) -> Tensor:
        """Return the fused rows, Float["u d"], or what a gate mixes side by side, Float["u 2d"].

        Where the structure alone is penalised, its rows.
        """
        if self.config.penalized == "structure":
            return self.entity_embeddings(entities)
        encodings = self.encode(entities) if encodings is None else encodings
        return torch.cat([row for name, row in encodings.items() if name != ID], dim=1)

    def entity_moduli(self, rows: Tensor) -> Tensor:
        """Return what the interaction says, of e_s or :meth:`factors`."""
        parts = torch.split(rows, self.width, dim=1)
        return torch.cat([self.interaction.entity_moduli(part) for part in parts], dim=1)

    def relation_embeddings(self, relation: Tensor) -> Tensor:
        """Return the interaction's rows."""
        return self.interaction.relation_embeddings(relation)

    def relation_moduli(self, rows: Tensor) -> Tensor:
        """Return what the interaction says."""
        return self.interaction.relation_moduli(rows)

    def entity_part_widths(self) -> tuple[int, ...]:
        """Return the interaction's widths; without structure there is one part."""
        return self.interaction.entity_part_widths() if self.config.structural else ()

    def relation_part_widths(self) -> tuple[int, ...]:
        """Return the interaction's widths."""
        return self.interaction.relation_part_widths()

    def constants(self) -> dict[str, float]:
        """Return what the interaction's scores depend on beside its tables."""
        return self.interaction.constants()

    def identity(self) -> dict[str, Any]:
        """Return what a checkpoint must agree on, digests of what is frozen too."""
        seen = self.mask.digest()
        mentioned = {} if self.mentioned is None else {"mentions": self.mentioned.digest()}
        return {
            **super().identity(),
            "features": self.projectors.digests(),
            **({} if seen is None else {"seen": seen}),
            **mentioned,
        }


def _check_together(setting: str, on: bool, argument: str, given: object, maker: str) -> None:
    """Raise ``ValueError`` where a setting and the argument that it needs are not both there."""
    if on != (given is not None):
        raise ValueError(
            f"LBMKGC: {setting} is {on} and {argument} is "
            f"{'missing' if given is None else 'given'}: they belong together, see "
            f"lbmkgc_models.{maker}"
        )
