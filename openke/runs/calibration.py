"""Probabilities of answers: the scores of a model, fitted to the valid split.

Shapes: q queries, e entities, n answers that are looked at.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from openke.data.store import Slot
from openke.evaluation.queries import Queries
from openke.runs.packed import need_facts
from openke.runs.predictor import NO_PROBABILITY, Predictor
from openke.runtime.blas import import_with_blas
from openke.runtime.values import Count, Share, check_arguments, check_value

LOOKED_AT = 20
"""The best answers to a query that are fitted to: they are what people look at."""
MOST = 2000
"""Queries for heads, and for tails, that are fitted to."""
LEAST = 20
"""Right answers that it takes."""
BINS = 10


@dataclass(frozen=True)
class Bin:
    """Answers of about one probability, none of which it was fitted to."""

    probability: Share
    """Their mean probability."""
    right: Share
    """The share of them that is right."""
    answers: Count


@dataclass(frozen=True)
class Calibration:
    """P(an answer is right) = sigmoid(slope * x + intercept), x its log-softmax.

    The softmax is over the answers to the query that are not known already. So it is the
    probability that a new answer is right where the graph lacks one.

    Attributes
    ----------
    slope, intercept
        Fitted to the best answers to the queries of the valid split.
    error
        Expected calibration error on queries that were not fitted to: the mean distance of
        probability and share of right answers, over ten bins of as many answers each.
    answers
        How many answers were looked at.
    bins
        What the error is the mean of, from the least probable answers to the most.
    """

    slope: float
    intercept: float
    error: Share
    answers: Count
    bins: tuple[Bin, ...] = ()

    def probability(self, log_share: float) -> float:
        """Return the probability of an answer, by its log-softmax."""
        x = self.slope * log_share + self.intercept
        return 1 / (1 + math.exp(-x)) if x > -700 else 0.0

    def to_dict(self) -> dict[str, Any]:
        """Return what ``report.json`` has of it."""
        return {**asdict(self), "bins": [asdict(each) for each in self.bins]}

    @classmethod
    def from_dict(cls, saved: Mapping[str, Any]) -> Calibration:
        """Return what :meth:`to_dict` was made of.

        Raises
        ------
        ValueError
            A value that is missing, or is none of its kind.
        """
        check_value("calibration", saved, Mapping)
        bins = saved.get("bins", [])
        check_value("calibration.bins", bins, Sequence[Mapping[str, Any]])
        for each in bins:
            check_arguments("calibration.bins", each, Bin)
        given = {**saved, "bins": tuple(Bin(**each) for each in bins)}
        check_arguments("calibration", given, cls)
        return cls(**given)


def calibrate(predictor: Predictor) -> Calibration:
    """Fit probabilities to the valid split, by scikit-learn's logistic regression.

    Raises
    ------
    ImportError
        scikit-learn is not installed.
    ValueError
        Too few right answers in the valid split, or no facts.
    """
    need_facts(predictor.facts, NO_PROBABILITY)
    try:
        linear = import_with_blas("sklearn.linear_model")
    except ImportError as error:
        raise ImportError(
            "probabilities need the package scikit-learn: pip install 'openke-lbmkgc[features]'"
        ) from error
    parts = [_looked_at(predictor, slot) for slot in ("head", "tail")]
    x, right, query = (np.concatenate(column) for column in zip(*parts, strict=True))
    query[len(parts[0][0]) :] += MOST  # heads and tails are queries apart
    if right.sum() < LEAST or right.all():
        raise ValueError(
            f"probabilities are fitted to the valid split, where {int(right.sum())} of "
            f"{len(right)} answers are right: expected {LEAST} or more, and some that are not"
        )
    folds = np.random.default_rng(0).permutation(2 * MOST)[query] % 2
    guessed = np.zeros(len(x))
    for fold in (0, 1):
        here = folds == fold
        if len(set(right[~here].tolist())) == 2:
            half = linear.LogisticRegression().fit(x[~here, None], right[~here])
            guessed[here] = half.predict_proba(x[here, None])[:, 1]
        else:
            guessed[here] = right.mean()
    whole = linear.LogisticRegression().fit(x[:, None], right)
    bins = binned(guessed, right)
    slope, intercept = float(whole.coef_[0, 0]), float(whole.intercept_[0])
    return Calibration(slope, intercept, expected_error(bins), len(x), bins)


def calibrate_if_possible(predictor: Predictor) -> Calibration | None:
    """Return :func:`calibrate`, or None without scikit-learn, or where answers are too few."""
    try:
        return calibrate(predictor)
    except (ImportError, ValueError):
        return None


def binned(guessed: NDArray[np.float64], right: NDArray[np.bool_]) -> tuple[Bin, ...]:
    """Return bins of as many answers each, by their probability."""
    order = np.argsort(guessed, kind="stable")
    return tuple(
        Bin(float(guessed[part].mean()), float(right[part].mean()), len(part))
        for part in np.array_split(order, BINS)
        if len(part)
    )


def expected_error(bins: Sequence[Bin]) -> float:
    """Return the mean distance of probability and share of right answers, over bins."""
    gaps = [abs(each.probability - each.right) * each.answers for each in bins]
    return float(sum(gaps) / sum(each.answers for each in bins))


def _looked_at(
    predictor: Predictor, slot: Slot
) -> tuple[NDArray[np.float64], NDArray[np.bool_], NDArray[np.int64]]:
    """Return of the best answers to valid's queries log-softmax, whether right, and the query."""
    store = predictor.store
    distinct = Queries.of(store.triples("valid"), slot).distinct
    if len(distinct) > MOST:
        distinct = distinct[np.random.default_rng(0).permutation(len(distinct))[:MOST]]
    shares, right, query = [], [], []
    for place, (first, second) in enumerate(distinct.tolist()):
        scores = predictor.scores(slot, [(first, second)])[0]
        scores[store.known(slot, first, second, ("train", "test"))] = -torch.inf
        found, ids = torch.topk(scores.log_softmax(0), min(LOOKED_AT, int(scores.isfinite().sum())))
        shares.append(found.numpy())
        right.append(np.isin(ids.numpy(), store.known(slot, first, second, ("valid",))))
        query.append(np.full(len(ids), place))
    if not shares:
        return np.zeros(0), np.zeros(0, bool), np.zeros(0, np.int64)
    return np.concatenate(shares), np.concatenate(right), np.concatenate(query)
