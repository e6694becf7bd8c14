"""Retrieval across modalities: how well a picture finds its entity's text, and back."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn.functional import normalize

TIE = 1e-9
"""Cosines nearer than this are equal: the same row twice need not multiply to the same bits."""

_BLOCK = 1024


@dataclass(frozen=True, kw_only=True)
class Retrieval:
    """How well rows of one modality find their entity's row of the other, among ``candidates``."""

    candidates: int
    recall_1: float
    """R@1: share of queries whose right answer has rank 1."""
    recall_10: float
    mrr: float
    """Mean of 1 / rank."""
    median_rank: float


@dataclass(frozen=True, kw_only=True)
class BothWays:
    """Retrieval from image to text and from text to image."""

    image_to_text: Retrieval
    text_to_image: Retrieval


def retrieval(image: Tensor, text: Tensor) -> BothWays:
    """Rank each entity's own row of the other modality by cosine among those of all entities.

    The rank is realistic: the mean of the places a right answer may take among its ties, so that
    features that say nothing (all rows equal) do as well as chance.

    Parameters
    ----------
    image, text
        Float["n dim"] each, row i of the same entity.

    Raises
    ------
    ValueError
        No rows, or other shapes.
    """
    if image.dim() != 2 or image.shape != text.shape or not len(image):
        raise ValueError(
            f"image rows {list(image.shape)} and text rows {list(text.shape)}, expected as many "
            "of the same width, and at least one"
        )
    image, text = _unit(image), _unit(text)
    return BothWays(
        image_to_text=summary(_ranks(image, text)), text_to_image=summary(_ranks(text, image))
    )


def summary(ranks: Tensor) -> Retrieval:
    """Return the figures of ranks Float["n"] among n candidates."""
    ranks = ranks.double()
    return Retrieval(
        candidates=len(ranks),
        recall_1=(ranks <= 1).double().mean().item(),
        recall_10=(ranks <= 10).double().mean().item(),
        mrr=(1 / ranks).mean().item(),
        median_rank=ranks.quantile(0.5).item(),
    )


def chance(candidates: int) -> BothWays:
    """Return what guessing gets: every rank equally often."""
    guess = summary(torch.arange(1, candidates + 1))
    return BothWays(image_to_text=guess, text_to_image=guess)


def mean_of(results: list[BothWays]) -> BothWays:
    """Return the mean of each figure."""

    def mean(found: list[Retrieval]) -> Retrieval:
        return Retrieval(
            candidates=found[0].candidates,
            recall_1=sum(each.recall_1 for each in found) / len(found),
            recall_10=sum(each.recall_10 for each in found) / len(found),
            mrr=sum(each.mrr for each in found) / len(found),
            median_rank=sum(each.median_rank for each in found) / len(found),
        )

    return BothWays(
        image_to_text=mean([each.image_to_text for each in results]),
        text_to_image=mean([each.text_to_image for each in results]),
    )


def _unit(rows: Tensor) -> Tensor:
    return normalize(rows.double(), dim=1)


def _ranks(queries: Tensor, answers: Tensor) -> Tensor:
    """Return Float["n"], the realistic rank of answer i for query i."""
    ranks = torch.empty(len(queries), dtype=torch.float64)
    for first in range(0, len(queries), _BLOCK):
        block = slice(first, first + _BLOCK)
        scores = queries[block] @ answers.T  # [block n]
        own = (queries[block] * answers[block]).sum(dim=1, keepdim=True)
        greater = (scores > own + TIE).sum(dim=1)
        others_equal = ((scores - own).abs() <= TIE).sum(dim=1) - 1
        ranks[block] = 1 + greater + others_equal / 2
    return ranks
