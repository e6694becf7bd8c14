"""Adversarial noise: a generator learns which noise on entities deceives the model."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from openke.module.model.model import Model
from openke.module.strategy.mat import MAT, MATConfig
from openke.runtime.values import LearningRate, Weight


@dataclass(frozen=True, kw_only=True)
class AdversarialNoiseConfig(MATConfig):
    """Settings of :class:`AdversarialNoise`."""

    weight: Weight = 0.07
    """What the loss against the fake weighs; published."""
    generator_lr: LearningRate | None = None
    """The generator's learning rate, by Adam; None: the one that
    training begins with. No schedule changes it."""


class AdversarialNoise(MAT):
    """Negative sampling with adversarial training: fakes are entities with generated noise.

    One generator makes the model's :attr:`.Scorer.noise_view` of an entity from random numbers and
    its structure, see :class:`.MAT`. Each positive (h, r, t) has one fake, (h*, r, t*), whose two
    entities have noise.

    Parameters
    ----------
    model
        One that takes noise, such as MMKRL, whose adversarial training this is.
    loss, **options
        See :class:`.NegativeSampling`.
    weight, noise_dim, …
        Fields of :class:`AdversarialNoiseConfig`.

    Raises
    ------
    ValueError
        A model that takes no noise, or a setting that is out of its bounds.

    References
    ----------
    Lu et al., MMKRL: A Robust Embedding Approach for Multi-Modal Knowledge Graph Representation
    Learning, Applied Intelligence 2022, in the form that later comparisons give it.
    """

    Config = AdversarialNoiseConfig
    config: AdversarialNoiseConfig
    citation: ClassVar[str] = "Lu et al., Applied Intelligence 2022"
    fakes = ((True, True),)

    def generated_views(self, model: Model) -> tuple[str, ...]:
        """Return the view of noise."""
        if not model.noise_view:
            raise ValueError(
                f"the objective noise adds noise to entities, but {type(model).__name__} takes "
                "none; take a model that does, such as MMKRL"
            )
        return (model.noise_view,)
