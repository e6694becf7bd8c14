"""CLIP in the Hugging Face format: its image tower and its text tower, which share one space."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from lbmkgc_models.feature_store.manifest import Value
from lbmkgc_models.features.encoders.hub import Loaded, load_model, token_counts
from lbmkgc_models.features.encoders.options import OneSize, check_max_length, finish

if TYPE_CHECKING:
    from PIL.Image import Image

WAYS = (
    "Two ways to get one: clip:FOLDER with a CLIP model of transformers (config.json, "
    "model.safetensors, preprocessor_config.json, tokenizer); clip:HUB_ID such as "
    "clip:openai/clip-vit-large-patch14, with network access"
)


class ClipImageEncoder(OneSize):
    """The image tower of CLIP: a vision transformer and a projection.

    Parameters
    ----------
    source
        A local folder or a Hub id.
    device
        Where to compute.
    normalised
        Scale vectors to length one, as CLIP compares them.

    Raises
    ------
    OSError
        The model is not there and cannot be fetched, or has no safetensors weights.
    ValueError
        It is no CLIP model.

    References
    ----------
    Radford et al., Learning Transferable Visual Models From Natural Language Supervision, ICML
    2021.
    """

    def __init__(
        self, source: str, *, device: str | torch.device = "cpu", normalised: bool = True
    ) -> None:
        loaded = _load(source, f"image encoder 'clip:{source}'", "AutoImageProcessor")
        self.name = f"clip:{source}"
        self.revision = loaded.revision
        self.dim: int = loaded.model.config.projection_dim
        self.settings: Mapping[str, Value] = {"normalised": normalised}
        self._device = torch.device(device)
        self._model = loaded.model.to(self._device)
        self._processor = loaded.inputs

    def encode(self, items: Sequence[Image]) -> Tensor:
        """Return Float["n dim"], float32 on the CPU."""
        if not items:
            return torch.zeros(0, self.dim)
        pixels = self._processor(list(items), return_tensors="pt")["pixel_values"]
        with torch.inference_mode():
            pooled = self._model.vision_model(pixel_values=pixels.to(self._device)).pooler_output
            return finish(self._model.visual_projection(pooled), self.settings)

    def patches(self, items: Sequence[Image]) -> Tensor:
        """Return Float["n patches width"], the last hidden states but the first token's."""
        pixels = self._processor(list(items), return_tensors="pt")["pixel_values"]
        with torch.inference_mode():
            output = self._model.vision_model(pixel_values=pixels.to(self._device))
            hidden: Tensor = output.last_hidden_state[:, 1:].float().cpu()
            return hidden


class ClipTextEncoder:
    """The text tower of CLIP: a causal transformer and a projection.

    Parameters
    ----------
    source
        A local folder or a Hub id.
    device
        Where to compute.
    max_length
        Tokens of a text that are read; all the positions of the model, 77, by default.
    normalised
        Scale vectors to length one, as CLIP compares them.

    Raises
    ------
    OSError
        The model is not there and cannot be fetched, or has no safetensors weights.
    ValueError
        It is no CLIP model; ``max_length`` does not fit it.

    References
    ----------
    Radford et al., Learning Transferable Visual Models From Natural Language Supervision, ICML
    2021.
    """

    def __init__(
        self,
        source: str,
        *,
        device: str | torch.device = "cpu",
        max_length: int | None = None,
        normalised: bool = True,
    ) -> None:
        loaded = _load(source, f"text encoder 'clip:{source}'", "AutoTokenizer")
        positions = loaded.model.config.text_config.max_position_embeddings
        self.limit: int = positions if max_length is None else max_length
        check_max_length(self.limit, positions, source)
        self.name = f"clip:{source}"
        self.revision = loaded.revision
        self.dim: int = loaded.model.config.projection_dim
        self.settings: Mapping[str, Value] = {"normalised": normalised, "max_length": self.limit}
        self._device = torch.device(device)
        self._model = loaded.model.to(self._device)
        self._tokenizer = loaded.inputs

    def lengths(self, items: Sequence[str]) -> list[int]:
        """Return the tokens of each text before any is cut."""
        return token_counts(self._tokenizer, items)

    def encode(self, items: Sequence[str]) -> Tensor:
        """Return Float["n dim"], float32 on the CPU."""
        if not items:
            return torch.zeros(0, self.dim)
        inputs = self._tokenizer(
            list(items), padding=True, truncation=True, max_length=self.limit, return_tensors="pt"
        ).to(self._device)
        with torch.inference_mode():
            pooled = self._model.text_model(
                input_ids=inputs["input_ids"], attention_mask=inputs["attention_mask"]
            ).pooler_output
            return finish(self._model.text_projection(pooled), self.settings)


def _load(source: str, what: str, inputs: str) -> Loaded:
    loaded = load_model(source, what, WAYS, inputs=inputs)
    kind = loaded.model.config.model_type
    if kind != "clip":
        raise ValueError(f"{what}: config.json is of a {kind} model, expected clip")
    loaded.require_trained(what)
    return loaded
