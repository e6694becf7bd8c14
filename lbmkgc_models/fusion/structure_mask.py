"""Structure mask: what keeps structure from drowning the modalities.

Shapes: u distinct entities.
"""

from __future__ import annotations

from pathlib import Path

import torch
from safetensors import SafetensorError
from torch import Tensor, nn

from lbmkgc_models.fusion.digest import digest_of
from openke.data.overlap import seen_entities
from openke.data.store import TripleStore
from openke.runs.weights import read_weights, write_weights


class StructureMask(nn.Module):
    """Says which entities of a step use their structural row.

    An entity that is in no train triple never does: its row is only ever pushed down, as a
    negative. Others leave theirs out at random in training, so that their modalities learn to
    stand alone. An entity without any modality always uses it: there is nothing else.

    Parameters
    ----------
    drop
        Share of the entities of a training step that leave theirs out.
    seen
        Bool["entities"], whether an entity is in a train triple; None: all are.
    """

    seen: Tensor | None

    def __init__(self, drop: float, seen: Tensor | None) -> None:
        super().__init__()
        self.drop = drop
        self.register_buffer("seen", seen, persistent=False)

    @property
    def active(self) -> bool:
        """Whether any entity may leave out its structural row now."""
        return self.seen is not None or (self.training and self.drop > 0)

    def forward(self, entities: Tensor, some: Tensor) -> Tensor:
        """Return Bool["u 1"]; ``some`` is whether an entity has any modality, Bool["u 1"]."""
        kept = torch.ones_like(some) if self.seen is None else self.seen[entities][:, None]
        if self.training and self.drop:
            kept = kept & (torch.rand(some.shape, device=some.device) >= self.drop)
        return kept | ~some

    def digest(self) -> str | None:
        """Return a SHA-256 of ``seen``; None where all entities are."""
        return None if self.seen is None else digest_of(self.seen)


def seen_in_train(store: TripleStore) -> Tensor:
    """Return Bool["entities"], whether an entity is in a triple of the train split."""
    return torch.from_numpy(seen_entities(store))


def write_seen(path: Path, seen: Tensor) -> None:
    """Write whether entities are seen as safetensors, with a checksum."""
    write_weights(path, {"seen": seen})


def read_seen(path: Path) -> Tensor:
    """Return what :func:`write_seen` wrote.

    Raises
    ------
    ValueError
        The file is damaged.
    """
    try:
        return read_weights(path)["seen"]
    except (SafetensorError, KeyError) as error:
        raise ValueError(f"{path}: does not say which entities are seen: {error}") from error
