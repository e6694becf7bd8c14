"""The heads that bring image and text features into one space, and the loss that trains them."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy, normalize

from lbmkgc_models.features.cmoa.settings import AlignmentSettings

MODALITIES = ("image", "text")

COLDEST = 0.01
"""The temperature goes no lower, as in CLIP: logits stay within ±100."""


class Principal(nn.Module):
    """Centres rows, turns them to their principal components, and scales them to length about 1.

    ``z = (x - mean) B / s``. The components keep their variances: to whiten them would raise those
    that are noise to the height of those that say something.

    Parameters
    ----------
    width
        Reals of a row.
    components
        At most so many are kept; none beyond the width.
    """

    def __init__(self, width: int, components: int) -> None:
        super().__init__()
        self.mean: Tensor
        self.basis: Tensor
        self.register_buffer("mean", torch.zeros(width))
        self.register_buffer("basis", torch.zeros(width, min(width, components)))

    def fit(self, rows: Tensor) -> None:
        """Take the components of Float["n width"]; where n is less, the others stay 0."""
        mean = rows.double().mean(dim=0)
        centred = rows.double() - mean
        _, sizes, directions = torch.linalg.svd(centred, full_matrices=False)
        kept = min(self.basis.shape[1], int((sizes > 1e-6 * sizes[0]).sum()))
        basis = directions[:kept].T  # [width kept]
        # The sign of a direction is the solver's whim; the largest weight is made positive.
        largest = basis.gather(0, basis.abs().argmax(dim=0, keepdim=True))
        length = (centred @ basis).square().sum(dim=1).mean().sqrt().clamp_min(1e-12)
        self.mean.copy_(mean)
        self.basis.zero_()
        self.basis[:, :kept] = basis * largest.sign() / length

    def forward(self, rows: Tensor) -> Tensor:
        """Return Float["n components"]."""
        return (rows - self.mean) @ self.basis


class ContrastiveAlignment(nn.Module):
    """Projection heads from image and text features into one space (CMoA, Eq. 7 and 8).

    ``u = head_v(z_v) / ||·||``, ``w = head_t(z_t) / ||·||``, ``S_ij = u_i · w_j``;
    ``L = -1/2 (1/N Σ_i log softmax_j(S_ij / τ)_i + 1/N Σ_i log softmax_j(S_ji / τ)_i)``, where the
    temperature τ is learnt. The paper takes CLIP's towers whole; here the encoders are frozen and
    of any kind, and what is trained are heads on top, linear by default.

    Parameters
    ----------
    image_width, text_width
        Reals of the features.
    settings
        Dimension, components, hidden width, noise, dropout, first temperature.

    References
    ----------
    Radford et al., Learning Transferable Visual Models From Natural Language Supervision, ICML 2021
    (the loss and the clamped temperature). LBMKGC, §3.2.
    """

    def __init__(self, image_width: int, text_width: int, settings: AlignmentSettings) -> None:
        super().__init__()
        widths = dict(zip(MODALITIES, (image_width, text_width), strict=True))
        self.inputs = nn.ModuleDict(
            {name: Principal(width, settings.components) for name, width in widths.items()}
        )
        self.heads = nn.ModuleDict(
            {
                name: _head(min(width, settings.components), settings)
                for name, width in widths.items()
            }
        )
        self.log_scale = nn.Parameter(torch.tensor(-math.log(settings.temperature)))
        self._noise, self._dropout = settings.noise, settings.dropout

    def fit_inputs(self, image: Tensor, text: Tensor) -> None:
        """Take the principal components of training features, Float["n width"] each."""
        for modality, rows in zip(MODALITIES, (image, text), strict=True):
            principal = self.inputs[modality]
            assert isinstance(principal, Principal)
            principal.fit(rows)

    @property
    def temperature(self) -> float:
        """τ, no lower than :data:`COLDEST`."""
        return 1 / self._scale().item()

    def forward(self, rows: Tensor, modality: str) -> Tensor:
        """Return Float["n dim"] of length 1 for features Float["n width"] of a modality."""
        return self._project(self.inputs[modality](rows), modality)

    def loss(self, image: Tensor, text: Tensor, generator: torch.Generator | None = None) -> Tensor:
        """Return Eq. 8 on rows of ``inputs``, Float["n components"] each, row i of one entity.

        With a generator, noise and dropout drawn from it are laid over the rows.
        """
        if generator is not None:
            image, text = self._disturb(image, generator), self._disturb(text, generator)
        similarity = self._project(image, "image") @ self._project(text, "text").T  # [n n], Eq. 7
        logits = self._scale() * similarity
        own = torch.arange(len(logits))
        return (cross_entropy(logits, own) + cross_entropy(logits.T, own)) / 2

    def _project(self, inputs: Tensor, modality: str) -> Tensor:
        return normalize(self.heads[modality](inputs), dim=1)

    def _scale(self) -> Tensor:
        return self.log_scale.exp().clamp(max=1 / COLDEST)

    def _disturb(self, rows: Tensor, generator: torch.Generator) -> Tensor:
        # Of the same size in every component: it drowns those of small variance, as ridge does.
        noise = torch.randn(rows.shape, generator=generator) / math.sqrt(rows.shape[1])
        kept = torch.rand(rows.shape, generator=generator) >= self._dropout
        return (rows + self._noise * noise) * kept / (1 - self._dropout)


def _head(width: int, settings: AlignmentSettings) -> nn.Module:
    if not settings.hidden:
        linear = nn.Linear(width, settings.dim, bias=False)
        # Distances of the features are kept at first, as far as the dimension allows.
        nn.init.orthogonal_(linear.weight)
        return linear
    return nn.Sequential(
        nn.Linear(width, settings.hidden), nn.ReLU(), nn.Linear(settings.hidden, settings.dim)
    )
