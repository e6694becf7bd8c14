"""Which entities the texts of others name.

Shapes: e entities, n pairs of which one names the other.
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
from torch import Tensor

from lbmkgc_models.feature_store.labels import EntityLabel

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
