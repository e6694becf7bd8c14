"""The C++ core through ctypes: the only module that knows the library, its ABI and its handles.

``base/c_api.h`` is the reference; :data:`SIGNATURES` repeats its functions one by one.
"""

import ctypes
import functools
import operator
import os
import sys
import weakref
from collections.abc import Callable
from ctypes import Structure, byref, c_char, c_double, c_int32, c_int64, c_uint64, c_void_p
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

ABI_VERSION = 2
Int64 = c_int64
Address = c_void_p
SPLIT_BITS = {"train": 1, "valid": 2, "test": 4}
SLOTS = {"head": 0, "relation": 1, "tail": 2, "mixed": 3}

_LIBRARY = "_core" + {"win32": ".dll", "darwin": ".dylib"}.get(sys.platform, ".so")
_HOW_TO_BUILD = "build it with `pip install -e .` in the checkout (a C++17 compiler is needed)"
_EXCEPTIONS: dict[int, type[Exception]] = {
    1: ValueError,
    2: FileNotFoundError,
    3: OSError,
    4: MemoryError,
    5: RuntimeError,
}
_LIMITS: dict[type[Any], tuple[int, int]] = {
    c_int32: (-(2**31), 2**31 - 1),
    c_int64: (-(2**63), 2**63 - 1),
    c_uint64: (0, 2**64 - 1),
}


class Counts(Structure):
    """``openke_counts``: sizes of a store."""

    _fields_ = (
        ("entities", c_int64),
        ("relations", c_int64),
        ("rows", c_int64 * 3),
        ("triples", c_int64 * 3),
    )


class SamplerOptions(Structure):
    """``openke_sampler_options``."""

    _fields_ = (
        ("seed", c_uint64),
        ("entity_negatives", c_int64),
        ("relation_negatives", c_int64),
        ("bernoulli", c_int32),
        ("filtered", c_int32),
        ("shared", c_int32),
        ("one_slot", c_int32),
    )


class Compare(Structure):
    """``openke_compare``: what a score kernel compares."""

    _fields_ = (
        ("kind", c_int32),
        ("type", c_int32),
        ("queries", c_int64),
        ("candidates", c_int64),
        ("dim", c_int64),
        ("query", c_void_p),
        ("table", c_void_p),
        ("modal", c_void_p),
        ("gate", c_void_p),
    )


class CompareGradient(Structure):
    """``openke_compare_gradient``: where a score kernel writes gradients, null where unwanted."""

    _fields_ = (
        ("query", c_void_p),
        ("table", c_void_p),
        ("modal", c_void_p),
        ("gate", c_void_p),
    )


class Logits(Structure):
    """``openke_logits``: rows of logits and their true columns."""

    _fields_ = (
        ("type", c_int32),
        ("rows", c_int64),
        ("columns", c_int64),
        ("values", c_void_p),
        ("offsets", c_void_p),
        ("targets", c_void_p),
        ("positives", c_int64),
        ("smoothing", c_double),
    )


class RowGradient(Structure):
    """``openke_row_gradient``: the gradient of some rows of a table."""

    _fields_ = (
        ("type", c_int32),
        ("rows", c_int64),
        ("dim", c_int64),
        ("n", c_int64),
        ("ids", c_void_p),
        ("gradient", c_void_p),
    )


class Adam(Structure):
    """``openke_adam``: settings of a step of Adam."""

    _fields_ = (
        ("lr", c_double),
        ("beta1", c_double),
        ("beta2", c_double),
        ("epsilon", c_double),
        ("weight_decay", c_double),
        ("step", c_int64),
        ("lazy", c_int32),
    )


# Every function of the ABI. A pointer is c_void_p: it takes an address, None, byref() or bytes.
SIGNATURES: dict[str, tuple[type[Any], ...]] = {
    "abi_version": (c_void_p,),
    "store_open": (c_void_p, c_void_p, c_void_p, c_void_p, c_void_p, c_void_p),
    "store_from_triples": (
        *(c_int64, c_int64),
        *(c_void_p, c_int64, c_void_p, c_int64, c_void_p, c_int64, c_void_p),
    ),
    "store_hold_out": (c_void_p, c_double, c_uint64, c_void_p),
    "store_free": (c_void_p,),
    "store_counts": (c_void_p, c_void_p),
    "store_triples": (c_void_p, c_int32, c_void_p),
    "store_multiplicity": (c_void_p, c_int32, c_void_p),
    "store_names": (c_void_p, c_int32, c_void_p, c_void_p),
    "store_relation_statistics": (c_void_p, c_void_p, c_void_p),
    "store_known": (c_void_p, c_int32, c_int64, c_int64, c_int32, c_void_p, c_void_p),
    "sampler_create": (c_void_p, c_void_p, c_void_p),
    "sampler_free": (c_void_p,),
    "sampler_order": (c_void_p, c_int64, c_int32, c_void_p),
    "sampler_draw": (
        *(c_void_p, c_void_p, c_int64, c_int64, c_int64, c_int32, c_int32),
        *(c_void_p, c_void_p, c_void_p, c_void_p),
    ),
    "distinct": (c_void_p, c_int64, c_int64, c_void_p, c_void_p, c_void_p),
    "adam_rows": (c_void_p, c_void_p, c_int32, c_void_p, c_void_p, c_void_p),
    "adagrad_rows": (c_void_p, c_double, c_double, c_int32, c_int32, c_void_p, c_void_p),
    "keep_memory": (c_void_p,),
    "constraint_from_store": (c_void_p, c_int32, c_void_p),
    "constraint_read": (c_void_p, c_void_p, c_void_p),
    "constraint_allowed": (c_void_p, c_int32, c_int64, c_void_p, c_void_p),
    "constraint_free": (c_void_p,),
    "rank": (
        *(c_void_p, c_int32, c_int32, c_void_p, c_void_p, c_int64),
        *(c_void_p, c_void_p, c_void_p, c_void_p, c_int64, c_int32, c_void_p, c_void_p),
    ),
    "compare_pairs": (c_void_p, c_void_p, c_void_p, c_int64, c_int64, c_int32, c_void_p),
    "compare_pairs_backward": (
        *(c_void_p, c_void_p, c_void_p, c_int64, c_int64, c_void_p, c_int32, c_void_p),
    ),
    "compare_all": (c_void_p, c_int32, c_void_p),
    "compare_all_backward": (c_void_p, c_void_p, c_int32, c_void_p),
    "softmax_cross_entropy": (c_void_p, c_int32, c_void_p, c_void_p),
    "softmax_cross_entropy_backward": (c_void_p, c_void_p, c_void_p, c_int32, c_void_p),
    "binary_cross_entropy": (c_void_p, c_int32, c_void_p),
    "binary_cross_entropy_backward": (c_void_p, c_void_p, c_int32, c_void_p),
    "kernel_isa": (c_void_p,),
}


@functools.cache
def library() -> ctypes.CDLL:
    """Load the core and check its ABI version; an ImportError says how to build it."""
    path = Path(__file__).parent / _LIBRARY
    if not path.is_file():
        raise ImportError(f"the compiled core {path} is missing: {_HOW_TO_BUILD}")
    try:
        core = ctypes.CDLL(str(path))
        version_of = core.openke_abi_version
    except (OSError, AttributeError) as error:
        raise ImportError(
            f"the compiled core {path} does not load here ({error}): {_HOW_TO_BUILD}"
        ) from error
    core.openke_last_error.restype = ctypes.c_char_p
    version = c_int32()
    version_of(byref(version))
    if version.value != ABI_VERSION:
        raise ImportError(
            f"the compiled core {path} has ABI version {version.value}, this Python code needs "
            f"{ABI_VERSION}: {_HOW_TO_BUILD}"
        )
    if _may_keep_memory():
        core.openke_keep_memory(byref(c_int32()))
    return core


def _may_keep_memory() -> bool:
    """Whether malloc may keep freed arrays for the next step instead of returning them.

    A training step frees and takes the same large arrays again and again; new ones from the system
    are paid for page by page, about a quarter of the step. The price: memory that was freed stays
    with the process, whose peak is as before. ``OPENKE_KEEP_MEMORY=0`` switches it off, and
    malloc's own variables, where they are set, have the last word.
    """
    theirs = ("MALLOC_MMAP_THRESHOLD_", "MALLOC_TRIM_THRESHOLD_", "GLIBC_TUNABLES")
    wanted = os.environ.get("OPENKE_KEEP_MEMORY", "1") != "0"
    return wanted and not any(name in os.environ for name in theirs)


@functools.cache
def _function(name: str) -> Callable[..., int]:
    # Bound at first use, so a part of the core that is missing is noticed by who needs it.
    signature = SIGNATURES[name]
    try:
        function = getattr(library(), f"openke_{name}")
    except AttributeError as error:
        raise ImportError(f"the compiled core lacks openke_{name}: {_HOW_TO_BUILD}") from error
    function.argtypes = signature
    function.restype = c_int32
    return function  # type: ignore[no-any-return]


def call(name: str, *args: object) -> None:
    """Call ``openke_<name>``; a status other than 0 becomes a Python exception.

    Raises
    ------
    ValueError, FileNotFoundError, OSError, MemoryError, RuntimeError
        With the core's text: what was found, where, and what was expected.
    """
    signature = SIGNATURES[name]
    converted = [fitting(*pair) for pair in zip(args, signature, strict=True)]
    status = _function(name)(*converted)
    if status:
        message = library().openke_last_error().decode("utf-8", "replace")
        raise _EXCEPTIONS.get(status, RuntimeError)(message)


def fitting(value: Any, kind: type[Any]) -> Any:
    """Return an integer as ctypes takes it, which would cut what does not fit without a word."""
    if kind not in _LIMITS:
        return value
    value = operator.index(value)
    low, high = _LIMITS[kind]
    if not low <= value <= high:
        raise ValueError(f"found {value} for an integer of the core, expected {low} to {high}")
    return value


class Handle:
    """Owns one opaque object of the core and frees it when no longer referenced.

    Made by calling ``openke_<create>(*args, &handle)``; freed by ``openke_<free>(handle)``.
    Pass it on with :attr:`pointer`, and keep the Handle alive during that call.
    """

    def __init__(self, create: str, *args: object, free: str) -> None:
        out = c_void_p()
        call(create, *args, byref(out))
        self.pointer: int | None = out.value
        weakref.finalize(self, _function(free), out.value).atexit = False


def address(array: NDArray[Any], dtype: type[np.generic], *, writable: bool = False) -> int:
    """Address of a C-contiguous NumPy array of exactly this dtype.

    Raises
    ------
    ValueError
        Another dtype, gaps between rows, or a read-only array where the core writes: things the
        core cannot see.
    """
    if array.dtype != np.dtype(dtype):
        raise ValueError(f"found an array of {array.dtype}, expected {np.dtype(dtype)}")
    if not array.flags.c_contiguous:
        raise ValueError(
            f"found an array of shape {array.shape} with strides {array.strides}, expected a "
            f"C-contiguous one: use numpy.ascontiguousarray"
        )
    if writable and not array.flags.writeable:
        raise ValueError("found a read-only array where the core writes")
    return array.ctypes.data


def reference(value: Structure | c_int32 | c_int64 | c_void_p) -> object:
    """Pointer to a C value, for an out argument or a struct argument."""
    return byref(value)


def copy_bytes(source: int | None, size: int) -> bytes:
    """Copy memory of the core."""
    return (c_char * size).from_address(source).raw if source else b""


def path_bytes(path: str | Path) -> bytes:
    """Return a path as the core takes it, UTF-8."""
    encoded = str(path).encode("utf-8", "surrogateescape")
    if b"\0" in encoded:
        raise ValueError(f"found a null character in the path {str(path)!r}")
    return encoded


__all__ = [
    "ABI_VERSION",
    "SIGNATURES",
    "SLOTS",
    "SPLIT_BITS",
    "Adam",
    "Address",
    "Compare",
    "CompareGradient",
    "Counts",
    "Handle",
    "Int64",
    "Logits",
    "RowGradient",
    "SamplerOptions",
    "address",
    "call",
    "copy_bytes",
    "fitting",
    "library",
    "path_bytes",
    "reference",
]
