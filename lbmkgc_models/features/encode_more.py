"""Vectors of further texts and pictures, by the encoder that made those of a feature store."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from torch import Tensor

from lbmkgc_models.feature_store.manifest import Manifest
from lbmkgc_models.features.encoders.protocol import Unfitted, fitted
from lbmkgc_models.features.encoders.registry import image_encoder, text_encoder
from lbmkgc_models.features.read_image import MAX_PIXELS, read_image
from openke.runtime.device import choose_device

OPTIONS = ("max_length", "pooling", "normalised", "dim")
"""Of encoders, as their manifests have them."""


def encode_texts(
    manifest: Manifest, texts: Sequence[str], fitted_to: Sequence[str], device: str = "cpu"
) -> Tensor:
    """Return Float["n f"], the vectors of texts.

    Parameters
    ----------
    manifest
        Of the text features that there are.
    texts
        What to encode.
    fitted_to
        All texts that the features were made of; an encoder without weights is fitted to them.
    device
        Where to compute.

    Raises
    ------
    ValueError, OSError
        The encoder is not there, or is not the same as it was.
    """
    encoder = fitted(_encoder(text_encoder, manifest, device), list(fitted_to))
    _check_same(manifest, encoder.revision)
    return encoder.encode(list(texts))


def encode_pictures(manifest: Manifest, files: Sequence[Path], device: str = "cpu") -> Tensor:
    """Return Float["n f"], the vectors of pictures, one file each.

    Raises
    ------
    ValueError, OSError
        A file is no picture; the encoder is not there, is not the same as it was, or was fitted to
        pictures, which a feature store does not have.
    """
    encoder: Any = _encoder(image_encoder, manifest, device)
    if isinstance(encoder, Unfitted):
        raise ValueError(
            f"the image features were made by {manifest.encoder}, which is fitted to the pictures "
            "of training: give vectors, or train with an encoder that has weights"
        )
    _check_same(manifest, encoder.revision)
    pictures = [read_image(file, max_pixels=MAX_PIXELS) for file in files]
    vectors: Tensor = encoder.encode(pictures)
    return vectors


def _encoder(make: Callable[..., Any], manifest: Manifest, device: str) -> Any:
    where = choose_device(device)
    try:
        encoder = make(manifest.encoder, device=where)
        settings = {k: v for k, v in manifest.settings.items() if k in OPTIONS}
        changed = {k: v for k, v in settings.items() if encoder.settings.get(k) != v}
        return make(manifest.encoder, device=where, **changed) if changed else encoder
    except ValueError as error:
        raise ValueError(
            f"the {manifest.modality} features were made by {manifest.encoder!r}, which cannot be "
            f"made again here: {error}; give vectors of the new entities"
        ) from error


def _check_same(manifest: Manifest, revision: str) -> None:
    if manifest.revision and revision != manifest.revision:
        raise ValueError(
            f"the encoder {manifest.encoder!r} is not as it was: found {revision}, the features "
            f"were made by {manifest.revision}; install its version of that time, or give vectors"
        )
