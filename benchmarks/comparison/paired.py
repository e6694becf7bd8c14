"""Whether one row is better than another: the difference of runs of the same seeds."""

from __future__ import annotations

import math
import statistics
from collections.abc import Mapping
from dataclasses import dataclass

STUDENT_T = (12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262)
"""The 0.975 quantiles of Student's t with 1, 2, … degrees of freedom."""


@dataclass(frozen=True)
class Difference:
    """A mean difference and its 95 % interval."""

    mean: float
    low: float
    high: float

    def __str__(self) -> str:
        """Return it with two decimals, and a star where the interval leaves out zero."""
        star = "" if self.low <= 0 <= self.high else " *"
        return f"{self.mean:+.2f} [{self.low:+.2f}, {self.high:+.2f}]{star}"


def paired_difference(own: Mapping[int, float], other: Mapping[int, float]) -> Difference | None:
    """Return how much higher ``own`` is over the seeds that both have; None below two of these.

    The interval is that of a paired t-test: mean ± t s / √n, where s is the standard deviation of
    the n differences and t the 0.975 quantile of Student's distribution with n - 1 degrees of
    freedom. A bootstrap of so few seeds would give too narrow an interval. Beyond ten seeds t is
    that of ten, so the interval is a little wide.

    Parameters
    ----------
    own, other
        A metric of each row by seed.
    """
    differences = [own[seed] - other[seed] for seed in sorted(own.keys() & other.keys())]
    count = len(differences)
    if count < 2:
        return None
    mean = statistics.mean(differences)
    t = STUDENT_T[min(count - 1, len(STUDENT_T)) - 1]
    half = t * statistics.stdev(differences) / math.sqrt(count)
    return Difference(mean, mean - half, mean + half)
