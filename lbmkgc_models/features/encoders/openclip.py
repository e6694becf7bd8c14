"""CLIP through the library open_clip: its image tower and its text tower, which share one space."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from lbmkgc_models.feature_store.manifest import Value
from lbmkgc_models.features.encoders.hub import not_loaded, token_counts, weights_checksum
from lbmkgc_models.features.encoders.options import OneSize, finish

if TYPE_CHECKING:
    from PIL.Image import Image

WAYS = (
    "Four ways to get one: open_clip:FOLDER with open_clip_config.json and its weights; "
    "open_clip:MODEL/FILE with a weights file, such as open_clip:ViT-B-32/clip.safetensors; with "
    "network access open_clip:MODEL/TAG, such as open_clip:ViT-B-32/laion2b_s34b_b79k, or "
    "open_clip:hf-hub:ID"
)
HUB = "hf-hub:"
ENDINGS = (".safetensors", ".bin", ".pt", ".pth")
CHARACTERS_PER_TOKEN = 16
"""A text is cut there before it is split into tokens, which takes quadratic time in its words."""


class OpenClipImageEncoder(OneSize):
    """The image tower of a model of open_clip.

    Parameters
    ----------
    source
        "FOLDER", "MODEL/FILE", "MODEL/TAG" or "hf-hub:ID".
    device
        Where to compute.
    normalised
        Scale vectors to length one, as CLIP compares them.

    Raises
    ------
    OSError
        The weights are not there and cannot be fetched, or are another model's.

    References
    ----------
    Radford et al., Learning Transferable Visual Models From Natural Language Supervision, ICML
    2021. Cherti et al., Reproducible scaling laws for contrastive language-image learning, CVPR
    2023.
    """

    def __init__(
        self, source: str, *, device: str | torch.device = "cpu", normalised: bool = True
    ) -> None:
        self._model, self._preprocess, name, self.revision = _load(source, "image")
        self.name = f"open_clip:{source}"
        self.dim: int = _dim(name)
        self.settings: Mapping[str, Value] = {"normalised": normalised}
        self._device = torch.device(device)
        self._model.to(self._device)

    def encode(self, items: Sequence[Image]) -> Tensor:
        """Return Float["n dim"], float32 on the CPU."""
        if not items:
            return torch.zeros(0, self.dim)
        pixels = torch.stack([self._preprocess(item) for item in items])  # [n 3 size size]
        with torch.inference_mode():
            return finish(self._model.encode_image(pixels.to(self._device)), self.settings)


class OpenClipTextEncoder:
    """The text tower of a model of open_clip; it reads as many tokens as the model has positions.

    Parameters
    ----------
    source
        "FOLDER", "MODEL/FILE", "MODEL/TAG" or "hf-hub:ID".
    device
        Where to compute.
    normalised
        Scale vectors to length one, as CLIP compares them.

    Raises
    ------
    OSError
        The weights are not there and cannot be fetched, or are another model's.

    References
    ----------
    Radford et al., Learning Transferable Visual Models From Natural Language Supervision, ICML
    2021. Cherti et al., Reproducible scaling laws for contrastive language-image learning, CVPR
    2023.
    """

    def __init__(
        self, source: str, *, device: str | torch.device = "cpu", normalised: bool = True
    ) -> None:
        self._model, _, name, self.revision = _load(source, "text")
        import open_clip

        self._tokenizer: Any = open_clip.get_tokenizer(name)
        self.name = f"open_clip:{source}"
        self.dim: int = _dim(name)
        self.limit: int = self._tokenizer.context_length
        self.settings: Mapping[str, Value] = {"normalised": normalised, "max_length": self.limit}
        self._device = torch.device(device)
        self._model.to(self._device)

    def lengths(self, items: Sequence[str]) -> list[int]:
        """Return the tokens of each text before any is cut; of huge ones, enough to be cut."""
        texts, inner = [self._shorten(item) for item in items], self._tokenizer
        counts = (
            token_counts(inner.tokenizer, texts)
            if hasattr(inner, "tokenizer")
            else [len(inner.encode(text)) + 2 for text in texts]  # the marks of start and end
        )
        return [
            count if len(text) < self._most else max(count, self.limit + 1)
            for count, text in zip(counts, texts, strict=True)
        ]

    def encode(self, items: Sequence[str]) -> Tensor:
        """Return Float["n dim"], float32 on the CPU."""
        if not items:
            return torch.zeros(0, self.dim)
        tokens = self._tokenizer([self._shorten(item) for item in items])  # [n limit]
        with torch.inference_mode():
            return finish(self._model.encode_text(tokens.to(self._device)), self.settings)

    @property
    def _most(self) -> int:
        return CHARACTERS_PER_TOKEN * self.limit

    def _shorten(self, text: str) -> str:
        return " ".join(text.split())[: self._most]


def _load(source: str, tower: str) -> tuple[Any, Any, str, str]:
    """Return model, preprocessing, the name open_clip knows the model by, and revision."""
    what = f"{tower} encoder 'open_clip:{source}'"
    try:
        import open_clip
    except ImportError as error:
        raise OSError(
            f"{what} needs the package open_clip: pip install 'openke-lbmkgc[features]'"
        ) from error
    try:
        name, pretrained = _parse(source)
        # Weights are safetensors or read by torch.load with weights only, open_clip's default.
        model, preprocess = open_clip.create_model_from_pretrained(
            name, pretrained, precision="fp32", device="cpu"
        )
        revision = _revision(name, pretrained)
    except Exception as error:  # it raises half a dozen kinds for what is broken or not there
        reason = str(error).strip().split("\n")[0] or type(error).__name__
        raise OSError(not_loaded(what, reason, WAYS)) from error
    model.eval().requires_grad_(False)
    return model, preprocess, name, revision


def _parse(source: str) -> tuple[str, str | None]:
    """Return the name and the weights as open_clip takes them."""
    import open_clip

    if source.startswith(HUB):
        return source, None
    if source and Path(source).is_dir():
        return f"local-dir:{source}", None
    name, _, pretrained = source.partition("/")
    if name not in open_clip.list_models():
        raise ValueError(f"there is no such folder, and {name!r} is no model of open_clip")
    tags = open_clip.list_pretrained_tags_by_model(name)
    if pretrained not in tags and not Path(pretrained).is_file():
        known = f"one of {', '.join(tags)}, or " if tags else ""
        raise ValueError(f"weights of {name} are {pretrained!r}, expected {known}a file")
    if pretrained not in tags and Path(pretrained).suffix not in ENDINGS:
        raise ValueError(f"{pretrained}: expected a file that ends with {', '.join(ENDINGS)}")
    return name, pretrained


def _revision(name: str, pretrained: str | None) -> str:
    """Return the commit of a model of the Hub, else the checksum of the weights."""
    from open_clip import pretrained as weights

    if name.startswith(HUB):
        # The Hub's cache keeps files by commit.
        return Path(weights.download_pretrained_from_hf(name.removeprefix(HUB))).parent.name
    if pretrained is None:
        folder = Path(name.partition(":")[2])
        return weights_checksum(sorted(p for p in folder.iterdir() if p.suffix in ENDINGS))
    if Path(pretrained).is_file():
        return weights_checksum([Path(pretrained)])
    found = weights.download_pretrained(weights.get_pretrained_cfg(name, pretrained))
    return weights_checksum([Path(found)])


def _dim(name: str) -> int:
    import open_clip

    dim: int = open_clip.get_model_config(name)["embed_dim"]
    return dim
