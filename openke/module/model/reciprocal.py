"""Reciprocal relations: (?, r, t) is asked as (t, r', ?) with a relation r' of its own."""

from __future__ import annotations

from typing import Any

from torch import Tensor

from openke.data.batch import Side
from openke.module.model.model import Model
from openke.module.model.wrapped import Wrapped
from openke.module.scoring.contract import ask
from openke.module.scoring.encodings import Encodings


class Reciprocal(Wrapped):
    """A model with an inverse of each relation: it is only ever asked for tails.

    A triple scores differently as (h, r, ?) and as (t, r', ?); where there is no query, as in
    triple classification, the first one counts. ``relation_embeddings`` and ``project`` take ids of
    inverses, too, from ``rel_tot`` on.

    Parameters
    ----------
    inner
        The model, built with twice the relations of the data: r' is relation r + R.

    Raises
    ------
    ValueError
        An odd number of relations, or a model written for OpenKE.

    References
    ----------
    Lacroix et al., Canonical Tensor Decomposition for Knowledge Base Completion, ICML 2018.
    """

    citation = "Lacroix et al., ICML 2018"

    def __init__(self, inner: Model) -> None:
        if inner.rel_tot % 2:
            raise ValueError(
                f"Reciprocal: the model has {inner.rel_tot} relations, expected twice those of "
                "the data"
            )
        super().__init__(inner, inner.rel_tot // 2)
        self.asymmetric_queries = True  # type: ignore[misc]
        self.inverse_offset = self.rel_tot
        inner.pair_inverses()

    def query(self, anchor: Encodings, relation: Tensor, side: Side) -> Encodings:
        """Return the inner model's queries about tails."""
        return ask(self.inner, anchor, self.effective_relation(relation, side), "tail")

    def identity(self) -> dict[str, Any]:
        """Return the inner model's identity, its relations counted twice, marked as reciprocal."""
        return {**self.inner.identity(), "reciprocal": True}
