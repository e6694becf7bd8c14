"""The parts of context-guided adaptive fusion (CGuAF): projector, attention, relation gate.

Shapes: u distinct entities, m modalities, f features of a modality, d reals of an entity.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping

import torch
from torch import Tensor, nn

from lbmkgc_models.store import ModalFeatures

ATTENTION_FORMS = ("scalar", "elementwise", "mean")


class ModalProjector(nn.Module):
    """Projects frozen features into the entity space, e_m = W2 ReLU(W1 f_m), or e_m = W f_m.

    The features are buffers, not parameters: they are neither trained nor written to checkpoints,
    which hold their digest instead.

    Parameters
    ----------
    features
        Frozen rows and the mask of entities that have the modality.
    dim
        Reals of an entity, the width of both layers.
    hidden
        False leaves out the hidden layer and the biases.

    References
    ----------
    LBMKGC section 3.2, the projection layer P_m; widths from its reference code.
    """

    values: Tensor
    present: Tensor

    def __init__(self, features: ModalFeatures, dim: int, *, hidden: bool = True) -> None:
        super().__init__()
        self.register_buffer("values", features.values, persistent=False)
        self.register_buffer("present", features.present, persistent=False)
        self.layers: nn.Module = nn.Linear(features.dim, dim, bias=False)
        if hidden:
            first = nn.Linear(features.dim, dim)
            self.layers = nn.Sequential(first, nn.ReLU(), nn.Linear(dim, dim))

    def forward(self, entities: Tensor) -> Tensor:
        """Return Float["u d"]; rows of entities without the modality mean nothing."""
        projected: Tensor = self.layers(self.values[entities])
        return projected

    def digest(self) -> str:
        """Return a SHA-256 of features and mask: what a checkpoint was trained on."""
        found = hashlib.sha256(self.values.cpu().contiguous().numpy().tobytes())
        found.update(self.present.cpu().contiguous().numpy().tobytes())
        return found.hexdigest()


class Projectors(nn.Module):
    """One projector for each modality, in alphabetical order.

    Parameters
    ----------
    features
        Frozen features by modality.
    dim, hidden
        See :class:`ModalProjector`.
    """

    def __init__(
        self, features: Mapping[str, ModalFeatures], dim: int, *, hidden: bool = True
    ) -> None:
        super().__init__()
        self.names = sorted(features)
        for name in self.names:
            self.add_module(name, ModalProjector(features[name], dim, hidden=hidden))

    def __iter__(self) -> Iterator[ModalProjector]:
        """Iterate over the projectors."""
        for child in self.children():
            assert isinstance(child, ModalProjector)
            yield child

    def forward(self, entities: Tensor) -> tuple[list[Tensor], Tensor]:
        """Return m projections, each Float["u d"], and which entities have them, Bool["u m"]."""
        present = torch.stack([projector.present[entities] for projector in self], dim=1)
        return [projector(entities) for projector in self], present

    def digests(self) -> dict[str, str]:
        """Return the digest of each modality's features."""
        return {name: found.digest() for name, found in zip(self.names, self, strict=True)}


class ModalityAttention(nn.Module):
    """Weighs an entity's modalities, e_mm = sum_m w_m e_m; a missing one has no weight.

    Parameters
    ----------
    dim
        Reals of an entity.
    form
        "scalar": w_m = softmax_m(V . tanh(e_m)), one weight for a modality, as the paper's code
        computes its published numbers; "elementwise": w_m = softmax_m(V * tanh(e_m)), one weight
        for each dimension, Eq. 9 read literally; "mean": equal weights, the ablation without CGuAF.

    References
    ----------
    LBMKGC Eq. 9 and 10.
    """

    def __init__(self, dim: int, form: str = "scalar") -> None:
        super().__init__()
        if form not in ATTENTION_FORMS:
            raise ValueError(f"attention is {form!r}, expected one of {', '.join(ATTENTION_FORMS)}")
        self.form = form
        if form != "mean":
            self.vector = nn.Parameter(torch.empty(dim).uniform_(-(dim**-0.5), dim**-0.5))

    def forward(self, modal: list[Tensor], present: Tensor) -> Tensor:
        """Return Float["u d"] from m Float["u d"], Bool["u m"]; zero where nothing is present."""
        weights = self.weights(modal, present).unbind(dim=1)  # m of [u 1] or [u d]
        mixed = weights[0] * modal[0]
        for weight, projected in zip(weights[1:], modal[1:], strict=True):
            mixed = torch.addcmul(mixed, weight, projected)
        return mixed

    def weights(self, modal: list[Tensor], present: Tensor) -> Tensor:
        """Return w_m, Float["u m 1"] or for "elementwise" Float["u m d"]."""
        if self.form == "mean":
            logits = modal[0].new_zeros(*present.shape, 1)
        elif self.form == "scalar":
            logits = torch.stack([(m.tanh() @ self.vector)[:, None] for m in modal], dim=1)
        else:
            logits = torch.stack([m.tanh() * self.vector for m in modal], dim=1)
        here = present[..., None]
        # The lowest finite number, not -inf: an entity without any modality must not become NaN.
        weights = logits.masked_fill(~here, torch.finfo(logits.dtype).min).softmax(dim=1)
        return weights * here


class RelationGate(nn.Module):
    """How much of an entity is structure for a relation, zeta_r = sigmoid(g_r), one scalar each.

    Parameters
    ----------
    rel_tot
        Number of relations.
    bound
        g starts uniform in +-bound.

    References
    ----------
    LBMKGC Eq. 11.
    """

    def __init__(self, rel_tot: int, bound: float) -> None:
        super().__init__()
        self.logit = nn.Parameter(torch.empty(rel_tot).uniform_(-bound, bound))

    def forward(self, relation: Tensor) -> Tensor:
        """Return zeta_r, Float["q"], of Int["q"]."""
        return self.logit[relation].sigmoid()


def check_features(ent_tot: int, features: Mapping[str, ModalFeatures]) -> None:
    """Raise ``ValueError`` where features are not of ``ent_tot`` entities."""
    for name, found in features.items():
        if len(found.values) != ent_tot:
            raise ValueError(
                f"{name} features have {len(found.values)} rows, the graph has {ent_tot} entities:"
                " load them with the entity names of this graph"
            )
