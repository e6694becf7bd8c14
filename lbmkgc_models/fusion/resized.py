"""Features of another width: neighbours averaged, or zeros added."""

from __future__ import annotations

import math
from dataclasses import replace

from torch import Tensor
from torch.nn.functional import adaptive_avg_pool1d, avg_pool2d, normalize, pad

from lbmkgc_models.feature_store.store import ModalFeatures


def resized(features: ModalFeatures, width: int) -> ModalFeatures:
    """Return features scaled to length 1, then made ``width`` numbers wide.

    Of more numbers neighbours are averaged; fewer are followed by zeros. Neighbours are those of a
    square where both widths are squares and one's side divides the other's, as 4,096 and 256.
    """
    rows = normalize(features.values, dim=1)
    if features.dim > width:
        rows = _averaged(rows, width)
    return replace(features, values=pad(rows, (0, width - rows.shape[1])))


def _averaged(rows: Tensor, width: int) -> Tensor:
    side, wanted = math.isqrt(rows.shape[1]), math.isqrt(width)
    if side**2 == rows.shape[1] and wanted**2 == width and side % wanted == 0:
        squares = rows.view(len(rows), 1, side, side)
        return avg_pool2d(squares, side // wanted).flatten(1)
    return adaptive_avg_pool1d(rows[:, None], width)[:, 0]
