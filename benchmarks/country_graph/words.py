"""The curated vocabularies of ``vocabulary/``: exact names with their synonyms, and patterns."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

FOLDER = Path(__file__).parent / "vocabulary"


@cache
def names(file: str) -> dict[str, str]:
    """Read ``name: synonym, synonym`` lines; return each synonym, and each name, with its name.

    Raises
    ------
    ValueError
        A word stands for two names.
    """
    found: dict[str, str] = {}
    for name, rest in _lines(file, ":"):
        for word in {name, *filter(None, (word.strip() for word in rest.split(",")))}:
            if found.setdefault(word, name) != name:
                raise ValueError(f"{file}: {word!r} stands for {found[word]!r} and for {name!r}")
    return found


@cache
def titles(file: str) -> dict[str, str]:
    """Read ``abbreviation: full name`` lines."""
    return dict(_lines(file, ":"))


@cache
def patterns(file: str) -> dict[str, re.Pattern[str]]:
    """Read ``name = regular expression`` lines."""
    return {name: re.compile(pattern, re.IGNORECASE) for name, pattern in _lines(file, "=")}


def matching(text: str, of: dict[str, re.Pattern[str]]) -> list[str]:
    """Return the names whose pattern is found in a text."""
    return [name for name, pattern in of.items() if pattern.search(text)]


def _lines(file: str, mark: str) -> list[tuple[str, str]]:
    lines = (FOLDER / file).read_text(encoding="utf-8").splitlines()
    pairs = [line.partition(mark) for line in lines if line.strip() and not line.startswith("#")]
    found = [(name.strip(), rest.strip()) for name, _, rest in pairs]
    if len({name for name, _ in found}) != len(found):
        raise ValueError(f"{file}: a name is there twice")
    return found
