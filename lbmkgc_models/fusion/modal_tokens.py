"""Tokens of a modality: several pictures, codes of a codebook, pieces of words; and their encoder.

Shapes: u distinct entities (or relations), d reals of a token, f features.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import torch
from torch import Tensor, nn

from lbmkgc_models.feature_store.store import ModalFeatures
from lbmkgc_models.fusion.feature_rows import FeatureRows
from lbmkgc_models.fusion.set_encoder import SetEncoder
from openke.kernels.product import Linear


class Tokens(NamedTuple):
    """Tokens of one kind."""

    values: Tensor
    """Float["u parts d"]"""
    there: Tensor
    """Bool["u parts"], which of them are there."""


class ModalTokens(nn.Module):
    """A token drop LN(W f + b) of each row of one modality.

    Parameters
    ----------
    features
        Frozen rows; an entity may have several.
    dim
        Reals of a token.
    dropout
        Share of the numbers of a token that a training step forgets.
    """

    def __init__(self, features: ModalFeatures, dim: int, dropout: float) -> None:
        super().__init__()
        self.rows = FeatureRows(features)
        self.layer = Linear(features.dim, dim)
        nn.init.xavier_uniform_(self.layer.weight)
        nn.init.zeros_(self.layer.bias)
        self.norm = nn.LayerNorm(dim)
        self.dropout = nn.Dropout(dropout)

    def forward(self, entities: Tensor) -> Tokens:
        """Return the tokens of entities (Int["u"])."""
        present = self.rows.present[entities].view(len(entities), -1)
        values = self.dropout(self.rows.projected(entities, self._normed))
        return Tokens(values.view(*present.shape, -1), present)

    def project(self, rows: Tensor) -> Tensor:
        """Return Float["n d"] of Float["n f"]."""
        forgotten: Tensor = self.dropout(self._normed(rows))
        return forgotten

    def _normed(self, rows: Tensor) -> Tensor:
        projected: Tensor = self.norm(self.layer(rows))
        return projected


class TokenEncoder(nn.Module):
    """One vector of a set of tokens: what a token of its own, the class token, finds in the others.

    Each kind of tokens has a vector that is added to them, by which they are told apart.

    Parameters
    ----------
    kinds
        Names of the kinds, in the order that tokens come in.
    dim, layers, heads, hidden, dropout
        See :class:`.SetEncoder`.
    """

    def __init__(
        self,
        kinds: tuple[str, ...],
        dim: int,
        *,
        layers: int,
        heads: int,
        hidden: int,
        dropout: float,
    ) -> None:
        super().__init__()
        self.kinds = kinds
        self.first = nn.Parameter(xavier_rows(1, dim)[0])
        self.places = nn.Parameter(xavier_rows(len(kinds), dim))
        self.encoder = SetEncoder(dim, layers=layers, heads=heads, hidden=hidden, dropout=dropout)

    def forward(self, tokens: Mapping[str, Tokens]) -> Tensor:
        """Return Float["u d"], the output of the class token."""
        values, there = self._joined(tokens)
        found: Tensor = self.encoder(values, there)[:, 0]
        return found

    def outputs(self, tokens: Mapping[str, Tokens]) -> dict[str, Tokens]:
        """Return the outputs of all tokens by kind, those of the class token as "first"."""
        values, there = self._joined(tokens)
        found = self.encoder(values, there, values.shape[1])
        widths = [1, *(tokens[kind].values.shape[1] for kind in self.kinds)]
        parts = zip(torch.split(found, widths, 1), torch.split(there, widths, 1), strict=True)
        return {
            kind: Tokens(*part) for kind, part in zip(("first", *self.kinds), parts, strict=True)
        }

    def _joined(self, tokens: Mapping[str, Tokens]) -> tuple[Tensor, Tensor]:
        """Return Float["u p d"] and Bool["u p"], the class token before all others."""
        given = [tokens[kind] for kind in self.kinds]
        u = len(given[0].values)
        values = [kind.values + place for kind, place in zip(given, self.places, strict=True)]
        first = self.first.expand(u, 1, -1)
        always = torch.ones(u, 1, dtype=torch.bool, device=first.device)
        return torch.cat([first, *values], 1), torch.cat([always, *(t.there for t in given)], 1)


def only(rows: Tensor) -> Tokens:
    """Return rows, Float["u d"], as one token of each, which is always there."""
    there = torch.ones(len(rows), 1, dtype=torch.bool, device=rows.device)
    return Tokens(rows[:, None], there)


def mean_of(*tokens: Tokens) -> Tensor:
    """Return Float["u d"], the mean of the tokens that are there; zeros where there is none."""
    values = torch.cat([kind.values for kind in tokens], dim=1)
    there = torch.cat([kind.there for kind in tokens], dim=1)[..., None]
    return (values * there).sum(dim=1) / there.sum(dim=1).clamp(min=1)


def xavier_rows(count: int, dim: int) -> Tensor:
    """Return Float["count d"], each row uniform as Xavier's of a matrix of one row."""
    bound = (6 / (1 + dim)) ** 0.5
    return torch.empty(count, dim).uniform_(-bound, bound)
