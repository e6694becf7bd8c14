"""Adversarial training and choice of negatives in PyTorch: KBGAN, MANS, AdaMF-MAT, MMRNS."""

from __future__ import annotations

import math

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.functional import layer_norm, leaky_relu, normalize

from common.plain import Plain, PlainModel, PlainSampling, adam, descend, log_sigmoid_loss
from common.plain_comparing import complex_distance, turned
from common.plain_data import Drawn, Triples, numbers_of
from common.plain_modal import PlainAdaMF, PlainEnergies
from common.plain_rows import frozen
from openke.data.store import TripleStore


class PlainKBGAN(PlainSampling):
    """A generator chooses one of the candidates of a triple; its scores are found once."""

    def __init__(
        self,
        model: Plain,
        generator: Plain,
        store: TripleStore,
        negatives: int,
        *,
        compiled: bool = False,
    ) -> None:
        super().__init__(model, store, negatives, compiled=compiled)
        self.generator = generator
        self.other_optimizer = adam(generator)
        self.baseline = 0.0
        self.asked = self.made_fast(generator.scores_of)
        self.told = self.made_fast(model.scores_of)

    def step(self, positive: Triples) -> None:
        """Train both on Int["b 3"]."""
        drawn = self.draw(positive)
        _, logits = self.asked(drawn)
        at = logits.detach().softmax(dim=1).multinomial(1)
        others, on_head = drawn.others.gather(1, at), drawn.on_head.gather(1, at)
        positive_score, negative_score = self.told(Drawn(drawn.positive, others, on_head, None))
        descend(self.optimizer, log_sigmoid_loss(positive_score, negative_score))
        reward = negative_score.detach()[:, 0] - self.baseline
        log_p = logits.log_softmax(dim=1).gather(1, at)[:, 0]
        descend(self.other_optimizer, -(reward * log_p).mean())


class PlainMANS(PlainSampling):
    """Of a share of negatives only the modal rows are another entity's."""

    share = 0.3
    model: PlainEnergies

    def step(self, positive: Triples) -> None:
        """Train on Int["b 3"]."""
        facts, others, on_head, _ = self.draw(positive)
        visual = torch.rand(others.shape) < self.share
        replaced = torch.where(on_head, facts[:, :1], facts[:, 2:])
        drawn = Drawn(facts, torch.where(visual, replaced, others), on_head, None)
        descend(self.optimizer, self.loss(self.model.placed(drawn, modal=others)))


class PlainMAT(PlainSampling):
    """Generators make the modal rows of a fake entity; each positive has three fakes."""

    weight, noise, hidden = 0.1, 64, 512
    model: PlainAdaMF

    def __init__(
        self, model: PlainAdaMF, store: TripleStore, negatives: int, *, compiled: bool = False
    ) -> None:
        super().__init__(model, store, negatives, compiled=compiled)
        dim = model.entity.embedding_dim
        self.generators = nn.ModuleList(
            nn.Sequential(
                nn.Linear(self.noise + dim, self.hidden),
                nn.LeakyReLU(),
                nn.Linear(self.hidden, dim),
            )
            for _ in model.features
        )
        self.other_optimizer = adam(self.generators)
        self.told = self.made_fast(self.scores)

    def step(self, positive: Triples) -> None:
        """Train both on Int["b 3"]."""
        loss = self.loss(self.model.placed(self.draw(positive)))
        facts = torch.tensor(positive)
        true, fakes = self.told(facts, of_model=True)
        against = torch.stack([pair_loss(true, fake) for fake in fakes]).sum()
        descend(self.optimizer, loss + self.weight * against)
        true, fakes = self.told(facts, of_model=False)
        descend(self.other_optimizer, torch.stack([pair_loss(fake, true) for fake in fakes]).sum())

    def scores(self, positive: Tensor, *, of_model: bool) -> tuple[Tensor, list[Tensor]]:
        """Return the scores of positives and of their three fakes.

        Gradients are those of the model, or those of what generators make.
        """
        head, relation, tail = positive.unbind(dim=1)
        with torch.set_grad_enabled(of_model):
            phase = self.model.relation(relation)
            views = [self.model.views(ends) for ends in (head, tail)]
            true = [self.model.fuse(view) for view in views]
        with torch.set_grad_enabled(not of_model):
            made = [self.made(view[0]) for view in views]
        weighed = [[view[0], *rows] for view, rows in zip(views, made, strict=True)]
        fake = [self.model.fuse(rows) for rows in weighed]
        ends = ((true[0], true[1]), (fake[0], true[1]), (true[0], fake[1]), (fake[0], fake[1]))
        found = [complex_distance(turned(h, phase, "tail"), t) for h, t in ends]
        return found[0], found[1:]

    def made(self, structural: Tensor) -> list[Tensor]:
        """Return the modal rows that generators make, Float["b d"] each."""
        noise = torch.randn(len(structural), self.noise)
        entered = torch.cat([noise, structural], dim=1)
        return [generator(entered) for generator in self.generators]


def pair_loss(first: Tensor, second: Tensor) -> Tensor:
    """Return the loss of scores that are to be high and others that are to be low."""
    return log_sigmoid_loss(first, second[:, None])


class PlainSimilarity(nn.Module):
    """How alike entities are to a relation; each entity has one row of each of two modalities."""

    def __init__(self, relations_dim: int, dim: int, features: list[Tensor]) -> None:
        super().__init__()
        self.features = frozen(features)
        size, hidden = 50, 100
        self.inputs = nn.ModuleList(nn.Linear(rows.shape[1], size) for rows in features)
        self.gates = nn.ModuleList(nn.Linear(relations_dim, 1) for _ in features)
        self.outputs = nn.ModuleList(nn.Linear(size, size) for _ in features)
        self.first = nn.Linear(dim + relations_dim, hidden)
        self.second = nn.Linear(hidden, dim)

    def forward(
        self, own: tuple[Tensor, Tensor], pool: tuple[Tensor, Tensor], relation: Tensor, at: Tensor
    ) -> list[Tensor]:
        """Return cosines, Float["b c"]: structure, then each modality.

        Parameters
        ----------
        own, pool
            Ids and structural rows of b entities and of c candidates.
        relation, at
            Rows of the m distinct relations, and that of each of the b.
        """
        found = [
            cosines(
                self.structure(own[1], relation[at]), self.structure(pool[1], relation[:, None]), at
            )
        ]
        seen = [self.modal(ids) for ids in (own[0], pool[0])]
        for place, (gate, out) in enumerate(zip(self.gates, self.outputs, strict=True)):
            g = gate(relation).sigmoid()
            mine, theirs = (
                out(self.crossed(rows, place, weight))
                for rows, weight in zip(seen, (g[at], g[:, None]), strict=True)
            )
            found.append(cosines(mine, theirs, at))
        return found

    def modal(self, ids: Tensor) -> list[Tensor]:
        """Return each modality's rows, Float["n k"]."""
        return [
            leaky_relu(enter(rows[ids]), 0.1)
            for enter, rows in zip(self.inputs, self.features, strict=True)
        ]

    def crossed(self, rows: list[Tensor], place: int, gate: Tensor) -> Tensor:
        """Return a modality as the other one and a relation see it; one row is all there is."""
        own, other = rows[place], rows[1 - place]
        cross = (own * other).sum(dim=-1, keepdim=True)
        size = own.shape[-1:]
        return layer_norm(own, size) + layer_norm(gate * cross * own, size)

    def structure(self, rows: Tensor, relation: Tensor) -> Tensor:
        """Return what of structural rows a relation sees."""
        d = rows.shape[-1]
        weight = self.first.weight
        hidden = rows @ weight[:, :d].t() + relation @ weight[:, d:].t() + self.first.bias
        kept: Tensor = self.second(leaky_relu(hidden, 0.1)).sigmoid()
        return rows * kept


def cosines(own: Tensor, theirs: Tensor, at: Tensor) -> Tensor:
    """Return Float["b c"] of Float["b k"] and Float["m c k"], ``at`` the m of each b."""
    order = at.argsort(stable=True)
    counts = torch.bincount(at, minlength=len(theirs)).tolist()
    each = normalize(own, dim=-1)[order].split(counts)
    pairs = zip(each, normalize(theirs, dim=-1), strict=True)
    return torch.cat([some @ pool.t() for some, pool in pairs])[order.argsort()]


class PlainMMRNS(PlainSampling):
    """Each positive draws 20 of the candidates that a batch shares, those most like its entity."""

    draws, contrast = 20, 0.01
    model: PlainModel

    def __init__(
        self,
        model: PlainModel,
        features: list[Tensor],
        store: TripleStore,
        negatives: int,
        *,
        compiled: bool = False,
    ) -> None:
        super().__init__(model, store, negatives, compiled=compiled)
        self.store, self.candidates, self.steps = store, negatives, 0
        self.facts = np.sort(numbers_of(store, store.triples("train")))
        dim = model.entity.embedding_dim
        self.similarity = PlainSimilarity(model.relation.embedding_dim, dim, features)
        both = nn.ModuleList([model, self.similarity])
        self.optimizer = adam(both)
        self.chosen, self.contrasted = self.made_fast(self.choose), self.made_fast(contrast)

    def step(self, positive: Triples) -> None:
        """Train on Int["b 3"]; heads and tails are replaced in turn."""
        slot = 2 * (self.steps % 2)
        pool = self.random.integers(self.store.entity_count, size=self.candidates)
        facts = self.known(positive, pool, slot)
        head, relation, tail = torch.tensor(positive).unbind(dim=1)
        replaced, candidates = (tail if slot else head), torch.from_numpy(pool)
        distinct_relations, at = torch.unique(relation, return_inverse=True)
        table = self.model.entity
        rows = table(candidates)
        cos = self.similarity(
            (replaced, table(replaced)),
            (candidates, rows),
            self.model.relation(distinct_relations),
            at,
        )
        temperature = 10.0 / (1 + math.log(self.steps + 1))
        drawn, soft = self.chosen(torch.stack(cos) / temperature, facts)
        # The draws in the forward pass, the mixtures of all in the backward one.
        mixture = soft @ rows.detach()
        mixed = rows[drawn] + mixture - mixture.detach()
        kept, side = (head, "tail") if slot else (tail, "head")
        query = self.model.query(table(kept), self.model.relation(relation), side)
        true = self.model.compare(query, table(replaced))
        negative = self.model.compare(query[:, None], mixed)
        share = negative.detach().softmax(dim=1)
        loss = log_sigmoid_loss(true, negative)
        told = torch.stack([self.contrasted(c, facts, drawn, share) for c in cos]).mean()
        descend(self.optimizer, loss + self.contrast * told)
        self.steps += 1

    def known(self, positive: Triples, pool: Triples, slot: int) -> Tensor:
        """Return Bool["b c"], which candidates make a fact."""
        made = np.repeat(positive[:, None], len(pool), axis=1)
        made[:, :, slot] = pool
        numbers = numbers_of(self.store, made)
        place = np.minimum(np.searchsorted(self.facts, numbers), len(self.facts) - 1)
        return torch.from_numpy(self.facts[place] == numbers)

    def choose(self, alike: Tensor, facts: Tensor) -> tuple[Tensor, Tensor]:
        """Return the columns drawn, Int["b n"], and each draw's mixture, Float["b n c"]."""
        logits = alike.log_softmax(dim=2).logsumexp(dim=0).masked_fill(facts, -1e9)
        logits = logits - (-torch.rand_like(logits).log()).log()
        drawn = logits.detach().topk(self.draws, dim=1).indices
        mixtures = []
        left = logits
        for column in drawn.unbind(dim=1):
            mixtures.append(left.softmax(dim=1))
            left = left.scatter(1, column[:, None], -1e9)
        return drawn, torch.stack(mixtures, dim=1)


def contrast(cos: Tensor, facts: Tensor, drawn: Tensor, share: Tensor) -> Tensor:
    """Return -log(sum_true w e^cos / sum_false w e^cos); what was drawn has its weight."""
    terms = torch.ones_like(cos).scatter(1, drawn, share) * cos.exp()
    true, false = (terms * facts).sum(), (terms * ~facts).sum()
    return false.log() - true.clamp_min(1e-30).log()
