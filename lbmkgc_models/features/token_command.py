"""``openke features tokens``: pictures and texts of entities into stores of discrete tokens."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from lbmkgc_models.feature_store.labels import LABELS, read_names
from lbmkgc_models.feature_store.manifest import Manifest
from lbmkgc_models.feature_store.search_path import TOKENS, default_features_dir
from lbmkgc_models.feature_store.store import ModalFeatures
from lbmkgc_models.feature_store.store_files import MANIFEST
from lbmkgc_models.feature_store.texts import TextChoice
from lbmkgc_models.features.describe import describe
from lbmkgc_models.features.picture_choice import MAX_PICTURES
from lbmkgc_models.features.picture_tokens import build_picture_tokens
from lbmkgc_models.features.published_tokens import import_tokens
from lbmkgc_models.features.word_tokens import build_word_tokens
from openke.datasets.search import folder_of
from openke.runtime.files import is_there
from openke.runtime.values import Count, Natural


def command(
    dataset: str,
    /,
    *,
    pictures: tuple[Path, ...] = (),
    out: Path | None = None,
    encoder: str = "efficientnet-lite0",
    codes: Count = 1024,
    tokens: Count = 8,
    text_encoder: str = "minilm",
    text_tokens: Natural = 8,
    texts: TextChoice = "all",
    seed: Natural = 0,
    max_pictures: Count = MAX_PICTURES,
    batch_size: Count = 32,
    published: Path | None = None,
    entities: Path | None = None,
    device: str = "auto",
    data: Path | None = None,
) -> int:
    """Make discrete tokens of pictures and texts of a data set's entities, for MyGO.

    For example::

        openke features tokens DB15K --pictures DB15K-images

    Parameters
    ----------
    dataset
        Folder of a data set, or the name of one, such as DB15K.
    pictures
        Folders of pictures, as of 'openke features image'; without any, only texts have tokens.
    out
        Folder of feature stores to write to; by default features/NAME/tokens in the user's cache,
        where MyGO looks first.
    encoder
        Whose patches of pictures become codes; the names are those of 'openke features image'.
    codes
        Rows of the codebook that k-means finds in the patches.
    tokens
        The most codes of an entity's pictures.
    text_encoder
        Whose pieces of words are taken: minilm, a folder with a transformers model, or the Hub id
        of one.
    text_tokens
        The most pieces of words of an entity; 0 makes none.
    texts
        names, descriptions, all or masked, as of 'openke features text'.
    seed
        Of k-means.
    max_pictures
        The most pictures of an entity that are used, the first by name.
    batch_size
        Pictures encoded at once.
    published
        Folder with the token files of MyGO's code, which are taken instead: NAME-visual.json and
        visual.pth, NAME-textual.json and textual.pth.
    entities
        The entity2id.txt that those files were made with, where its ids are not the data set's.
    device
        auto, cpu, cuda, cuda:1, mps.
    data
        Folder of the data set; else OPENKE_DATA, benchmarks/, the cache and a download.
    """
    if text_tokens < 0:
        raise ValueError(f"text_tokens is {text_tokens}, expected 0 or more")
    if entities is not None and published is None:
        raise ValueError("--entities belongs to token files: name their folder as --published")
    directory = folder_of(dataset, data)
    target = out if out is not None else default_features_dir(directory.resolve().name) / TOKENS
    made = {"image": bool(pictures), "text": bool(text_tokens)}
    _keep_vectors(target, [name for name, some in made.items() if some or published is not None])
    stores: list[Path] = []
    if published is not None:
        most = {"tokens": tokens, "text_tokens": max(1, text_tokens)}
        stores = import_tokens(directory, target, published, entity_file=entities, **most)
    else:
        if pictures:
            stores.append(
                build_picture_tokens(
                    directory,
                    target,
                    pictures,
                    encoder=encoder,
                    codes=codes,
                    tokens=tokens,
                    seed=seed,
                    max_pictures=max_pictures,
                    batch_size=batch_size,
                    device=device,
                )
            )
        if text_tokens and is_there(directory / LABELS):
            stores.append(
                build_word_tokens(
                    directory, target, encoder=text_encoder, texts=texts, tokens=text_tokens
                )
            )
    if not stores:
        raise ValueError(
            f"nothing to make tokens of: name folders of --pictures, or give {directory} a {LABELS}"
        )
    names = read_names(directory)
    for store in stores:
        print(describe(ModalFeatures.load(store, names), store))
    return 0


def _keep_vectors(folder: Path, modalities: Sequence[str]) -> None:
    """Raise ``ValueError`` where stores of vectors lie that tokens would replace."""
    for modality in modalities:
        manifest = folder / modality / MANIFEST
        if is_there(manifest) and not Manifest.read(manifest).codes:
            raise ValueError(
                f"{folder / modality} holds features that are no tokens, which these would "
                f"replace: take --out {folder / TOKENS}"
            )
