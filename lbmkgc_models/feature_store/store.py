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
from torch import Tensor

from lbmkgc_models.feature_store.manifest import DTYPES, Manifest
from lbmkgc_models.feature_store.matching import (
    LEAVE_OUT,
    MAKE_ZERO,
    check_finite,
    match_rows,
    places_of,
)
from lbmkgc_models.feature_store.pth import ZERO_ROWS, read_pth
from lbmkgc_models.feature_store.store_files import (
    read_store,
    require_store_or_nothing,
    write_store,
)
from openke.runtime.files import sha256_of


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
        return cls._matched(
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
        manifest, names, rows, codes = read_store(folder)
        if codes is None:
            return cls._matched(str(folder), manifest, names, rows, entity_names)
        codes = codes.long()
        features = cls._matched(str(folder), manifest, names, rows[codes], entity_names)
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
        features = cls._matched(str(path), manifest, names, rows, entity_names, MAKE_ZERO)
        present = features.present & features.values.any(dim=1)
        if not present.any():
            raise ValueError(
                f"{path}: all {int(features.present.sum())} rows of entities hold nothing but "
                "zeros, which stand for a missing modality; expected some that do not"
            )
        notes = {**notes, ZERO_ROWS: features.zero_rows}
        return replace(features, present=present, manifest=replace(manifest, notes=notes))

    @classmethod
    def _matched(
        cls,
        where: str,
        manifest: Manifest,
        names: Sequence[str],
        rows: Tensor,
        entity_names: Sequence[str] | None,
        way_out: str = LEAVE_OUT,
    ) -> ModalFeatures:
        found = match_rows(where, manifest, names, rows, entity_names, way_out)
        return cls(found.values, found.present, found.names, manifest, found.unmatched)

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
        require_store_or_nothing(folder)
        names = [self.names[entity] for entity in self.present.nonzero()[:, 0].tolist()]
        values, kind = self.values[self.present], getattr(torch, dtype)
        check_finite(f"{self.modality} features as {dtype}", names, values.to(kind))
        tensors = {"features": values}
        if self.codes is not None:
            which = self.codes.index[self.present]
            tensors = {"features": self.codes.book, "codes": which.to(torch.int32)}
        tensors["features"] = tensors["features"].to(kind).contiguous()
        parts = int(self.present.sum(dim=1).max()) if self.parts else 0
        manifest = replace(self.manifest, rows=len(names), dtype=dtype, parts=parts)
        write_store(folder, manifest, names, tensors, extra or {})
        return folder


Features = Mapping[str, ModalFeatures]
"""Features by the name of their modality."""


def _coded(
    features: ModalFeatures, names: Sequence[str], codes: Tensor, book: Tensor
) -> ModalFeatures:
    """Return features that know which row of a codebook each of their rows is."""
    entities = {name: entity for entity, name in enumerate(features.names)}
    matched = [row for row, name in enumerate(names) if name in entities]
    to = torch.tensor([entities[names[row]] for row in matched])
    at = torch.tensor(places_of(names, features.modality, features.manifest.parts))[matched]
    index = torch.zeros(features.present.shape, dtype=torch.long)
    index[to, at] = codes[matched]
    return replace(features, codes=Codes(index, book.to(torch.float32)))


def _size(rows: Tensor) -> dict[str, Any]:
    dim = rows.shape[1] if rows.dim() == 2 else 0
    dtype = "float16" if rows.dtype == torch.float16 else "float32"
    return {"rows": len(rows) if rows.dim() else 0, "dim": dim, "dtype": dtype}
