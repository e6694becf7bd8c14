"""Text features of a data set: its texts through an encoder into a feature store."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from lbmkgc_models.feature_store.labels import LABELS
from lbmkgc_models.feature_store.manifest import Manifest, Value
from lbmkgc_models.feature_store.store_files import MANIFEST, NAMES
from lbmkgc_models.feature_store.texts import CHOICE_NOTE, EntityTexts, TextChoice, read_texts
from lbmkgc_models.features.encoders.protocol import Encoder, Unfitted
from lbmkgc_models.features.make_stores import StoreRows, Work, check_batch_size, make_stores
from openke.runtime.files import read_text

TEXTS = "texts"
"""Note in the manifest: a checksum of the texts."""


def build_text_features(
    dataset_dir: str | Path,
    out_dir: str | Path,
    *,
    encoder: str | Encoder[str] | Unfitted[str] = "minilm",
    texts: TextChoice = "all",
    batch_size: int = 64,
    device: str = "cpu",
    max_length: int | None = None,
    pooling: str | None = None,
    normalised: bool | None = None,
    dim: int | None = None,
    progress: bool = True,
) -> Path:
    """Encode the texts of a data set's entities and write the store ``OUT_DIR/text``.

    A run that was killed goes on where it was, and its store is the same bit for bit as that of an
    unbroken run (on the same machine and thread count). A store of the same texts, encoder and
    options that is there already is kept.

    Parameters
    ----------
    dataset_dir
        Folder with ``entity2id.txt``, ``labels.tsv`` and, if there are more texts, ``texts.tsv``.
    out_dir
        Folder of feature stores.
    encoder
        A name that :func:`.text_encoder` knows, or an encoder.
    texts
        Which of the texts, see :data:`.TextChoice`.
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
        Malformed labels or texts (see :func:`.read_texts`), no text at all,
        a batch size below 1, an unknown encoder or an option that it does not take.
    OSError
        The labels or the encoder are not there, or the store cannot be written.
    """
    check_batch_size(batch_size)
    dataset_dir = Path(dataset_dir)
    read = read_texts(dataset_dir, texts)
    names, given = read.given()
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
        entity_names=read.names,
        encoder=encoder,
        items=given,
        keys=[*names, *given],
        options=options,
        batch_size=batch_size,
        unit="texts",
        progress=progress,
    )
    notes: dict[str, Value] = {
        TEXTS: read.checksum(),
        CHOICE_NOTE: texts,
        "entities without text": len(read.names) - len(given),
    }
    (store,) = make_stores(
        work, lambda rows, cut: [StoreRows(names, rows, {**notes, "texts cut": cut})]
    )
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
    except (OSError, ValueError):
        return False  # damaged: whoever loads it is told how
    if is_of_others(store, texts.names):
        return True
    found = manifest.notes.get(TEXTS, texts.checksum())
    return manifest.encoder == encoder and found != texts.checksum()


def is_of_others(store: Path, names: Sequence[str]) -> bool:
    """Whether most rows of a store are of entities that a data set does not have."""
    try:
        found = read_text(store / NAMES, "utf-8").splitlines()
    except (OSError, ValueError):
        return False
    return 2 * len(set(names).intersection(found)) < len(found)
