"""What it is worth to a score that the text of one entity has the name of the other.

Shapes: n pairs of which one names the other, q queries, c candidates.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from lbmkgc_models.feature_store.mentions import KINDS, Mentions
from lbmkgc_models.fusion.digest import digest_of
from openke.data.batch import Side
from openke.module.scoring.compare import Compare


class MentionScore(nn.Module):
    """Adds w_r . values(h, t) to the score of a triple whose h and t are a pair of mentions.

    w_r starts at zero. Where heads are asked for, the known entity is t: its pair with h has the
    same values in another order.

    Parameters
    ----------
    mentions
        The pairs; buffers, not parameters.
    rel_tot
        Number of relations.

    References
    ----------
    None: it is this project's own, and not a part of the paper's LBMKGC.
    """

    pairs: Tensor
    values: Tensor
    offsets: Tensor
    everyone: Tensor

    def __init__(self, mentions: Mentions, rel_tot: int) -> None:
        super().__init__()
        self.entities, self.rel_tot = mentions.entities, rel_tot
        everyone = torch.arange(mentions.entities)
        ends = torch.arange(mentions.entities + 1) * mentions.entities
        for name, frozen in (
            ("pairs", mentions.pairs),
            ("values", mentions.values),
            ("offsets", torch.searchsorted(mentions.pairs, ends)),  # of each known entity's pairs
            ("everyone", everyone),
        ):
            self.register_buffer(name, frozen, persistent=False)
        self.weight = nn.Parameter(torch.zeros(rel_tot, KINDS))

    def weight_rows(self, relation: Tensor, side: Side) -> Tensor:
        """Return Int["q"], which weights a query takes."""
        return relation + self.rel_tot if side == "head" else relation

    def forward(
        self, scores: Tensor, known: Tensor, weight_rows: Tensor, other: Tensor, compare: Compare
    ) -> Tensor:
        """Return the scores with what mentions are worth.

        Parameters
        ----------
        scores
            As ``compare`` makes them.
        known, weight_rows : Int["q"]
            The known entity of each query, and what :meth:`weight_rows` says of its relation.
        other : Int["c"]
            The candidates.
        """
        listed = scores.dim() == 1
        if listed or len(other) != self.entities or not torch.equal(other, self.everyone):
            one, another = compare.meet(known, other)
            weights, _ = compare.meet(weight_rows, other)
            return scores + self.worth(one, weights, another)
        # All entities: only the pairs that there are, not a search for each of q x e. How many
        # these are has to be waited for on a GPU.
        start = self.offsets[known]
        count = self.offsets[known + 1] - start
        query = torch.repeat_interleave(count)
        within = torch.arange(len(query), device=query.device) - (count.cumsum(0) - count)[query]
        pair = start[query] + within
        worth = self._worth(weight_rows[query], pair)
        flat = query * self.entities + self.pairs[pair] % self.entities
        return scores.view(-1).index_add(0, flat, worth.to(scores.dtype)).view_as(scores)

    def worth(self, known: Tensor, weight_rows: Tensor, other: Tensor) -> Tensor:
        """Return what mentions are worth to pairs of any shape."""
        key = known * self.entities + other
        if not len(self.pairs):
            return torch.zeros_like(key, dtype=self.weight.dtype)
        pair = torch.searchsorted(self.pairs, key).clamp(max=len(self.pairs) - 1)
        return self._worth(weight_rows, pair) * (self.pairs[pair] == key)

    def _worth(self, weight_rows: Tensor, pair: Tensor) -> Tensor:
        """Return w . values, kind by kind: pairs may be many, and nothing is four times as wide."""
        weight = torch.cat([self.weight, self.weight.roll(KINDS // 2, dims=1)])  # [2r 4]
        worth = weight[weight_rows, 0] * self.values[pair, 0]
        for kind in range(1, KINDS):
            worth = worth + weight[weight_rows, kind] * self.values[pair, kind]
        return worth

    @property
    def mentions(self) -> Mentions:
        """The pairs that there are."""
        return Mentions(self.entities, self.pairs.cpu(), self.values.cpu())

    def digest(self) -> str:
        """Return a SHA-256 of the pairs and their values."""
        return digest_of(self.pairs, self.values)
