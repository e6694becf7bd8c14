"""Dropout on what is asked: the known entity's vectors and the query's."""

from __future__ import annotations

from torch import Tensor
from torch.nn.functional import dropout

from openke.data.batch import Side
from openke.module.model.model import Model
from openke.module.model.wrapped import Wrapped
from openke.module.scoring.contract import ask
from openke.module.scoring.encodings import Encodings


class Dropped(Wrapped):
    """A view of a model that forgets numbers of its queries; what is kept grows to make up.

    A strategy makes it anew for each batch. Candidates stay whole.

    Parameters
    ----------
    inner
        What scores.
    anchor
        Share of the numbers of the known entity's vectors that become zero.
    query
        Share of the numbers of the query vectors that do.

    References
    ----------
    Srivastava et al., Dropout, JMLR 2014; Balazevic et al., TuckER, EMNLP 2019, for both places.
    """

    citation = "Srivastava et al., JMLR 2014"

    def __init__(self, inner: Model, anchor: float, query: float) -> None:
        super().__init__(inner)
        self.anchor_rate = anchor
        self.query_rate = query

    def query(self, anchor: Encodings, relation: Tensor, side: Side) -> Encodings:
        """Return the inner model's queries, asked with and made into incomplete vectors."""
        queries = ask(self.inner, _forget(anchor, self.anchor_rate), relation, side)
        return _forget(queries, self.query_rate)


def _forget(rows: Encodings, rate: float) -> Encodings:
    """Apply dropout to the vectors among ``rows``; numbers such as gates stay as they are."""
    if not rate:
        return rows
    return {
        name: dropout(values, rate) if values.dim() > 1 and values.is_floating_point() else values
        for name, values in rows.items()
    }
