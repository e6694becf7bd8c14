"""How well features of two entities, laid side by side, tell a relation's right tails.

Shapes: n triples, r relations, e entities, t tails.
"""

from __future__ import annotations

import torch
from torch import Tensor

from lbmkgc_models.feature_store.store import ModalFeatures
from openke.data.batch import HEAD, RELATION, TAIL

BLOCK = 2**22
"""Numbers of an array of cosines that is held at a time."""
TIE = 1e-9
"""Cosines that differ by no more are alike: how a sum is rounded differs by processor."""


def unit_rows(features: ModalFeatures) -> Tensor:
    """Return rows of length 1, Float["e f"]; zeros where the modality is missing."""
    there = features.values * features.present[:, None]
    return torch.nn.functional.normalize(there, dim=1)


def mean_rank_percentages(triples: Tensor, features: ModalFeatures, relations: int) -> Tensor:
    """Return the mean rank percentage of each relation, Float["r"], from 0, best, to 1.

    Only triples count whose head and tail are joined by one relation. A head's right tails are
    ranked by the cosine of their features and the head's among all tails of such triples, those
    that are alike by the mean of their ranks; a rank is divided by the number of these tails. It is
    the mean over the tails of a head, then over heads. Entities without features are left out; a
    relation of which nothing is left has infinity.

    Parameters
    ----------
    triples
        Int["n 3"], the facts of train.
    features
        One row of each entity.
    relations
        How many there are.

    References
    ----------
    Wang et al., Is Visual Context Really Helpful for Knowledge Graph?, ACM MM 2021. Its code reads
    valid and test, too.
    """
    pairs, where, counts = torch.unique(
        triples[:, [HEAD, TAIL]], dim=0, return_inverse=True, return_counts=True
    )
    there = features.present[pairs].all(dim=1) & (counts == 1)
    chosen = triples[there[where]]
    chosen = chosen[torch.argsort(chosen[:, HEAD], stable=True)]
    tails = torch.unique(chosen[:, TAIL])
    rows = torch.nn.functional.normalize(features.values.double(), dim=1)
    parts = torch.split(chosen, max(1, BLOCK // max(1, len(tails))))
    ranks = torch.cat([_ranks(rows, part, tails) for part in parts]).double()
    # Means over the tails of a head, then over heads.
    asked, of_head = torch.unique(chosen[:, [RELATION, HEAD]], dim=0, return_inverse=True)
    of_heads = _means(ranks / max(1, len(tails)), of_head, len(asked))
    found = _means(of_heads, asked[:, 0], relations)
    return torch.where(torch.isnan(found), torch.inf, found)


def _ranks(rows: Tensor, triples: Tensor, tails: Tensor) -> Tensor:
    """Return the rank of each triple's tail among ``tails``, Float["n"], of sorted triples."""
    heads, which = torch.unique_consecutive(triples[:, HEAD], return_inverse=True)
    cosines = rows[heads] @ rows[tails].T
    place = torch.searchsorted(tails, triples[:, TAIL].contiguous())
    ahead = cosines[which] - cosines[which, place][:, None]
    greater, equal = (ahead > TIE).sum(dim=1), (ahead.abs() <= TIE).sum(dim=1)
    return greater + (equal + 1) / 2


def _means(values: Tensor, owner: Tensor, owners: int) -> Tensor:
    """Return the mean of the values of each owner, NaN where it has none."""
    total = values.new_zeros(owners).index_add(0, owner, values)
    return total / torch.bincount(owner, minlength=owners)
