"""Rows of Table 2: LBMKGC in the paper's form, and what changes in each ablation."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from comparison.completed_pictures import ALIGNED, RANDOM, RETRIEVED
from comparison.entries import Entry
from comparison.picture_graphs import INTERVALS, KINDS, difference
from comparison.table import Table
from comparison.table_rows import BUNDLED, FOLDER, Row
from comparison.variants import variant
from lbmkgc_models.runs.side_by_side import spread

BASE = "LBMKGC with RotatE"
"""The row whose settings all have: the paper's interaction, gate and objective."""
FEATURES = Path("runs/table2/features")
"""Where the features are made, from where the script is run."""
WHOLE = "LBMKGC"
IMAGE, TEXT = ["image"], ["text"]


def _folder(kind: str) -> str:
    return (FEATURES / kind).as_posix()


ABLATIONS: Mapping[str, Mapping[str, Any]] = {
    WHOLE: {},
    "pictures at random": {"features.folder": _folder(RANDOM)},
    "pictures retrieved": {"features.folder": _folder(RETRIEVED)},
    "without CMoA": {"features.folder": ""},
    "without CGuAF": {"model.attention": "mean", "model.gate": "mean"},
    "without structure": {"model.structural": False},
    "without text": {"features.modalities": IMAGE},
    "without pictures": {"features.modalities": TEXT},
}
"""What each changes in the recipe, in the order of the table."""

EXPLAINED = (
    f"The paper's Table 2 on {BUNDLED}. {WHOLE} is in the paper's form here: RotatE inside, a gate "
    "by relation, sampled negatives, aligned features (CMoA). "
    f"Pictures are not generated: {WHOLE} masks those that entities lack. *At random* they have "
    "random features instead, which is the paper's form without LvMC; *retrieved*, those of the "
    "picture nearest to the entity's text. Without CGuAF structure, pictures and text count "
    "alike. Filtered test, realistic ranks, %; mean ± standard deviation over seeds; then the mean "
    f"difference of MRR from {WHOLE} over the same seeds, and {INTERVALS}"
)


def ablation_rows(settings: Path = FOLDER) -> list[Row]:
    """Return the rows of Table 2."""
    aligned = {"features.folder": _folder(ALIGNED)}
    return [
        variant(BASE, name, {**aligned, **changes}, settings) for name, changes in ABLATIONS.items()
    ]


def ablation_table(entries: Sequence[Entry]) -> Table:
    """Return Table 2 of what results there are."""
    by_name = {entry.name: entry for entry in entries}
    whole = by_name.get(WHOLE)
    header = ("features and parts", "MRR", *KINDS, "seeds", "difference", KINDS[0])
    rows = []
    for name in ABLATIONS:
        entry = by_name.get(name)
        if entry is None:
            continue
        compared = ("–", "–")
        if whole is not None:
            compared = (difference(entry, whole), difference(entry, whole, KINDS[0]))
        rows.append(
            (
                *(name, spread(entry.metric("mrr"))),
                *(spread(entry.of_kind(kind)) for kind in KINDS),
                *(str(len(entry.runs)), *compared),
            )
        )
    return Table(f"Table 2 on {BUNDLED}", header, rows, EXPLAINED)
