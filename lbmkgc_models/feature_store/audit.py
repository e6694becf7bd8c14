"""What ``openke audit --features`` says about the features of a graph."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from lbmkgc_models.feature_store.load import load_features
from lbmkgc_models.feature_store.pth import ZERO_ROWS
from lbmkgc_models.feature_store.search_path import PTH_ENDINGS, find_features
from lbmkgc_models.feature_store.store import ModalFeatures
from lbmkgc_models.feature_store.store_files import MANIFEST
from openke.audit.finding import Finding
from openke.data.store import TripleStore


def audit_features(store: TripleStore, path: str | Path) -> list[Finding]:
    """Check the feature stores and ``.pth`` files in a folder against a graph's entities.

    Parameters
    ----------
    store
        The graph.
    path
        A folder of feature stores or ``.pth`` files, one store, or one file.

    Returns
    -------
    list of Finding
        For each modality an error where its features cannot be used (row counts, NaN, checksums,
        no name that matches), else a note with the counts, and warnings on entities without rows,
        rows of zeros, and names that are no entity (an error where these are most of the names).
    """
    found = _stores(Path(path), store.name)
    if not found:
        files = " or ".join(store.name + ending for ending in PTH_ENDINGS.values())
        return [Finding("error", "features", f"{path}: no feature store and no {files}")]
    return [
        finding for modality, place in found.items() for finding in _check(store, modality, place)
    ]


def _stores(path: Path, dataset: str) -> dict[str, Path]:
    if (path / MANIFEST).is_file():
        return {path.resolve().name: path}
    if path.is_file():
        return {
            modality: path for modality, ending in PTH_ENDINGS.items() if path.name.endswith(ending)
        }
    return find_features(path, dataset)


def _check(store: TripleStore, modality: str, place: Path) -> Iterator[Finding]:
    subject = f"{modality} features"
    try:
        features = load_features(modality, place, store)
    except (OSError, ValueError) as error:
        yield Finding("error", subject, str(error))
        return
    yield _counts(subject, features)
    missing = int((~features.has).sum())
    entities = len(features.has)
    if missing:
        yield Finding(
            "warning",
            subject,
            f"{missing:,} of {entities:,} entities ({missing / entities:.1%}) have none; models "
            "mask the modality for them",
            {"missing": missing, "entities": entities},
        )
    taken = features.manifest.notes.get(ZERO_ROWS)
    if isinstance(taken, int) and taken:
        yield Finding(
            "note",
            subject,
            f"{taken:,} rows hold nothing but zeros and are taken as missing: that is how the "
            "files of AdaMF-MAT have an entity without the modality",
            {"zero_rows": taken},
        )
    if zeros := features.zero_rows:
        yield Finding(
            "warning",
            subject,
            f"{zeros:,} rows hold nothing but zeros, yet count as present; where they stand for "
            "something missing, leave them out of the store",
            {"zero_rows": zeros},
        )
    if names := features.unmatched:
        rows = features.manifest.rows
        most = 2 * len(names) > rows
        hint = ": these features were made for another data set" if most else ""
        yield Finding(
            "error" if most else "warning",
            subject,
            f"{len(names):,} of {rows:,} names are no entity of the graph, the first "
            f"{names[0]!r}; their rows are not used{hint}",
            {"unmatched": len(names), "rows": rows},
        )


def _counts(subject: str, features: ModalFeatures) -> Finding:
    present, dim = int(features.has.sum()), features.dim
    made_by = f" by {features.manifest.encoder}" if features.manifest.encoder else ""
    what = f"rows of {dim} reals for {present:,} entities{made_by}, all finite"
    return Finding("note", subject, what, {"present": present, "dim": dim})
