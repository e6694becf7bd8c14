"""Features of another width: neighbours averaged, or zeros added."""

from __future__ import annotations

from dataclasses import replace

from torch.nn.functional import adaptive_avg_pool1d, normalize, pad

from lbmkgc_models.feature_store.store import ModalFeatures


def resized(features: ModalFeatures, width: int) -> ModalFeatures:
    """Return features scaled to length 1, then made ``width`` numbers wide.

    Of more numbers neighbours are averaged; fewer are followed by zeros.
    """
    rows = normalize(features.values, dim=1)
    if features.dim > width:
        rows = adaptive_avg_pool1d(rows[:, None], width)[:, 0]
    return replace(features, values=pad(rows, (0, width - rows.shape[1])))
