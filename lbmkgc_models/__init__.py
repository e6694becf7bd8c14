"""Multimodal knowledge graph completion on top of openke.

Pictures and text enter through one door, :class:`.ModalFeatures`: frozen rows matched to entities
by name, and a mask of what is missing. The rooms, from the lowest:

- :mod:`lbmkgc_models.feature_store`: features on disk and in memory;
- :mod:`lbmkgc_models.features`: encoders, alignment and generation, which make such stores;
- :mod:`lbmkgc_models.fusion`: the parts that models fuse modalities by;
- :mod:`lbmkgc_models.model`: LBMKGC and the multimodal baselines, one file each;
- :mod:`lbmkgc_models.runs`: features chosen for a training, models made with them;
- :mod:`lbmkgc_models.serving`: a run behind HTTP.
"""

import openke  # noqa: F401 - before torch: it says how OpenMP threads wait
from openke.aliases import former_paths

former_paths(
    {
        "lbmkgc_models.experiment": "lbmkgc_models.runs.experiment",
        "lbmkgc_models.ikrl": "lbmkgc_models.model.ikrl",
        "lbmkgc_models.lbmkgc": "lbmkgc_models.model.lbmkgc",
        "lbmkgc_models.mentions": "lbmkgc_models.feature_store.mentions",
        "lbmkgc_models.models": "lbmkgc_models.runs.make_model",
        "lbmkgc_models.store": "lbmkgc_models.feature_store.store",
    },
    {
        "MODELS": "lbmkgc_models.runs.make_model.ALL_MODELS",
        "MULTIMODAL": "lbmkgc_models.model.MULTIMODAL",
        "MentionScore": "lbmkgc_models.fusion.mention_score.MentionScore",
    },
)
