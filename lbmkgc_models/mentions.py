"""Which entities the texts of others name, and what that is worth to a score.

Shapes: e entities, n pairs of which one names the other, q queries, c candidates.
"""

from __future__ import annotations

import math
import re
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn

from lbmkgc_models.features.labels import EntityLabel
from lbmkgc_models.projectors import digest_of
from openke.module.model.rows import Compare, Pairwise

LEAST_LETTERS = 3
MOST_WORDS = 10
KINDS = 4

Words = tuple[str, ...]


@dataclass(frozen=True, eq=False)
class Mentions:
    """Pairs of entities of which one's text has the other's name, both ways round.

    Attributes
    ----------
    entities
        How many there are.
    pairs
        Int["n"], ``known * entities + other``, ascending.
    values
        Float["n 4"]: the known entity's text names the other (1 or 0), and how rare that name is
        (:func:`find_mentions`); then the same for the other's text and the known one's name.
    """

    entities: int
    pairs: Tensor
    values: Tensor


def find_mentions(labels: Sequence[EntityLabel]) -> Mentions:
    """Find every entity's name in the texts of the others, e.g. a singer's in "Sorry (X song)".

    A name is a label without what stands in brackets, at least three letters long. Words are
    compared as a whole and in lower case. A name's rarity is ``log(e / texts that have it) / log
    e``: 1 in one text only, 0 in all.

    Parameters
    ----------
    labels
        Those of all entities, in the order of ids; a text is label and description.
    """
    e = len(labels)
    named: dict[Words, list[int]] = defaultdict(list)
    for entity, label in enumerate(labels):
        name = _words(re.sub(r"\([^)]*\)", "", label.label))
        if sum(map(len, name)) >= LEAST_LETTERS and len(name) <= MOST_WORDS:
            named[name].append(entity)
    first = {name[0] for name in named}
    longest = max(map(len, named), default=0)
    found = [_names_in(_words(label.text), named, first, longest) for label in labels]
    texts = Counter(name for names in found for name in names)
    rarity = {name: math.log(e / count) / math.log(e) for name, count in texts.items() if e > 1}

    values: dict[int, list[float]] = defaultdict(lambda: [0.0] * KINDS)
    for entity, names in enumerate(found):
        for name in names:
            for other in named[name]:
                if other == entity:
                    continue
                for key, place in ((entity * e + other, 0), (other * e + entity, 2)):
                    row = values[key]
                    row[place], row[place + 1] = 1.0, max(row[place + 1], rarity[name])
    pairs = sorted(values)
    table = np.array([values[pair] for pair in pairs], dtype=np.float32).reshape(-1, KINDS)
    return Mentions(e, torch.tensor(pairs, dtype=torch.long), torch.from_numpy(table))


def _words(text: str) -> Words:
    return tuple(re.findall(r"\w+", unicodedata.normalize("NFKC", text).lower()))


def _names_in(
    words: Words, named: dict[Words, list[int]], first: set[str], longest: int
) -> set[Words]:
    """Return the names that stand in a text."""
    return {
        words[begin:end]
        for begin, word in enumerate(words)
        if word in first
        for end in range(begin + 1, min(len(words), begin + longest) + 1)
        if words[begin:end] in named
    }


class MentionScore(nn.Module):
    """Adds w_r . values to the score of a pair of :class:`Mentions`; w_r starts at zero.

    Parameters
    ----------
    mentions
        The pairs; buffers, not parameters.
    rel_tot
        Number of relations; each has weights for questions about heads and about tails.
    """

    pairs: Tensor
    values: Tensor
    offsets: Tensor

    def __init__(self, mentions: Mentions, rel_tot: int) -> None:
        super().__init__()
        self.entities, self.rel_tot = mentions.entities, rel_tot
        self.register_buffer("pairs", mentions.pairs, persistent=False)
        self.register_buffer("values", mentions.values, persistent=False)
        starts = torch.arange(mentions.entities + 1) * mentions.entities
        offsets = torch.searchsorted(mentions.pairs, starts)
        self.register_buffer("offsets", offsets, persistent=False)  # of known entities in pairs
        self.weight = nn.Parameter(torch.zeros(2 * rel_tot, KINDS))

    def forward(
        self, scores: Tensor, known: Tensor, asked: Tensor, other: Tensor, compare: Compare
    ) -> Tensor:
        """Return the scores with what mentions are worth.

        Parameters
        ----------
        scores
            As ``compare`` makes them.
        known, asked : Int["q"]
            The known entity of each query, and its relation, ``rel_tot`` more for heads.
        other : Int["c"]
            The candidates.
        """
        if isinstance(compare, Pairwise):
            query, candidate = compare.query_index, compare.candidate_index
            return scores + self._of(known[query], asked[query], other[candidate])
        everyone = torch.arange(self.entities, device=other.device)
        if len(other) != self.entities or not torch.equal(other, everyone):
            return scores + self._of(known[:, None], asked[:, None], other[None])
        # All entities: only the pairs that there are, not a search for each of q x e. How many
        # these are has to be waited for on a GPU.
        start = self.offsets[known]
        count = self.offsets[known + 1] - start
        query = torch.repeat_interleave(count)
        within = torch.arange(len(query), device=query.device) - (count.cumsum(0) - count)[query]
        pair = start[query] + within
        worth = self._worth(asked[query], pair)
        flat = query * self.entities + self.pairs[pair] % self.entities
        return scores.view(-1).index_add(0, flat, worth.to(scores.dtype)).view_as(scores)

    def _of(self, known: Tensor, asked: Tensor, other: Tensor) -> Tensor:
        """Return what mentions are worth to pairs of any shape."""
        key = known * self.entities + other
        if not len(self.pairs):
            return torch.zeros_like(key, dtype=self.weight.dtype)
        pair = torch.searchsorted(self.pairs, key).clamp(max=len(self.pairs) - 1)
        there = self.pairs[pair] == key
        return self._worth(asked.expand(key.shape), pair) * there

    def _worth(self, asked: Tensor, pair: Tensor) -> Tensor:
        return (self.weight[asked] * self.values[pair]).sum(dim=-1)

    def digest(self) -> str:
        """Return a SHA-256 of the pairs and their values."""
        return digest_of(self.pairs, self.values)
