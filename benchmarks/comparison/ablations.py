"""Rows of Table 2: LBMKGC in the paper's form, and what changes in each ablation."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from comparison.completed_pictures import ALIGNED, RANDOM, RETRIEVED
from comparison.entries import Entry, check_same_features
from comparison.picture_graphs import INTERVALS, KINDS, difference
from comparison.table import Table
from comparison.table_rows import BUNDLED, FOLDER, KNOWN_DATASETS, PICTURE_GRAPHS, Row
from comparison.variants import PAPERS_LBMKGC, variant
from lbmkgc_models.runs.side_by_side import spread

FEATURES = Path("runs/table2/features")
"""Where the features are made, by graph, from where the script is run."""
WHOLE = "LBMKGC"
IMAGE, TEXT = ["image"], ["text"]

CHANGES: Mapping[str, Mapping[str, Any]] = {
    "without CGuAF": {"model.attention": "mean", "model.gate": "mean"},
    "without structure": {"model.structural": False},
    "without text": {"features.modalities": IMAGE},
    "without pictures": {"features.modalities": TEXT},
}
"""What ablations of the model change in the recipe."""
KIND: Mapping[str, str] = {
    WHOLE: ALIGNED,
    "pictures at random": RANDOM,
    "pictures retrieved": RETRIEVED,
    "without CMoA": "",
}
"""Ablations of features, and which each has; others have those of the whole."""
ABLATIONS = (*KIND, *CHANGES)
"""In the order of the table."""
OF_TEXT = (WHOLE, "without CGuAF", "without structure", "without text")
"""Those that there are where no entity has a picture."""

FORM = "LBMKGC is in the paper's form here: RotatE inside, a gate by relation, sampled negatives"
EXPLAINED = (
    f"{FORM}, aligned features (CMoA). Pictures are not generated: {WHOLE} masks those that "
    "entities lack. *At random* they have random features instead, which is the paper's form "
    "without LvMC; *retrieved*, those of the picture nearest to the entity's text. Without CGuAF "
    "structure, pictures and text count alike. Without text, or pictures, the others are still "
    "aligned with them. What was drawn at random, and which pictures were, is the same for all "
    "seeds."
)
EXPLAINED_TEXT = (
    f"{FORM}. There are no pictures, so that nothing is completed or aligned (LvMC, CMoA), and "
    "text alone needs no attention. Without CGuAF structure and text count alike; without text it "
    "is RotatE."
)
MEASURED = (
    "Filtered test, realistic ranks, %; mean ± standard deviation over seeds; then the mean "
    f"difference of MRR from {WHOLE} over the same seeds, and {INTERVALS}"
)
SETTINGS = (
    f" Settings were not searched: they are those of RotatE's row of {BUNDLED} before its search, "
    "with the gate, the attention and the projection of the published runs; only the epochs were "
    "chosen."
)


def features_of(graph: str) -> Path:
    """Return where the features of a graph with pictures are made."""
    return FEATURES / graph


def ablations_of(graph: str) -> tuple[str, ...]:
    """Return the ablations that there are on a graph, in the order of the table."""
    return ABLATIONS if graph in PICTURE_GRAPHS else OF_TEXT


def ablation_rows(graph: str = BUNDLED, settings: Path = FOLDER) -> list[Row]:
    """Return the rows of Table 2 on a graph."""
    return [
        variant(PAPERS_LBMKGC, name, _changes(name, graph), settings, graph)
        for name in ablations_of(graph)
    ]


def _changes(name: str, graph: str) -> Mapping[str, Any]:
    changes = CHANGES.get(name, {})
    if graph in PICTURE_GRAPHS:
        kind = KIND.get(name, ALIGNED)
        return {
            "features.folder": (features_of(graph) / kind).as_posix() if kind else "",
            **changes,
        }
    modalities = [] if name == "without text" else TEXT
    return {**changes, "features.modalities": modalities}


def ablation_tables(entries: Sequence[Entry]) -> list[Table]:
    """Return Table 2 on each graph that there are results of; the last says of which not."""
    check_same_features(entries)
    graphs = {entry.dataset for entry in entries}
    tables = [
        _table(graph, [entry for entry in entries if entry.dataset == graph])
        for graph in KNOWN_DATASETS
        if graph in graphs
    ]
    absent = [graph for graph in KNOWN_DATASETS if graph not in graphs]
    if tables and absent:
        last = tables[-1]
        tables[-1] = last._replace(note=f"{last.note} Not run on: {', '.join(absent)}.")
    return tables


def _table(graph: str, entries: Sequence[Entry]) -> Table:
    by_name = {entry.name: entry for entry in entries}
    whole = by_name.get(WHOLE)
    kinds = KINDS if graph in PICTURE_GRAPHS else ()
    compared = ("", *kinds[:1])
    header = (
        *("features and parts" if kinds else "parts", "MRR", *kinds, "seeds"),
        *("difference", *kinds[:1]),
    )
    rows = []
    for name in ablations_of(graph):
        entry = by_name.get(name)
        if entry is None:
            continue
        rows.append(
            (
                *(name, spread(entry.metric("mrr"))),
                *(spread(entry.of_kind(kind)) for kind in kinds),
                str(len(entry.runs)),
                *("–" if whole is None else difference(entry, whole, k) for k in compared),
            )
        )
    explained = f"{EXPLAINED if kinds else EXPLAINED_TEXT} {MEASURED}"
    return Table(
        f"Table 2 on {graph}",
        header,
        rows,
        f"The paper's Table 2 on {graph}. {explained}{SETTINGS}",
    )
