"""What tensors a kernel accepts: shapes, types and devices that fit, or a ValueError."""

import torch
from torch import Tensor

from openke.kernels.compare_reference import KINDS, Sides

_INTEGERS = (torch.int64, torch.int32, torch.int16, torch.int8, torch.uint8)


def checked_sides(
    kind: str, query: Tensor, table: Tensor, modal: Tensor | None, gate: Tensor | None
) -> Sides:
    """Return what is compared in one floating type, or raise what is wrong with it."""
    if kind not in KINDS:
        raise ValueError(f"kind is {kind!r}; expected one of {', '.join(KINDS)}")
    if query.dim() != 2 or table.dim() != 2 or query.shape[1] != table.shape[1]:
        raise ValueError(
            f"query has shape {list(query.shape)} and table {list(table.shape)}; "
            "expected [q, d] and [u, d]"
        )
    if kind == "complex" and query.shape[1] % 2:
        raise ValueError(
            f"vectors have {query.shape[1]} reals; complex ones hold real parts, then as many "
            "imaginary parts: expected an even number"
        )
    if (modal is None) != (gate is None):
        given, missing = ("gate", "modal") if modal is None else ("modal", "gate")
        raise ValueError(f"{given} is given without {missing}; expected both or neither")
    if modal is not None and modal.shape != table.shape:
        raise ValueError(
            f"modal has shape {list(modal.shape)}; expected that of table, {list(table.shape)}"
        )
    if gate is not None and gate.shape != query.shape[:1]:
        raise ValueError(
            f"gate has shape {list(gate.shape)}; expected one weight per query, [{len(query)}]"
        )
    return _common_type(Sides(query, table, modal, gate))


def _common_type(sides: Sides) -> Sides:
    given = [tensor for tensor in sides if tensor is not None]
    dtype, device = given[0].dtype, given[0].device
    for tensor in given:
        if not tensor.is_floating_point():
            raise ValueError(f"found a tensor of {tensor.dtype}; expected a floating type")
        if tensor.device != device:
            raise ValueError(f"found tensors on {device} and {tensor.device}; expected one device")
        dtype = torch.promote_types(dtype, tensor.dtype)
    if dtype in (torch.bfloat16, torch.float16) and torch.is_autocast_enabled(device.type):
        dtype = torch.float32
    return sides.map(lambda tensor: tensor.to(dtype))


def check_labels(logits: Tensor, targets: Tensor, offsets: Tensor | None, smoothing: float) -> None:
    """Refuse logits and true columns whose shapes, types or devices do not fit."""
    if logits.dim() != 2 or not logits.is_floating_point() or logits.shape[1] == 0:
        raise ValueError(
            f"logits are of {logits.dtype} and shape {list(logits.shape)}; expected a floating "
            "type and [q, u] with at least one column"
        )
    check_index("targets", targets)
    q = logits.shape[0]
    if offsets is not None:
        check_index("offsets", offsets)
        if offsets.shape[0] != q + 1:
            raise ValueError(f"offsets have {offsets.shape[0]} entries; expected [q + 1], {q + 1}")
    elif targets.shape[0] != q:
        raise ValueError(
            f"{targets.shape[0]} targets are given without offsets; expected one for each of {q} "
            "rows"
        )
    if not 0 <= smoothing <= 1:
        raise ValueError(f"label_smoothing is {smoothing}; expected 0 to 1")
    for name, index in (("targets", targets), ("offsets", offsets)):
        if index is not None and index.device != logits.device:
            raise ValueError(f"logits are on {logits.device} and {name} on {index.device}")


def check_index(name: str, index: Tensor) -> None:
    """Refuse what is no list of integers."""
    if index.dim() != 1:
        raise ValueError(f"{name} has shape {list(index.shape)}; expected a list of integers, [p]")
    if index.dtype not in _INTEGERS:
        raise ValueError(f"{name} is of {index.dtype}; expected integers")


def check_range(name: str, index: Tensor, rows: int) -> None:
    """Refuse an index out of range on the CPU, in the words of the C++ core."""
    if index.device.type != "cpu":
        return  # looking at the values would wait for the device, which checks by itself
    bad = ((index < 0) | (index >= rows)).nonzero()
    if len(bad):
        at = int(bad[0])
        raise ValueError(f"{name}[{at}] is {int(index[at])}; expected 0 to {rows - 1}")


def check_offsets(offsets: Tensor, targets: int) -> None:
    """Refuse on the CPU offsets that do not divide so many targets."""
    if offsets.device.type != "cpu":
        return
    if offsets[0] != 0 or offsets[-1] != targets or (offsets.diff() < 0).any():
        raise ValueError(
            f"offsets do not divide the targets; expected 0, then no decrease up to {targets}"
        )
