"""Weights of trained models in a mixture, fitted to the valid split.

Shapes: n asked rows of a split, q queries, c candidates that are looked at, p parts.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import cross_entropy

from openke.data.store import Split, TripleStore
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
SHRINKAGES = (1.0, 10.0, 100.0)
"""How strongly a relation's weights are held to those of all, of which one is taken."""
BLOCK_BYTES = 64 * 2**20
"""Size of the scores [queries, entities, parts] held at a time; at least of one query."""


class _Asked(NamedTuple):
    """The rows of a split, asked for their heads and for their tails."""

    scores: Tensor
    """Float["n c+1 p"]: of the answer, then of the best candidates; -inf where there are fewer."""
    side: Tensor
    relation: Tensor
    query: Tensor
    """Which rows ask the same."""

    def of(self, rows: Tensor) -> _Asked:
        """Return some of the rows, Bool["n"]."""
        return _Asked(*(column[rows] for column in self))


def mix(
    parts: Sequence[Model],
    store: TripleStore,
    split: Split = "valid",
    *,
    candidates: Count = CANDIDATES,
) -> Mixture:
    """Return a mixture of trained models whose weights are fitted to a split they did not see.

    The weights of a relation maximise the likelihood of the right answers, less a penalty on their
    distance from the weights that are best for all relations together. How strong that is, is
    chosen by likelihood on the other half of the split's queries, in turn. The problem is convex.
    Wrong answers are the entities that all parts together score best; what is known as right, from
    train or this split, is none. Other splits do not matter.

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
    scale = asked.scores[asked.scores.isfinite().all(dim=2)].std(dim=0).clamp(min=1e-12)
    asked = asked._replace(scores=asked.scores / scale)
    weights = _fit(asked, store.relation_count, _choose(asked, store.relation_count))
    with torch.no_grad():
        mixture.weights.copy_(weights / scale)
    return mixture


@torch.no_grad()
def _asked(mixture: Mixture, store: TripleStore, split: Split, candidates: int) -> _Asked:
    device = mixture.weights.device
    everyone = encode_all(mixture)
    triples = store.triples(split)
    block = max(1, BLOCK_BYTES // (4 * store.entity_count * len(mixture.parts)))
    found = []
    for number, side in enumerate(SIDES):
        queries = Queries.of(triples, side)
        for start in range(0, len(triples), block):
            rows = slice(start, start + block)
            first, relation, answer = (
                torch.from_numpy(column[rows]).to(device)
                for column in (queries.first, queries.second, queries.target)
            )
            query = ask(mixture, take(everyone, first), relation, side)
            scores = torch.stack(mixture.scores(query, everyone, ALL_PAIRS), dim=2).float()
            place = torch.arange(len(first), device=device)
            of_answer = scores[place, answer]
            for row, (one, other) in enumerate(
                zip(queries.first[rows], queries.second[rows], strict=True)
            ):
                known = store.known(side, int(one), int(other), ("train", split))
                scores[row, torch.from_numpy(known).to(device)] = -torch.inf
            level = scores.log_softmax(dim=1).sum(dim=2)
            best = level.topk(candidates, dim=1).indices
            near = scores.gather(1, best[:, :, None].expand(-1, -1, scores.shape[2]))
            one_side = torch.full_like(relation, number)
            alike = torch.from_numpy(queries.query[rows]).to(device)
            found.append((torch.cat([of_answer[:, None], near], dim=1), one_side, relation, alike))
    return _Asked(*(torch.cat(column).cpu() for column in zip(*found, strict=True)))


def _choose(asked: _Asked, relations: int) -> float:
    """Return the shrinkage with which weights of one half suit the other half best."""
    # Queries are sorted by relation, so both halves have some of each. All answers to one query
    # are in the same half.
    halves = [asked.of(asked.query % 2 == half) for half in (0, 1)]
    costs = []
    for shrinkage in SHRINKAGES:
        cost = 0.0
        for ours, others in (halves, halves[::-1]):
            cost += float(_cost(others, _fit(ours, relations, shrinkage)))
        costs.append(cost)
    return SHRINKAGES[int(np.argmin(costs))]


def _fit(asked: _Asked, relations: int, shrinkage: float) -> Tensor:
    """Return Float["slot relation part"]."""
    parts = asked.scores.shape[2]
    common = torch.full((parts,), 1 / parts, requires_grad=True)
    own = torch.zeros(len(SIDES), relations, parts, requires_grad=True)
    steps = torch.optim.LBFGS([common, own], max_iter=100, line_search_fn="strong_wolfe")

    def closure() -> float:
        steps.zero_grad()
        cost = _cost(asked, common + own) + shrinkage * own.square().sum()
        cost.backward()  # type: ignore[no-untyped-call]
        return float(cost.detach())

    steps.step(closure)  # type: ignore[no-untyped-call]
    return (common + own).detach()


def _cost(asked: _Asked, weights: Tensor) -> Tensor:
    """Return the sum of -log P(right answer)."""
    there = asked.scores[:, :, 0].isfinite()
    of_rows = weights[asked.side, asked.relation]
    scores = torch.where(there[:, :, None], asked.scores, 0.0)
    mixed = torch.einsum("ncp,np->nc", scores, of_rows).masked_fill(~there, -torch.inf)
    return cross_entropy(mixed, torch.zeros(len(mixed), dtype=torch.long), reduction="sum")
