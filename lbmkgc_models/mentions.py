"""Which entities the texts of others name, and what that is worth to a score.

Shapes: e entities, n pairs of which one names the other, q queries, c candidates.
"""

from __future__ import annotations

import math
import re
import unicodedata
from array import array
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn

from lbmkgc_models.features.labels import EntityLabel
from lbmkgc_models.projectors import digest_of
from openke.data.batch import Side
from openke.module.model.rows import Compare, Pairwise

LEAST_LETTERS = 3
MOST_WORDS = 10
MOST_BEARERS = 1000
"""Entities of one name: of so many, each pair would be named."""
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

    A name is a label without what stands in brackets: at least three letters, at most ten words,
    borne by at most a thousand entities. Words are compared as a whole and in lower case. A name's
    rarity is ``log(e / texts that have it) / log e``: 1 in one text only, 0 in all.

    Parameters
    ----------
    labels
        Those of all entities, in the order of ids; a text is label and description.
    """
    e = len(labels)
    bearers = _bearers(labels)
    first = {name[0] for name in bearers}
    longest = max(map(len, bearers), default=0)
    texts: Counter[Words] = Counter()
    naming, named, names = array("q"), array("q"), []
    for entity, label in enumerate(labels):
        for name in _names_in(_words(label.text), bearers, first, longest):
            texts[name] += 1
            for other in bearers[name]:
                if other != entity:
                    naming.append(entity)
                    named.append(other)
                    names.append(name)
    rarity = np.array([math.log(e / texts[name]) / math.log(e) for name in names])
    there, back = np.array(naming, dtype=np.int64), np.array(named, dtype=np.int64)
    forth, other_way = there * e + back, back * e + there
    pairs = np.unique(np.concatenate([forth, other_way]))
    values = np.zeros((len(pairs), KINDS), dtype=np.float32)
    for keys, place in ((forth, 0), (other_way, 2)):
        at = np.searchsorted(pairs, keys)
        values[at, place], values[at, place + 1] = 1, rarity
    return Mentions(e, torch.from_numpy(pairs), torch.from_numpy(values))


def _bearers(labels: Sequence[EntityLabel]) -> dict[Words, list[int]]:
    """Return the entities of each name."""
    found: dict[Words, list[int]] = defaultdict(list)
    for entity, label in enumerate(labels):
        name = _words(re.sub(r"\([^)]*\)", "", label.label))
        if sum(map(len, name)) >= LEAST_LETTERS and len(name) <= MOST_WORDS:
            found[name].append(entity)
    return {name: bearing for name, bearing in found.items() if len(bearing) <= MOST_BEARERS}


def _words(text: str) -> Words:
    return tuple(re.findall(r"\w+", unicodedata.normalize("NFKC", text).lower()))


def _names_in(
    words: Words, bearers: dict[Words, list[int]], first: set[str], longest: int
) -> set[Words]:
    """Return the names that stand in a text."""
    return {
        words[begin:end]
        for begin, word in enumerate(words)
        if word in first
        for end in range(begin + 1, min(len(words), begin + longest) + 1)
        if words[begin:end] in bearers
    }


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

    def asked(self, relation: Tensor, side: Side) -> Tensor:
        """Return Int["q"], which weights a question takes."""
        return relation + self.rel_tot if side == "head" else relation

    def forward(
        self, scores: Tensor, known: Tensor, asked: Tensor, other: Tensor, compare: Compare
    ) -> Tensor:
        """Return the scores with what mentions are worth.

        Parameters
        ----------
        scores
            As ``compare`` makes them.
        known, asked : Int["q"]
            The known entity of each query, and what :meth:`asked` says of its relation.
        other : Int["c"]
            The candidates.
        """
        if isinstance(compare, Pairwise):
            query, candidate = compare.query_index, compare.candidate_index
            return scores + self._of(known[query], asked[query], other[candidate])
        if len(other) != self.entities or not torch.equal(other, self.everyone):
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
        return self._worth(asked, pair) * (self.pairs[pair] == key)

    def _worth(self, asked: Tensor, pair: Tensor) -> Tensor:
        """Return w . values, kind by kind: pairs may be many, and nothing is four times as wide."""
        weight = torch.cat([self.weight, self.weight.roll(KINDS // 2, dims=1)])  # [2r 4]
        worth = weight[asked, 0] * self.values[pair, 0]
        for kind in range(1, KINDS):
            worth = worth + weight[asked, kind] * self.values[pair, kind]
        return worth

    def digest(self) -> str:
        """Return a SHA-256 of the pairs and their values."""
        return digest_of(self.pairs, self.values)
