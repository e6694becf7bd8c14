"""Whether one row is better than another: the difference of runs of the same seeds."""

from __future__ import annotations

import math
import statistics
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

STUDENT_T = (12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262)
"""The 0.975 quantiles of Student's t with 1, 2, … degrees of freedom."""
SAMPLES = 2000
"""Of a bootstrap."""


@dataclass(frozen=True)
class Difference:
    """A mean difference and its 95 % interval."""

    mean: float
    low: float
    high: float
    of_questions: bool = False
    """Whether the interval is one over seeds and questions, not over seeds alone."""

    @property
    def significant(self) -> bool:
        """Return whether the interval leaves out zero."""
        return not self.low <= 0 <= self.high

    def __str__(self) -> str:
        """Return it with two decimals, and a star where it is significant.

        Square brackets are for seeds and questions, round ones for seeds alone.
        """
        begin, end = "[]" if self.of_questions else "()"
        star = " *" if self.significant else ""
        return f"{self.mean:+.2f} {begin}{self.low:+.2f}, {self.high:+.2f}{end}{star}"


def paired_difference(own: Mapping[int, float], other: Mapping[int, float]) -> Difference | None:
    """Return how much higher ``own`` is over the seeds that both have; None below two of these.

    The interval is that of a paired t-test: mean ± t s / √n, where s is the standard deviation of
    the n differences and t the 0.975 quantile of Student's distribution with n - 1 degrees of
    freedom. Beyond ten seeds t is that of ten, so the interval is a little wide.

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


def bootstrap_difference(
    own: Mapping[int, NDArray[np.float64]], other: Mapping[int, NDArray[np.float64]]
) -> Difference | None:
    """Return how much higher ``own`` is on the same questions; None below two common seeds.

    Seeds and questions are drawn with replacement, the same questions for all seeds drawn; the
    interval has 95 % of the means of such samples. Of S seeds a sample shows but (S - 1) / S of the
    variance that seeds have, which is much too little of few: so what a seed deviates from the
    mean of all, question by question, is made larger by the root of S / (S - 1). With two or three
    seeds the interval is a little narrow all the same: how much these vary is hardly known then.

    Parameters
    ----------
    own, other : Float["questions"]
        A metric of each question, the same ones in the same order, by seed.
    """
    seeds = sorted(own.keys() & other.keys())
    if len(seeds) < 2:
        return None
    rows = np.stack([own[seed] - other[seed] for seed in seeds])
    middle = rows.mean(axis=0)
    rows = middle + math.sqrt(len(seeds) / (len(seeds) - 1)) * (rows - middle)
    by_seed, by_question = _drawn(len(seeds)), _drawn(rows.shape[1])
    means = np.einsum("bq,bq->b", by_seed @ rows, by_question)
    low, high = np.quantile(means, [0.025, 0.975])
    return Difference(float(middle.mean()), float(low), float(high), of_questions=True)


@lru_cache(maxsize=8)
def _drawn(count: int) -> NDArray[np.float64]:
    """Return how much each of ``count`` weighs in each sample: Float["samples count"]."""
    generator = np.random.default_rng(count)
    return generator.multinomial(count, np.full(count, 1 / count), size=SAMPLES) / count
