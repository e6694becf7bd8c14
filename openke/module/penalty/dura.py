"""A penalty that follows from a distance model dual to each factorisation."""

from __future__ import annotations

import torch
from torch import Tensor

from openke.data.batch import Side
from openke.module.model.bilinear import Bilinear
from openke.module.model.model import Model
from openke.module.model.wrapped import Wrapped
from openke.module.penalty.penalty import Facts, Penalty, distinct
from openke.module.scoring.contract import ask
from openke.module.scoring.encodings import Encodings, take


class DURA(Penalty):
    """weight / n sum over facts of |q|_2^2 + |a|_2^2, q the query's vector and a the answer's.

    The score q . a and these squares make -|q - a|_2^2 / 2. A triple whose tail and head are both
    asked for has |h R|^2 + |t|^2 + |t R'|^2 + |h|^2, R' being R transposed or the reciprocal
    relation's matrix.

    Parameters
    ----------
    weight
        Zhang et al. try 0.005 to 0.1.

    References
    ----------
    Zhang et al., Duality-Induced Regularizer for Tensor Factorization Based Knowledge Graph
    Completion, NeurIPS 2020. What differs from its code: both squares weigh the same.
    """

    def check(self, model: Model) -> None:
        """Refuse models whose score is no dot product."""
        while isinstance(model, Wrapped):
            model = model.inner
        super().check(model)
        if not isinstance(model, Bilinear):
            raise ValueError(
                f"DURA is for scores that are dot products, {type(model).__name__}'s is not; take "
                "N3 or L2"
            )

    def term(self, moduli: Tensor) -> Tensor:
        """Return the sum of squares."""
        return moduli.square().sum(dim=-1)

    def __call__(self, model: Model, facts: Facts, encodings: Encodings | None = None) -> Tensor:
        """Return the penalty of a batch, a scalar; each distinct query is asked once."""
        entities, index = facts.entities()
        rows = model.encode(entities) if encodings is None else encodings
        anchor, answer = index.chunk(2)
        total = self.term(rows["entity"])[answer].sum()
        parts: dict[Side, slice] = {"tail": slice(0, facts.tails), "head": slice(facts.tails, None)}
        for side, part in parts.items():
            pair = torch.stack([facts.relation[part], anchor[part]], dim=1)
            asked, index = distinct(pair)
            if len(asked):
                queries = ask(model, take(rows, asked[:, 1]), asked[:, 0], side)
                total = total + self.term(queries["query"])[index].sum()
        return self.weight * total / len(facts.anchor)
