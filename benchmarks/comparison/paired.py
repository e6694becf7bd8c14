"""Whether one row is better than another: the difference of runs of the same seeds."""

from __future__ import annotations

import math
import statistics
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from openke.runtime.blas import import_with_blas


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
    freedom.

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
    half = _t(count - 1) * statistics.stdev(differences) / math.sqrt(count)
    return Difference(mean, mean - half, mean + half)


def crossed_difference(
    own: Mapping[int, NDArray[np.float64]], other: Mapping[int, NDArray[np.float64]]
) -> Difference | None:
    """Return how much higher ``own`` is on the same questions; None below two common seeds.

    The interval says what other seeds and other questions would change. A difference d_sq of seed
    s and question q is taken as a mean, an effect of the seed, one of the question and a rest; its
    mean over S seeds and Q questions then has the variance (MS_S + MS_Q - MS_E) / (S Q), by the
    mean squares of a two-way analysis of variance, effects that come out below zero being zero.
    The interval is mean ± t √variance, with the degrees of freedom of Satterthwaite. A bootstrap
    over both would count the rest three times.

    Parameters
    ----------
    own, other : Float["questions"]
        A metric of each question, the same ones in the same order, by seed.

    References
    ----------
    Satterthwaite, An approximate distribution of estimates of variance components, Biometrics 1946.
    Owen, The pigeonhole bootstrap, Annals of Applied Statistics 2007.
    """
    seeds = sorted(own.keys() & other.keys())
    if len(seeds) < 2:
        return None
    differences = np.stack([own[seed] - other[seed] for seed in seeds])
    s, q = differences.shape
    mean = differences.mean()
    of_seeds, of_questions = differences.mean(axis=1), differences.mean(axis=0)
    rest = differences - of_seeds[:, None] - of_questions + mean
    degrees = np.array([s - 1, q - 1, (s - 1) * (q - 1)]).clip(min=1)
    squares = np.array(
        [
            q * np.square(of_seeds - mean).sum(),
            s * np.square(of_questions - mean).sum(),
            np.square(rest).sum(),
        ]
    )
    of_seed, of_question, of_rest = squares / degrees
    parts = np.array([max(of_seed, of_rest), max(of_question, of_rest), of_rest])
    variance = parts[0] + parts[1] - parts[2]
    if not variance:
        return Difference(float(mean), float(mean), float(mean), of_questions=True)
    freedom = variance**2 / (np.square(parts) / degrees).sum()
    half = _t(freedom) * math.sqrt(variance / (s * q))
    return Difference(float(mean), float(mean - half), float(mean + half), of_questions=True)


def _t(degrees: float) -> float:
    """Return the 0.975 quantile of Student's t."""
    return float(import_with_blas("scipy.stats").t.ppf(0.975, degrees))
