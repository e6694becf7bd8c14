"""The feature store: frozen rows of one modality, matched to the entities of a graph by name.

On disk a store is one folder a modality, ``FEATURES/text`` or ``FEATURES/image``:

- ``features.safetensors``: the tensor "features", Float["rows dim"] in float32 or float16, with
  rows only for the entities that have the modality;
- ``names.txt``: the entity name of each row, UTF-8, one a line; where an entity has several rows,
  such as several pictures, its name stands there for each of them, in their order;
- ``manifest.json``: what the rows are, what made them, the checksums of the two other files.

Where many rows are alike, such as those of word pieces, ``features.safetensors`` has a codebook as
"features", Float["codes dim"], and "codes", Int["rows"], which of them each row is.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor

from lbmkgc_models.feature_store.manifest import DTYPES, Manifest
from lbmkgc_models.feature_store.names import name_positions
from lbmkgc_models.feature_store.pth import ZERO_ROWS, read_pth
from openke.runtime.files import read_text, sha256_of
from openke.runtime.folders import whole_folder

FEATURES, NAMES, MANIFEST = "features.safetensors", "names.txt", "manifest.json"

LARGEST = 1e15
"""Values of features are smaller."""
_LEAVE_OUT = "leave such rows out, and their entities count as missing"
_MAKE_ZERO = "make such rows all zeros, and their entities count as missing"


@dataclass(frozen=True, eq=False)
class Codes:
    """Rows of features as rows of a codebook."""

    index: Tensor
    """Int["entities parts"], 0 where there is no row."""
    book: Tensor
    """Float["codes dim"], float32."""


@dataclass(frozen=True, eq=False)
class ModalFeatures:
    """Frozen features of one modality for the entities of one graph.

    Attributes
    ----------
    values
        Float["entities dim"], float32; zeros where the modality is missing. Where entities may have
        several rows Float["entities parts dim"].
    present
        Bool["entities"], whether an entity has the modality; Bool["entities parts"], which rows.
    names
        Entity names in the order of ids.
    manifest
        What the rows are and what made them.
    unmatched
        Names that had a row but are no entity of the graph; their rows are left out.
    codes
        Where rows are of a codebook: which they are.
    """

    values: Tensor
    present: Tensor
    names: tuple[str, ...]
    manifest: Manifest
    unmatched: tuple[str, ...] = ()
    codes: Codes | None = None

    @property
    def modality(self) -> str:
        """What the rows are of: "image", "text"."""
        return self.manifest.modality

    @property
    def dim(self) -> int:
        """Reals of a row."""
        return self.values.shape[-1]

    @property
    def parts(self) -> int:
        """The most rows of an entity, where one may have several; 0: each has one row."""
        return 0 if self.values.dim() == 2 else self.values.shape[1]

    @property
    def has(self) -> Tensor:
        """Bool["entities"], whether an entity has the modality."""
        return self.present.any(dim=1) if self.parts else self.present

    def require_one_row(self, who: str) -> None:
        """Raise ``ValueError`` where entities may have several rows: ``who`` takes one."""
        if self.parts:
            raise ValueError(
                f"{self.modality} features have up to {self.parts} rows of an entity, but {who} "
                "takes one of each: average them, or train IKRL, which attends over them"
            )

    @property
    def zero_rows(self) -> int:
        """How many of the rows that are there hold nothing but zeros."""
        return int((self.present & ~self.values.any(dim=-1)).sum())

    @classmethod
    def from_rows(
        cls,
        modality: str,
        names: Sequence[str],
        rows: Tensor | np.ndarray[Any, Any],
        entity_names: Sequence[str] | None,
        *,
        several: bool = False,
        **about: Any,
    ) -> ModalFeatures:
        """Match rows to entities by name.

        Parameters
        ----------
        modality
            "image", "text", …
        names
            Entity name of each row.
        rows
            Float["rows dim"].
        entity_names
            Names of the graph's entities in the order of ids (``TripleStore.entity_names``).
        several
            An entity may have several rows: a name may stand there more than once.
        about
            Further fields of the :class:`.Manifest`: dataset, encoder, ….

        Raises
        ------
        ValueError
            Another number of rows than names, not a matrix of reals, NaN or infinite values, a name
            twice or with a line break, no name that is an entity, a graph without names.
        """
        rows = torch.as_tensor(rows)
        parts = max(Counter(names).values(), default=0) if several else 0
        return _matched(
            f"{modality} features",
            Manifest(modality=modality, parts=parts, **about | _size(rows)),
            names,
            rows,
            entity_names,
        )

    @classmethod
    def from_codes(
        cls,
        modality: str,
        names: Sequence[str],
        codes: Tensor,
        book: Tensor,
        entity_names: Sequence[str] | None,
        **about: Any,
    ) -> ModalFeatures:
        """Match rows of a codebook to entities by name; an entity may have several.

        Parameters
        ----------
        modality, names, entity_names, about
            See :meth:`from_rows`.
        codes
            Int["rows"], which row of the codebook each is.
        book
            Float["codes dim"]; what no row is of is left out.

        Raises
        ------
        ValueError
            A code that is no row of the codebook, or what :meth:`from_rows` refuses.
        """
        if len(codes) and not 0 <= int(codes.min()) <= int(codes.max()) < len(book):
            raise ValueError(
                f"{modality} features: codes from {int(codes.min())} to {int(codes.max())}, but "
                f"the codebook has {len(book)} rows; take the one that they were made with"
            )
        used, codes = torch.unique(codes, return_inverse=True)
        book = book[used]
        found = cls.from_rows(
            modality, names, book[codes], entity_names, several=True, codes=len(book), **about
        )
        return _coded(found, names, codes, book)

    @classmethod
    def load(cls, folder: str | Path, entity_names: Sequence[str] | None) -> ModalFeatures:
        """Read a store and match its rows to entities by name.

        Raises
        ------
        FileNotFoundError
            The folder or one of its three files is not there.
        ValueError
            A damaged store (checksums, row counts, types), nothing but zeros, or rows that
            :meth:`from_rows` refuses.
        """
        folder = Path(folder)
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
        if codes is None:
            return _matched(str(folder), manifest, names, rows, entity_names)
        codes = codes.long()
        features = _matched(str(folder), manifest, names, rows[codes], entity_names)
        return _coded(features, names, codes, rows)

    @classmethod
    def from_pth(
        cls,
        path: str | Path,
        entity_names: Sequence[str] | None,
        *,
        modality: str,
        entity_file: str | Path | None = None,
    ) -> ModalFeatures:
        """Read a ``NAME-visual.pth`` or ``NAME-textual.pth``: a row per entity, in an id order.

        Such a file has a row even for an entity without the modality; where that row is all zeros,
        the modality counts as missing, and the manifest's notes have how many there are.

        Parameters
        ----------
        path
            A tensor Float["entities dim"] that ``torch.load(weights_only=True)`` can read.
        entity_names
            Names of the graph's entities in the order of ids.
        modality
            "image" or "text".
        entity_file
            The ``entity2id.txt`` of whoever made the file, where its order of ids is not the data
            set's own. LBMKGC renamed the ids of MKG-W and MKG-Y: its files need this.

        Raises
        ------
        FileNotFoundError
            No such file.
        ValueError
            Not such a tensor, another number of rows than entities, nothing but zeros, or rows
            that :meth:`from_rows` refuses.
        """
        names, rows, notes = read_pth(Path(path), entity_names, entity_file)
        manifest = Manifest(
            modality=modality,
            encoder=Path(path).name,
            notes=notes,
            revision=f"sha256:{sha256_of(Path(path))}",
            **_size(rows),
        )
        features = _matched(str(path), manifest, names, rows, entity_names, _MAKE_ZERO)
        present = features.present & features.values.any(dim=1)
        if not present.any():
            raise ValueError(
                f"{path}: all {int(features.present.sum())} rows of entities hold nothing but "
                "zeros, which stand for a missing modality; expected some that do not"
            )
        notes = {**notes, ZERO_ROWS: features.zero_rows}
        return replace(features, present=present, manifest=replace(manifest, notes=notes))

    def save(
        self,
        folder: str | Path,
        *,
        dtype: str | None = None,
        extra: Mapping[str, str] | None = None,
    ) -> Path:
        """Write the rows that are present as a store; an older store there is replaced.

        Parameters
        ----------
        folder
            Where; it appears when it is complete.
        dtype
            "float32" or "float16"; the manifest's own by default.
        extra
            Further text files to keep in the store, name -> content; they are not read again.

        Raises
        ------
        FileExistsError
            ``folder`` exists and is not a feature store.
        ValueError
            Unknown ``dtype``, or values too large for float16.
        OSError
            The disk is full or the folder cannot be written.
        """
        folder, dtype = Path(folder), dtype or self.manifest.dtype
        if dtype not in DTYPES:
            raise ValueError(f"dtype is {dtype!r}, expected one of {', '.join(DTYPES)}")
        if folder.exists() and not (folder / MANIFEST).is_file() and any(folder.iterdir()):
            raise FileExistsError(
                f"{folder} exists and is not a feature store (no {MANIFEST}): it is left alone; "
                "choose another folder or remove it"
            )
        names = [self.names[entity] for entity in self.present.nonzero()[:, 0].tolist()]
        values = self.values[self.present]
        _check_finite(f"{self.modality} features as {dtype}", names, values.to(_kind(dtype)))
        tensors = {"features": values}
        if self.codes is not None:
            which = self.codes.index[self.present]
            tensors = {"features": self.codes.book, "codes": which.to(torch.int32)}
        tensors["features"] = tensors["features"].to(_kind(dtype)).contiguous()
        with whole_folder(folder) as draft:
            # Not save_file, which makes files that only their owner can read.
            (draft / FEATURES).write_bytes(save(tensors))
            (draft / NAMES).write_bytes("".join(f"{name}\n" for name in names).encode())
            for name, content in (extra or {}).items():
                (draft / name).write_bytes(content.encode())
            sums = {name: sha256_of(draft / name) for name in (FEATURES, NAMES, *(extra or {}))}
            parts = int(self.present.sum(dim=1).max()) if self.parts else 0
            manifest = replace(
                self.manifest, rows=len(names), dtype=dtype, parts=parts, sha256=sums
            )
            manifest.write(draft / MANIFEST)
        return folder


Features = Mapping[str, ModalFeatures]
"""Features by the name of their modality."""


def _matched(
    where: str,
    manifest: Manifest,
    names: Sequence[str],
    rows: Tensor,
    entity_names: Sequence[str] | None,
    way_out: str = _LEAVE_OUT,
) -> ModalFeatures:
    """Check rows and names, and put the rows where their entities are."""
    if rows.dim() != 2 or not rows.is_floating_point() or not rows.shape[1]:
        raise ValueError(f"{where}: {_shape(rows)}, expected a matrix of reals, one row an entity")
    if len(names) != len(rows):
        raise ValueError(f"{where}: {len(names)} names for {len(rows)} rows, expected one each")
    rows = rows.detach().to("cpu", torch.float32)
    places = _places(names, where, manifest.parts)
    for row, name in enumerate(names):
        if not name or "\n" in name or "\r" in name:
            raise ValueError(f"{where}: row {row} is named {name!r}, expected one line of text")
    _check_finite(where, names, rows, way_out)
    entities = name_positions(entity_names, "the data set")
    matched = [row for row, name in enumerate(names) if name in entities]
    if not matched:
        raise ValueError(
            f"{where}: none of the {len(names)} names, the first {next(iter(names), None)!r}, is "
            f"one of the {len(entities)} entities, the first {next(iter(entities), None)!r}: these "
            "features belong to another data set"
        )
    to = torch.tensor([entities[names[row]] for row in matched])
    at = torch.tensor([places[row] for row in matched])
    shape = (len(entities), max(1, manifest.parts))
    values, present = torch.zeros(*shape, rows.shape[1]), torch.zeros(shape, dtype=torch.bool)
    values[to, at] = rows[torch.tensor(matched)]
    present[to, at] = True
    if not manifest.parts:
        values, present = values[:, 0], present[:, 0]
    unmatched = tuple(dict.fromkeys(name for name in names if name not in entities))
    return ModalFeatures(values, present, tuple(entities), manifest, unmatched)


def _coded(
    features: ModalFeatures, names: Sequence[str], codes: Tensor, book: Tensor
) -> ModalFeatures:
    """Return features that know which row of a codebook each of their rows is."""
    entities = {name: entity for entity, name in enumerate(features.names)}
    matched = [row for row, name in enumerate(names) if name in entities]
    to = torch.tensor([entities[names[row]] for row in matched])
    at = torch.tensor(_places(names, features.modality, features.manifest.parts))[matched]
    index = torch.zeros(features.present.shape, dtype=torch.long)
    index[to, at] = codes[matched]
    return replace(features, codes=Codes(index, book.to(torch.float32)))


def _kind(dtype: str) -> torch.dtype:
    kind: torch.dtype = getattr(torch, dtype)
    return kind


def _places(names: Sequence[str], where: str, parts: int) -> list[int]:
    """Return which row of its entity each is: 0 for the first, and no other without ``parts``."""
    if not parts:
        name_positions(names, where)
    found: Counter[str] = Counter()
    places = []
    for name in names:
        places.append(found[name])
        found[name] += 1
        if found[name] > max(1, parts):
            raise ValueError(
                f"{where}: the name {name!r} is there {names.count(name)} times, expected each at "
                f"most {parts} times, as the manifest says (parts)"
            )
    return places


def _check_finite(
    where: str, names: Sequence[str], rows: Tensor, way_out: str = _LEAVE_OUT
) -> None:
    finite = (rows.abs() < LARGEST).all(dim=1)  # which NaN is not, either
    if finite.all():
        return
    bad = (~finite).nonzero().flatten().tolist()
    kind = "NaN" if rows[bad[0]].isnan().any() else "an infinite value"
    if rows[bad[0]].isfinite().all():
        raise ValueError(
            f"{where}: row {bad[0]} ({names[bad[0]]}) has {rows[bad[0]].abs().max():.3g}, expected "
            f"values below {LARGEST:g}, whose squares can be added; scale the features"
        )
    raise ValueError(
        f"{where}: row {bad[0]} ({names[bad[0]]}) has {kind}, {len(bad)} of {len(rows)} rows are "
        f"not finite; {way_out}"
    )


def _size(rows: Tensor) -> dict[str, Any]:
    dim = rows.shape[1] if rows.dim() == 2 else 0
    dtype = "float16" if rows.dtype == torch.float16 else "float32"
    return {"rows": len(rows) if rows.dim() else 0, "dim": dim, "dtype": dtype}


def _shape(rows: Tensor) -> str:
    return f"a {str(rows.dtype).removeprefix('torch.')} tensor of shape {list(rows.shape)}"


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
            f"{folder / FEATURES}: {_shape(rows)}, {MANIFEST} has {manifest.dtype} and {expected}"
        )
    if codes is not None:
        inside = codes.dim() == 1 and not codes.is_floating_point() and len(codes) == len(names)
        if not inside or not 0 <= int(codes.min()) <= int(codes.max()) < manifest.codes:
            raise ValueError(
                f"{folder / FEATURES}: codes are {_shape(codes)}, expected a whole number from 0 "
                f"to {manifest.codes - 1} for each of the {len(names)} names"
            )
    if len(names) != manifest.rows:
        raise ValueError(
            f"{folder / NAMES}: {len(names)} names, {MANIFEST} has {manifest.rows} rows"
        )
