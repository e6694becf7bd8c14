"""KBGAN: a generator learns to choose negatives that the model takes for facts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any, ClassVar

import torch
from torch import Tensor, nn

from openke.data.batch import Batch, require_own
from openke.module.loss.loss import Loss
from openke.module.model import model_inside
from openke.module.model.model import Model
from openke.module.scoring.negatives import Scores, of_slot
from openke.module.scoring.projection import prepare_batch
from openke.module.settings import configure
from openke.module.strategy.negative_sampling import NegativeSampling
from openke.module.strategy.turn import Turn, trained
from openke.runtime.distributed import join
from openke.runtime.values import LearningRate, Share, Weight

CHOICE = 1
"""The purpose of this strategy's random numbers."""
FIRST_LOGITS = 0.2
"""Standard deviation of DistMult's first scores, as published; of ComplEx it is twice that."""


@dataclass(frozen=True, kw_only=True)
class KBGANConfig:
    """Settings of :class:`KBGAN`."""

    generator: str = "DistMult"
    """The model over structure that chooses; DistMult and ComplEx are the paper's."""
    generator_settings: Mapping[str, Any] = field(default_factory=dict)
    """Its settings. Without an ``init_scale``, its tables start as published: normal, with the
    variance at which DistMult's scores have a standard deviation of 0.2."""
    generator_lr: LearningRate | None = None
    """Its learning rate; None: the one that training begins with. No schedule changes it."""
    generator_regul_rate: Weight = 0.0
    """Weight of the mean squares of its vectors in a batch."""
    pretrain: Share = 0.0
    """Share of the training before the two play against each other: the model learns from a
    candidate that is drawn evenly, the generator to tell the fact from its candidates."""
    unit_ball: bool = False
    """Scale the model's rows that are longer than 1 down to length 1, before the first step and
    after each: published so, for TransE and TransD without a margin in their score."""

    def __post_init__(self) -> None:
        """Check that there is such a generator with such settings."""
        kind = model_inside("generator", self.generator)
        configure(kind.Config, self.generator, self.generator_settings)


class KBGAN(NegativeSampling):
    """Negative sampling where a generator G chooses one of each positive's negatives.

    The model D learns from (fact, chosen negative) by the loss. G is rewarded by D's score of what
    it chose, R: it makes smaller - mean[(R - b) log p(chosen)], p = softmax of G's scores of the
    candidates, where b is the mean of R over the last epoch (0 in the first). A candidate that is
    the fact itself is never chosen. Only D is evaluated.

    The loader's negatives are the candidates: as published 20, unfiltered, all of one side
    (``neg_ent=20, one_slot=True, bern_flag=True, filter_flag=False``).

    Parameters
    ----------
    model, loss, **options
        See :class:`.NegativeSampling`; what concerns penalties is D's.
    generator, generator_settings, …
        Fields of :class:`KBGANConfig`.

    Raises
    ------
    ValueError
        An unknown generator, one that needs a graph's facts, settings that it does not have.

    References
    ----------
    Cai and Wang, KBGAN: Adversarial Learning for Knowledge Graph Embeddings, NAACL 2018. What
    differs: losses are means over a batch, not sums; in pre-training both learn at once, from the
    batches of the training itself: D from one of all candidates, G among all of them.
    """

    Config = KBGANConfig
    config: KBGANConfig
    citation: ClassVar[str] = "Cai and Wang, NAACL 2018"
    baseline: Tensor
    rewards: Tensor

    def __init__(self, model: Model, loss: Loss, *arguments: Any, **options: Any) -> None:
        super().__init__(model, loss, *arguments, **options)
        c = self.config
        self.generator = make_generator(
            c.generator, model.ent_tot, model.rel_tot, c.generator_settings
        )
        self.register_buffer("baseline", torch.zeros(()))
        self.register_buffer("rewards", torch.zeros(2))  # of this epoch: their sum and number
        self._choice = self._reward = torch.zeros(0)

    @property
    def depends_on_length(self) -> bool:
        """Whether there is pre-training, which is a share of all epochs."""
        return self.config.pretrain > 0

    @property
    def pretraining(self) -> bool:
        """Whether the two do not play against each other yet."""
        return self.clock.progress < self.config.pretrain

    def check_loader(self, settings: Mapping[str, Any]) -> None:
        """Raise ``ValueError`` unless each positive has entity negatives of its own."""
        super().check_loader(settings)
        shared, relations = settings["negatives"] == "shared", settings["neg_rel"]
        require_own("KBGAN", shared=shared, relations=relations)

    def turns(self) -> tuple[Turn, ...]:
        """Return D's turn, then G's."""
        lr = self.config.generator_lr
        return (
            Turn("discriminator", trained(self.model), self.forward),
            Turn("generator", trained(self.generator), self.generator_loss, lr=lr),
        )

    def prepare(self, batch: Batch) -> Batch:
        """Return a batch with what the generator needs of it; D's pairs depend on the choice."""
        return prepare_batch(self.generator, batch)

    def forward(self, batch: Batch) -> Tensor:
        """Return D's loss of a batch, a scalar; what it learns from, G chooses."""
        batch.check_own("KBGAN")
        with torch.no_grad():
            logits = candidate_logits(self.generator(batch), batch)
        if self.pretraining:
            logits = torch.zeros_like(logits).masked_fill(is_fact(batch), _least(logits))
        noise = self.clock.uniform(CHOICE, (len(batch),), logits.device)
        self._choice = choose(logits, noise)
        return super().forward(batch.choose(self._choice[:, None]))

    def judge(self, model: Model, batch: Batch, scores: Scores) -> Tensor:
        """Return D's loss, and remember how good it found what was chosen."""
        self._reward = of_slot(scores.negative.detach(), batch)[:, 0]
        return super().judge(model, batch, scores)

    def generator_loss(self, batch: Batch) -> Tensor:
        """Return G's loss of the batch whose negatives it just chose, a scalar."""
        scores = self.generator(batch)
        logits = candidate_logits(scores, batch)
        if self.pretraining:
            fact = of_slot(scores.positive[:, None], batch)[:, :1]
            loss = -torch.cat([fact, logits], dim=1).log_softmax(dim=1)[:, 0].mean()
        else:
            loss = reinforce(logits, self._choice, self._reward, self.baseline)
            self._reckon(batch)
        if self.config.generator_regul_rate:
            penalty = self.generator.regularization(scores)
            loss = loss + self.config.generator_regul_rate * penalty
        return loss

    @torch.no_grad()
    def constrain(self) -> None:
        """Put D's parameters to where they must be, with ``unit_ball`` into that."""
        super().constrain()
        if self.config.unit_ball:
            for name, module in self.model.named_modules():
                # Tables of entities and relations; not features that are trained, too.
                own = name.rpartition(".")[2].startswith(("ent_", "rel_"))
                if own and isinstance(module, nn.Embedding) and module.weight.requires_grad:
                    lengths = module.weight.norm(dim=1, keepdim=True)
                    module.weight.div_(lengths.clamp(min=1))

    def _reckon(self, batch: Batch) -> None:
        """Add up rewards; the last step of an epoch makes them the next one's baseline."""
        if batch.share:
            reward = self._reward.float()
            self.rewards += torch.stack([reward.sum(), torch.ones_like(reward).sum()])
        if self.clock.step == self.clock.steps - 1:
            total = join().total(self.rewards)
            self.baseline.copy_(total[0] / total[1])
            self.rewards.zero_()


def make_generator(name: str, ent_tot: int, rel_tot: int, given: Mapping[str, Any]) -> Model:
    """Return a fresh generator.

    Raises
    ------
    ValueError
        As for :class:`KBGAN`.
    """
    kind = model_inside("generator", name)
    settings = dict(given)
    known = {each.name: each.default for each in fields(kind.Config)}
    dim = settings.get("dim", known.get("dim"))
    if "init_scale" in known and "init_scale" not in settings and isinstance(dim, int) and dim > 0:
        # A product of three normal numbers has the product of their variances.
        settings["init_scale"] = (FIRST_LOGITS**2 / dim) ** (1 / 6)
    return kind(ent_tot, rel_tot, **settings)


def is_fact(batch: Batch) -> Tensor:
    """Return Bool["b k"], which negatives are the positive itself."""
    slots = batch.slot.long()
    return batch.negative == batch.positive.gather(1, slots)


def candidate_logits(scores: Scores, batch: Batch) -> Tensor:
    """Return Float["b k"], the scores of candidates, the lowest of all for the fact itself."""
    return of_slot(scores.negative, batch).masked_fill(is_fact(batch), _least(scores.negative))


def choose(logits: Tensor, noise: Tensor) -> Tensor:
    """Return Int["b"], a column of each row, drawn with the softmax of its logits.

    ``noise`` (Float["b"]) is uniform between 0 and 1.
    """
    reached = logits.softmax(dim=1).cumsum(dim=1)  # [b k]
    at = noise[:, None] * reached[:, -1:]
    return (reached < at).sum(dim=1)


def reinforce(logits: Tensor, chosen: Tensor, reward: Tensor, baseline: Tensor) -> Tensor:
    """Return the mean of -(reward - baseline) log p(chosen), p = softmax(logits).

    ``logits`` is Float["b k"], ``chosen`` Int["b"] with the columns, ``reward`` Float["b"].
    """
    log_p = logits.log_softmax(dim=1).gather(1, chosen[:, None])[:, 0]
    return -((reward - baseline) * log_p).mean()


def _least(values: Tensor) -> float:
    return torch.finfo(values.dtype).min
