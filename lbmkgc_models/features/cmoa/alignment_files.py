"""An alignment on disk: a store a modality, and the heads."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, replace
from pathlib import Path

from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor

from lbmkgc_models.feature_store.manifest import Value, library_versions, today
from lbmkgc_models.feature_store.store import ModalFeatures
from lbmkgc_models.feature_store.store_files import FEATURES
from lbmkgc_models.features.cmoa.align import Alignment
from lbmkgc_models.features.cmoa.heads import MODALITIES, ContrastiveAlignment
from lbmkgc_models.features.cmoa.retrieval import BothWays
from lbmkgc_models.features.cmoa.settings import AlignmentSettings
from lbmkgc_models.features.make_stores import BUILD_KEY
from openke.runtime.files import sha256_of, write_whole
from openke.runtime.json_text import read_json

HEADS = "heads.safetensors"
SEED = "alignment seed"
SHARE = "alignment held out"
"""Notes in the manifest: with them a reader finds out which entities were held out."""


def write_alignment(
    out: Path,
    image: ModalFeatures,
    text: ModalFeatures,
    alignment: Alignment,
    settings: AlignmentSettings,
) -> None:
    """Write ``OUT/image``, ``OUT/text`` and, where heads were trained, ``OUT/heads.safetensors``.

    The manifests say which features went in (their checksums), the settings, the retrieval before
    and after, and what the sources' own notes say.

    Raises
    ------
    FileExistsError
        There is something at ``OUT/image`` or ``OUT/text`` that is no feature store.
    OSError
        The disk is full or the folder cannot be written.
    """
    revision = "unchanged"
    if alignment.heads is None:
        (out / HEADS).unlink(missing_ok=True)  # of an older alignment
    else:
        save_heads(out / HEADS, alignment.heads, settings)
        revision = f"sha256:{sha256_of(out / HEADS)}"
    notes = _notes(image, text, alignment, settings)
    made = settings_of(alignment, settings)
    for source, rows in ((image, alignment.image), (text, alignment.text)):
        _aligned(source, rows, revision, made, notes).save(out / source.modality)


def settings_of(alignment: Alignment, settings: AlignmentSettings) -> dict[str, Value]:
    """Return what of the settings shaped the rows."""
    if alignment.heads is None:
        return {"mode": "clip", "normalised": True}
    return {**asdict(settings), "mode": "heads", "normalised": True, "trained": alignment.epochs}


def save_heads(path: Path, heads: ContrastiveAlignment, settings: AlignmentSettings) -> None:
    """Write heads and what is needed to make them anew."""
    about = {"settings": json.dumps(asdict(settings))}
    content = save({name: each.contiguous() for name, each in heads.state_dict().items()}, about)
    write_whole(path, lambda stream: stream.write(content))


def read_heads(path: str | Path) -> ContrastiveAlignment:
    """Read heads, to align features of further entities by the same encoders.

    Raises
    ------
    OSError
        No such file.
    ValueError
        Not the heads of an alignment.
    """
    try:
        with safe_open(path, framework="pt") as file:
            about = file.metadata() or {}
            weights = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
        settings = AlignmentSettings(**read_json(about["settings"]))
        image, text = (len(weights[f"inputs.{modality}.mean"]) for modality in MODALITIES)
        heads = ContrastiveAlignment(image, text, settings)
        heads.load_state_dict(weights)
    except (SafetensorError, KeyError, TypeError, RuntimeError) as error:
        raise ValueError(
            f"{path}: not the heads of an alignment ({error}); expected {HEADS} as "
            "'openke features align' writes it"
        ) from None
    return heads


def _aligned(
    source: ModalFeatures,
    rows: Tensor,
    revision: str,
    settings: Mapping[str, Value],
    notes: Mapping[str, Value],
) -> ModalFeatures:
    """Return the aligned rows of a modality, present where the source is."""
    made_by = source.manifest.encoder or f"unknown {source.modality} encoder"
    # Without the recipe: by it, whoever builds features would take these for the source's.
    own = {name: note for name, note in source.manifest.notes.items() if name != BUILD_KEY}
    manifest = replace(
        source.manifest,
        dim=rows.shape[1],
        dtype="float32",
        encoder=f"CMoA of {made_by}",
        revision=revision,
        settings=settings,
        notes={**own, **notes},
        created=today(),
        versions=library_versions(),
        sha256={},
    )
    return replace(source, values=rows, manifest=manifest)


def _notes(
    image: ModalFeatures, text: ModalFeatures, alignment: Alignment, settings: AlignmentSettings
) -> dict[str, Value]:
    notes: dict[str, Value] = {}
    for source in (image, text):
        manifest = source.manifest
        notes[f"aligned from {source.modality}"] = manifest.encoder or "unknown encoder"
        notes[f"aligned from {source.modality} revision"] = manifest.revision
        notes[f"aligned from {source.modality} sha256"] = manifest.sha256.get(FEATURES, "")
    notes |= {
        "entities trained on": int(alignment.training.sum()),
        "entities held out": int(alignment.held_out.sum()),
        SHARE: settings.held_out,
        SEED: settings.seed,
        "final heads saw the held-out entities": settings.refit and alignment.heads is not None,
    }
    for way, figures in alignment.figures.items():
        notes |= _flat(way, figures)
    return notes


def _flat(way: str, figures: BothWays) -> dict[str, Value]:
    directions = {"image to text": figures.image_to_text, "text to image": figures.text_to_image}
    return {
        f"{way}, {direction}, {name}": round(value, 4)
        for direction, each in directions.items()
        for name, value in (
            ("R@1", each.recall_1),
            ("R@10", each.recall_10),
            ("MRR", each.mrr),
            ("median rank", each.median_rank),
        )
    }
