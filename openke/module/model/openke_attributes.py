"""What scripts written for OpenKE ask of a model of this package."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from openke.module.scoring.contract import Scorer
from openke.module.scoring.triples import score_triples

SETTINGS = ("dim", "dim_e", "dim_r", "p_norm", "norm_flag", "epsilon", "margin")
"""Settings that OpenKE keeps as attributes of the model."""
SLOTS = ("batch_h", "batch_r", "batch_t")


class OpenKEAttributes(nn.Module):
    """OpenKE's attributes and ``predict``, on top of a model's ``config`` and scores."""

    def keep_settings(self, config: Any) -> None:
        """Keep settings as OpenKE's attributes; a subclass may set each anew, as a parameter too.

        Attributes that the class itself has are left alone.
        """
        kept = {name: getattr(config, name) for name in SETTINGS if hasattr(config, name)}
        if "margin" in kept:
            kept["margin_flag"] = kept["margin"] is not None
        for name, value in kept.items():
            if not hasattr(type(self), name):
                setattr(self, name, value)

    def predict(self, data: Mapping[str, Any]) -> NDArray[np.float32]:
        """Return OpenKE's prediction of each triple, Float["n"]: minus the score, low is better.

        Parameters
        ----------
        data
            ``batch_h``, ``batch_r`` and ``batch_t``: arrays or tensors of ids. The shorter ones
            are repeated, as OpenKE does in the modes ``head_batch`` and ``tail_batch``.

        Raises
        ------
        ValueError
            The length of one does not divide that of another.
        """
        device = next(self.parameters()).device
        slots = [torch.as_tensor(data[name], device=device).long().reshape(-1) for name in SLOTS]
        n = max(len(ids) for ids in slots)
        if any(len(ids) == 0 or n % len(ids) for ids in slots):
            lengths = ", ".join(f"{len(ids)} of {s}" for s, ids in zip(SLOTS, slots, strict=True))
            raise ValueError(f"predict: found {lengths}, expected as many of each, or blocks")
        head, relation, tail = (ids.repeat(n // len(ids)) for ids in slots)
        with torch.no_grad():
            scores = score_triples(cast(Scorer, self), head, relation, tail)
        answer: NDArray[np.float32] = (-scores).cpu().numpy()
        return answer
