"""Probabilities of answers: the scores of a model, fitted to the valid split.

Shapes: q queries, e entities, n answers that are looked at.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from openke.data.store import Slot
from openke.evaluation.queries import Queries
from openke.runs.predictor import Predictor

LOOKED_AT = 20
"""The best answers to a query that are fitted to: they are what people look at."""
MOST = 2000
"""Queries for heads, and for tails, that are fitted to."""
LEAST = 20
"""Right answers that it takes."""
BINS = 10


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
    """

    slope: float
    intercept: float
    error: float
    answers: int

    def probability(self, log_share: float) -> float:
        """Return the probability of an answer, by its log-softmax."""
        x = self.slope * log_share + self.intercept
        return 1 / (1 + math.exp(-x)) if x > -700 else 0.0


def calibrate(predictor: Predictor) -> Calibration:
    """Fit probabilities to the valid split, by scikit-learn's logistic regression.

    Raises
    ------
    ImportError
        scikit-learn is not installed.
    ValueError
        Too few right answers in the valid split.
    """
    try:
        from sklearn.linear_model import LogisticRegression
    except ImportError as error:
        raise ImportError(
            "probabilities need the package scikit-learn: pip install openke-lbmkgc[features]"
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
            half = LogisticRegression().fit(x[~here, None], right[~here])
            guessed[here] = half.predict_proba(x[here, None])[:, 1]
        else:
            guessed[here] = right.mean()
    whole = LogisticRegression().fit(x[:, None], right)
    return Calibration(
        float(whole.coef_[0, 0]),
        float(whole.intercept_[0]),
        expected_error(guessed, right),
        len(x),
    )


def expected_error(guessed: NDArray[np.float64], right: NDArray[np.bool_]) -> float:
    """Return the mean distance of probability and share of right answers, over bins."""
    order = np.argsort(guessed, kind="stable")
    gaps = [
        abs(guessed[part].mean() - right[part].mean()) * len(part)
        for part in np.array_split(order, BINS)
        if len(part)
    ]
    return float(sum(gaps) / len(guessed))


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
