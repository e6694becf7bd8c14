"""Penalties over the vectors of a batch's facts: one small file each."""

from openke.module.penalty.dura import DURA
from openke.module.penalty.l2 import L2
from openke.module.penalty.n3 import N3
from openke.module.penalty.penalty import Facts, Penalty

PENALTIES: dict[str, type[Penalty]] = {"DURA": DURA, "L2": L2, "N3": N3}
"""Every penalty by name."""

__all__ = ["DURA", "L2", "N3", "PENALTIES", "Facts", "Penalty"]
