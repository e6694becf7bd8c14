"""The squares of a factorisation."""

from torch import Tensor

from openke.module.penalty.penalty import Penalty


class L2(Penalty):
    """weight / n sum over facts of |h|_2^2 + |r|_2^2 + |t|_2^2.

    Parameters
    ----------
    weight
        Of the whole, beside the loss.

    References
    ----------
    Trouillon et al., Complex Embeddings for Simple Link Prediction, ICML 2016, Eq. 6.
    """

    def term(self, moduli: Tensor) -> Tensor:
        """Return the sum of squares."""
        return moduli.square().sum(dim=-1)
