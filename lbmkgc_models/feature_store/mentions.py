"""Which entities the texts of others name.

Shapes: e entities, n pairs of which one names the other.
"""

from __future__ import annotations

import math
from array import array
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from safetensors import SafetensorError
from torch import Tensor

from lbmkgc_models.feature_store.labels import EntityLabel
from lbmkgc_models.feature_store.name_spotting import NameSpotter, Words
from openke.runs.weights import read_weights, write_weights

KINDS = 4


@dataclass(frozen=True, eq=False)
class Mentions:
    """Pairs of entities of which one's text has the other's name, both ways round.

    Attributes
    ----------
    entities
        How many there are.
    pairs
        Int["n"], ``known * entities + other``, ascending.
    values
        Float["n 4"]: the known entity's text names the other (1 or 0), and how rare that name is
        (:func:`find_mentions`); then the same for the other's text and the known one's name.
    """

    entities: int
    pairs: Tensor
    values: Tensor


def find_mentions(labels: Sequence[EntityLabel]) -> Mentions:
    """Find every entity's name in the texts of the others, e.g. a singer's in "Sorry (X song)".

    What is a name, :class:`.NameSpotter` says. A name's rarity is ``log(e / texts that have it) /
    log e``: 1 in one text only, 0 in all.

    Parameters
    ----------
    labels
        Those of all entities, in the order of ids; a text is label and description.
    """
    e = len(labels)
    spotter = NameSpotter(labels)
    texts: Counter[Words] = Counter()
    naming, named, names = array("q"), array("q"), []
    for entity, label in enumerate(labels):
        for name in spotter.names_in(label.text):
            texts[name] += 1
            for other in spotter.bearers[name]:
                if other != entity:
                    naming.append(entity)
                    named.append(other)
                    names.append(name)
    rarity = np.array([math.log(e / texts[name]) / math.log(e) for name in names])
    there, back = np.array(naming, dtype=np.int64), np.array(named, dtype=np.int64)
    forth, other_way = there * e + back, back * e + there
    pairs = np.unique(np.concatenate([forth, other_way]))
    values = np.zeros((len(pairs), KINDS), dtype=np.float32)
    for keys, place in ((forth, 0), (other_way, 2)):
        at = np.searchsorted(pairs, keys)
        values[at, place], values[at, place + 1] = 1, rarity
    return Mentions(e, torch.from_numpy(pairs), torch.from_numpy(values))


def write_mentions(path: Path, mentions: Mentions) -> None:
    """Write mentions as safetensors, with a checksum."""
    write_weights(
        path,
        {
            "entities": torch.tensor([mentions.entities]),
            "pairs": mentions.pairs,
            "values": mentions.values,
        },
    )


def read_mentions(path: Path) -> Mentions:
    """Return what :func:`write_mentions` wrote.

    Raises
    ------
    ValueError
        The file is damaged.
    """
    try:
        found = read_weights(path)
        return Mentions(int(found["entities"]), found["pairs"], found["values"])
    except (SafetensorError, KeyError) as error:
        raise ValueError(f"{path}: not a file of mentions: {error}") from error


def add_mentions(mentions: Mentions, labels: Sequence[EntityLabel]) -> Mentions:
    """Return the mentions with those of and by further entities; what there is stays as it is.

    A name is as rare as it was without them; one that no text had is as rare as can be.

    Parameters
    ----------
    mentions
        Those of the first entities.
    labels
        Of all entities, the further ones last.
    """
    old, e = mentions.entities, len(labels)
    spotter = NameSpotter(labels)
    texts: Counter[Words] = Counter()
    found: list[tuple[int, int, Words]] = []
    for entity, label in enumerate(labels):
        for name in spotter.names_in(label.text):
            texts[name] += entity < old
            found += [
                (entity, other, name)
                for other in spotter.bearers[name]
                if other != entity and (entity >= old or other >= old)
            ]
    values: dict[int, list[float]] = {}
    for naming, named, name in found:
        rarity = math.log(old / max(1, texts[name])) / math.log(old)
        values.setdefault(naming * e + named, [0.0] * KINDS)[:2] = [1.0, rarity]
        values.setdefault(named * e + naming, [0.0] * KINDS)[2:] = [1.0, rarity]
    kept = mentions.pairs // old * e + mentions.pairs % old
    pairs = torch.cat([kept, torch.tensor(list(values), dtype=torch.long)])
    rows = torch.tensor(list(values.values()), dtype=torch.float32).view(-1, KINDS)
    order = torch.argsort(pairs)
    return Mentions(e, pairs[order], torch.cat([mentions.values, rows])[order])
