"""Vision transformers in the Hugging Face format: ViT, DeiT, BEiT, DINOv2 and their like."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Literal

import torch
from torch import Tensor

from lbmkgc_models.feature_store.manifest import Value
from lbmkgc_models.features.encoders.hub import load_model
from lbmkgc_models.features.encoders.options import OneSize, check_pooling, finish

if TYPE_CHECKING:
    from PIL.Image import Image

POOLINGS = ("cls", "pooled")
WAYS = (
    "Two ways to get one: vit:FOLDER with a vision transformer of transformers (config.json, "
    "model.safetensors, preprocessor_config.json); vit:HUB_ID such as "
    "vit:google/vit-base-patch16-224, with network access"
)


class VitEncoder(OneSize):
    """A vision transformer as an encoder of pictures.

    Parameters
    ----------
    source
        A local folder or a Hub id.
    device
        Where to compute.
    pooling
        "cls": the last hidden state of the first token. "pooled": what the model's own pooler
        makes of it; many checkpoints come without one.
    normalised
        Scale vectors to length one.

    Raises
    ------
    OSError
        The model is not there and cannot be fetched, or has no safetensors weights.
    ValueError
        It is no vision transformer, or has no pooler and ``pooling`` is "pooled".

    References
    ----------
    Dosovitskiy et al., An Image is Worth 16x16 Words, ICLR 2021.
    """

    def __init__(
        self,
        source: str,
        *,
        device: str | torch.device = "cpu",
        pooling: Literal["cls", "pooled"] = "cls",
        normalised: bool = True,
    ) -> None:
        check_pooling(pooling, POOLINGS)
        what = f"image encoder 'vit:{source}'"
        loaded = load_model(source, what, WAYS, inputs="AutoImageProcessor")
        model = loaded.model
        kind = model.config.model_type
        if model.main_input_name != "pixel_values" or not hasattr(model.config, "hidden_size"):
            raise ValueError(
                f"{what}: config.json is of a {kind} model, expected a vision transformer"
            )
        if pooling == "pooled" and any(name.startswith("pooler.") for name in loaded.untrained):
            raise ValueError(f"{what}: its weights have no pooler; take the pooling cls")
        loaded.require_trained(what, but="pooler.")
        self.name = f"vit:{source}"
        self.revision = loaded.revision
        self.dim: int = model.config.hidden_size
        self.settings: Mapping[str, Value] = {"pooling": pooling, "normalised": normalised}
        self._device = torch.device(device)
        self._model = model.to(self._device)
        self._processor = loaded.inputs

    def encode(self, items: Sequence[Image]) -> Tensor:
        """Return Float["n dim"], float32 on the CPU."""
        if not items:
            return torch.zeros(0, self.dim)
        pixels = self._processor(list(items), return_tensors="pt")["pixel_values"]
        with torch.inference_mode():
            output = self._model(pixel_values=pixels.to(self._device))
            cls = self.settings["pooling"] == "cls"
            return finish(
                output.last_hidden_state[:, 0] if cls else output.pooler_output, self.settings
            )

    def patches(self, items: Sequence[Image]) -> Tensor:
        """Return Float["n patches dim"], the last hidden states but the first token's."""
        pixels = self._processor(list(items), return_tensors="pt")["pixel_values"]
        with torch.inference_mode():
            output = self._model(pixel_values=pixels.to(self._device))
            hidden: Tensor = output.last_hidden_state[:, 1:].float().cpu()
            return hidden
