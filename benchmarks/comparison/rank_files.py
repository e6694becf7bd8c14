"""The ranks of a test's questions, in a small file beside its result."""

from __future__ import annotations

import zipfile
from collections.abc import Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from openke.evaluation.report import RankingReport, ranks
from openke.runtime.files import write_whole

EVERY = "all"
"""Name of what has no kinds."""
Ranks = Mapping[str, NDArray[np.float64]]
"""By kind of relation, Float["2 n"]: of its n test triples in their order, where the head is asked
for, and where the tail is."""


def rank_path(result: Path) -> Path:
    """Return where the ranks of a result are."""
    return result.with_suffix(".ranks.npz")


def write_ranks(path: Path, report: RankingReport) -> None:
    """Write realistic ranks; twice each, so they are whole numbers and take two bytes."""
    doubled = np.rint(2 * ranks(report.greater, report.equal)).astype(np.int64)
    doubled = doubled.astype(np.min_scalar_type(doubled.max()))
    if report.relation_kind is None:
        kinds = np.full(len(report.relation), EVERY)
    else:
        kinds = report.relation_kind[report.relation]
    found = {
        str(kind): np.stack(
            [doubled[(kinds == kind) & (report.side == side)] for side in ("head", "tail")]
        )
        for kind in np.unique(kinds)
    }
    write_whole(path, lambda stream: np.savez_compressed(stream, **found))


def read_ranks(path: Path) -> Ranks:
    """Return the ranks that :func:`write_ranks` wrote.

    Raises
    ------
    ValueError
        The file is none of these; names it.
    """
    try:
        with np.load(path, allow_pickle=False) as content:
            found = {kind: content[kind] / 2 for kind in content.files}
    except (ValueError, TypeError, zipfile.BadZipFile) as error:
        raise ValueError(f"{path}: no ranks: {error}") from error
    if not found or any(kind.ndim != 2 or kind.min() < 1 for kind in found.values()):
        raise ValueError(f"{path}: expected arrays of two rows of ranks, 1 or more")
    return found
