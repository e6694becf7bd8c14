"""The features of one modality by entity: frozen or tuned, and what stands for missing ones.

Shapes: u distinct entities, f features of a modality. Where an entity has several rows, such as
several pictures, a dimension of these parts stands before f, and masks have it, too.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Literal

import torch
from torch import Tensor, nn
from torch.nn.functional import embedding

from lbmkgc_models.feature_store.store import ModalFeatures
from lbmkgc_models.fusion.digest import digest_of

Missing = Literal["mask", "zero", "mean", "trained"]
"""What stands for features that an entity lacks. "mask": nothing, the modality is absent. Else
every entity has the modality, and what stands there is "zero": zeros; "mean": the mean of the rows
that are there; "trained": one vector for all of them, which starts as that mean and is trained."""
LACKING = 0.25
"""From this share of missing rows on, only those that are there are kept, in a copy."""


class FeatureRows(nn.Module):
    """The feature rows of entities, and whether they have some.

    Frozen rows are a buffer: they are neither trained nor written to checkpoints, which hold their
    digest instead. Where many are masked, those are not kept. Tuned ones are an embedding table
    that starts as the features; it is trained and saved.

    Parameters
    ----------
    features
        The rows, and the mask of entities that have the modality.
    tuned
        Train the rows.
    missing
        See :data:`Missing`.
    standardised
        Shift and scale each feature to mean 0 and variance 1 over the rows that there are; a
        constant one is 0. Masked rows are zeros, too.
    """

    frozen: Tensor | None
    present: Tensor
    lacking: Tensor
    """Bool as ``present``: where the trained vector stands."""
    codes: Tensor | None
    """Int as ``present``: which row of :attr:`book` is that of an entity; None: they stand there
    in the order of entities."""

    def __init__(
        self,
        features: ModalFeatures,
        *,
        tuned: bool = False,
        missing: Missing = "mask",
        standardised: bool = False,
    ) -> None:
        super().__init__()
        self.dim = features.dim
        self._digest = digest_of(features.values, features.present)
        present, rows, codes = features.present, features.values, None
        if not (tuned or standardised) and missing == "mask":
            if features.codes is not None:
                codes, rows = features.codes.index, features.codes.book
            elif (~present).sum() > LACKING * present.numel():
                codes, rows = _packed(rows, present)
        if standardised:
            rows = _standardise(rows, present)
        trained = missing == "trained" and not bool(features.has.all())
        if missing != "mask":
            lacking = ~features.has if present.dim() == 1 else ~features.has[:, None]
            substitute = _substitute(rows, present, missing)
            rows = torch.where(lacking[..., None], substitute, rows)
            present = present | lacking
            if trained:
                self.substitute = nn.Parameter(substitute.clone())
                self.register_buffer("lacking", lacking.expand(present.shape), persistent=False)
        self.register_buffer("present", present, persistent=False)
        self.register_buffer("codes", codes, persistent=False)
        self.register_buffer("frozen", None if tuned else rows, persistent=False)
        if tuned:  # a copy: the caller's features stay as they are
            start = rows * present[..., None]
            self.tuned = nn.Embedding.from_pretrained(  # type: ignore[no-untyped-call]
                start.flatten(1), freeze=False
            )

    @property
    def has(self) -> Tensor:
        """Bool["entities"], whether an entity has some row."""
        return self.present if self.present.dim() == 1 else self.present.any(dim=1)

    @property
    def book(self) -> Tensor:
        """Float["rows f"], the frozen rows that are kept: of a codebook, or of entities."""
        assert self.frozen is not None
        return self.frozen

    @property
    def values(self) -> Tensor:
        """Float["entities f"]; rows of entities without the modality mean nothing."""
        if self.frozen is not None:
            rows = self.frozen if self.codes is None else self.frozen[self.codes]
            return self._substituted(rows, slice(None))
        table: Tensor = self.tuned.weight
        return self._substituted(table.view(*self.present.shape, self.dim), slice(None))

    def forward(self, entities: Tensor) -> Tensor:
        """Return Float["u f"] of Int["u"]; rows of entities without the modality mean nothing."""
        if self.frozen is not None:
            if self.codes is None:
                found = self.frozen.index_select(0, entities)
            else:
                found = embedding(self.codes[entities], self.frozen)
            return self._substituted(found, entities)
        rows: Tensor = self.tuned(entities)
        rows = rows.view(-1, *self.present.shape[1:], self.dim)
        return self._substituted(rows, entities)

    def projected(self, entities: Tensor, project: Callable[[Tensor], Tensor]) -> Tensor:
        """Return Float["u d"], what ``project`` makes of the rows of entities (Int["u"]).

        It takes Float["n f"], row by row. What entities share is projected once, and what they
        lack is not, where that is less.
        """
        shape = torch.Size((len(entities), *self.present.shape[1:]))
        if self.codes is None or len(self.book) > shape.numel():
            found = project(self(entities).view(-1, self.dim))
            return found.view(*shape, found.shape[-1])
        return embedding(self.codes[entities], project(self.book))

    def _substituted(self, rows: Tensor, entities: Tensor | slice) -> Tensor:
        """Return the rows of entities with the trained vector where they lack the modality."""
        if not hasattr(self, "substitute"):
            return rows
        return torch.where(self.lacking[entities][..., None], self.substitute, rows)

    def digest(self) -> str:
        """Return a SHA-256 of the features and mask that were given: tuned ones started there."""
        return self._digest


class FeatureTables(nn.ModuleDict):
    """The feature rows of each modality, by its name.

    Parameters
    ----------
    features
        By modality.
    **options
        See :class:`FeatureRows`.
    """

    def __init__(self, features: Mapping[str, ModalFeatures], **options: Any) -> None:
        super().__init__({name: FeatureRows(found, **options) for name, found in features.items()})

    def forward(self, entities: Tensor) -> dict[str, Tensor]:
        """Return Float["u f"] of Int["u"], by modality."""
        return {name: rows(entities) for name, rows in self.items()}


def _standardise(rows: Tensor, present: Tensor) -> Tensor:
    if not present.any():
        return torch.zeros_like(rows)
    found = rows[present]
    deviation = found.std(dim=0, correction=0)
    deviation = torch.where(deviation > 0, deviation, 1.0)
    return (rows - found.mean(dim=0)) / deviation * present[..., None]


def _packed(rows: Tensor, present: Tensor) -> tuple[Tensor, Tensor]:
    """Return which of the rows that are there is whose, 0 where there is none, and these rows."""
    kept = rows[present] if present.any() else rows.new_zeros(1, rows.shape[-1])
    return present.view(-1).cumsum(0).sub(1).clamp(min=0).view(present.shape), kept


def _substitute(rows: Tensor, present: Tensor, missing: Missing) -> Tensor:
    """Return Float["f"], what stands for a missing row; zeros where all are missing."""
    if missing == "zero" or not present.any():
        return rows.new_zeros(rows.shape[-1])
    return rows[present].mean(dim=0)
