"""Knowledge graph completion on an immutable triple store with a C++ core.

Data in :mod:`openke.data`, models, losses and strategies in :mod:`openke.module`, training in
:mod:`openke.training`, evaluation in :mod:`openke.evaluation`, whole runs in :mod:`openke.runs`.
"""

import os
from importlib import import_module
from typing import Any

__version__ = "0.1.0"

# PyTorch's OpenMP threads spin while they wait for each other. Where another process, or the core's
# own threads, need the processor, that spinning starves the thread that is waited for: a training
# step was seen to take 8 times as long. Passive waiting sleeps instead; with GNU's OpenMP, after
# some microseconds, as most waits are shorter than waking up takes. It takes effect where this
# package is imported before torch, and never overrides what the user has set: a count of spins
# would win over a policy.
if "OMP_WAIT_POLICY" not in os.environ:
    os.environ["OMP_WAIT_POLICY"] = "PASSIVE"
    os.environ.setdefault("GOMP_SPINCOUNT", "1000")

# A step over all entities writes arrays of tens of MB that the system hands out page by page, at
# more than the cost of computing them. Huge pages, where Linux grants them, halve that.
os.environ.setdefault("THP_MEM_ALLOC_ENABLE", "1")

_OFFERED = {
    "fit": ("lbmkgc_models.runs.fit", "fit"),
    "from_pretrained": ("openke.runs.hub", "from_pretrained"),
    "load": ("openke.runs.anywhere", "load"),
    "mix": ("openke.runs.mix", "mix"),
    "push_to_hub": ("openke.runs.hub", "push_to_hub"),
}
"""What this package offers at its top, found when it is asked for: it imports no room itself."""


def __getattr__(name: str) -> Any:
    """Return what is offered."""
    if name not in _OFFERED:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    module, inner = _OFFERED[name]
    return getattr(import_module(module), inner)
