"""Text without weights: which words and word pairs occur, compressed to a few hundred reals."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor

from lbmkgc_models.features.encoders.options import check_dim, finish
from lbmkgc_models.manifest import Value

MOST_TERMS = 100_000


class Tfidf:
    """TF-IDF of words and pairs of words, and a truncated SVD, fitted to the texts of a data set.

    ``x = V (1 + log tf) · idf`` with the largest singular directions V of the data set's texts
    (latent semantic analysis). A text without any known word is a row of zeros.

    Parameters
    ----------
    dim
        Reals of a vector; fewer where the texts do not have as many directions.
    normalised
        Scale vectors to length one.

    Raises
    ------
    ValueError
        ``dim`` below 1.

    References
    ----------
    Deerwester et al., Indexing by Latent Semantic Analysis, JASIS 1990.
    """

    name, revision = "tfidf", ""

    def __init__(self, *, dim: int = 256, normalised: bool = True) -> None:
        check_dim(dim)
        self.settings: Mapping[str, Value] = {"dim": dim, "normalised": normalised}
        self._dim = dim

    def fit(self, items: Iterable[str]) -> FittedTfidf:
        """Learn words, their weights and directions; see Unfitted.

        Raises
        ------
        ValueError
            Texts without a single word.
        """
        from sklearn.decomposition import TruncatedSVD
        from sklearn.feature_extraction.text import TfidfVectorizer

        words = TfidfVectorizer(
            ngram_range=(1, 2),
            sublinear_tf=True,
            token_pattern=r"(?u)\b\w+\b",  # words of one letter too
            strip_accents="unicode",
            max_features=MOST_TERMS,
            dtype=np.float64,
        )
        texts = list(items)
        try:
            matrix = words.fit_transform(texts)
        except ValueError:
            raise ValueError(f"tfidf: no word in {len(texts)} texts, so nothing to learn") from None
        directions = TruncatedSVD(min(self._dim, *matrix.shape), random_state=0)
        directions.fit(matrix)
        return FittedTfidf(words, directions.components_, self.settings)


class FittedTfidf:
    """What :meth:`Tfidf.fit` makes: an :class:`~lbmkgc_models.features.encoders.Encoder`."""

    name, limit = "tfidf", None

    def __init__(
        self, words: Any, directions: np.ndarray[Any, Any], settings: Mapping[str, Value]
    ) -> None:
        self._words, self._directions, self.settings = words, directions, settings
        self.dim: int = len(directions)
        digest = hashlib.sha256("\n".join(words.get_feature_names_out()).encode())
        digest.update(words.idf_.tobytes())
        digest.update(np.ascontiguousarray(directions).tobytes())
        self.revision = f"sha256:{digest.hexdigest()}"

    def lengths(self, items: Sequence[str]) -> list[int]:
        """Return the number of characters."""
        return [len(item) for item in items]

    def encode(self, items: Sequence[str]) -> Tensor:
        """Return Float["n dim"], float32 on the CPU."""
        if not items:
            return torch.zeros(0, self.dim)
        vectors = self._words.transform(items) @ self._directions.T  # [n dim]
        return finish(torch.from_numpy(np.asarray(vectors)), self.settings)
