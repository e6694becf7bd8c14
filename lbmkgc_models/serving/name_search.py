"""Names found as they are typed."""

from __future__ import annotations

import unicodedata
from bisect import bisect_right

from openke.data.vocabulary import Vocabulary


def folded(text: str) -> str:
    """Return a text without case, accents and line breaks, underscores as blanks."""
    parts = unicodedata.normalize("NFKD", text.casefold())
    letters = "".join(c for c in parts if not unicodedata.combining(c))
    return " ".join(letters.replace("_", " ").split())


class NameSearch:
    """Finds ids by a part of a name or label.

    All names are one text, which is searched at the speed of C: a million take milliseconds.

    Parameters
    ----------
    names
        The names and labels.
    """

    def __init__(self, names: Vocabulary) -> None:
        self.count = names.count
        self._ids: list[int] = []
        self._starts: list[int] = []
        parts, at = [], 0
        for id in range(names.count):
            for form in dict.fromkeys(map(folded, (names.title(id), names.name(id)))):
                parts.append(f"\n{form}\n")
                self._ids.append(id)
                self._starts.append(at)
                at += len(form) + 2
        self._text = "".join(parts)

    def find(self, typed: str, most: int) -> list[int]:
        """Return ids, best first: the whole name, its beginning, that of a word, any part."""
        part = folded(typed)
        if not part:
            return list(range(min(most, self.count)))
        found: dict[int, None] = {}
        for pattern in (f"\n{part}\n", f"\n{part}", f" {part}", part):
            at = self._text.find(pattern)
            while at >= 0 and len(found) < most:
                row = bisect_right(self._starts, at) - 1
                found[self._ids[row]] = None
                at = self._text.find(pattern, at + 1)
        return list(found)
