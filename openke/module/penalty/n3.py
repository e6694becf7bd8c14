"""The nuclear 3-norm of a factorisation."""

from torch import Tensor

from openke.module.penalty.penalty import Penalty


class N3(Penalty):
    """weight / n sum over facts of |h|_3^3 + |r|_3^3 + |t|_3^3, moduli where complex.

    Parameters
    ----------
    weight
        Lacroix et al. try 0.005 to 0.5.

    References
    ----------
    Lacroix et al., Canonical Tensor Decomposition for Knowledge Base Completion, ICML 2018.
    """

    def term(self, moduli: Tensor) -> Tensor:
        """Return the sum of cubes."""
        return moduli.pow(3).sum(dim=-1)
