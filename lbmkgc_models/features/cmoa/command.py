"""``openke features align``."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import tyro
from tabulate import tabulate

from lbmkgc_models.feature_store.load import load_features
from lbmkgc_models.feature_store.search_path import find_features
from lbmkgc_models.feature_store.store import ModalFeatures
from lbmkgc_models.feature_store.store_files import NAMES
from lbmkgc_models.features.cmoa.align import Alignment, align, keep
from lbmkgc_models.features.cmoa.alignment_files import write_alignment
from lbmkgc_models.features.cmoa.heads import MODALITIES
from lbmkgc_models.features.cmoa.settings import AlignmentSettings
from openke.data.store import TripleStore
from openke.datasets.search import folder_of
from openke.runtime.files import read_text
from openke.runtime.words import counted

DEFAULTS = AlignmentSettings()


def load_both(features: Path, dataset: str | None = None) -> dict[str, ModalFeatures]:
    """Load image and text features of a folder, matched to the same entities.

    Parameters
    ----------
    features
        Folder with the stores ``image`` and ``text``, or AdaMF-MAT's ``.pth`` files.
    dataset
        Folder or name of the data set whose entities count; without it, all that have a row.

    Raises
    ------
    FileNotFoundError
        One of the two is not there.
    ValueError
        ``.pth`` files without a data set: their rows have no names of their own.
    """
    store = _open(dataset) if dataset else None
    found = find_features(features, store.name if store else None)
    missing = [modality for modality in MODALITIES if modality not in found]
    if missing:
        raise FileNotFoundError(
            f"{features}: no {' and no '.join(missing)} features there, expected the stores "
            f"{' and '.join(MODALITIES)} ('openke features' makes them) or AdaMF-MAT's .pth files"
        )
    if store is not None:
        return {each: load_features(each, found[each], store) for each in MODALITIES}
    for path in found.values():
        if path.suffix == ".pth":
            raise ValueError(
                f"{path}: its rows are in the order of a data set's ids; name that data set with "
                "--dataset"
            )
    names = {
        name: None
        for each in MODALITIES
        for name in read_text(found[each] / NAMES, "utf-8").removesuffix("\n").split("\n")
    }
    return {each: ModalFeatures.load(found[each], list(names)) for each in MODALITIES}


def table(alignment: Alignment) -> str:
    """Return the retrieval figures as text, in percent."""
    rows = []
    for way, figures in alignment.figures.items():
        for direction, each in (
            ("image → text", figures.image_to_text),
            ("text → image", figures.text_to_image),
        ):
            shares = (each.recall_1, each.recall_10, each.mrr)
            rows.append([way, direction, *(100 * share for share in shares), each.median_rank])
    return tabulate(
        rows,
        headers=["alignment", "direction", "R@1 %", "R@10 %", "MRR %", "median rank"],
        floatfmt=".1f",
    )


def command(
    features: Path,
    /,
    *,
    out: Path,
    mode: Literal["heads", "clip"] = "heads",
    dataset: str | None = None,
    settings: tyro.conf.OmitArgPrefixes[AlignmentSettings] = DEFAULTS,
) -> int:
    """Align image and text features (CMoA) and say how well, on held-out entities.

    For example::

        openke features align features/raw --out features/aligned

    Parameters
    ----------
    features
        Folder with the stores image and text, or AdaMF-MAT's .pth files.
    out
        Folder to write the aligned stores to; another one.
    mode
        heads trains projections with the contrastive loss; clip keeps features that share a space
        already, scaled to length one.
    dataset
        Folder or name of a data set whose entities count; needed for .pth files.
    settings
        The heads and their training.
    """
    if out.resolve() == features.resolve():
        raise ValueError(f"--out {out} holds the features to align; choose another folder")
    both = load_both(features, dataset)
    way = align if mode == "heads" else keep
    alignment = way(both["image"], both["text"], settings)
    write_alignment(out, both["image"], both["text"], alignment, settings)
    held, trained = int(alignment.held_out.sum()), int(alignment.training.sum())
    print(table(alignment))
    if alignment.heads is None:
        print(f"Among {held} entities with both. Rows kept, at length one: {out}")
    else:
        seen = ", then on all of them" if settings.refit else ""
        print(
            f"Among {held} held-out entities; heads trained on {trained} others{seen}, "
            f"{counted(alignment.epochs, 'epoch')}. Aligned rows: {out}"
        )
    return 0


def _open(dataset: str) -> TripleStore:
    return TripleStore.open(folder_of(dataset))
