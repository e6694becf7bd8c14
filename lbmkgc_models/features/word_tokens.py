"""Tokens of texts: the pieces of words of a sentence encoder, with its input embeddings."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

from torch import Tensor

from lbmkgc_models.feature_store.texts import CHOICE_NOTE, TextChoice, read_texts
from lbmkgc_models.features.encoders.hub import load_model
from lbmkgc_models.features.encoders.sentence import WAYS, place_of
from lbmkgc_models.features.optional_packages import extra
from lbmkgc_models.features.picture_tokens import check_counts, most_frequent, store_of
from lbmkgc_models.features.text import TEXTS


class WordPieces:
    """The vocabulary of a sentence encoder: pieces of words, and the vector of each.

    Parameters
    ----------
    source
        "minilm", a folder with a model of transformers, or a Hub id.

    Raises
    ------
    OSError
        It is not there, or cannot be fetched.
    """

    def __init__(self, source: str = "minilm") -> None:
        what = f"text encoder {source!r}"
        loaded = load_model(place_of(source, what), what, WAYS)
        self.name, self.revision = source, loaded.revision
        self.book: Tensor = loaded.model.get_input_embeddings().weight.detach().float()
        """Float["pieces f"]"""
        self._tokenizer = loaded.inputs
        self._left_out = self._stop_words()

    def pieces(self, text: str) -> list[int]:
        """Return the pieces of a text in their order, without stop words and punctuation."""
        ids = self._tokenizer(text, add_special_tokens=False, verbose=False)["input_ids"]
        return [piece for piece in ids if piece not in self._left_out]

    def _stop_words(self) -> frozenset[int]:
        stop_words = extra("sklearn.feature_extraction.text").ENGLISH_STOP_WORDS
        vocabulary: dict[str, int] = self._tokenizer.get_vocab()
        none = {
            number
            for piece, number in vocabulary.items()
            if piece in stop_words or not any(c.isalnum() for c in piece)
        }
        return frozenset({*none, *self._tokenizer.all_special_ids})


def build_word_tokens(
    dataset_dir: str | Path,
    out_dir: str | Path,
    *,
    encoder: str = "minilm",
    texts: TextChoice = "all",
    tokens: int = 8,
) -> Path:
    """Write the store ``OUT_DIR/text``: of each entity the pieces of words that its text has most.

    Of pieces that occur alike the earlier ones are taken. Stop words and punctuation are left out.

    Parameters
    ----------
    dataset_dir, out_dir, texts
        See :func:`.build_text_features`.
    encoder
        Whose pieces and input embeddings, see :class:`WordPieces`.
    tokens
        The most pieces of an entity.

    Raises
    ------
    ValueError
        No text, a number below 1.
    OSError
        The labels or the encoder are not there, or the store cannot be written.
    """
    check_counts(tokens=tokens)
    read = read_texts(dataset_dir, texts)
    names, given = read.given()
    pieces = WordPieces(encoder)
    found = {name: Counter(pieces.pieces(text)) for name, text in zip(names, given, strict=True)}
    rows = most_frequent(found, tokens)
    if not rows:
        raise ValueError(f"{dataset_dir}: no entity has a text with words, so there are no tokens")
    return store_of(
        "text",
        rows,
        pieces.book,
        read.names,
        out_dir,
        dataset=Path(dataset_dir).resolve().name,
        encoder=f"{pieces.name} (word pieces)",
        revision=pieces.revision,
        settings={"tokens": tokens},
        notes={TEXTS: read.checksum(), CHOICE_NOTE: texts},
    )
