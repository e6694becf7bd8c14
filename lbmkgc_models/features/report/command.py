"""``openke features report``."""

from __future__ import annotations

from pathlib import Path

from lbmkgc_models.features.report.page import write_report
from openke.data.store import TripleStore
from openke.datasets.search import folder_of
from openke.runtime.values import Count, Natural


def command(
    dataset: str,
    /,
    *,
    features: Path,
    out: Path,
    before: Path | None = None,
    pictures: tuple[Path, ...] = (),
    sample: Count = 12,
    seed: Natural = 0,
    data: Path | None = None,
) -> int:
    """Show the features of a data set on one HTML page: coverage, pictures, alignment.

    For example::

        openke features report DB15K --features features/aligned --out features/report

    Parameters
    ----------
    dataset
        Folder of a data set, or the name of one, such as DB15K.
    features
        Folder of feature stores, aligned or not.
    out
        Folder to write report.html and its plots to.
    before
        Folder of the features before alignment, to compare with.
    pictures
        Folders of pictures, real and generated.
    sample
        Real pictures shown, and generated ones.
    seed
        Seed of the sample.
    data
        Folder of the data set; else OPENKE_DATA, benchmarks/, the cache and a download.
    """
    directory = folder_of(dataset, data)
    store = TripleStore.open(directory)
    page = write_report(
        store, features, out, before=before, pictures=pictures, sample=sample, seed=seed
    )
    print(page)
    return 0
