"""Files of curated words: exact names with their synonyms, and patterns."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path


@cache
def names(path: Path) -> dict[str, str]:
    """Read ``name: synonym, synonym`` lines; return each synonym, and each name, with its name.

    Raises
    ------
    ValueError
        A word stands for two names.
    """
    found: dict[str, str] = {}
    for name, rest in _lines(path, ":"):
        for word in {name, *filter(None, (word.strip() for word in rest.split(",")))}:
            if found.setdefault(word, name) != name:
                raise ValueError(
                    f"{path.name}: {word!r} stands for {found[word]!r} and for {name!r}"
                )
    return found


@cache
def titles(path: Path) -> dict[str, str]:
    """Read ``abbreviation: full name`` lines."""
    return dict(_lines(path, ":"))


@cache
def patterns(path: Path) -> dict[str, re.Pattern[str]]:
    """Read ``name = regular expression`` lines."""
    return {name: re.compile(pattern, re.IGNORECASE) for name, pattern in _lines(path, "=")}


def matching(text: str, of: dict[str, re.Pattern[str]]) -> list[str]:
    """Return the names whose pattern is found in a text."""
    return [name for name, pattern in of.items() if pattern.search(text)]


def _lines(path: Path, mark: str) -> list[tuple[str, str]]:
    lines = path.read_text(encoding="utf-8").splitlines()
    pairs = [line.partition(mark) for line in lines if line.strip() and not line.startswith("#")]
    found = [(name.strip(), rest.strip()) for name, _, rest in pairs]
    if len({name for name, _ in found}) != len(found):
        raise ValueError(f"{path.name}: a name is there twice")
    return found
