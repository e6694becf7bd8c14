"""Losses over positive and negative scores: one small file each."""

from openke.aliases import homes_of, openke_paths
from openke.module.loss.loss import Loss
from openke.module.loss.margin_loss import MarginLoss
from openke.module.loss.sampled_softmax_loss import SampledSoftmaxLoss
from openke.module.loss.sigmoid_loss import SigmoidLoss
from openke.module.loss.softplus_loss import SoftplusLoss
from openke.runtime.registry import Registry

LOSSES: Registry[type[Loss]] = Registry(
    {
        "MarginLoss": MarginLoss,
        "SampledSoftmaxLoss": SampledSoftmaxLoss,
        "SigmoidLoss": SigmoidLoss,
        "SoftplusLoss": SoftplusLoss,
    },
    "openke.losses",
)
"""Losses of sampled negatives by name, with those of other packages."""

__all__ = ["LOSSES", "Loss", "MarginLoss", "SampledSoftmaxLoss", "SigmoidLoss", "SoftplusLoss"]

openke_paths(__name__, homes_of([Loss, *LOSSES.own.values()]))
