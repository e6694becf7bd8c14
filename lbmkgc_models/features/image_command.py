"""``openke features image``: pictures of a data set's entities into feature stores."""

from __future__ import annotations

from pathlib import Path

from lbmkgc_models.feature_store.labels import read_names
from lbmkgc_models.feature_store.search_path import default_features_dir
from lbmkgc_models.feature_store.store import ModalFeatures
from lbmkgc_models.features.describe import describe
from lbmkgc_models.features.image import SKIPPED, Several, build_image_features
from lbmkgc_models.features.picture_choice import MAX_PICTURES
from openke.datasets.search import folder_of
from openke.runtime.values import Count


def command(
    dataset: str,
    /,
    *,
    pictures: tuple[Path, ...],
    out: Path | None = None,
    encoder: str = "efficientnet-lite0",
    several: Several = "mean",
    max_pictures: Count = MAX_PICTURES,
    batch_size: Count = 32,
    pooling: str | None = None,
    raw: bool = False,
    dim: Count | None = None,
    device: str = "auto",
    data: Path | None = None,
) -> int:
    """Encode pictures of a data set's entities into feature stores.

    For example::

        openke features image DB15K --pictures DB15K-images --encoder efficientnet-lite0

    Parameters
    ----------
    dataset
        Folder of a data set, or the name of one, such as DB15K.
    pictures
        Folders with a folder of pictures for each entity, or a file ENTITY.png for each; the first
        that has pictures of an entity gives them: name real ones before generated ones.
    out
        Folder of feature stores to write to; by default features/NAME in the user's cache, where
        training looks for them.
    encoder
        efficientnet-lite0 (weights in a package), colour-histogram (needs no weights), clip:FOLDER
        or clip:ID, vit:FOLDER or vit:ID, open_clip:MODEL/WEIGHTS, open_clip:hf-hub:ID.
    several
        Of several pictures of an entity, take the mean; or the typical one, which is most like the
        others, as RSME does; or keep them as rows of it, for models that take several, such as IKRL
        and VISTA; or keep them separate, as modalities image, image-2, image-3.
    max_pictures
        The most pictures of an entity that are used, the first by name.
    batch_size
        Pictures encoded at once.
    pooling
        cls or pooled, of vit.
    raw
        Keep the lengths of vectors rather than scale them to one.
    dim
        Reals of a vector, of colour-histogram.
    device
        auto, cpu, cuda, cuda:1, mps.
    data
        Folder of the data set; else OPENKE_DATA, benchmarks/, the cache and a download.
    """
    directory = folder_of(dataset, data)
    stores = build_image_features(
        directory,
        out if out is not None else default_features_dir(directory.resolve().name),
        pictures,
        encoder=encoder,
        several=several,
        max_pictures=max_pictures,
        batch_size=batch_size,
        pooling=pooling,
        normalised=False if raw else None,
        dim=dim,
        device=device,
    )
    names = read_names(directory)
    for store in stores:
        print(describe(ModalFeatures.load(store, names), store))
    if (stores[0] / SKIPPED).is_file():
        print(f"what was skipped, and why: {stores[0] / SKIPPED}")
    return 0
