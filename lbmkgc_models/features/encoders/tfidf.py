"""Text without weights: which words and letters occur, compressed to a few hundred reals."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor

from lbmkgc_models.feature_store.manifest import Value
from lbmkgc_models.features.encoders.options import check_dim, finish
from lbmkgc_models.features.optional_packages import extra

MOST_TERMS = 100_000


class Tfidf:
    """TF-IDF of the terms of a data set's texts, and a truncated SVD, fitted to these texts.

    ``x = V (1 + log tf) · idf`` with the largest singular directions V of the data set's texts
    (latent semantic analysis). Terms are words and pairs of words. A text without any known term is
    a row of zeros.

    Parameters
    ----------
    dim
        Reals of a vector; fewer where the texts do not have as many directions.
    normalised
        Scale vectors to length one.
    letters
        Sequences of two to four letters within a word are terms, too, and any term must be in two
        texts: names that are spelt alike are near each other, whatever they mean.

    Raises
    ------
    ValueError
        ``dim`` below 1.

    References
    ----------
    Deerwester et al., Indexing by Latent Semantic Analysis, JASIS 1990.
    """

    revision = ""

    def __init__(self, *, dim: int = 256, normalised: bool = True, letters: bool = False) -> None:
        check_dim(dim)
        self.name = "spelling" if letters else "tfidf"
        self.settings: Mapping[str, Value] = {"dim": dim, "normalised": normalised}
        self._dim = dim
        self._letters = letters

    def fit(self, items: Iterable[str]) -> FittedTfidf:
        """Learn words, their weights and directions; see Unfitted.

        Raises
        ------
        ValueError
            Texts without a single word.
        """
        words = extra("sklearn.feature_extraction.text").TfidfVectorizer
        least = 2 if self._letters else 1
        options = {"sublinear_tf": True, "min_df": least, "max_features": MOST_TERMS}
        kinds = [
            words(
                ngram_range=(1, 2),
                token_pattern=r"(?u)\b\w+\b",  # words of one letter too
                strip_accents="unicode",
                dtype=np.float64,
                **options,
            )
        ]
        if self._letters:
            kinds.append(words(analyzer="char_wb", ngram_range=(2, 4), **options))
        terms = extra("sklearn.pipeline").make_union(*kinds)
        texts = list(items)
        try:
            matrix = terms.fit_transform(texts)
        except ValueError:
            what = "no word that two of" if self._letters else "no word in"
            have = " texts have in common" if self._letters else " texts"
            raise ValueError(
                f"{self.name}: {what} {len(texts)}{have}, so nothing to learn"
            ) from None
        dim = min(self._dim, *matrix.shape)
        directions = extra("sklearn.decomposition").TruncatedSVD(dim, random_state=0)
        directions.fit(matrix)
        return FittedTfidf(self.name, terms, directions.components_, self.settings)


class FittedTfidf:
    """What :meth:`Tfidf.fit` makes: an :class:`.Encoder`."""

    limit = None

    def __init__(
        self,
        name: str,
        terms: Any,
        directions: np.ndarray[Any, Any],
        settings: Mapping[str, Value],
    ) -> None:
        self.name = name
        self._terms, self._directions, self.settings = terms, directions, settings
        self.dim: int = len(directions)
        digest = hashlib.sha256()
        for _, kind in terms.transformer_list:
            digest.update("\n".join(kind.get_feature_names_out()).encode())
            digest.update(kind.idf_.tobytes())
        digest.update(np.ascontiguousarray(directions).tobytes())
        self.revision = f"sha256:{digest.hexdigest()}"

    def lengths(self, items: Sequence[str]) -> list[int]:
        """Return the number of characters."""
        return [len(item) for item in items]

    def encode(self, items: Sequence[str]) -> Tensor:
        """Return Float["n dim"], float32 on the CPU."""
        if not items:
            return torch.zeros(0, self.dim)
        vectors = self._terms.transform(items) @ self._directions.T  # [n dim]
        return finish(torch.from_numpy(np.asarray(vectors)), self.settings)
