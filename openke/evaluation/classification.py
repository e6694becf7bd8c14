"""Triple classification: true triples, as many false ones, and the score that divides them."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray

from openke.data.sampler import Sampler
from openke.data.store import SPLITS, Split, TripleStore
from openke.module.model.model import Model
from openke.module.scoring.triples import score_triples

BLOCK = 2**14
"""Triples scored at a time."""


class Judged(NamedTuple):
    """Scores of true and false triples."""

    scores: NDArray[np.float64]
    """Float["n"]"""
    truth: NDArray[np.bool_]
    """Bool["n"]"""


def judge(
    model: Model, store: TripleStore, split: Split, seed: int, device: torch.device
) -> Judged:
    """Score the triples of a split and, for each, a false one.

    Raises
    ------
    ValueError
        A score is NaN.
    """
    true = store.triples(split)
    triples = torch.from_numpy(np.concatenate([true, false_triples(store, split, seed)]))
    with torch.inference_mode():
        blocks = [
            score_triples(model, *block.to(device).unbind(dim=1)).double().cpu()
            for block in torch.split(triples, BLOCK)
        ]
    scores = torch.cat(blocks).numpy()
    if np.isnan(scores).any():
        raise ValueError(f"{int(np.isnan(scores).sum())} scores of {split} triples are NaN")
    return Judged(scores, np.arange(len(triples)) < len(true))


def false_triples(store: TripleStore, split: Split, seed: int) -> NDArray[np.int64]:
    """Replace head or tail of each triple of a split, evenly: Int["n 3"], no fact of any split."""
    own = store.triples(split)
    # To the sampler a fact is what its store has in train: put all splits there, this one first.
    others = [store.triples(other) for other in SPLITS if other != split]
    facts = TripleStore.from_triples(
        np.concatenate([own, *others]),
        entities=store.entity_count,
        relations=store.relation_count,
    )
    drawn = Sampler(facts, seed=seed).draw(np.arange(len(own)), epoch=0, first=0)
    false: NDArray[np.int64] = drawn.positive.copy()
    each = np.arange(len(own))
    false[each, drawn.slot[:, 0]] = drawn.negative[:, 0]
    return false


def best_threshold(scores: NDArray[np.float64], truth: NDArray[np.bool_]) -> float:
    """Return the threshold of the highest accuracy, a triple being true from it on.

    It lies in the middle of a gap between two scores; of equally good ones it is the highest.
    """
    order = np.argsort(-scores, kind="stable")
    sorted_scores, sorted_truth = scores[order], truth[order]
    # Right answers where the first i + 1 are taken for true: the true among them, the false behind.
    right: NDArray[np.int64] = np.cumsum(sorted_truth) - np.cumsum(~sorted_truth)
    below = np.append(sorted_scores[1:], -np.inf)
    cuts = np.flatnonzero(sorted_scores > below)  # never between two equal scores
    best = cuts[np.argmax(right[cuts])]
    if best == len(scores) - 1:
        return float(sorted_scores[best])
    return float((sorted_scores[best] + sorted_scores[best + 1]) / 2)
