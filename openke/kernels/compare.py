"""Scores of queries against candidates: C++ on the CPU, PyTorch elsewhere, differentiable.

With query vectors q, candidate vectors c and d reals per vector, higher is closer:

- ``"dot"``: q · c
- ``"l1"``: -Σ |q - c|
- ``"l2"``: -sqrt(Σ (q - c)²)
- ``"complex"``: -Σ_k |q_k - c_k| over d/2 complex coordinates, real parts first, then imaginary

With a gate in 0…1 for each query, c = gate · table + (1 - gate) · modal (LBMKGC Eq. 11), which is
never written out. At distance zero, where a distance has no gradient, it is taken as zero.

float32 and float64 tensors on the CPU go through the C++ core (``base/kernels.h``) with
``torch.get_num_threads()`` threads, whose number does not change results; all others through
:mod:`openke.kernels.compare_reference`. Half-precision tensors are widened to float32 under
autocast, as PyTorch does for its own distances. The scores are custom operators, opaque to
``torch.compile``.

Shapes: q queries, u candidates, d reals per vector, p pairs.
"""

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from openke import _native
from openke.kernels import compare_reference
from openke.kernels.compare_reference import KINDS, Kind, Sides

_TYPES = {torch.float32: 0, torch.float64: 1}


def compare_pairs(
    kind: Kind,
    query: Tensor,
    table: Tensor,
    query_index: Tensor,
    candidate_index: Tensor,
    *,
    modal: Tensor | None = None,
    gate: Tensor | None = None,
) -> Tensor:
    """Return the score of each listed pair of a query and a candidate.

    Parameters
    ----------
    kind : "dot", "l1", "l2" or "complex"
        The similarity; see the module.
    query : Float["q d"]
        Query vectors.
    table : Float["u d"]
        Candidate vectors.
    query_index, candidate_index : Int["p"]
        The pairs. Fastest where a query's pairs stand together.
    modal : Float["u d"], optional
        Second candidate vectors, blended with ``table`` by ``gate``.
    gate : Float["q"], optional
        Weight of ``table`` for each query.

    Returns
    -------
    Float["p"]

    Raises
    ------
    ValueError
        Unknown kind, shapes that do not fit, or an index out of range (on the CPU; other devices
        report it in their own way).
    """
    sides = _checked(kind, query, table, modal, gate)
    for name, index in (("query_index", query_index), ("candidate_index", candidate_index)):
        _check_index(name, index)
    if query_index.shape != candidate_index.shape:
        raise ValueError(
            f"query_index has {query_index.shape[0]} entries and candidate_index "
            f"{candidate_index.shape[0]}; expected one of each per pair"
        )
    scores: Tensor = _pairs(
        kind,
        sides.query,
        sides.table,
        query_index.long(),
        candidate_index.long(),
        sides.modal,
        sides.gate,
    )
    return scores


def compare_all(
    kind: Kind,
    query: Tensor,
    table: Tensor,
    *,
    modal: Tensor | None = None,
    gate: Tensor | None = None,
) -> Tensor:
    """Return the score of every query against every candidate.

    Parameters
    ----------
    kind : "dot", "l1", "l2" or "complex"
        The similarity; see the module. ``"dot"`` is a matrix product.
    query : Float["q d"]
        Query vectors.
    table : Float["u d"]
        Candidate vectors.
    modal : Float["u d"], optional
        Second candidate vectors, blended with ``table`` by ``gate``.
    gate : Float["q"], optional
        Weight of ``table`` for each query.

    Returns
    -------
    Float["q u"]

    Raises
    ------
    ValueError
        Unknown kind or shapes that do not fit.
    """
    query, table, modal, gate = _checked(kind, query, table, modal, gate)
    if kind != "dot":
        scores: Tensor = _all(kind, query, table, modal, gate)
        return scores
    if modal is None or gate is None:
        return query @ table.T
    weight = gate[:, None]
    return (query * weight) @ table.T + (query * (1 - weight)) @ modal.T


# ---- arguments ----------------------------------------------------------------------------------


def _checked(
    kind: str, query: Tensor, table: Tensor, modal: Tensor | None, gate: Tensor | None
) -> Sides:
    """Return the sides in one floating type, or raise what is wrong with them."""
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


def _check_index(name: str, index: Tensor) -> None:
    if index.dim() != 1:
        raise ValueError(f"{name} has shape {list(index.shape)}; expected one index per pair, [p]")
    if index.dtype not in (torch.int64, torch.int32, torch.int16, torch.int8, torch.uint8):
        raise ValueError(f"{name} is of {index.dtype}; expected integers")


def _check_range(name: str, index: Tensor, rows: int) -> None:
    """Refuse an index out of range on the CPU, in the words of the C++ core."""
    if index.device.type != "cpu":
        return  # looking at the values would wait for the device, which checks by itself
    bad = ((index < 0) | (index >= rows)).nonzero()
    if len(bad):
        at = int(bad[0])
        raise ValueError(f"{name}[{at}] is {int(index[at])}; expected 0 to {rows - 1}")


# ---- the C++ core -------------------------------------------------------------------------------


def _in_core(query: Tensor) -> bool:
    return query.device.type == "cpu" and query.dtype in _TYPES


def _pointer(tensor: Tensor | None) -> int | None:
    return None if tensor is None else tensor.data_ptr()


def _compare(kind: str, sides: Sides) -> object:
    """Return the core's argument for contiguous sides, which the caller keeps alive."""
    q, d = sides.query.shape
    return _native.reference(
        _native.Compare(
            KINDS.index(kind),
            _TYPES[sides.query.dtype],
            q,
            sides.table.shape[0],
            d,
            *map(_pointer, sides),
        )
    )


def _wanted_like(sides: Sides, wanted: Sequence[bool]) -> list[Tensor | None]:
    return [
        torch.empty_like(tensor, memory_format=torch.contiguous_format)
        if want and tensor is not None
        else None
        for tensor, want in zip(sides, wanted, strict=True)
    ]


def _gradient(out: list[Tensor | None]) -> object:
    return _native.reference(_native.CompareGradient(*map(_pointer, out)))


def _present(tensors: Sequence[Tensor | None], wanted: Sequence[bool]) -> list[Tensor]:
    return [
        tensor for tensor, want in zip(tensors, wanted, strict=True) if want and tensor is not None
    ]


# ---- operators ----------------------------------------------------------------------------------
# `wanted` says which gradients of (query, table, modal, gate) a backward operator returns.


@torch.library.custom_op("openke::compare_pairs", mutates_args=())
def _pairs(
    kind: str,
    query: Tensor,
    table: Tensor,
    query_index: Tensor,
    candidate_index: Tensor,
    modal: Tensor | None,
    gate: Tensor | None,
) -> Tensor:
    sides = Sides(query, table, modal, gate)
    if not _in_core(query):
        _check_range("query_index", query_index, query.shape[0])
        _check_range("candidate_index", candidate_index, table.shape[0])
        return compare_reference.pairs(kind, sides, query_index, candidate_index)
    sides = sides.map(Tensor.contiguous)
    q, c = query_index.contiguous(), candidate_index.contiguous()
    out = query.new_empty(q.shape[0])
    _native.call(
        "compare_pairs",
        *(_compare(kind, sides), q.data_ptr(), c.data_ptr(), q.shape[0]),
        *(torch.get_num_threads(), out.data_ptr()),
    )
    return out


@torch.library.custom_op("openke::compare_pairs_backward", mutates_args=())
def _pairs_backward(
    grad: Tensor,
    kind: str,
    query: Tensor,
    table: Tensor,
    query_index: Tensor,
    candidate_index: Tensor,
    modal: Tensor | None,
    gate: Tensor | None,
    wanted: Sequence[bool],
) -> list[Tensor]:
    sides = Sides(query, table, modal, gate)
    if not _in_core(query):
        gradients = compare_reference.pairs_backward(
            kind, sides, query_index, candidate_index, grad
        )
        return _present(gradients, wanted)
    sides = sides.map(Tensor.contiguous)
    q, c, grad = query_index.contiguous(), candidate_index.contiguous(), grad.contiguous()
    out = _wanted_like(sides, wanted)
    _native.call(
        "compare_pairs_backward",
        *(_compare(kind, sides), q.data_ptr(), c.data_ptr(), q.shape[0], grad.data_ptr()),
        *(torch.get_num_threads(), _gradient(out)),
    )
    return _present(out, wanted)


@torch.library.custom_op("openke::compare_all", mutates_args=())
def _all(
    kind: str, query: Tensor, table: Tensor, modal: Tensor | None, gate: Tensor | None
) -> Tensor:
    sides = Sides(query, table, modal, gate)
    if not _in_core(query):
        return compare_reference.every(kind, sides)
    sides = sides.map(Tensor.contiguous)
    out = query.new_empty(query.shape[0], table.shape[0])
    _native.call("compare_all", _compare(kind, sides), torch.get_num_threads(), out.data_ptr())
    return out


@torch.library.custom_op("openke::compare_all_backward", mutates_args=())
def _all_backward(
    grad: Tensor,
    kind: str,
    query: Tensor,
    table: Tensor,
    modal: Tensor | None,
    gate: Tensor | None,
    wanted: Sequence[bool],
) -> list[Tensor]:
    sides = Sides(query, table, modal, gate)
    if not _in_core(query):
        return _present(compare_reference.every_backward(kind, sides, grad), wanted)
    sides, grad = sides.map(Tensor.contiguous), grad.contiguous()
    out = _wanted_like(sides, wanted)
    _native.call(
        "compare_all_backward",
        *(_compare(kind, sides), grad.data_ptr(), torch.get_num_threads(), _gradient(out)),
    )
    return _present(out, wanted)


# ---- shapes, for compilers ----------------------------------------------------------------------


@_pairs.register_fake
def _(
    kind: str,
    query: Tensor,
    table: Tensor,
    query_index: Tensor,
    candidate_index: Tensor,
    modal: Tensor | None,
    gate: Tensor | None,
) -> Tensor:
    return query.new_empty(query_index.shape[0])


@_all.register_fake
def _(kind: str, query: Tensor, table: Tensor, modal: Tensor | None, gate: Tensor | None) -> Tensor:
    return query.new_empty(query.shape[0], table.shape[0])


@_pairs_backward.register_fake
def _(
    grad: Tensor,
    kind: str,
    query: Tensor,
    table: Tensor,
    query_index: Tensor,
    candidate_index: Tensor,
    modal: Tensor | None,
    gate: Tensor | None,
    wanted: Sequence[bool],
) -> list[Tensor]:
    return _present(_wanted_like(Sides(query, table, modal, gate), wanted), wanted)


@_all_backward.register_fake
def _(
    grad: Tensor,
    kind: str,
    query: Tensor,
    table: Tensor,
    modal: Tensor | None,
    gate: Tensor | None,
    wanted: Sequence[bool],
) -> list[Tensor]:
    return _present(_wanted_like(Sides(query, table, modal, gate), wanted), wanted)


# ---- gradients ----------------------------------------------------------------------------------


def _save(ctx: Any, inputs: tuple[Any, ...], output: Tensor) -> None:
    ctx.kind, *tensors = inputs
    ctx.save_for_backward(*tensors)


def _pairs_gradient(ctx: Any, grad: Tensor) -> tuple[Tensor | None, ...]:
    query, table, query_index, candidate_index, modal, gate = ctx.saved_tensors
    wanted = [ctx.needs_input_grad[i] for i in (1, 2, 5, 6)]
    found = iter(
        _pairs_backward(
            grad, ctx.kind, query, table, query_index, candidate_index, modal, gate, wanted
        )
    )
    by_query, by_table, by_modal, by_gate = (next(found) if want else None for want in wanted)
    return None, by_query, by_table, None, None, by_modal, by_gate


def _all_gradient(ctx: Any, grad: Tensor) -> tuple[Tensor | None, ...]:
    wanted = list(ctx.needs_input_grad[1:])
    found = iter(_all_backward(grad, ctx.kind, *ctx.saved_tensors, wanted))
    return None, *(next(found) if want else None for want in wanted)


def _no_second_gradient(ctx: Any, *grads: object) -> None:
    raise NotImplementedError(
        "kernels have first derivatives only; for second ones write the function in PyTorch"
    )


_pairs.register_autograd(_pairs_gradient, setup_context=_save)
_all.register_autograd(_all_gradient, setup_context=_save)
_pairs_backward.register_autograd(_no_second_gradient)
_all_backward.register_autograd(_no_second_gradient)
