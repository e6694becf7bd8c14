"""A GPU that computes nothing: PyTorch knows the shape, type and device of every tensor on it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
import torch
from torch._subclasses.fake_tensor import FakeTensor, FakeTensorMode, unset_fake_temporarily
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from openke import _native
from tests.contracts.test_no_waiting import KERNELS

CUDA = torch.device("cuda", 0)


class _OnlyThere(TorchDispatchMode):
    """Leaves tensors of the host as they are, and runs the package's operators as a GPU would."""

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        kwargs = kwargs or {}
        given = tree_leaves((args, kwargs))
        if not any(map(_is_there, given)):
            with unset_fake_temporarily():
                return func(*args, **kwargs)
        if func in KERNELS:
            with self:
                return KERNELS[func](*args, **kwargs)
        rows = [x for x in given if isinstance(x, torch.Tensor) and x.dim()]
        copied = func.overloadpacket.__name__ in ("_to_copy", "copy_")
        if not copied and any(x.device.type == "cpu" for x in rows):
            raise AssertionError(f"{func} is given a tensor of the host")
        return func(*args, **kwargs)


def _is_there(value: object) -> bool:
    return isinstance(value, FakeTensor) or (
        isinstance(value, torch.device) and value.type == "cuda"
    )


@contextmanager
def fake_gpu() -> Iterator[None]:
    """While it lasts, there is such a GPU, and the C++ core must not be called.

    What it cannot do: the way back, for which PyTorch asks the driver; the fused steps of SGD and
    Adagrad; and compile.
    """

    def refuse(name: str, *_: object) -> None:
        raise AssertionError(f"the C++ core's {name} is called for tensors of a GPU")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(_native, "call", refuse)
        patch.setenv("OPENKE_COMPILE", "never")
        # Autocast asks whether there is a GPU.
        patch.setattr(torch.cuda.amp.common, "amp_definitely_not_available", lambda: False)
        patch.setattr(torch.cuda, "is_bf16_supported", lambda *_, **__: True)
        with FakeTensorMode(allow_non_fake_inputs=True), _OnlyThere():
            yield
