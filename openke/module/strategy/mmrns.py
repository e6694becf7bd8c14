"""MMRNS: negatives that are like the entity they replace, in pictures, text and structure."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, ClassVar

import torch
from torch import Tensor

from openke.data.batch import HEAD, RELATION, TAIL, Batch
from openke.module.loss.loss import Loss
from openke.module.model.model import Model
from openke.module.scoring.encodings import Encodings, join, take
from openke.module.scoring.negatives import Scores, of_slot
from openke.module.strategy.clock import Clock
from openke.module.strategy.negative_sampling import NegativeSampling
from openke.module.strategy.straight_through import draw_rows
from openke.runtime.values import Count, Positive, Weight

DRAW = 1
"""The purpose of this strategy's random numbers."""


@dataclass(frozen=True, kw_only=True)
class MMRNSConfig:
    """Settings of :class:`MMRNS`."""

    draws: Count = 20
    """Negatives of each positive, drawn from the candidates that a batch shares."""
    temperature: Positive = 10.0
    """At the first step; at step i it is divided by 1 + ln(i + 1), so that draws are even at first
    and then those most alike."""
    contrast: Weight = 0.01
    """Weight of the contrast: what answers the query, too, is to be more like the answer than what
    does not."""


class MMRNS(NegativeSampling):
    """Negative sampling where the model says which entities are like the one they replace.

    Of the candidates that a batch shares, each positive draws some, no fact among them, with the
    probability p = mean_m softmax(cos_m / T), m being the views that the model compares: structure
    and each modality. Draws are distinct. The gradient goes through them (straight-through
    Gumbel), so that the model learns whom to compare.

    To the loss comes the mean over m of -log(sum_true w e^cos_m / sum_false w e^cos_m): candidates
    that are facts against those that are not, all positives of a batch together. What was drawn
    weighs as the loss weighs it among the draws, the rest 1.

    The published loader has ``neg_ent=1500, negatives="shared", sampling_mode="cross",
    weights="frequency"``, the loss is SigmoidLoss with ``adv_temperature=0.5``.

    Parameters
    ----------
    model
        One that compares entities: the model of the same name.
    loss, **options
        See :class:`.NegativeSampling`.
    draws, temperature, contrast
        Fields of :class:`MMRNSConfig`.

    Raises
    ------
    ValueError
        A model that does not compare entities.

    References
    ----------
    Xu et al., Relation-enhanced Negative Sampling for Multimodal Knowledge Graph Completion, ACM
    MM 2022. What differs: one Gumbel noise decides all draws of a positive, there each has its own;
    who is drawn has the same law. A batch without facts among the candidates has no contrast.
    """

    Config = MMRNSConfig
    config: MMRNSConfig
    citation: ClassVar[str] = "Xu et al., ACM MM 2022"
    compiles = False

    def __init__(self, model: Model, loss: Loss, *arguments: Any, **options: Any) -> None:
        super().__init__(model, loss, *arguments, **options)
        if not model.compares_entities:
            raise ValueError(
                "MMRNS draws entities that are alike, which the model has to say; "
                f"{type(model).__name__} does not: take model MMRNS, which scores as any model "
                "over structure does"
            )
        self._cosines: dict[str, Tensor] = {}
        self._drawn = torch.zeros(0)

    def check_loader(self, settings: Mapping[str, Any]) -> None:
        """Raise ``ValueError`` unless a batch shares as many candidates as are drawn, or more."""
        super().check_loader(settings)
        if settings.get("negatives") != "shared":
            raise ValueError(
                "MMRNS draws from candidates that a batch shares, found own ones: set negatives to "
                "shared"
            )
        if self.config.draws > settings["neg_ent"]:
            raise ValueError(
                f"MMRNS.draws is {self.config.draws}, but a batch has {settings['neg_ent']} "
                "candidates: lower it, or raise neg_ent"
            )

    def prepare(self, batch: Batch) -> Batch:
        """Return a batch as it is: what its step needs depends on the draws."""
        return batch

    def forward(self, batch: Batch) -> Tensor:
        """Return the loss of a batch, a scalar."""
        relation = batch.positive[:, RELATION]
        replaced = torch.where(batch.slot == HEAD, batch.positive[:, HEAD], batch.positive[:, TAIL])
        self._cosines = self.model.similarities(replaced, batch.negative, relation)
        logits = log_chances(self._cosines, temperature(self.config.temperature, self.clock))
        if batch.mask is not None:
            logits = logits.masked_fill(batch.mask, torch.finfo(logits.dtype).min)
        noise = self.clock.uniform(DRAW, tuple(logits.shape), logits.device)
        logits = logits - (-noise.log()).log()
        self._drawn = logits.detach().topk(self.config.draws, dim=1).indices
        rows = self.model.encode(batch.entities)
        mixed, drawn = draw(batch, rows, logits, self._drawn)
        return self.loss_of_rows(self.model, mixed, join(rows, drawn))

    def judge(self, model: Model, batch: Batch, scores: Scores) -> Tensor:
        """Return the loss of what was drawn, and the contrast."""
        facts = batch.mask
        if facts is not None:  # where there were fewer others than draws
            own = facts.gather(1, self._drawn)
            if len(scores.negative) > len(batch):
                own = own.repeat(2, 1)
            scores = scores._replace(mask=own if scores.mask is None else own | scores.mask)
        loss = super().judge(model, batch, scores)
        if not self.config.contrast or facts is None:
            return loss
        found = of_slot(scores.negative.detach(), batch)
        share = (found * (getattr(self.loss, "adv_temperature", None) or 0.0)).softmax(dim=1)
        terms = [contrast(cos, facts, self._drawn, share) for cos in self._cosines.values()]
        return loss + self.config.contrast * torch.stack(terms).mean()


def temperature(first: float, clock: Clock) -> float:
    """Return the temperature of a step, first / (1 + ln(steps done + 1))."""
    return first / (1 + math.log(clock.done + 1))


def log_chances(cosines: dict[str, Tensor], temperature: float) -> Tensor:
    """Return the logarithm of the mean over views of softmax(cos / T), Float["b c"]."""
    # Not in bfloat16: noise next to 1 would become 1, and its Gumbel number infinite.
    exact = [cos if cos.dtype == torch.float64 else cos.float() for cos in cosines.values()]
    each = [(cos / temperature).log_softmax(dim=1) for cos in exact]
    return torch.stack(each).logsumexp(dim=0) - math.log(len(each))


def draw(batch: Batch, rows: Encodings, logits: Tensor, drawn: Tensor) -> tuple[Batch, Encodings]:
    """Return a batch whose negatives are each positive's own draws (Int["b n"]), and their rows.

    ``rows`` are the batch's entities encoded; the draws come after them, one for each place.
    """
    pool = take(rows, batch.replacing_index)
    found = {
        name: draw_rows(tensor, logits, drawn)
        if tensor.is_floating_point()
        else tensor.index_select(0, drawn.reshape(-1))
        for name, tensor in pool.items()
    }
    b, n = drawn.shape
    negative = batch.negative[drawn]
    place = len(batch.entities) + torch.arange(b * n, device=drawn.device)
    mixed = replace(
        batch,
        negative=negative,
        slot=batch.slot[:, None].expand(b, n),
        entities=torch.cat([batch.entities, negative.reshape(-1)]),
        index=torch.cat([batch.index[: 2 * b], place]),
        prepared=(),
    )
    return mixed, found


def contrast(cosines: Tensor, facts: Tensor, drawn: Tensor, share: Tensor) -> Tensor:
    """Return -log(sum_true w e^cos / sum_false w e^cos), a scalar; 0 where either sum is empty.

    ``cosines`` and ``facts`` (Bool) are [b c]; w is ``share`` (Float["b n"]) for those ``drawn``
    (Int["b n"]), else 1.
    """
    weight = torch.ones_like(cosines).scatter(1, drawn, share.to(cosines.dtype))
    terms = weight * cosines.exp()
    true, false = (terms * facts).sum(), (terms * ~facts).sum()
    some = (true > 0) & (false > 0)
    least = torch.finfo(terms.dtype).tiny
    return torch.where(some, false.clamp(min=least).log() - true.clamp(min=least).log(), 0.0)
