"""A transformer over sets: tokens in any order, of which only the first ones have an output.

Shapes: n sets, p tokens of a set, d reals of a token, c tokens with an output.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from openke.kernels.product import Linear


class SetLayer(nn.Module):
    """One layer of a transformer encoder: attention, then a perceptron, each normed afterwards.

    x' = N(x + drop O attention(x)), y = N(x' + drop W2 drop ReLU(W1 x')). No token knows its place,
    so their order is irrelevant.

    Parameters
    ----------
    dim
        Reals of a token.
    heads
        Heads of the attention; they share the reals evenly.
    hidden
        Units of the perceptron.
    dropout
        Share of the numbers that a training step forgets: of attention, of the units and of what
        both parts add.

    References
    ----------
    Vaswani et al., Attention Is All You Need, NeurIPS 2017; as ``TransformerEncoderLayer`` of
    PyTorch.
    """

    def __init__(self, dim: int, heads: int, hidden: int, dropout: float) -> None:
        super().__init__()
        self.heads = heads
        self.query, self.pair = Linear(dim, dim), Linear(dim, 2 * dim)
        self.out = Linear(dim, dim)
        self.widen, self.narrow = Linear(dim, hidden), Linear(hidden, dim)
        self.attention_norm, self.norm = nn.LayerNorm(dim), nn.LayerNorm(dim)
        self.dropout = nn.Dropout(dropout)
        bound = (6 / (4 * dim)) ** 0.5  # Xavier's of the three matrices as one
        for layer in (self.query, self.pair):
            nn.init.uniform_(layer.weight, -bound, bound)
        for layer in (self.query, self.pair, self.out):
            nn.init.zeros_(layer.bias)

    def forward(self, tokens: Tensor, there: Tensor | None, outputs: int) -> Tensor:
        """Return Float["n c d"], the first ``outputs`` tokens, of Float["n p d"].

        ``there`` is Bool["n p"], which tokens are looked at; None: all of them.
        """
        n, p, d = tokens.shape
        asking = tokens[:, :outputs].reshape(-1, d)
        query = self.query(asking).view(n, outputs, self.heads, -1).transpose(1, 2)
        keys, values = self.pair(tokens.reshape(-1, d)).view(n, p, 2, self.heads, -1).unbind(2)
        logits = query @ keys.permute(0, 2, 3, 1) * (d // self.heads) ** -0.5  # [n heads c p]
        if there is not None:
            lowest = torch.finfo(logits.dtype).min
            logits = logits.masked_fill(~there[:, None, None], lowest)
        weights = self.dropout(logits.softmax(dim=-1))
        mixed = (weights @ values.transpose(1, 2)).transpose(1, 2).reshape(-1, d)
        rows = self.attention_norm(asking + self.dropout(self.out(mixed)))
        units = self.dropout(self.widen(rows).relu())
        found: Tensor = self.norm(rows + self.dropout(self.narrow(units)))
        return found.view(n, outputs, d)


class SetEncoder(nn.Module):
    """Layers over a set of tokens, the last of which computes the first tokens alone.

    Parameters
    ----------
    dim, heads, hidden, dropout
        See :class:`SetLayer`.
    layers
        How many there are.

    Raises
    ------
    ValueError
        Heads that do not share the reals evenly.
    """

    def __init__(
        self, dim: int, *, layers: int, heads: int, hidden: int, dropout: float = 0.0
    ) -> None:
        super().__init__()
        if dim % heads:
            raise ValueError(f"dim is {dim}, which {heads} heads cannot share evenly")
        self.dim, self.hidden = dim, hidden
        self.layers = nn.ModuleList(SetLayer(dim, heads, hidden, dropout) for _ in range(layers))

    def forward(self, tokens: Tensor, there: Tensor | None = None, outputs: int = 1) -> Tensor:
        """Return Float["n c d"], the first ``outputs`` tokens, of Float["n p d"].

        ``there`` is Bool["n p"], which tokens are looked at, at least one of each set; None: all.
        """
        *inner, last = self.layers
        for layer in inner:
            tokens = layer(tokens, there, tokens.shape[1])
        found: Tensor = last(tokens, there, outputs)
        return found

    def reals_of(self, tokens: int) -> int:
        """Return about how many numbers a step keeps of a set of so many tokens, for gradients."""
        *inner, _ = self.layers
        each, first = 12 * self.dim, 8 * self.dim + 3 * self.hidden
        return len(inner) * tokens * (each + first) + tokens * 3 * self.dim + first
