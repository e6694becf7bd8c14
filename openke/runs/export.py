"""A trained model's vectors in files that other tools read: ``openke export``."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Literal

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors.numpy import save

from openke.data.store import TripleStore
from openke.data.vocabulary import Vocabulary, entity_names, relation_names
from openke.module.model.model import Model
from openke.runs.load import load_run
from openke.runtime.files import write_text, write_whole

ExportFormat = Literal["safetensors", "npy", "tsv"]
FORMATS: tuple[ExportFormat, ...] = ("safetensors", "npy", "tsv")


def export(
    model: Model, store: TripleStore, out: Path, format: ExportFormat = "safetensors"
) -> list[Path]:
    """Write the entity and relation tables of a model and what their rows are called.

    Vectors are those that training moves, before a model normalises or projects them: Float["e d"]
    and Float["r d"], in the order of ids.

    Parameters
    ----------
    model
        Any model but one written for OpenKE.
    store
        Where names come from.
    out
        A folder, made where it is not there.
    format
        "safetensors": ``embeddings.safetensors`` with "entities" and "relations"; "npy":
        ``entities.npy`` and ``relations.npy``; "tsv": ``entities.tsv`` and ``relations.tsv``, a
        line of numbers with tabs between them for each, as the TensorFlow projector loads them.
        Beside them ``entities_metadata.tsv`` and ``relations_metadata.tsv``, the projector's too.

    Returns
    -------
    list
        The files written.

    Raises
    ------
    ValueError
        An unknown format, or a model written for OpenKE.
    """
    if format not in FORMATS:
        raise ValueError(f"format is {format!r}, expected one of {', '.join(FORMATS)}")
    if model.in_openke_form:
        raise ValueError(
            f"{type(model).__name__} is written for OpenKE, which does not say what its vectors "
            "are: take them from its get_parameters()"
        )
    with torch.inference_mode():
        device = next(model.parameters()).device
        vectors = {
            "entities": _array(model.entity_embeddings(torch.arange(model.ent_tot, device=device))),
            "relations": _array(
                model.relation_embeddings(torch.arange(model.rel_tot, device=device))
            ),
        }
    named = {"entities": entity_names(store), "relations": relation_names(store)}
    written = [_metadata(out / f"{kind}_metadata.tsv", names) for kind, names in named.items()]
    if format == "safetensors":
        path = out / "embeddings.safetensors"
        write_whole(path, lambda stream: stream.write(save(vectors)))
        return [path, *written]
    for kind, rows in vectors.items():
        path = out / f"{kind}.{format}"
        _write_rows(path, rows, format)
        written.append(path)
    return written


def _array(rows: torch.Tensor) -> NDArray[np.float32]:
    return np.ascontiguousarray(rows.float().cpu().numpy())


def _write_rows(path: Path, rows: NDArray[np.float32], format: ExportFormat) -> None:
    if format == "npy":
        write_whole(path, lambda stream: np.save(stream, rows))
    else:
        write_whole(path, lambda stream: np.savetxt(stream, rows, fmt="%.9g", delimiter="\t"))


def _metadata(path: Path, names: Vocabulary) -> Path:
    # The projector takes a header where there are two columns or more.
    lines: Sequence[str] = [f"{names.name(i)}\t{names.title(i)}" for i in range(names.count)]
    write_text(path, "\n".join(["name\tlabel", *lines]) + "\n")
    return path


def command(
    run: Path,
    /,
    *,
    out: Path | None = None,
    format: ExportFormat = "safetensors",
    data: Path | None = None,
    features: Path | None = None,
) -> None:
    """Write a trained model's embeddings as safetensors, .npy or TSV for the projector.

    For example::

        openke export runs/countries --format tsv

    Parameters
    ----------
    run
        Output folder of a training.
    out
        Folder to write to; by default RUN/embeddings.
    format
        One file of safetensors, NumPy's .npy, or tables for the TensorFlow projector.
    data
        Folder of the data set; by default what the run's folder has of it, else where it was in
        training.
    features
        Folder of features, for models that use them; by default as in training.
    """
    loaded = load_run(run, data, features=features, device="cpu")
    for path in export(loaded.model, loaded.store, out or run / "embeddings", format):
        print(path)
