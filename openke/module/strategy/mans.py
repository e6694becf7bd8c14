"""MANS: negatives that differ from the fact in a modality alone."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, ClassVar, Literal

import torch
from torch import Tensor

from openke.data.batch import HEAD, RELATION, Batch, require_own
from openke.module.loss.loss import Loss
from openke.module.model.model import Model
from openke.module.scoring.encodings import Encodings, join, presence, take
from openke.module.scoring.triples import score_rows
from openke.module.scoring.views import STRUCTURE, view_widths
from openke.module.strategy.negative_sampling import NegativeSampling
from openke.runtime.values import Fraction

EXCHANGE = 1
"""The purpose of this strategy's random numbers."""


@dataclass(frozen=True, kw_only=True)
class MANSConfig:
    """Settings of :class:`MANS`."""

    schedule: Literal["V", "T", "H", "A"] = "H"
    """Which negatives are visual-only. V: all; T (two stages): all in the first share of the
    training, then none; H (hybrid): a share of each batch; A (adaptive): as large a share as that
    of the batch's negatives which fit better across the views than within them."""
    share: Fraction = 0.3
    """That of T and H; V and A have none."""


class MANS(NegativeSampling):
    """Negative sampling where some negatives exchange the modal views of an entity alone.

    A visual-only negative of (h, r, t) is (h, r, t*), where t* has the structure of t and the
    pictures (or text: all :attr:`.Scorer.modal_views`) of another entity t'. It teaches which
    modal view belongs to which entity. Where t' lacks every modality, t* would be t: such a
    negative stays the normal one, (h, r, t'). So is it with heads.

    Parameters
    ----------
    model
        One whose entities are fused from views, such as IKRL.
    loss, **options
        See :class:`.NegativeSampling`.
    schedule, share
        Fields of :class:`MANSConfig`.

    Raises
    ------
    ValueError
        A model without views of modalities, a share that is not from 0 to 1.

    References
    ----------
    Zhang et al., Modality-Aware Negative Sampling for Multi-modal Knowledge Graph Embedding,
    IJCNN 2023: MANS-V, -T, -H and -A. What differs: under H and A each negative is visual-only
    with the probability of the share, and A's share is reckoned for each batch.
    """

    Config = MANSConfig
    config: MANSConfig
    citation: ClassVar[str] = "Zhang et al., IJCNN 2023"
    compiles = False

    def __init__(self, model: Model, loss: Loss, *arguments: Any, **options: Any) -> None:
        super().__init__(model, loss, *arguments, **options)
        if not model.modal_views:
            raise ValueError(
                f"MANS exchanges the modal views of entities, but {type(model).__name__} has none; "
                "take a model with pictures or text that has views, such as IKRL"
            )

        if self.config.schedule == "A":
            check_widths(model)

    @property
    def depends_on_length(self) -> bool:
        """Whether there are two stages, the first of which is a share of all epochs."""
        return self.config.schedule == "T"

    def check_loader(self, settings: Mapping[str, Any]) -> None:
        """Raise ``ValueError`` unless each positive has entity negatives of its own."""
        super().check_loader(settings)
        shared, relations = settings["negatives"] == "shared", settings["neg_rel"]
        require_own("MANS", shared=shared, relations=relations)

    def forward(self, batch: Batch) -> Tensor:
        """Return the loss of a batch, a scalar."""
        batch.check_own("MANS")
        fixed = self._share()
        if fixed == 0:
            return super().forward(batch)
        views = self.model.views(batch.entities)
        rows = self.model.fuse(views)
        with torch.no_grad():
            share = crossing_share(self.model, batch, views) if fixed is None else fixed
        noise = self.clock.uniform(EXCHANGE, tuple(batch.negative.shape), batch.negative.device)
        mixed, chimeras = exchange(self.model, batch, views, noise < share)
        return self.loss_of_rows(self.model, mixed, join(rows, self.model.fuse(chimeras)))

    def _share(self) -> float | None:
        """Return the share of visual-only negatives; None: the batch says it."""
        c = self.config
        if c.schedule == "H":
            return c.share
        if c.schedule == "T":
            return 1.0 if self.clock.progress < c.share else 0.0
        return 1.0 if c.schedule == "V" else None


def check_widths(model: Model) -> None:
    """Raise ``ValueError`` where an entity cannot be one of its views alone.

    That is where modal views are not as wide as the structure, or equal ones make different parts.
    """
    widths = view_widths(model)
    for view in model.modal_views:
        if widths[view] != widths[STRUCTURE]:
            raise ValueError(
                f"MANS with schedule A compares views with structure, but of {type(model).__name__}"
                f" the view {view} has {widths[view]} reals and structure {widths[STRUCTURE]}; "
                "take schedule V, T or H, or features of one modality"
            )
    with torch.no_grad():
        first = torch.zeros(1, dtype=torch.long, device=next(model.parameters()).device)
        rows = alone(model, model.views(first), STRUCTURE)
    parts = [rows[part] for part in ("entity", "modal") if part in rows]
    if any(not torch.allclose(part, parts[0]) for part in parts):
        raise ValueError(
            f"MANS with schedule A compares views with structure, but {type(model).__name__} makes "
            "other vectors of equal views; take schedule V, T or H, or a model such as IKRL"
        )


def exchange(
    model: Model, batch: Batch, views: Encodings, wanted: Tensor
) -> tuple[Batch, Encodings]:
    """Return a batch whose wanted negatives (Bool["b k"]) are visual-only, and their views.

    Parameters
    ----------
    model
        What says which views are modal.
    batch
        Has own entity negatives, b times k of them.
    views
        Those of the batch's entities.

    Returns
    -------
    tuple
        The batch has a further entity for each negative, after its own. Its rows are the fusion of
        the views returned, whether it is wanted or not.
    """
    b, k = batch.negative.shape
    replaced = torch.where(
        batch.slot == HEAD, batch.head_index[:, None], batch.tail_index[:, None]
    ).view(-1)
    replacing = batch.replacing_index
    chimeras = take(views, replaced)
    there = torch.zeros_like(wanted.view(-1, 1))
    for view in model.modal_views:
        for name in (view, presence(view)):
            chimeras[name] = views[name].index_select(0, replacing)
        there = there | chimeras[presence(view)]
    place = len(batch.entities) + torch.arange(b * k, device=replacing.device)
    at = torch.where(wanted.view(-1) & there[:, 0], place, replacing)
    mixed = replace(
        batch,
        entities=torch.cat([batch.entities, batch.entities.index_select(0, replaced)]),
        index=torch.cat([batch.index[: 2 * b], at]),
        prepared=(),
    )
    return mixed, chimeras


def crossing_share(model: Model, batch: Batch, views: Encodings) -> Tensor:
    """Return the share of negatives that score higher across views than within them, a scalar.

    Within is s(structure, structure) + s(modal, modal), across s(structure, modal) + s(modal,
    structure), where an entity is its one view alone; with several modalities the mean of their
    shares. The views of entities are as wide as their structure.
    """
    b, k = batch.negative.shape
    u = len(batch.entities)
    replacing = batch.replacing_index.view(b, k)
    head = torch.where(batch.slot == HEAD, replacing, batch.head_index[:, None]).view(-1)
    tail = torch.where(batch.slot == HEAD, batch.tail_index[:, None], replacing).view(-1)
    relation = batch.positive[:, RELATION].repeat_interleave(k)
    structural = alone(model, views, STRUCTURE)
    shares = []
    for view in model.modal_views:
        rows = join(structural, alone(model, views, view))
        within, across = (
            score_rows(model, rows, head, tail + first, relation)
            + score_rows(model, rows, head + u, tail + second, relation)
            for first, second in ((0, u), (u, 0))
        )
        # Else the two sums are the same, but for rounding.
        there = views[presence(view)][:, 0]
        lower = (across > within) & there[head] & there[tail]
        shares.append(lower.to(within.dtype).mean())
    return torch.stack(shares).mean()


def alone(model: Model, views: Encodings, view: str) -> Encodings:
    """Return entities encoded as if they were one view alone, where they have it."""
    only = views[STRUCTURE]
    if view != STRUCTURE:
        only = torch.where(views[presence(view)], views[view], only)
    changed = dict.fromkeys((STRUCTURE, *model.modal_views), only)
    return model.fuse({**views, **changed})
