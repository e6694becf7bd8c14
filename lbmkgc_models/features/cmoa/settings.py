"""What shapes an alignment."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class AlignmentSettings:
    """Heads, loss and training of CMoA; the defaults suit some hundreds of entities and more."""

    dim: int = 128
    """Reals of an aligned row."""
    components: int = 256
    """Principal components of the features that heads see: the rest is noise to small data."""
    hidden: int = 0
    """Width of the hidden layer of a head; 0 is a linear head, which generalises from less."""
    noise: float = 1.0
    """Length of the Gaussian noise added to a row in training, whose own length is about 1."""
    dropout: float = 0.0
    """Share of the components left out of a row in training."""
    weight_decay: float = 0.01
    """Weight decay of AdamW."""
    learning_rate: float = 0.001
    """Learning rate of AdamW."""
    temperature: float = 0.1
    """Where the learnable temperature starts."""
    epochs: int = 300
    """Epochs at most."""
    patience: int = 30
    """Epochs without a better loss on the validation part before training ends."""
    batch_size: int = 2048
    """Entities contrasted at once: so many, below twice as many, or all where there are fewer."""
    held_out: float = 0.2
    """Share of the entities with both modalities that only the retrieval figures see."""
    validation: float = 0.15
    """Share of the other ones that chooses the number of epochs; then all of them train."""
    refit: bool = False
    """Train the final heads on the held-out entities too, when the figures are taken."""
    seed: int = 0
    """Seed of the split, the first weights, the noise and the order."""

    def __post_init__(self) -> None:
        for name in ("dim", "components", "epochs", "patience"):
            self._require(name, getattr(self, name) >= 1, "at least 1")
        self._require("batch_size", self.batch_size >= 2, "at least 2: a pair needs another")
        for name in ("hidden", "noise", "weight_decay", "seed"):
            self._require(name, getattr(self, name) >= 0, "at least 0")
        for name in ("learning_rate", "temperature"):
            self._require(name, getattr(self, name) > 0, "more than 0")
        self._require("dropout", 0 <= self.dropout < 1, "0 to below 1")
        for name in ("held_out", "validation"):
            self._require(name, 0 < getattr(self, name) < 1, "between 0 and 1")

    def _require(self, name: str, holds: bool, expected: str) -> None:
        if not holds:
            raise ValueError(f"{name} is {getattr(self, name)}, expected {expected}")
