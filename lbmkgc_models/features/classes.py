"""Classes of entities as a modality of their own: ``texts.tsv`` into a feature store."""

from __future__ import annotations

from pathlib import Path

from lbmkgc_models.feature_store.labels import read_labels
from lbmkgc_models.feature_store.texts import CLASSES, TEXTS_FILE, read_more
from lbmkgc_models.features.encoders.class_sets import ClassSets
from lbmkgc_models.features.make_stores import StoreRows, Work, make_stores

MODALITY = "classes"


def build_class_features(
    dataset_dir: str | Path, out_dir: str | Path, *, dim: int = 128, progress: bool = True
) -> Path:
    """Write the store ``OUT_DIR/classes``: of which classes each entity is, see :class:`ClassSets`.

    Parameters
    ----------
    dataset_dir
        Folder with ``labels.tsv`` and ``texts.tsv``, whose texts of the kind "type" list classes.
    out_dir
        Folder of feature stores.
    dim
        The most reals of a vector.
    progress
        Show a progress bar.

    Returns
    -------
    Path
        The store.

    Raises
    ------
    ValueError
        Malformed labels or texts, no classes at all, ``dim`` below 1.
    OSError
        The labels are not there, or the store cannot be written.
    """
    dataset_dir = Path(dataset_dir)
    labels = read_labels(dataset_dir)
    found = {
        label.name: "; ".join(said.text for said in more if said.kind == CLASSES)
        for label, more in zip(labels, read_more(dataset_dir, labels), strict=True)
    }
    named = {name: classes for name, classes in found.items() if classes}
    if not named:
        raise ValueError(
            f"{dataset_dir / TEXTS_FILE}: no text of the kind {CLASSES!r}, so there are no classes "
            "to encode"
        )
    names, items = list(named), list(named.values())
    work = Work(
        modality=MODALITY,
        out_dir=Path(out_dir),
        dataset=dataset_dir.resolve().name,
        entity_names=list(found),
        encoder=ClassSets(dim=dim),
        items=items,
        keys=[*names, *items],
        options={},
        batch_size=1024,
        unit="entities",
        progress=progress,
    )
    notes = {"entities without classes": len(found) - len(named)}
    (store,) = make_stores(work, lambda rows, cut: [StoreRows(names, rows, notes)])
    return store
