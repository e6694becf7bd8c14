"""Cross entropies of rows of logits against sets of true columns, differentiable.

Labels are y = (1 - ε) w + ε / u with label smoothing ε, where w says which columns are true:

- softmax: -Σ_j y_j log softmax(x)_j with w = 1 / (number of true columns) at each of them
- binary: -mean_j [y_j log σ(x_j) + (1 - y_j) log σ(-x_j)] with w = 1 at each of them

A row without a true column has w = 0. True columns are lists of ids, one for each row or as many
as there are: no array of labels is made, and a gradient is one new array of the logits' size.

float32, float64 and bfloat16 logits on the CPU go through the C++ core (``base/losses.h``), all
others through :mod:`openke.kernels.losses_reference`. Half-precision logits give float32 losses.

Shapes: q rows of logits, u columns, p true columns of all rows together.
"""

from torch import Tensor

from openke.kernels import loss_operators as operators
from openke.kernels.arguments import check_labels


def softmax_cross_entropy(
    logits: Tensor, target: Tensor, label_smoothing: float = 0.0, *, offsets: Tensor | None = None
) -> Tensor:
    """Return the cross entropy of each row's softmax.

    Parameters
    ----------
    logits : Float["q u"]
        Scores of the columns.
    target : Int["q"] or Int["p"]
        The true column of each row; with ``offsets``, those of all rows.
    label_smoothing
        Part of the labels that is spread over all columns, 0 to 1.
    offsets : Int["q+1"], optional
        Row i's true columns are ``target[offsets[i]:offsets[i + 1]]``, each once.

    Returns
    -------
    Float["q"]

    Raises
    ------
    ValueError
        Shapes that do not fit, smoothing out of range, or (on the CPU) a column out of range or
        offsets that do not divide the targets.
    """
    check_labels(logits, target, offsets, label_smoothing)
    long_offsets = None if offsets is None else offsets.long()
    loss: Tensor = operators.softmax(logits, target.long(), long_offsets, float(label_smoothing))[0]
    return loss


def binary_cross_entropy(
    logits: Tensor, offsets: Tensor, targets: Tensor, label_smoothing: float = 0.0
) -> Tensor:
    """Return the mean cross entropy of each row's sigmoids.

    Parameters
    ----------
    logits : Float["q u"]
        Scores of the columns.
    offsets : Int["q+1"]
        Row i's true columns are ``targets[offsets[i]:offsets[i + 1]]``, each once.
    targets : Int["p"]
        The true columns of all rows.
    label_smoothing
        ε of the labels (1 - ε) y + ε / u, 0 to 1.

    Returns
    -------
    Float["q"]

    Raises
    ------
    ValueError
        As :func:`softmax_cross_entropy`.
    """
    check_labels(logits, targets, offsets, label_smoothing)
    loss: Tensor = operators.binary(logits, targets.long(), offsets.long(), float(label_smoothing))
    return loss
