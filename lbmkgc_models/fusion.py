"""The parts of context-guided adaptive fusion (CGuAF): modality attention, relation gate.

And what keeps structure from drowning the modalities: :class:`StructureMask`.

Shapes: u distinct entities, m modalities, d reals of an entity.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from lbmkgc_models.projectors import digest_of
from openke.data.batch import HEAD, TAIL
from openke.data.store import TripleStore

ATTENTION_FORMS = ("scalar", "elementwise", "mean")


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


class StructureMask(nn.Module):
    """Says which entities of a step use their structural row.

    An entity that is in no train triple never does: its row is only ever pushed down, as a
    negative. Others leave theirs out at random in training, so that their modalities learn to
    stand alone. An entity without any modality always uses it: there is nothing else.

    Parameters
    ----------
    drop
        Share of the entities of a training step that leave theirs out.
    seen
        Bool["entities"], whether an entity is in a train triple; None: all are.
    """

    seen: Tensor | None

    def __init__(self, drop: float, seen: Tensor | None) -> None:
        super().__init__()
        self.drop = drop
        self.register_buffer("seen", seen, persistent=False)

    @property
    def active(self) -> bool:
        """Whether any entity may leave out its structural row now."""
        return self.seen is not None or (self.training and self.drop > 0)

    def forward(self, entities: Tensor, some: Tensor) -> Tensor:
        """Return Bool["u 1"]; ``some`` is whether an entity has any modality, Bool["u 1"]."""
        kept = torch.ones_like(some) if self.seen is None else self.seen[entities][:, None]
        if self.training and self.drop:
            kept = kept & (torch.rand(some.shape, device=some.device) >= self.drop)
        return kept | ~some

    def digest(self) -> str | None:
        """Return a SHA-256 of ``seen``; None where all entities are."""
        return None if self.seen is None else digest_of(self.seen)


def seen_in_train(store: TripleStore) -> Tensor:
    """Return Bool["entities"], whether an entity is in a triple of the train split."""
    seen = torch.zeros(store.entity_count, dtype=torch.bool)
    seen[torch.from_numpy(store.triples("train")[:, [HEAD, TAIL]].reshape(-1))] = True
    return seen
