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
    vectors: int = 1,
) -> Tensor:
    """Return Float["p"]; see :func:`.compare_pairs`."""
    sides = Sides(query, table, modal, gate)
    if not in_core(query, *REALS):
        check_range("query_index", query_index, query.shape[0] // vectors)
        check_range("candidate_index", candidate_index, table.shape[0])
        each = _each_vector(query, query_index, candidate_index, vectors)
        if in_triton(query):
            from openke.kernels.gpu.pairs import pairs as on_gpu

            scores = on_gpu(kind, sides.map(Tensor.contiguous), *each)
        else:
            scores = reference.pairs(kind, sides, *each)
        return scores if vectors == 1 else scores.view(vectors, -1).sum(dim=0)
    sides = sides.map(Tensor.contiguous)
    q, c = query_index.contiguous(), candidate_index.contiguous()
    out = query.new_empty(q.shape[0])
    _native.call(
        "compare_pairs",
        *(_compare(kind, sides), q.data_ptr(), c.data_ptr(), q.shape[0], vectors),
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
    vectors: int = 1,
) -> list[Tensor]:
    """Return the wanted gradients for ``grad``, Float["p"]."""
    sides = Sides(query, table, modal, gate)
    if not in_core(query, *REALS):
        each = _each_vector(query, query_index, candidate_index, vectors)
        grad = grad.repeat(vectors)
        if in_triton(query):
            from openke.kernels.gpu.pairs import pairs_backward as on_gpu

            slopes = on_gpu(kind, sides.map(Tensor.contiguous), *each, grad, list(wanted))
        else:
            slopes = reference.pairs_backward(kind, sides, *each, grad)
        return _present(slopes, wanted)
    sides = sides.map(Tensor.contiguous)
    q, c, grad = query_index.contiguous(), candidate_index.contiguous(), grad.contiguous()
    out = _wanted_like(sides, wanted)
    _native.call(
        "compare_pairs_backward",
        *(_compare(kind, sides), q.data_ptr(), c.data_ptr(), q.shape[0], vectors, grad.data_ptr()),
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


def _each_vector(
    query: Tensor, query_index: Tensor, candidate_index: Tensor, vectors: int
) -> tuple[Tensor, Tensor]:
    """Return the pairs of every vector of each query, Int["vp"], one vector after the other."""
    if vectors == 1:
        return query_index, candidate_index
    firsts = torch.arange(0, query.shape[0], query.shape[0] // vectors, device=query.device)
    return (firsts[:, None] + query_index).view(-1), candidate_index.repeat(vectors)


def _present(tensors: Sequence[Tensor | None], wanted: Sequence[bool]) -> list[Tensor]:
    return [
        tensor for tensor, want in zip(tensors, wanted, strict=True) if want and tensor is not None
    ]


# ---- shapes and derivatives ---------------------------------------------------------------------


def _pairs_shape(kind: str, query: Tensor, *others: Any) -> Tensor:
    return query.new_empty(others[3].shape[0])


def _every_shape(kind: str, query: Tensor, table: Tensor, *_: object) -> Tensor:
    return query.new_empty(query.shape[0], table.shape[0])


def _backward_shape(grad: Tensor, kind: str, *arguments: Any) -> list[Tensor]:
    wanted = next(each for each in arguments if isinstance(each, list))
    return _present(_wanted_like(Sides(*arguments[:4]), wanted), wanted)


def _save(ctx: Any, inputs: tuple[Any, ...], output: Tensor) -> None:
    ctx.kind = inputs[0]
    ctx.vectors = [each for each in inputs[1:] if isinstance(each, int)]  # those of pairs
    ctx.save_for_backward(*inputs[1 : len(inputs) - len(ctx.vectors)])


def _derivatives(ctx: Any, grad: Tensor, backward: Any) -> tuple[Tensor | None, ...]:
    wanted = list(ctx.needs_input_grad[1:5])  # of the sides; the others have none
    saved = ctx.saved_tensors  # asked for once: under checkpointing they are made anew
    found = iter(backward(grad, ctx.kind, *saved, wanted, *ctx.vectors))
    slopes = [next(found) if want else None for want in wanted]
    return None, *slopes, *[None] * (len(ctx.needs_input_grad) - 5)


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
