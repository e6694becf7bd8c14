"""Softplus (logistic) loss."""

from openke.module.loss.sigmoid_loss import SigmoidLoss


class SoftplusLoss(SigmoidLoss):
    """1/2 [log(1 + e^{-s(positive)}) + sum_i p_i log(1 + e^{s_i})].

    The same function as :class:`SigmoidLoss`, since log(1 + e^x) = -log sigma(-x); OpenKE has both
    names and so have we.

    Parameters
    ----------
    adv_temperature
        See :class:`Loss`.

    References
    ----------
    Trouillon et al., Complex Embeddings for Simple Link Prediction, ICML 2016, Eq. 6.
    """
