"""EfficientNet-lite0: an ImageNet encoder of pictures whose weights lie in a Python package."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor

from lbmkgc_models.feature_store.manifest import Value
from lbmkgc_models.features.encoders.hub import weights_checksum
from lbmkgc_models.features.encoders.options import OneSize, finish
from lbmkgc_models.features.encoders.packaged import INSTALL, packaged_efficientnet

if TYPE_CHECKING:
    from PIL.Image import Image

SIZE, MARGIN = 224, 32
"""Pixels of a side as the network reads it, and those cut away around them."""


class EfficientNetEncoder(OneSize):
    """EfficientNet-lite0, the mean over space of its last feature map: 1,280 reals.

    A picture is cut to its central square, 224/256 of the shorter side, and read as
    ``(rgb / 255 - 0.498) / 0.502``.

    Parameters
    ----------
    device
        Where to compute.
    normalised
        Scale vectors to length one.

    Raises
    ------
    OSError
        The packages with the network and its weights are not installed, or broken.

    References
    ----------
    Tan and Le, EfficientNet, ICML 2019; the lite variant leaves out squeeze-and-excitation and
    takes ReLU6.
    """

    name = "efficientnet-lite0"
    dim = 1280

    def __init__(self, *, device: str | torch.device = "cpu", normalised: bool = True) -> None:
        path = packaged_efficientnet()
        if path is None:
            raise OSError(
                f"image encoder {self.name!r} cannot be loaded: its packages are not installed; "
                f"{INSTALL}, or take colour-histogram, which needs no weights"
            )
        from efficientnet_lite_pytorch import EfficientNet

        model = EfficientNet.from_name(self.name)
        try:
            model.load_state_dict(torch.load(path, map_location="cpu", weights_only=True))
        except Exception as error:  # torch.load raises half a dozen kinds for a broken file
            raise OSError(
                f"{path}: not the weights of {self.name} ({type(error).__name__}); install them "
                f"again: {INSTALL}"
            ) from error
        self.revision = weights_checksum([path])
        self.settings: Mapping[str, Value] = {"pooling": "mean", "normalised": normalised}
        self._device = torch.device(device)
        self._model = model.eval().requires_grad_(False).to(self._device)

    def encode(self, items: Sequence[Image]) -> Tensor:
        """Return Float["n 1280"], float32 on the CPU."""
        if not items:
            return torch.zeros(0, self.dim)
        return finish(self._maps(items).mean(dim=(2, 3)), self.settings)

    def patches(self, items: Sequence[Image]) -> Tensor:
        """Return Float["n 49 1280"], the places of the last feature map."""
        return self._maps(items).flatten(2).transpose(1, 2).float().cpu()

    def _maps(self, items: Sequence[Image]) -> Tensor:
        pixels = torch.stack([_pixels(item) for item in items]).to(self._device)  # [n 3 224 224]
        with torch.inference_mode():
            maps: Tensor = self._model.extract_features(pixels)  # [n 1280 7 7]
            return maps


def _pixels(picture: Image) -> Tensor:
    from PIL import Image, ImageOps

    border = MARGIN / (SIZE + MARGIN) / 2
    square = ImageOps.fit(picture, (SIZE, SIZE), Image.Resampling.BICUBIC, bleed=border)
    rgb = torch.from_numpy(np.array(square)).permute(2, 0, 1)  # [3 224 224]
    return (rgb.float() / 255 - 0.498) / 0.502
