"""Multimodal knowledge graph completion on top of openke: feature stores, fusion and models.

Pictures and text enter through one door, :class:`lbmkgc_models.store.ModalFeatures`: frozen rows
matched to entities by name, and a mask of what is missing. :mod:`lbmkgc_models.features` makes
such stores.
"""

import openke  # noqa: F401 - before torch: it says how OpenMP threads wait
