"""Several TuckERs that answer together, each in vectors of its own.

Shapes: q queries, m distinct relations, d reals of a vector.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import reduce

import torch
from torch import Tensor, nn
from torch.nn.functional import logsigmoid

from openke.data.batch import Side
from openke.kernels.product import Linear
from openke.module.model.tucker import TuckERConfig, TuckERQuery
from openke.module.scoring.encodings import Encodings


class ScoreHead(TuckERQuery):
    """The query of one head: TuckER's, its core starting Xavier uniform.

    Parameters
    ----------
    config
        Sizes and dropout.
    """

    def __init__(self, config: TuckERConfig) -> None:
        super().__init__()
        self.make_query(Linear(config.dim_r, config.dim**2, bias=False), config)
        nn.init.uniform_(self.core.weight, -(bound := 3**0.5 / config.dim), bound)


class ScoreHeads(nn.ModuleDict):
    """A :class:`ScoreHead` for each name.

    Parameters
    ----------
    names
        Those that vectors of entities and of relations have, too.
    config
        Sizes and dropout of each.
    """

    def __init__(self, names: Sequence[str], config: TuckERConfig) -> None:
        super().__init__({name: ScoreHead(config) for name in names})

    def forward(
        self, known: Encodings, relations: Encodings, index: Tensor, side: Side
    ) -> Encodings:
        """Return the query of each head, Float["q d"], see :meth:`.TuckERQuery.ask`.

        ``known`` and ``relations`` are Float["q d"] and Float["m d"] of each.
        """
        found = {}
        for name, head in self.items():
            assert isinstance(head, ScoreHead)
            found[name] = head.ask(known[name], relations[name], index, side)
        return found


def logit_of_mean(scores: Sequence[Tensor]) -> Tensor:
    """Return the logit of the mean of sigmoids, finite where each of them is 0 or 1."""
    right = reduce(torch.logaddexp, (logsigmoid(found) for found in scores))
    wrong = reduce(torch.logaddexp, (logsigmoid(-found) for found in scores))
    return right - wrong
