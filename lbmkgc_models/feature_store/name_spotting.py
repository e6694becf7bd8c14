"""Names of entities as they stand in texts: which words are one, found and hidden."""

from __future__ import annotations

import re
import unicodedata
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace

from lbmkgc_models.feature_store.labels import EntityLabel

LEAST_LETTERS = 3
MOST_WORDS = 10
MOST_BEARERS = 1000
"""Entities of one name: of so many, each pair would be named."""
MASK = "[MASK]"
"""Stands for a hidden name; BERT's tokenizers know it."""
_BRACKETS = r"\([^)]*\)"

Words = tuple[str, ...]


class NameSpotter:
    """Finds the names of entities in texts.

    A name is a label without what stands in brackets: at least three letters, at most ten words,
    borne by at most a thousand entities. Words are compared as a whole and in lower case.

    Parameters
    ----------
    labels
        Those of all entities, in the order of ids.
    """

    def __init__(self, labels: Sequence[EntityLabel]) -> None:
        found: dict[Words, list[int]] = defaultdict(list)
        for entity, label in enumerate(labels):
            name = name_of(label)
            if sum(map(len, name)) >= LEAST_LETTERS and len(name) <= MOST_WORDS:
                found[name].append(entity)
        self.bearers = {name: ids for name, ids in found.items() if len(ids) <= MOST_BEARERS}
        """The entities of each name."""
        self._first = {name[0] for name in self.bearers}
        self._longest = max(map(len, self.bearers), default=0)

    def names_in(self, text: str) -> set[Words]:
        """Return the names that stand in a text, those within longer ones, too.

        What is hidden is no word: "the [MASK]" names nobody.
        """
        return {
            words[begin:end]
            for words in map(words_of, text.split(MASK))
            for begin in range(len(words))
            for end in self._ends(words, begin)
        }

    def longest_at(self, words: Words, begin: int) -> int:
        """Return where the longest name that begins at a word ends; ``begin`` if none does."""
        return max(self._ends(words, begin), default=begin)

    def _ends(self, words: Words, begin: int) -> list[int]:
        if words[begin] not in self._first:
            return []
        last = min(len(words), begin + self._longest)
        return [end for end in range(begin + 1, last + 1) if words[begin:end] in self.bearers]


def name_of(label: EntityLabel) -> Words:
    """Return the words of a label that are the entity's name: those outside brackets."""
    return words_of(re.sub(_BRACKETS, "", label.label))


def words_of(text: str) -> Words:
    """Return the words of a text in lower case."""
    return tuple(re.findall(r"\w+", unicodedata.normalize("NFKC", text).lower()))


def mask_names(labels: Sequence[EntityLabel]) -> list[EntityLabel]:
    """Hide the names of other entities in label and description: :data:`MASK` stands for each.

    An entity's own name stays: its label as far as no brackets enclose it, and where the text has
    the same words. Of names that overlap, the longest is taken, from left to right.
    """
    spotter = NameSpotter(labels)
    masked = []
    for label in labels:
        own = name_of(label)
        # The label's brackets may name others: "Sorry (Justin Bieber song)".
        bare = re.split(f"({_BRACKETS})", label.label)
        hidden = "".join(
            _masked(part, own, spotter) if part.startswith("(") else part for part in bare
        )
        description = _masked(label.description, own, spotter)
        masked.append(replace(label, label=hidden, description=description))
    return masked


def _masked(text: str, own: Words, spotter: NameSpotter) -> str:
    text = unicodedata.normalize("NFKC", text)
    found = list(re.finditer(r"\w+", text))
    words = tuple(match[0].lower() for match in found)
    pieces, done, at = [], 0, 0
    while at < len(words):
        end = spotter.longest_at(words, at)
        if end > at and words[at:end] != own:
            pieces += [text[done : found[at].start()], MASK]
            done = found[end - 1].end()
        at = max(end, at + 1)
    return "".join([*pieces, text[done:]])
