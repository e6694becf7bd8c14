"""Weights of trained models in a mixture, fitted to the valid split.

Shapes: q queries, n answers to them, c candidates that are looked at, p parts.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import softplus

from openke.data.store import Split, TripleStore
from openke.evaluation.candidates import Candidates, between
from openke.evaluation.queries import Queries
from openke.module.model.mixture import SIDES, Mixture
from openke.module.model.model import Model, require_same_graph
from openke.module.scoring.all_entities import encode_all
from openke.module.scoring.compare import ALL_PAIRS
from openke.module.scoring.contract import ask
from openke.module.scoring.encodings import take
from openke.runtime.values import Count, check_value

CANDIDATES = 500
"""The best candidates of each query that weights are fitted to; those below cost nothing."""
ABSENT = -1e30
"""Added to the score of a candidate that is not there; its exponential is 0, and it is a number."""
SHRINKAGES = (1.0, 10.0, 100.0)
"""How strongly a relation's weights are held to those of all, of which one is taken."""
BLOCK_BYTES = 64 * 2**20
"""Size of the scores [queries, entities, parts] held at a time; at least of one query."""


class _Asked(NamedTuple):
    """The distinct queries for heads and tails that a split asks, and its answers to them."""

    side: Tensor
    relation: Tensor
    near: Tensor
    """Float["q c p"]: scores of the best candidates that are no answers, 0 where there are fewer"""
    absent: Tensor
    """Float["q c"]: :data:`ABSENT` where there are fewer, else 0"""
    answer: Tensor
    """Float["n p"]: the answers' scores"""
    query: Tensor
    """Int["n"]: to which query each is an answer"""

    def of(self, queries: Tensor) -> _Asked:
        """Return some of the queries, Bool["q"]."""
        rows = queries[self.query]
        number = queries.cumsum(0) - 1
        side, relation, near, absent = (column[queries] for column in self[:4])
        return _Asked(side, relation, near, absent, self.answer[rows], number[self.query[rows]])


def mix(
    parts: Sequence[Model],
    store: TripleStore,
    split: Split = "valid",
    *,
    candidates: Count = CANDIDATES,
) -> Mixture:
    """Return a mixture of trained models whose weights are fitted to a split they did not see.

    The weights of a relation are positive. They maximise the likelihood of the right answers, less
    a penalty on the distance of their logarithms from those of the weights that are best for all
    relations together. How strong that is, is chosen by likelihood on the other half of the split's
    queries, in turn. Wrong answers are the entities that all parts together score best; what is
    known as right, from train or this split, is none. An answer below all of these says nothing:
    weights that turn scores round would raise it above the few, and not above the rest. Other
    splits do not matter.

    Parameters
    ----------
    parts
        Trained models; they are put into evaluation mode and do not change.
    store
        Their graph.
    split
        What is fitted to. Never the split that the mixture is tested on.
    candidates
        The most wrong answers of each query that are looked at, the best ones first.

    Raises
    ------
    ValueError
        Models that do not fit together (see :class:`.Mixture`) or the graph; an empty split; no
        candidates.
    """
    check_value("candidates", candidates, Count)
    mixture = Mixture(parts).eval()
    require_same_graph(mixture, store)
    store.require(split)
    mixture.to(mixture.weights.device)
    asked = _asked(mixture, store, split, min(candidates, store.entity_count - 1))
    # One shrinkage is for all parts, so their scores must spread alike.
    scale = _spread(asked).clamp(min=1e-12)
    asked = _within_reach(asked)
    asked = asked._replace(near=asked.near / scale, answer=asked.answer / scale)
    weights = _fit(asked, store.relation_count, _choose(asked, store.relation_count))
    with torch.no_grad():
        mixture.weights.copy_(weights / scale)
        mixture.spread.copy_(scale)
    return mixture


@torch.no_grad()
def _asked(mixture: Mixture, store: TripleStore, split: Split, candidates: int) -> _Asked:
    device = mixture.weights.device
    everyone = encode_all(mixture)
    width, before, found = store.entity_count, 0, []
    block = max(1, BLOCK_BYTES // (4 * width * len(mixture.parts)))
    for number, side in enumerate(SIDES):
        queries = Queries.of(store.triples(split), side)
        known = Candidates.of(store, side, queries, ("train", split), None).known
        given = torch.from_numpy(queries.distinct).to(device)
        for start in range(0, len(given), block):
            first, relation = given[start : start + block].unbind(dim=1)
            stop = start + len(first)
            query = ask(mixture, take(everyone, first), relation, side)
            scores = torch.stack(mixture.scores(query, everyone, ALL_PAIRS), dim=2).float()
            rows = queries.asking(start, stop)
            asking, answer = (torch.from_numpy(c[rows]) for c in (queries.query, queries.target))
            of_answer = scores[asking - start, answer].cpu()
            right = torch.from_numpy(known[between(known, start, stop, width)] - start * width)
            scores.flatten(0, 1).index_fill_(0, right.to(device), -torch.inf)
            near, absent = _nearest(scores, candidates)
            sides = torch.full((len(near),), number)
            found.append((sides, relation.cpu(), near, absent, of_answer, asking + before))
        before += len(given)
    return _Asked(*(torch.cat(column) for column in zip(*found, strict=True)))


def _nearest(scores: Tensor, candidates: int) -> tuple[Tensor, Tensor]:
    """Return :attr:`_Asked.near` and ``absent`` of scores, Float["q e p"], -inf of what is none."""
    level = scores.log_softmax(dim=1).sum(dim=2)
    best = level.topk(candidates, dim=1).indices
    near = scores.gather(1, best[:, :, None].expand(-1, -1, scores.shape[2])).cpu()
    missing = near[:, :, 0].isinf()
    return (
        near.masked_fill_(missing[:, :, None], 0),
        torch.zeros(missing.shape).masked_fill_(missing, ABSENT),
    )


def _within_reach(asked: _Asked) -> _Asked:
    """Leave out answers that all parts together score below all candidates that are looked at."""
    level = asked.near.sum(dim=2).masked_fill(asked.absent != 0, -torch.inf)
    there = asked.answer.sum(dim=1) >= level.amin(dim=1)[asked.query]
    return asked._replace(answer=asked.answer[there], query=asked.query[there])


def _spread(asked: _Asked) -> Tensor:
    """Return the standard deviation of each part's scores, Float["p"].

    Each answer counts, and with it the candidates of its query.
    """
    answers = torch.bincount(asked.query, minlength=len(asked.side)).double()
    counts = torch.where(asked.absent == 0, answers[:, None], 0.0)
    total = counts.sum() + len(asked.answer)
    mean, square = (
        (torch.einsum("qc,qcp->p", counts, near) + answer.sum(dim=0)) / total
        for near, answer in (
            (asked.near.double() ** power, asked.answer.double() ** power) for power in (1, 2)
        )
    )
    return ((square - mean**2) * total / (total - 1)).sqrt().float()


def _choose(asked: _Asked, relations: int) -> float:
    """Return the shrinkage with which weights of one half suit the other half best."""
    # Queries are sorted by relation, so both halves have some of each. All answers to one query
    # are in the same half.
    even = torch.cat([torch.arange(int((asked.side == side).sum())) % 2 == 0 for side in (0, 1)])
    halves = [asked.of(even), asked.of(~even)]
    costs = []
    for shrinkage in SHRINKAGES:
        cost = 0.0
        for ours, others in (halves, halves[::-1]):
            cost += float(_cost(others, _fit(ours, relations, shrinkage)))
        costs.append(cost)
    return SHRINKAGES[int(np.argmin(costs))]


def _fit(asked: _Asked, relations: int, shrinkage: float) -> Tensor:
    """Return Float["slot relation part"]."""
    parts = asked.near.shape[2]
    # Logarithms: a part's scores may count for nothing, but are never turned round.
    common = torch.full((parts,), -math.log(parts), requires_grad=True)
    own = torch.zeros(len(SIDES), relations, parts, requires_grad=True)
    steps = torch.optim.LBFGS([common, own], max_iter=100, line_search_fn="strong_wolfe")

    def closure() -> float:
        steps.zero_grad()
        cost = _cost(asked, (common + own).exp()) + shrinkage * own.square().sum()
        cost.backward()  # type: ignore[no-untyped-call]
        return float(cost.detach())

    steps.step(closure)  # type: ignore[no-untyped-call]
    return (common + own).exp().detach()


def _cost(asked: _Asked, weights: Tensor) -> Tensor:
    """Return the sum of -log P(right answer)."""
    of_queries = weights[asked.side, asked.relation]
    mixed = torch.einsum("qcp,qp->qc", asked.near, of_queries) + asked.absent
    own = (asked.answer * of_queries[asked.query]).sum(dim=1)
    return softplus(mixed.logsumexp(dim=1)[asked.query] - own).sum()
