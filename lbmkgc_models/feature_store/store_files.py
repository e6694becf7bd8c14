"""The three files of a feature store: read, checked against each other, written whole."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor

from lbmkgc_models.feature_store.manifest import Manifest
from lbmkgc_models.feature_store.matching import shape_of
from openke.runtime.files import read_text, sha256_of
from openke.runtime.folders import whole_folder

FEATURES, NAMES, MANIFEST = "features.safetensors", "names.txt", "manifest.json"


class StoredRows(NamedTuple):
    """What the files of a store have."""

    manifest: Manifest
    names: list[str]
    """The entity name of each row."""
    rows: Tensor
    """Float["rows dim"], or a codebook Float["codes dim"]."""
    codes: Tensor | None
    """Int["rows"], which row of the codebook each is, where there is one."""


def read_store(folder: Path) -> StoredRows:
    """Read the files of a store and hold them against its manifest.

    Raises
    ------
    FileNotFoundError
        The folder or one of its three files is not there.
    ValueError
        A damaged store (checksums, row counts, types), or nothing but zeros.
    """
    _require_files(folder)
    manifest = Manifest.read(folder / MANIFEST)
    for name in (FEATURES, NAMES):
        found, expected = sha256_of(folder / name), manifest.sha256.get(name)
        if found != expected:
            raise ValueError(
                f"{folder / name}: SHA-256 is {found}, {MANIFEST} has {expected}: the file is "
                "damaged or was changed; copy or build the features again"
            )
    rows, codes = _read_rows(folder / FEATURES, coded=manifest.codes > 0)
    names = read_text(folder / NAMES, "utf-8").removesuffix("\n").split("\n")
    _check_size(folder, manifest, rows, names, codes)
    if not rows.any():
        raise ValueError(
            f"{folder / FEATURES}: all {len(rows):,} rows hold nothing but zeros; build the "
            "features again"
        )
    return StoredRows(manifest, names, rows, codes)


def write_store(
    folder: Path,
    manifest: Manifest,
    names: Sequence[str],
    tensors: Mapping[str, Tensor],
    extra: Mapping[str, str],
) -> None:
    """Write the files of a store, whole or not at all; the manifest gets their checksums.

    Parameters
    ----------
    folder
        Where; an older store there is replaced.
    manifest
        What the rows are.
    names, tensors
        The entity name of each row, and what goes into ``features.safetensors``.
    extra
        Further text files, name -> content.
    """
    with whole_folder(folder) as draft:
        # Not save_file, which makes files that only their owner can read.
        (draft / FEATURES).write_bytes(save(dict(tensors)))
        (draft / NAMES).write_bytes("".join(f"{name}\n" for name in names).encode())
        for name, content in extra.items():
            (draft / name).write_bytes(content.encode())
        sums = {name: sha256_of(draft / name) for name in (FEATURES, NAMES, *extra)}
        replace(manifest, sha256=sums).write(draft / MANIFEST)


def require_store_or_nothing(folder: Path) -> None:
    """Raise ``FileExistsError`` where a folder holds something else than a feature store."""
    if folder.exists() and not (folder / MANIFEST).is_file() and any(folder.iterdir()):
        raise FileExistsError(
            f"{folder} exists and is not a feature store (no {MANIFEST}): it is left alone; "
            "choose another folder or remove it"
        )


def _require_files(folder: Path) -> None:
    if not folder.is_dir():
        raise FileNotFoundError(f"{folder}: no such folder, expected a feature store")
    missing = [name for name in (MANIFEST, FEATURES, NAMES) if not (folder / name).is_file()]
    if missing:
        raise FileNotFoundError(
            f"{folder} lacks {', '.join(missing)}: a feature store has {FEATURES}, {NAMES} and "
            f"{MANIFEST}; copy or build it again"
        )


def _read_rows(path: Path, *, coded: bool) -> tuple[Tensor, Tensor | None]:
    expected = ["codes", "features"] if coded else ["features"]
    try:
        with safe_open(path, framework="pt") as file:
            if sorted(file.keys()) != expected:
                found = ", ".join(file.keys()) or "nothing"
                wanted = "'codes' and 'features'" if coded else "one tensor 'features'"
                raise ValueError(f"{path}: holds {found}, expected {wanted}")
            rows: Tensor = file.get_tensor("features")
            codes = file.get_tensor("codes") if coded else None
    except SafetensorError as error:
        raise ValueError(f"{path}: not a safetensors file: {error}") from None
    return rows, codes


def _check_size(
    folder: Path, manifest: Manifest, rows: Tensor, names: Sequence[str], codes: Tensor | None
) -> None:
    expected = [manifest.codes or manifest.rows, manifest.dim]
    stored = str(rows.dtype).removeprefix("torch.")
    if list(rows.shape) != expected or stored != manifest.dtype:
        raise ValueError(
            f"{folder / FEATURES}: {shape_of(rows)}, {MANIFEST} has {manifest.dtype} and {expected}"
        )
    if codes is not None:
        inside = codes.dim() == 1 and not codes.is_floating_point() and len(codes) == len(names)
        if not inside or not 0 <= int(codes.min()) <= int(codes.max()) < manifest.codes:
            raise ValueError(
                f"{folder / FEATURES}: codes are {shape_of(codes)}, expected a whole number from 0 "
                f"to {manifest.codes - 1} for each of the {len(names)} names"
            )
    if len(names) != manifest.rows:
        raise ValueError(
            f"{folder / NAMES}: {len(names)} names, {MANIFEST} has {manifest.rows} rows"
        )
