"""Names as people mistype them: the near ones among those that are known."""

from __future__ import annotations

import difflib
from collections.abc import Collection, Iterable


def close_names(name: str, known: Iterable[str], most: int = 1) -> list[str]:
    """Return the known names that ``name`` may mean, the nearest first; case does not count.

    The initials of its words come first (lr for learning_rate), then names of the same letters in
    another order, then those most alike.
    """
    by_lower: dict[str, str] = {}
    for each in known:
        by_lower.setdefault(each.lower(), each)
    asked = name.lower()
    initials = "".join(word[:1] for word in asked.split("_")) if "_" in asked else ""
    alike = difflib.get_close_matches(asked, by_lower, max(len(by_lower), 1))
    alike.sort(key=lambda each: sorted(each) != sorted(asked))
    found = dict.fromkeys([initials, *alike] if initials and initials in by_lower else alike)
    return [by_lower[lower] for lower in found][:most]


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """Return " (did you mean X?)", or nothing where no known name is near."""
    close = close_names(name, known)
    return f" (did you mean {close[0]}?)" if close else ""


def check_known(place: str, name: str, known: Collection[str], where: str = "") -> None:
    """Raise ``ValueError``, which lists the known names, unless ``name`` is one of them."""
    if name not in known:
        raise ValueError(
            f"{place} is {name!r}{did_you_mean(name, known)}; expected one of "
            f"{', '.join(map(repr, known))}{where}"
        )
