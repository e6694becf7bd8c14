"""Feature files of AdaMF-MAT and LBMKGC's code, ``NAME-visual.pth`` and ``NAME-textual.pth``."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from torch import Tensor

from lbmkgc_models.feature_store.manifest import Value
from lbmkgc_models.feature_store.names import name_positions, read_entity_names
from openke.runtime.tensors import load_tensors

ZERO_ROWS = "zero rows taken as missing"
"""Note in the manifest: how many entities had a row of nothing but zeros."""


def read_pth(
    path: Path, entity_names: Sequence[str] | None, entity_file: str | Path | None
) -> tuple[Sequence[str], Tensor, dict[str, Value]]:
    """Return names, rows and notes for the manifest; see ``ModalFeatures.from_pth``."""
    if entity_file is None:
        names, order = list(name_positions(entity_names, "the data set")), "the data set"
    else:
        listed = read_entity_names(Path(entity_file))
        names, order = list(name_positions(listed, str(entity_file))), str(entity_file)
    rows = read_tensor(path)
    if len(rows) != len(names):
        raise ValueError(
            f"{path}: {len(rows)} rows, but {order} has {len(names)} entities. Such a file has a "
            "row for each entity in the order of ids of whoever made it, and that order is not "
            "always the data set's own (LBMKGC renamed the ids of MKG-W and MKG-Y): take the file "
            "made for this data set, or name the entity2id.txt that was used as entity_file"
        )
    return names, rows, {"order of rows": Path(order).name}


def read_tensor(path: Path) -> Tensor:
    """Return a matrix that a file holds; ``ValueError`` where it holds something else."""
    if not path.is_file():
        raise FileNotFoundError(f"{path}: no such file, expected a tensor saved by torch.save")
    content = load_tensors(path, "tensor of torch.save")
    if not isinstance(content, Tensor):
        raise ValueError(f"{path}: holds {type(content).__name__}, expected one tensor")
    if content.dim() != 2:
        raise ValueError(
            f"{path}: a tensor of shape {list(content.shape)}, expected [entities, dim]"
        )
    return content
