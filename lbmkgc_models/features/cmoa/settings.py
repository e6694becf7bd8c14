"""What shapes an alignment."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from openke.runtime.values import (
    Bound,
    Count,
    Inside,
    LearningRate,
    Natural,
    Positive,
    Share,
    Weight,
    check_arguments,
)

Several = Annotated[int, Bound(", 2 or more: a pair needs another", lambda number: number >= 2)]


@dataclass(frozen=True, kw_only=True)
class AlignmentSettings:
    """Heads, loss and training of CMoA; the defaults suit some hundreds of entities and more."""

    dim: Count = 128
    """Reals of an aligned row."""
    components: Count = 256
    """Principal components of the features that heads see: the rest is noise to small data."""
    hidden: Natural = 0
    """Width of the hidden layer of a head; 0 is a linear head, which generalises from less."""
    noise: Weight = 1.0
    """Length of the Gaussian noise added to a row in training, whose own length is about 1."""
    dropout: Share = 0.0
    """Share of the components left out of a row in training."""
    weight_decay: Weight = 0.01
    """Weight decay of AdamW."""
    learning_rate: LearningRate = 0.001
    """Learning rate of AdamW."""
    temperature: Positive = 0.1
    """Where the learnable temperature starts."""
    epochs: Count = 300
    """Epochs at most."""
    patience: Count = 30
    """Epochs without a better loss on the validation part before training ends."""
    batch_size: Several = 2048
    """Entities contrasted at once: so many, below twice as many, or all where there are fewer."""
    held_out: Inside = 0.2
    """Share of the entities with both modalities that only the retrieval figures see."""
    validation: Inside = 0.15
    """Share of the other ones that chooses the number of epochs; then all of them train."""
    refit: bool = False
    """Train the final heads on the held-out entities too, when the figures are taken."""
    seed: Natural = 0
    """Seed of the split, the first weights, the noise and the order."""

    def __post_init__(self) -> None:
        check_arguments("", vars(self), type(self))
