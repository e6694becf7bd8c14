"""What is registered by name, with what packages that are installed offer."""

from collections.abc import Iterator
from typing import Any

from lbmkgc_models.features.encoders.registry import IMAGE_ENCODERS, TEXT_ENCODERS
from lbmkgc_models.model import MULTIMODAL
from openke.datasets.registry import DATA_SETS
from openke.module.loss import LOSSES
from openke.module.loss.query_losses import QUERY_LOSSES
from openke.module.strategy import OBJECTIVES
from openke.runs.recipe import KNOWN_MODELS
from openke.runtime.registry import Registry

REGISTRIES: tuple[Registry[Any], ...] = (
    KNOWN_MODELS, MULTIMODAL, LOSSES, QUERY_LOSSES, OBJECTIVES,
    TEXT_ENCODERS, IMAGE_ENCODERS, DATA_SETS,
)  # fmt: skip


def loadable(registry: Registry[Any]) -> dict[str, Any]:
    """Return the entries that can be loaded; test_registered.py fails for each of the others."""
    return dict(_loaded(registry))


def _loaded(registry: Registry[Any]) -> Iterator[tuple[str, Any]]:
    for name in registry:
        try:
            yield name, registry[name]
        except ValueError:
            continue
