"""What a tag of an emoji says: a relation, and one word for all that say the same."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable

from graph_making.words import names

from emoji_graph import VOCABULARY

ABOUT = "about"
RELATIONS = {
    "shows": "shows.txt",
    "has_shape": "shape.txt",
    "feels": "feels.txt",
    ABOUT: "about.txt",
}
"""Which of the curated words has which relation; one that no file has is ``about``."""
WORD = re.compile(r"[a-z]{2}")


class Tags:
    """Reads tags, of which all are known beforehand."""

    def __init__(self, known: Iterable[str]) -> None:
        self.known = set(known)
        self.left_out = names(VOCABULARY / "left_out.txt")
        self.words: dict[str, tuple[str, str]] = {}
        for relation, file in RELATIONS.items():
            for word, name in names(VOCABULARY / file).items():
                if self.words.setdefault(word, (relation, name)) != (relation, name):
                    raise ValueError(f"{file}: {word!r} is {self.words[word]} already")

    def read(self, tag: str) -> tuple[str, str] | None:
        """Return a tag's relation and its word; None where it says nothing."""
        word = self._singular(tag)
        if not WORD.search(word) or word in self.left_out:
            return None
        return self.words.get(word, (ABOUT, word))

    def _singular(self, tag: str) -> str:
        """Return a plural's singular, where that is known, too."""
        single = tag.removesuffix("s")
        return single if single in self.known or single in self.words else tag


def words_of(text: str) -> set[str]:
    """Return the words of a text, plurals without their s."""
    return {word.removesuffix("s") for word in re.findall(r"[a-z0-9]+", text.lower())}


def restated(word: str, others: Collection[str]) -> bool:
    """Return whether all words of a text are among these."""
    return words_of(word) <= set(others)
