"""MAT: generators learn to make modal views that the model takes for an entity's own."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import torch
from torch import Tensor, nn

from openke.data.batch import Batch
from openke.kernels.product import Linear
from openke.module.loss.loss import Loss
from openke.module.model.model import Model
from openke.module.scoring.encodings import Encodings, join, presence, take
from openke.module.scoring.triples import score_rows
from openke.module.scoring.views import STRUCTURE, view_widths
from openke.module.strategy.negative_sampling import NegativeSampling
from openke.module.strategy.turn import Turn, trained
from openke.runtime.values import Count, LearningRate, Weight

OF_MODEL, OF_GENERATORS = 1, 2
"""The purposes of this strategy's random numbers."""


@dataclass(frozen=True, kw_only=True)
class MATConfig:
    """Settings of :class:`MAT`."""

    weight: Weight = 0.1
    """mu, what the losses against fakes weigh; it is not published."""
    noise_dim: Count = 64
    """Reals of z."""
    hidden_dim: Count = 512
    """Reals of a generator's hidden layer."""
    generator_lr: LearningRate | None = 1e-4
    """The generators' learning rate, by Adam; None: the one that
    training begins with. No schedule changes it."""


class MAT(NegativeSampling):
    """Negative sampling with adversarial training: fakes have modal views that generators make.

    A generator for each of :attr:`.Scorer.modal_views` makes a view of an entity from noise and
    its structure, G(z, e_s) = W2 LeakyReLU(W1 [z; e_s] + b1) + b2, z normal. In a fake entity the
    views that are made stand for all modalities, also those that it lacks. Each positive (h, r, t)
    has three fakes, (h*, r, t), (h, r, t*) and (h*, r, t*).

    The model makes L + mu sum_fakes loss(positive, fake) smaller, L being that of negative
    sampling; then the generators sum_fakes loss(fake, positive), with new noise. What is generated
    is constant in the model's turn. Noise has random numbers of its own: with mu = 0 the model is
    that of negative sampling.

    Parameters
    ----------
    model
        One whose entities are fused from views, such as AdaMF, which this makes AdaMF-MAT.
    loss, **options
        See :class:`.NegativeSampling`.
    weight, noise_dim, …
        Fields of :class:`MATConfig`.

    Raises
    ------
    ValueError
        A model without views of modalities, or a setting that is out of its bounds.

    References
    ----------
    Zhang et al., Unleashing the Power of Imbalanced Modality Information for Multi-modal Knowledge
    Graph Completion, LREC-COLING 2024. What differs: a fake is the one negative of its positive;
    in the released code self-adversarial weights run over the fakes of a batch.
    """

    Config = MATConfig
    config: MATConfig
    citation: ClassVar[str] = "Zhang et al., LREC-COLING 2024"
    fakes: ClassVar[tuple[tuple[bool, bool], ...]] = ((True, False), (False, True), (True, True))
    """Whether the head, and whether the tail, of each fake triple is a fake entity."""

    def __init__(self, model: Model, loss: Loss, *arguments: Any, **options: Any) -> None:
        super().__init__(model, loss, *arguments, **options)
        c, widths = self.config, view_widths(model)
        structure = widths[STRUCTURE]
        with torch.random.fork_rng(devices=[]):
            self.generators = nn.ModuleDict(
                {
                    view: nn.Sequential(
                        Linear(c.noise_dim + structure, c.hidden_dim),
                        nn.LeakyReLU(),
                        Linear(c.hidden_dim, widths.get(view, structure)),
                    )
                    for view in self.generated_views(model)
                }
            ).to(next(model.parameters()))

    def generated_views(self, model: Model) -> tuple[str, ...]:
        """Return the names of the views that generators make.

        Raises
        ------
        ValueError
            The model has none.
        """
        if not model.modal_views:
            raise ValueError(
                f"MAT generates the modal views of entities, but {type(model).__name__} has none; "
                "take a model with pictures or text that has views, such as AdaMF"
            )
        return model.modal_views

    def turns(self) -> tuple[Turn, ...]:
        """Return the model's turn, then the generators'."""
        lr = self.config.generator_lr
        generators = trained(self.generators)
        return (
            Turn("model", trained(self.model), self.forward),
            Turn("generators", generators, self.generator_loss, optimizer="adam", lr=lr),
        )

    def forward(self, batch: Batch) -> Tensor:
        """Return the model's loss of a batch, a scalar."""
        if not self.config.weight:
            return super().forward(batch)
        views = self.model.views(batch.entities)
        rows = self.model.fuse(views)
        ends = batch.index[: 2 * len(batch)]
        with torch.no_grad():
            generated = self.generate(take(views, ends), OF_MODEL)
        positive, fakes = self._scores(batch, take(views, ends), take(rows, ends), generated)
        loss = self.loss_of_rows(self.model, batch, rows)
        return loss + self.config.weight * self._against(batch, positive, fakes)

    def generator_loss(self, batch: Batch) -> Tensor:
        """Return the generators' loss of a batch, a scalar."""
        views = self.model.views(batch.entities.index_select(0, batch.index[: 2 * len(batch)]))
        generated = self.generate(views, OF_GENERATORS)
        positive, fakes = self._scores(batch, views, self.model.fuse(views), generated)
        return self._against(batch, positive, fakes, reversed_roles=True)

    def generate(self, views: Encodings, purpose: int) -> Encodings:
        """Return modal views that generators make of entities, and that these are there.

        Parameters
        ----------
        views
            Those of the entities.
        purpose
            Of the random numbers: each has other noise in a step.
        """
        structure = views[STRUCTURE]
        shape = (len(self.generators), len(structure), self.config.noise_dim)
        noise = self.clock.normal(purpose, shape, structure.device).to(structure.dtype)
        made: Encodings = {}
        for z, (view, generator) in zip(noise, self.generators.items(), strict=True):
            made[view] = generator(torch.cat([z, structure], dim=1))
            if presence(view) in views:
                made[presence(view)] = torch.ones_like(views[presence(view)])
        return made

    def _scores(
        self, batch: Batch, views: Encodings, rows: Encodings, generated: Encodings
    ) -> tuple[Tensor, list[Tensor]]:
        """Return the scores of the positives and of their :attr:`fakes`, Float["b"] each.

        ``views``, ``rows`` and ``generated`` are of the heads, then of the tails: [2b ...].
        """
        b = len(batch)
        both = join(rows, self.model.fuse({**views, **generated}))  # [4b ...]
        places = torch.arange(4 * b, device=batch.positive.device).chunk(4)
        heads, tails = (places[0], places[2]), (places[1], places[3])
        triples = ((False, False), *self.fakes)
        scores = score_rows(
            self.model,
            both,
            torch.cat([heads[false_head] for false_head, _ in triples]),
            torch.cat([tails[false_tail] for _, false_tail in triples]),
            batch.positive[:, 1].repeat(len(triples)),
        )
        positive, *fakes = scores.chunk(len(triples))
        return positive, fakes

    def _against(
        self, batch: Batch, positive: Tensor, fakes: list[Tensor], *, reversed_roles: bool = False
    ) -> Tensor:
        """Return the sum of the losses of positives against each fake, or the other way round."""
        weight = {} if batch.weight is None else {"weight": batch.weight}
        total = torch.zeros_like(positive[0])
        for fake in fakes:
            first, second = (fake, positive) if reversed_roles else (positive, fake)
            total = total + self.loss(first, second[:, None], None, **weight)
        return total
