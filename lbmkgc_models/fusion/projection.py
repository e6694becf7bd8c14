"""Features of the modalities, projected into the space of entities.

Shapes: u distinct entities, m modalities, f features of a modality, d reals of an entity.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from lbmkgc_models.feature_store.store import ModalFeatures
from lbmkgc_models.fusion.feature_rows import FeatureRows, Missing
from openke.kernels.product import Linear
from openke.module.scoring.encodings import Encodings, presence


class ModalProjector(nn.Module):
    """Projects features into the entity space, e_m = W2 ReLU(W1 f_m), or e_m = W f_m.

    Parameters
    ----------
    features
        Rows and the mask of entities that have the modality.
    dim
        Reals of an entity, the width of both layers.
    hidden
        False leaves out the hidden layer.
    bias
        Whether a single layer has a bias; two layers have theirs.
    norm
        Layer-normalise e_m.
    dropout
        Share of the numbers of e_m that a training step forgets.
    scale
        Root mean square of the numbers of e_m at the start, over the entities that have the
        modality; None: whatever PyTorch's layers start with.
    tuned, missing
        See :class:`.FeatureRows`; by default features are frozen and a missing one is masked.
    layer
        What W is, of a single layer: made with f, d and ``bias``.

    References
    ----------
    LBMKGC section 3.2, the projection layer P_m; widths from its reference code.
    """

    def __init__(
        self,
        features: ModalFeatures,
        dim: int,
        *,
        hidden: bool = True,
        bias: bool = False,
        norm: bool = False,
        dropout: float = 0.0,
        scale: float | None = None,
        tuned: bool = False,
        missing: Missing = "mask",
        layer: type[Linear] = Linear,
    ) -> None:
        super().__init__()
        self.rows = FeatureRows(features, tuned=tuned, missing=missing)
        self.layers: nn.Module = layer(features.dim, dim, bias=bias)
        if hidden:
            first = Linear(features.dim, dim)
            self.layers = nn.Sequential(first, nn.ReLU(), Linear(dim, dim))
        self.norm = nn.LayerNorm(dim) if norm else nn.Identity()
        self.dropout = nn.Dropout(dropout)
        if scale is not None:
            self._start_at(scale)

    def forward(self, entities: Tensor) -> Tensor:
        """Return Float["u d"]; rows of entities without the modality mean nothing.

        Of features with several rows of an entity Float["u parts d"].
        """
        projected: Tensor = self.dropout(self.rows.projected(entities, self._normed))
        return projected

    def _normed(self, rows: Tensor) -> Tensor:
        projected: Tensor = self.norm(self.layers(rows))
        return projected

    @torch.no_grad()
    def _start_at(self, scale: float) -> None:
        """Scale the last layer so that the numbers of e_m have the root mean square ``scale``."""
        last: nn.Module = self.norm
        if isinstance(last, nn.Identity):
            last = self.layers[-1] if isinstance(self.layers, nn.Sequential) else self.layers
        found = self.norm(self.layers(self.rows.values[self.rows.present])).square().mean().sqrt()
        if found > 0:  # not where all rows are missing, or nothing but zeros
            for parameter in last.parameters():
                parameter.mul_(scale / found)


class Projectors(nn.Module):
    """One projector for each modality, in alphabetical order.

    Parameters
    ----------
    features
        Features by modality.
    dim
        Reals of each projection, or those of each one in alphabetical order.
    **options
        See :class:`ModalProjector`.
    """

    def __init__(
        self, features: Mapping[str, ModalFeatures], dim: int | Sequence[int], **options: Any
    ) -> None:
        super().__init__()
        self.names = sorted(features)
        widths = [dim] * len(self.names) if isinstance(dim, int) else dim
        for name, width in zip(self.names, widths, strict=True):
            self.add_module(name, ModalProjector(features[name], width, **options))
        found = [projector.rows.has for projector in self]
        self.complete = bool(found) and bool(torch.stack(found).any(dim=0).all())
        """Whether every entity has some modality."""

    def __iter__(self) -> Iterator[ModalProjector]:
        """Iterate over the projectors."""
        for child in self.children():
            assert isinstance(child, ModalProjector)
            yield child

    def forward(self, entities: Tensor) -> tuple[list[Tensor], Tensor]:
        """Return m projections, each Float["u d"], and which entities have them, Bool["u m"]."""
        present = torch.stack([projector.rows.present[entities] for projector in self], dim=1)
        return [projector(entities) for projector in self], present

    def views(self, entities: Tensor) -> Encodings:
        """Return each projection, Float["u d"], and whether it is there, see :func:`.presence`.

        Of features with several rows of an entity Float["u parts d"] and Bool["u parts"].
        """
        found: Encodings = {}
        for name, projector in zip(self.names, self, strict=True):
            found[name] = projector(entities)
            there = projector.rows.present[entities]
            found[presence(name)] = there[:, None] if there.dim() == 1 else there
        return found

    def digests(self) -> dict[str, str]:
        """Return the digest of each modality's features."""
        return {name: found.rows.digest() for name, found in zip(self.names, self, strict=True)}


def check_features(
    ent_tot: int,
    features: Mapping[str, ModalFeatures],
    *,
    several: bool = False,
    owner: str = "this model",
) -> None:
    """Raise ``ValueError`` where features are not of ``ent_tot`` entities.

    So it does where an entity has several rows, unless the model takes ``several``.
    """
    for name, found in features.items():
        if len(found.values) != ent_tot:
            raise ValueError(
                f"{name} features have {len(found.values)} rows, the graph has {ent_tot} entities:"
                " load them with the entity names of this graph"
            )
        if not several:
            found.require_one_row(owner)


def require_features(
    owner: str, ent_tot: int, features: Mapping[str, ModalFeatures], *, several: bool = False
) -> None:
    """Raise ``ValueError`` where there is no modality, or :func:`check_features` does."""
    if not features:
        raise ValueError(f"{owner} takes features of one modality or more, got none")
    check_features(ent_tot, features, several=several, owner=owner)
