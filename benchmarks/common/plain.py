"""The same work in plain NumPy and eager PyTorch, written the usual way: what speed is held to.

Shapes: b positives, k negatives of each, q queries, e entities, d reals per vector.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn.functional import logsigmoid

from openke.data.store import TripleStore
from openke.training.optimizers.choose import has_fused_step

SPLITS = ("train", "valid", "test")
Triples = NDArray[np.int64]


class PlainStore:
    """A data set in NumPy: splits without duplicates, known answers sorted by query."""

    def __init__(self, folder: Path) -> None:
        read = {split: _read(folder, split) for split in SPLITS}
        self.splits = {split: _distinct(triples) for split, triples in read.items()}
        every = _distinct(np.concatenate(list(self.splits.values())))
        self.tails = every  # sorted by head, relation, tail already
        self.heads = every[np.lexsort((every[:, 0], every[:, 1], every[:, 2]))]


def _read(folder: Path, split: str) -> Triples:
    with (folder / f"{split}2id.txt").open() as file:
        file.readline()
        numbers = np.fromstring(file.read(), dtype=np.int64, sep=" ")
    return numbers.reshape(-1, 3)[:, [0, 2, 1]]


def _distinct(triples: Triples) -> Triples:
    e, r = (int(triples[:, column].max()) + 1 for column in (2, 1))
    numbers = np.unique((triples[:, 0] * r + triples[:, 1]) * e + triples[:, 2])
    return np.column_stack([numbers // (e * r), numbers // e % r, numbers % e])


def draw_negatives(
    store: TripleStore, random: np.random.Generator, negatives: int
) -> Callable[[Triples], Triples]:
    """Return a function from Int["b 3"] to Int["b k 3"]: filtered Bernoulli negatives.

    Facts among the draws are looked up in a sorted table of numbers and drawn again.
    """
    statistics = store.relation_statistics()
    by_head = statistics.tails_per_head / (
        statistics.tails_per_head + statistics.heads_per_tail + 1e-12
    )
    facts = np.sort(numbers_of(store, store.triples("train")))

    def draw(positive: Triples) -> Triples:
        drawn = np.repeat(positive[:, None, :], negatives, axis=1)
        on_head = random.random(drawn.shape[:2]) < by_head[positive[:, 1], None]
        wrong = np.ones(drawn.shape[:2], bool)
        while wrong.any():
            ids = random.integers(store.entity_count, size=int(wrong.sum()))
            drawn[..., 0][wrong] = np.where(on_head[wrong], ids, drawn[..., 0][wrong])
            drawn[..., 2][wrong] = np.where(on_head[wrong], drawn[..., 2][wrong], ids)
            numbers = numbers_of(store, drawn[wrong])
            at = np.minimum(np.searchsorted(facts, numbers), len(facts) - 1)
            wrong[wrong] = facts[at] == numbers
        return drawn

    return draw


def numbers_of(store: TripleStore, triples: Triples) -> NDArray[np.int64]:
    """Return a number for each of Int["… 3"]."""
    e, r = store.entity_count, store.relation_count
    return (triples[..., 0] * r + triples[..., 1]) * e + triples[..., 2]


# ---- scores --------------------------------------------------------------------------------------

Vectors = tuple[Tensor, Tensor, Tensor]
"""Head, relation and tail vectors that broadcast against one another."""


def transe(h: Tensor, r: Tensor, t: Tensor) -> Tensor:
    """Return minus the L1 distance of h + r and t."""
    return -(h + r - t).abs().sum(dim=-1)


def complex_score(h: Tensor, r: Tensor, t: Tensor) -> Tensor:
    """Return Re <h, r, conj t>, real parts first in every vector."""
    (h1, h2), (r1, r2), (t1, t2) = (x.chunk(2, dim=-1) for x in (h, r, t))
    return ((h1 * r1 - h2 * r2) * t1 + (h1 * r2 + h2 * r1) * t2).sum(dim=-1)


def rotate(h: Tensor, phase: Tensor, t: Tensor) -> Tensor:
    """Return minus the sum of complex distances of h turned by the phases and t."""
    h1, h2 = h.chunk(2, dim=-1)
    t1, t2 = t.chunk(2, dim=-1)
    cos, sin = phase.cos(), phase.sin()
    real, imaginary = h1 * cos - h2 * sin - t1, h1 * sin + h2 * cos - t2
    # Several times faster than a norm over a stacked axis; the clamp keeps gradients finite.
    return -(real * real + imaginary * imaginary).clamp_min(1e-24).sqrt().sum(dim=-1)


def distmult(h: Tensor, r: Tensor, t: Tensor) -> Tensor:
    """Return <h, r, t>."""
    return (h * r * t).sum(dim=-1)


SCORES: Mapping[str, Callable[[Tensor, Tensor, Tensor], Tensor]] = {
    "TransE": transe,
    "DistMult": distmult,
    "ComplEx": complex_score,
    "RotatE": rotate,
    "LBMKGC": rotate,
}


def distinct(*ids: Tensor) -> tuple[Tensor, Tensor]:
    """Return the distinct ids, and for each of some arrays that broadcast where its ids are."""
    entities, place = torch.unique(torch.stack(torch.broadcast_tensors(*ids)), return_inverse=True)
    return entities, place


class Plain(nn.Module):
    """Scores triples one by one."""

    def loss(self, drawn: Tensor) -> Tensor:
        """Return the loss of Int["b 1+k 3"], the positive first."""
        return log_sigmoid_loss(self(drawn[..., 0], drawn[:, :1, 1], drawn[..., 2]))


class PlainModel(Plain):
    """Tables, and for LBMKGC a projection of each feature table, of distinct entities alone."""

    def __init__(
        self, name: str, entities: int, relations: int, dim: int, features: list[Tensor]
    ) -> None:
        super().__init__()
        self.score = SCORES[name]
        turned = self.score is rotate
        self.entity = nn.Embedding(entities, dim)
        self.relation = nn.Embedding(relations, dim // 2 if turned else dim)
        nn.init.uniform_(self.entity.weight, -14 / dim, 14 / dim)
        nn.init.uniform_(self.relation.weight, -math.pi, math.pi)
        self.features = nn.ParameterList([nn.Parameter(f, requires_grad=False) for f in features])
        self.projections = nn.ModuleList(
            nn.Sequential(nn.Linear(f.shape[1], dim), nn.ReLU(), nn.Linear(dim, dim))
            for f in features
        )
        self.attention = nn.Linear(dim, 1, bias=False)
        self.gate = nn.Embedding(relations, 1)

    def fused(self, entities: Tensor) -> Tensor:
        """Return the weighted projections, Float["u d"]."""
        modal = torch.stack(
            [
                project(table[entities])
                for project, table in zip(self.projections, self.features, strict=True)
            ],
            dim=-2,
        )
        weights = self.attention(modal.tanh()).softmax(dim=-2)
        return (weights * modal).sum(dim=-2)

    def forward(self, head: Tensor, relation: Tensor, tail: Tensor) -> Tensor:
        """Return the score of each triple; ids broadcast against one another."""
        moved = self.relation(relation)
        if not len(self.features):
            return self.score(self.entity(head), moved, self.entity(tail))
        entities, place = distinct(head, tail)
        structural, modal = self.entity(entities), self.fused(entities)
        gate = self.gate(relation).sigmoid()
        ends = [gate * structural[at] + (1 - gate) * modal[at] for at in place]
        return self.score(ends[0], moved, ends[1])


# ---- training ------------------------------------------------------------------------------------


def log_sigmoid_loss(scores: Tensor) -> Tensor:
    """Return the self-adversarial loss of Float["b 1+k"], the positive first; margin 12."""
    positive, negative = (12.0 + scores).split([1, scores.shape[1] - 1], dim=1)
    weights = negative.detach().softmax(dim=-1)
    return -(logsigmoid(positive).mean() + (weights * logsigmoid(-negative)).sum(-1).mean()) / 2


def adam(module: nn.Module) -> torch.optim.Optimizer:
    """Return Adam for what a module trains, fused where PyTorch has that."""
    fused = has_fused_step("adam", torch.device("cpu"))
    trained = [each for each in module.parameters() if each.requires_grad]
    return torch.optim.Adam(trained, lr=1e-3, fused=fused)


def descend(optimizer: torch.optim.Optimizer, loss: Tensor) -> None:
    """Take one step."""
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()


class PlainSampling:
    """Negative sampling; other objectives change what a step does."""

    def __init__(self, model: Plain, store: TripleStore, negatives: int) -> None:
        self.model = model
        self.random = np.random.default_rng(0)
        self.draw = draw_negatives(store, self.random, negatives)
        self.optimizer = adam(model)

    def drawn(self, positive: Triples) -> Tensor:
        """Return Int["b 1+k 3"], the positive first."""
        return torch.from_numpy(np.concatenate([positive[:, None], self.draw(positive)], axis=1))

    def step(self, positive: Triples) -> None:
        """Train on Int["b 3"]."""
        descend(self.optimizer, self.model.loss(self.drawn(positive)))
