"""Which files of tests take longest: said at the end of a long run."""

from __future__ import annotations

from collections import Counter
from typing import Any

MOST = 20
"""Files that are said."""
WORTH = 60.0
"""Seconds of all tests together from which it is said."""


def seconds_by_file(stats: dict[str, list[Any]]) -> Counter[str]:
    """Return the seconds of each file's tests, set-up included, of all reports of a run."""
    taken: Counter[str] = Counter()
    for reports in stats.values():
        for report in reports:
            place, seconds = getattr(report, "nodeid", ""), getattr(report, "duration", 0.0)
            taken[place.partition("::")[0]] += seconds
    return taken


def lines(taken: Counter[str]) -> list[str]:
    """Return a line for each of the files that take longest; none after a short run."""
    if taken.total() < WORTH:
        return []
    longest = [f"{seconds:6.0f} s  {file}" for file, seconds in taken.most_common(MOST)]
    return [*longest, f"{taken.total():6.0f} s  all"]
