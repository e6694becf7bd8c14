"""The scores as custom operators of PyTorch, with derivatives and shapes.

``wanted`` says which gradients of (query, table, modal, gate) a backward operator returns.
"""

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from openke import _native
from openke.kernels import compare_reference as reference
from openke.kernels.arguments import check_range
from openke.kernels.compare_reference import KINDS, Sides
from openke.kernels.core import TYPES, in_core, no_second_gradient, pointer
from openke.kernels.gpu import in_triton

REALS = (torch.float32, torch.float64)


@torch.library.custom_op("openke::compare_pairs", mutates_args=())
def pairs(
    kind: str,
    query: Tensor,
    table: Tensor,
    modal: Tensor | None,
    gate: Tensor | None,
    query_index: Tensor,
    candidate_index: Tensor,
) -> Tensor:
    """Return Float["p"]; see :func:`.compare_pairs`."""
    sides = Sides(query, table, modal, gate)
    if in_triton(query):
        from openke.kernels.gpu.pairs import pairs as on_gpu

        return on_gpu(kind, sides.map(Tensor.contiguous), query_index, candidate_index)
    if not in_core(query, *REALS):
        check_range("query_index", query_index, query.shape[0])
        check_range("candidate_index", candidate_index, table.shape[0])
        return reference.pairs(kind, sides, query_index, candidate_index)
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
def pairs_backward(
    grad: Tensor,
    kind: str,
    query: Tensor,
    table: Tensor,
    modal: Tensor | None,
    gate: Tensor | None,
    query_index: Tensor,
    candidate_index: Tensor,
    wanted: Sequence[bool],
) -> list[Tensor]:
    """Return the wanted gradients for ``grad``, Float["p"]."""
    sides = Sides(query, table, modal, gate)
    if in_triton(query):
        from openke.kernels.gpu.pairs import pairs_backward as on_gpu

        sides = sides.map(Tensor.contiguous)
        each = on_gpu(kind, sides, query_index, candidate_index, grad, list(wanted))
        return _present(each, wanted)
    if not in_core(query, *REALS):
        slopes = reference.pairs_backward(kind, sides, query_index, candidate_index, grad)
        return _present(slopes, wanted)
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
def every(
    kind: str, query: Tensor, table: Tensor, modal: Tensor | None, gate: Tensor | None
) -> Tensor:
    """Return Float["q u"]; see :func:`.compare_all`."""
    sides = Sides(query, table, modal, gate)
    if in_triton(query):
        from openke.kernels.gpu.every import every as on_gpu

        return on_gpu(kind, sides.map(Tensor.contiguous))
    if not in_core(query, *REALS):
        return reference.every(kind, sides)
    sides = sides.map(Tensor.contiguous)
    out = query.new_empty(query.shape[0], table.shape[0])
    _native.call("compare_all", _compare(kind, sides), torch.get_num_threads(), out.data_ptr())
    return out


@torch.library.custom_op("openke::compare_all_backward", mutates_args=())
def every_backward(
    grad: Tensor,
    kind: str,
    query: Tensor,
    table: Tensor,
    modal: Tensor | None,
    gate: Tensor | None,
    wanted: Sequence[bool],
) -> list[Tensor]:
    """Return the wanted gradients for ``grad``, Float["q u"]."""
    sides = Sides(query, table, modal, gate)
    if in_triton(query):
        from openke.kernels.gpu.every import every_backward as on_gpu

        each = on_gpu(kind, sides.map(Tensor.contiguous), grad, list(wanted))
        return _present(each, wanted)
    if not in_core(query, *REALS):
        return _present(reference.every_backward(kind, sides, grad), wanted)
    sides, grad = sides.map(Tensor.contiguous), grad.contiguous()
    out = _wanted_like(sides, wanted)
    _native.call(
        "compare_all_backward",
        *(_compare(kind, sides), grad.data_ptr(), torch.get_num_threads(), _gradient(out)),
    )
    return _present(out, wanted)


# ---- the C++ core -------------------------------------------------------------------------------


def _compare(kind: str, sides: Sides) -> object:
    """Return the core's argument for contiguous sides, which the caller keeps alive."""
    return _native.reference(
        _native.Compare(
            KINDS.index(kind),
            TYPES[sides.query.dtype],
            sides.query.shape[0],
            sides.table.shape[0],
            sides.query.shape[1],
            *map(pointer, sides),
        )
    )


def _gradient(out: list[Tensor | None]) -> object:
    return _native.reference(_native.CompareGradient(*map(pointer, out)))


def _wanted_like(sides: Sides, wanted: Sequence[bool]) -> list[Tensor | None]:
    return [
        torch.empty_like(tensor, memory_format=torch.contiguous_format)
        if want and tensor is not None
        else None
        for tensor, want in zip(sides, wanted, strict=True)
    ]


def _present(tensors: Sequence[Tensor | None], wanted: Sequence[bool]) -> list[Tensor]:
    return [
        tensor for tensor, want in zip(tensors, wanted, strict=True) if want and tensor is not None
    ]


# ---- shapes and derivatives ---------------------------------------------------------------------


def _pairs_shape(kind: str, query: Tensor, *others: Tensor) -> Tensor:
    return query.new_empty(others[-1].shape[0])


def _every_shape(kind: str, query: Tensor, table: Tensor, *_: object) -> Tensor:
    return query.new_empty(query.shape[0], table.shape[0])


def _backward_shape(grad: Tensor, kind: str, *arguments: Any) -> list[Tensor]:
    wanted = arguments[-1]
    return _present(_wanted_like(Sides(*arguments[:4]), wanted), wanted)


def _save(ctx: Any, inputs: tuple[Any, ...], output: Tensor) -> None:
    ctx.kind, *tensors = inputs
    ctx.save_for_backward(*tensors)


def _derivatives(ctx: Any, grad: Tensor, backward: Any) -> tuple[Tensor | None, ...]:
    wanted = list(ctx.needs_input_grad[1:5])  # of the sides; an index has none
    saved = ctx.saved_tensors  # asked for once: under checkpointing they are made anew
    found = iter(backward(grad, ctx.kind, *saved, wanted))
    slopes = [next(found) if want else None for want in wanted]
    return None, *slopes, *[None] * (len(saved) - len(wanted))


pairs.register_fake(_pairs_shape)
every.register_fake(_every_shape)
pairs.register_autograd(
    lambda ctx, grad: _derivatives(ctx, grad, pairs_backward), setup_context=_save
)
every.register_autograd(
    lambda ctx, grad: _derivatives(ctx, grad, every_backward), setup_context=_save
)
for _operator in (pairs_backward, every_backward):
    _operator.register_fake(_backward_shape)
    _operator.register_autograd(no_second_gradient)
