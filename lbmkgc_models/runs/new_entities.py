"""Entities that no training has seen, added to a run's folder by their texts and pictures."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from lbmkgc_models.feature_store.labels import EntityLabel
from lbmkgc_models.feature_store.mentions import add_mentions, read_mentions, write_mentions
from lbmkgc_models.feature_store.name_spotting import mask_names
from lbmkgc_models.feature_store.store import ModalFeatures
from lbmkgc_models.feature_store.texts import describe_entities
from lbmkgc_models.features.encode_more import encode_pictures, encode_texts
from lbmkgc_models.features.small_pictures import write_small
from lbmkgc_models.fusion.structure_mask import read_seen, write_seen
from lbmkgc_models.runs.rebuilt import MENTIONS, SEEN, rebuilt, texts_of
from openke.data.store import TripleStore
from openke.datasets.entity_texts import EntityText, read_entity_texts
from openke.datasets.graph_folder import LABELS, label_line, write_names
from openke.datasets.tables import BadRows
from openke.module.model import Model, Reciprocal
from openke.runs.experiment import Experiment, seal_run
from openke.runs.load import Run
from openke.runs.packed import FEATURES, packed_folder, seal_packed, without_facts
from openke.runs.trained_triples import trained_on
from openke.runs.weights import read_weights, write_weights
from openke.runtime.files import is_there, read_text, write_text
from openke.runtime.json_text import read_json_file, through_json

ADDED = "added"
"""Entry of ``settings.json``: how many entities there were before some were added."""


def extend(
    run: Path,
    entities: Any,
    *,
    vectors: Mapping[str, Any] | None = None,
    device: str = "cpu",
) -> None:
    """Add entities to a packed run, in place.

    Raises
    ------
    ValueError, OSError
        See :meth:`.Run.add_entities`.
    """
    saved = read_json_file(run / Experiment.SETTINGS)
    folder = packed_folder(run, saved["data"]["name"])
    before = _store(folder, saved)
    names = before.entity_names
    if names is None:
        raise ValueError(f"{folder}: the data set has no names, so none can be added")
    rows = dict(read_entity_texts(entities, None, BadRows(), called="the new entities"))
    known = set(names)
    for name in rows:
        if not name.isprintable():
            raise ValueError(
                f"{rows[name].place}: the name {name!r} has characters that do not print: expected "
                "one line of text"
            )
        if name in known:
            raise ValueError(
                f"{rows[name].place}: the entity {name!r} is there already: give the new one "
                "another name"
            )
    old = _features(folder, saved, names)
    new = _vectors(old, rows, folder, saved, vectors or {}, device)
    _check_some(rows, new)
    weights = run / Experiment.WEIGHTS
    state = read_weights(weights)
    _write_data(folder, [*names, *rows], rows, len(names))
    store = _store(folder, saved)
    for modality, features in old.items():
        grown(features, list(rows), *new[modality]).save(folder / FEATURES / modality)
    _grow_mentions(folder, saved)
    _grow_seen(folder, len(rows))
    write_small(folder, {name: [row.picture] for name, row in rows.items() if row.picture})
    model = rebuilt(store, saved, folder / FEATURES)
    if saved["model"].get("reciprocal"):
        model = Reciprocal(model)
    write_weights(weights, _grow(model, state, len(names), len(rows)))
    saved["model"] = through_json(model.identity())
    saved["data"]["fingerprint"] = store.fingerprint
    saved[ADDED] = saved.get(ADDED, len(names))
    write_text(run / Experiment.SETTINGS, json.dumps(saved, indent=2) + "\n")
    seal_packed(folder)
    seal_run(run)


def taken(run: Run) -> tuple[str, ...]:
    """Return the modalities by which entities may be added; none where a model needs facts."""
    if run.parts:
        each = [taken(part) for part in run.parts]
        return tuple(sorted(set().union(*each))) if all(each) else ()
    if not hasattr(getattr(run.model, "inner", run.model), "rows_without_structure"):
        return ()
    return tuple(sorted(run.saved["model"].get("features") or ()))


def _features(
    folder: Path, saved: Mapping[str, Any], names: Sequence[str]
) -> dict[str, ModalFeatures]:
    found = {}
    for modality in sorted(saved["model"]["features"]):
        found[modality] = ModalFeatures.load(folder / FEATURES / modality, names)
        found[modality].require_one_row("adding entities")
    return found


def _store(folder: Path, saved: Mapping[str, Any]) -> TripleStore:
    """Return the triples that the run trained on, of the folder as it is now."""
    if not saved["data"].get("facts", True):
        return without_facts(folder)
    return trained_on(TripleStore.open(folder), saved)


def _vectors(
    features: Mapping[str, ModalFeatures],
    rows: Mapping[str, EntityText],
    folder: Path,
    saved: Mapping[str, Any],
    given: Mapping[str, Any],
    device: str,
) -> dict[str, tuple[Tensor, Tensor]]:
    """Return the vectors of new entities by modality, Float["n f"] and Bool["n"]."""
    if other := sorted(set(given) - set(features)):
        raise ValueError(
            f"vectors are of {', '.join(other)}, expected {', '.join(features)}: what the model "
            "was trained with"
        )
    found = {}
    for modality, old in features.items():
        values, present = torch.zeros(len(rows), old.dim), torch.zeros(len(rows), dtype=torch.bool)
        if modality in given:
            values = torch.as_tensor(given[modality], dtype=torch.float32)
            if values.shape != (len(rows), old.dim) or not values.isfinite().all():
                raise ValueError(
                    f"vectors of {modality} are {list(values.shape)}, expected "
                    f"{[len(rows), old.dim]} finite numbers: a row for each new entity"
                )
            present = values.any(dim=1)
        elif modality == "text":
            texts = _texts(folder, saved, rows)
            some = [i for i, text in enumerate(texts) if text]
            if some:
                fitted_to = _fitted_to(folder, saved)
                vectors = encode_texts(old.manifest, [texts[i] for i in some], fitted_to, device)
                values[some], present[some] = vectors, vectors.any(dim=1)
        elif modality == "image":
            files = [(i, row.picture) for i, row in enumerate(rows.values()) if row.picture]
            if files:
                some = [i for i, _ in files]
                vectors = encode_pictures(old.manifest, [path for _, path in files], device)
                values[some], present[some] = vectors, vectors.any(dim=1)
        found[modality] = values, present
    return found


def _labels(
    folder: Path, saved: Mapping[str, Any], rows: Mapping[str, EntityText]
) -> list[EntityLabel]:
    """Return what is said of entities, the new ones last; names of others are hidden if asked."""
    choice = texts_of(dict(saved))
    said = [
        EntityLabel(name, row.label or name, "" if choice == "names" else row.text)
        for name, row in rows.items()
    ]
    if choice != "masked":
        return said
    return mask_names([*describe_entities(folder, "all"), *said])[-len(said) :]


def _texts(folder: Path, saved: Mapping[str, Any], rows: Mapping[str, EntityText]) -> list[str]:
    return [
        label.text if row.text or row.label else ""
        for label, row in zip(_labels(folder, saved, rows), rows.values(), strict=True)
    ]


def _fitted_to(folder: Path, saved: Mapping[str, Any]) -> list[str]:
    """Return the texts of training, to which an encoder without weights was fitted.

    Names of entities that came later hid nothing there.
    """
    choice = texts_of(dict(saved))
    labels = describe_entities(folder, "all" if choice == "masked" else choice)[: saved.get(ADDED)]
    labels = mask_names(labels) if choice == "masked" else labels
    return [label.text for label in labels if label.text]


def _check_some(
    rows: Mapping[str, EntityText], vectors: Mapping[str, tuple[Tensor, Tensor]]
) -> None:
    there = torch.stack([present for _, present in vectors.values()]).any(dim=0)
    for (name, row), some in zip(rows.items(), there.tolist(), strict=True):
        if not some:
            raise ValueError(
                f"{row.place}: nothing is said of {name!r} that the model uses: expected "
                f"{' or '.join(vectors)}"
            )


def grown(
    features: ModalFeatures, names: Sequence[str], values: Tensor, present: Tensor
) -> ModalFeatures:
    """Return features with those of further entities behind them."""
    features.require_one_row("adding entities")
    return replace(
        features,
        values=torch.cat([features.values, values]),
        present=torch.cat([features.present, present]),
        names=(*features.names, *names),
    )


def _write_data(
    folder: Path, names: Sequence[str], rows: Mapping[str, EntityText], old: int
) -> None:
    write_names(folder / "entity2id.txt", names)
    labels = folder / LABELS
    text = read_text(labels) if is_there(labels) else ""
    text += "" if not text or text.endswith("\n") else "\n"
    lines = [
        label_line(i, name, row.label or name, row.text)
        for i, (name, row) in enumerate(rows.items(), start=old)
    ]
    write_text(labels, text + "".join(lines))


def _grow_mentions(folder: Path, saved: Mapping[str, Any]) -> None:
    file = folder / FEATURES / MENTIONS
    if file.is_file():
        labels = describe_entities(folder, texts_of(dict(saved)))
        write_mentions(file, add_mentions(read_mentions(file), labels))


def _grow_seen(folder: Path, count: int) -> None:
    file = folder / FEATURES / SEEN
    if file.is_file():
        write_seen(file, torch.cat([read_seen(file), torch.zeros(count, dtype=torch.bool)]))


def _grow(model: Model, state: Mapping[str, Tensor], old: int, count: int) -> dict[str, Tensor]:
    """Return weights with rows of new entities: their modalities, which structure then agrees with.

    Raises
    ------
    ValueError
        The model needs a row of its own for each entity, which only training can make.
    """
    inner = getattr(model, "inner", model)
    make = getattr(inner, "rows_without_structure", None)
    if make is None:
        raise ValueError(
            f"{type(inner).__name__} needs a trained row of each entity: train LBMKGC to answer "
            "for new ones"
        )
    fresh = model.state_dict()
    with torch.no_grad():
        for name, tensor in fresh.items():  # first the old rows: what the new ones follow from
            where = tensor[:old] if tensor.shape != state[name].shape else tensor
            where.copy_(state[name])
    model.eval()
    with torch.inference_mode():
        rows = make(torch.arange(old, old + count))
    prefix = "inner." if inner is not model else ""
    for name, part in rows.items():
        fresh[prefix + name][old:] = part
    return {name: tensor.clone() for name, tensor in fresh.items()}
