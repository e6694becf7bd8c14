"""The page and the plots, written."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from lbmkgc_models.features.cmoa.retrieval import BothWays, chance
from lbmkgc_models.features.report import plots
from lbmkgc_models.features.report.content import Content, drawn, gather
from lbmkgc_models.features.report.coverage import CLASSES
from lbmkgc_models.features.report.pictures import data_uri
from lbmkgc_models.features.report.spaces import in_order
from openke.data.store import TripleStore
from openke.runtime.files import write_text
from openke.runtime.pages import render

PAGE, COVERAGE, SIMILARITY = "report.html", "coverage.png", "similarity.png"
TEMPLATE = Path(__file__).with_name("page.html.j2")
ENTITIES = 64
"""Rows and columns of a similarity matrix."""


def write_report(
    store: TripleStore,
    features: str | Path,
    out: str | Path,
    *,
    before: str | Path | None = None,
    pictures: Sequence[str | Path] = (),
    sample: int = 12,
    seed: int = 0,
) -> Path:
    """Write one HTML page on the features of a graph, and its plots as PNG beside it.

    Nothing on the page is fetched from elsewhere: pictures are embedded, small and few.

    Parameters
    ----------
    store
        The graph, with names of entities.
    features
        Folder of feature stores, aligned or not; one modality is enough.
    out
        Folder to write ``report.html``, ``coverage.png`` and ``similarity.png`` to.
    before
        Folder of the features before alignment, to compare with.
    pictures
        Folders of pictures, real and generated ones.
    sample
        Real pictures shown, and generated ones.
    seed
        Of the samples: of pictures, and of the entities compared.

    Returns
    -------
    Path
        The page.

    Raises
    ------
    ValueError
        Features that do not fit the graph, a graph without names, no pictures to sample.
    OSError
        No features, or no folder of pictures, or the disk is full.
    """
    if sample < 1:
        raise ValueError(f"sample is {sample}, expected at least 1")
    content = gather(
        store,
        Path(features),
        before=None if before is None else Path(before),
        pictures=[Path(folder) for folder in pictures],
        sample=sample,
        seed=seed,
    )
    out = Path(out)
    plots.save_coverage(out / COVERAGE, content.coverage, content.dataset)
    matrices = _matrices(content, seed)
    scale = plots.limits([matrix for _, matrix in matrices]) if matrices else (0.0, 1.0)
    if matrices:
        plots.save_matrices(out / SIMILARITY, matrices, scale)
    else:
        (out / SIMILARITY).unlink(missing_ok=True)  # of an older report
    write_text(out / PAGE, _render(content, matrices, scale))
    return out / PAGE


def _matrices(content: Content, seed: int) -> list[tuple[str, plots.Matrix]]:
    if not content.spaces:
        return []
    order = in_order(content.spaces[-1], drawn(len(content.entities), ENTITIES, seed))
    return [(space.title, space.matrix(order)) for space in content.spaces]


def _render(
    content: Content, matrices: Sequence[tuple[str, plots.Matrix]], scale: tuple[float, float]
) -> str:
    return render(
        TEMPLATE,
        content=content,
        classes=CLASSES,
        colours=plots.COLOURS,
        matrices=[
            (title, len(matrix), data_uri(plots.matrix_png(matrix, scale), "image/png"))
            for title, matrix in matrices
        ],
        scale=scale,
        scale_uri=data_uri(plots.scale_png(), "image/png") if matrices else "",
        retrieval=_retrieval(content),
    )


def _retrieval(content: Content) -> list[tuple[str, BothWays]]:
    if not content.spaces:
        return []
    guess = ("chance", chance(len(content.entities)))
    return [guess, *((space.title, space.figures) for space in content.spaces)]
