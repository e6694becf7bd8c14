"""A line on a feature store, for who trains with it."""

from __future__ import annotations

from pathlib import Path

from lbmkgc_models.feature_store.pth import ZERO_ROWS
from lbmkgc_models.feature_store.store import ModalFeatures
from lbmkgc_models.feature_store.texts import CHOICE_NOTE
from lbmkgc_models.features.make_stores import ZEROS
from openke.runtime.words import counted

COUNTS = {
    "texts cut": ("text", "cut"),
    "pictures generated": ("picture", "generated"),
    "pictures skipped": ("picture", "skipped"),
    "links that lead out": ("link", "out of the folder left out"),
    ZEROS: ("vector", "of zeros left out"),
    ZERO_ROWS: ("zero row", "taken as missing"),
}
"""Notes in the manifest that a description tells, unless they are zero."""


def describe(features: ModalFeatures, path: Path) -> str:
    """Return a line on a store: entities it has, width, encoder, what was cut, where it lies."""
    made_by = f", {features.manifest.encoder}" if features.manifest.encoder else ""
    if CHOICE_NOTE in features.manifest.notes:
        made_by += f", texts: {features.manifest.notes[CHOICE_NOTE]}"
    counts = [(words, features.manifest.notes.get(note)) for note, words in COUNTS.items()]
    told = "".join(
        f", {counted(count, noun)} {what}"
        for (noun, what), count in counts
        if isinstance(count, int) and count
    )
    several = f", up to {features.parts} rows each" if features.parts else ""
    if features.codes is not None:
        several += f" of {len(features.codes.book):,} codes"
    return (
        f"{features.modality}: {int(features.has.sum()):,} of {len(features.has):,} "
        f"entities{several}, {features.dim} reals{made_by}{told} ({path})"
    )
