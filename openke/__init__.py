"""Knowledge graph completion on an immutable triple store with a C++ core.

Data in :mod:`openke.data`, models, losses and strategies in :mod:`openke.module`, training and
evaluation in :mod:`openke.config`.
"""

__version__ = "0.1.0"
