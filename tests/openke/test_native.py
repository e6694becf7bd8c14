import ctypes
import gc
import platform
import re
import threading
from pathlib import Path

import numpy as np
import pytest

from openke import _native
from openke.data.store import TripleStore

HEADER = Path(__file__).parents[2] / "base" / "c_api.h"
KINDS = {
    "int32_t": ctypes.c_int32,
    "int64_t": ctypes.c_int64,
    "uint64_t": ctypes.c_uint64,
    "double": ctypes.c_double,
}


def declared() -> dict[str, tuple[type, ...]]:
    """Read the functions of the header and the types of their arguments."""
    text = re.sub(r"//.*", "", HEADER.read_text(encoding="utf-8"))
    found = {}
    for name, arguments in re.findall(
        r"OPENKE_API openke_status openke_(\w+)\(([^)]*)\)", text, re.DOTALL
    ):
        found[name] = tuple(
            ctypes.c_void_p
            if "*" in argument
            else KINDS[" ".join(argument.split()[:-1]).removeprefix("const ")]
            for argument in arguments.split(",")
        )
    return found


def kind(declaration: str) -> type:
    """Return the ctypes type of a member of a struct, such as ``const void* table``."""
    if "*" in declaration:
        return ctypes.c_void_p
    name, length = re.fullmatch(r"(\w+) \w+(?:\[(\d+)\])?", declaration).groups()  # type: ignore[union-attr]
    return KINDS[name] * int(length) if length else KINDS[name]


def declared_structs() -> dict[str, list[tuple[str, type]]]:
    """Read the structs of the header: the names and types of their members, in order."""
    text = re.sub(r"//.*", "", HEADER.read_text(encoding="utf-8"))
    found = {}
    for body, name in re.findall(r"typedef struct \{([^}]*)\} openke_(\w+);", text):
        members = [" ".join(member.split()) for member in body.split(";") if member.strip()]
        found[name] = [(re.findall(r"\w+(?=\[|$)", m)[0], kind(m)) for m in members]
    return found


def mirrored_structs() -> dict[str, list[tuple[str, type]]]:
    """Return the fields of ctypes' structs by the header's names: RowGradient is row_gradient."""
    return {
        re.sub(r"(?<!^)(?=[A-Z])", "_", name).lower(): [(f[0], f[1]) for f in struct._fields_]
        for name, struct in vars(_native).items()
        if isinstance(struct, type) and issubclass(struct, ctypes.Structure)
        if struct is not ctypes.Structure
    }


def test_the_signature_table_is_that_of_the_header() -> None:
    assert declared() == _native.SIGNATURES


def test_structs_are_those_of_the_header() -> None:
    assert len(declared_structs()) >= 7
    assert mirrored_structs() == declared_structs()


def test_the_library_has_every_function() -> None:
    for name in _native.SIGNATURES:
        assert _native._function(name).restype is ctypes.c_int32  # type: ignore[attr-defined]


def test_statuses_become_exceptions(tmp_path: Path) -> None:
    out = ctypes.c_void_p()

    def open_store(*paths: Path) -> None:
        encoded = [_native.path_bytes(path) for path in paths]
        _native.call("store_open", *encoded, None, None, _native.reference(out))

    files = [tmp_path / name for name in ("e", "r", "t")]
    files[0].write_text("2\n")
    files[1].write_text("x\n")
    with pytest.raises(ValueError, match=r"r:1: found 'x', expected the number of relations"):
        open_store(*files)
    files[1].write_text("1\n")
    with pytest.raises(FileNotFoundError, match="t: found no such file"):
        open_store(*files)
    with pytest.raises(OSError, match="found a directory, expected a file"):
        open_store(files[0], files[1], tmp_path)


def test_a_missing_library_says_how_to_build_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_native, "_LIBRARY", "_core_of_nowhere.so")
    with pytest.raises(ImportError, match=r"_core_of_nowhere\.so is missing: build it with `pip"):
        _native.library.__wrapped__()


def test_a_broken_library_says_how_to_build_it(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "_core.so").write_text("not a library")
    monkeypatch.setattr(_native, "__file__", str(tmp_path / "_native.py"))
    monkeypatch.setattr(_native, "_LIBRARY", "_core.so")
    with pytest.raises(ImportError, match=r"does not load here .*: build it with"):
        _native.library.__wrapped__()


def test_another_abi_version_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_native, "ABI_VERSION", 99)
    with pytest.raises(ImportError, match="has ABI version 2, this Python code needs 99: build"):
        _native.library.__wrapped__()


def test_a_function_the_library_lacks_is_noticed_at_its_use(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(_native.SIGNATURES, "dream", ())
    with pytest.raises(ImportError, match="the compiled core lacks openke_dream: build it"):
        _native.call("dream")


@pytest.mark.parametrize("value", [2**31, -(2**31) - 1, 2**64])
def test_integers_that_do_not_fit_are_refused(value: int) -> None:
    with pytest.raises(
        ValueError, match=f"found {value} for an integer of the core, expected -214"
    ):
        _native.call("store_triples", None, value, None)


def test_floats_are_not_integers() -> None:
    with pytest.raises(TypeError):
        _native.call("store_triples", None, 1.0, None)


def test_arrays_are_checked() -> None:
    array = np.zeros((4, 4), np.int64)
    assert _native.address(array, np.int64) == array.ctypes.data
    with pytest.raises(ValueError, match="found an array of int64, expected float32"):
        _native.address(array, np.float32)
    with pytest.raises(
        ValueError, match=r"of shape \(4, 2\) with strides \(32, 16\), expected a C-"
    ):
        _native.address(array[:, ::2], np.int64)
    array.flags.writeable = False
    with pytest.raises(ValueError, match="found a read-only array where the core writes"):
        _native.address(array, np.int64, writable=True)


def test_paths_are_checked() -> None:
    assert _native.path_bytes(Path("é")) == "é".encode()
    with pytest.raises(ValueError, match="found a null character in the path"):
        _native.path_bytes("a\0b")


def test_memory_is_copied() -> None:
    source = ctypes.create_string_buffer(b"abc")
    assert _native.copy_bytes(ctypes.addressof(source), 2) == b"ab"
    assert _native.copy_bytes(None, 2) == b""


def test_a_handle_frees_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    freed = []
    monkeypatch.setattr(_native, "_function", lambda name: freed.append)
    monkeypatch.setattr(_native, "call", lambda *args: None)
    handle = _native.Handle("thing", free="thing_free")
    assert not freed
    del handle
    gc.collect()
    assert freed == [None]


def test_errors_do_not_cross_threads() -> None:
    store = TripleStore.from_triples([(0, 0, 1)], entities=2, relations=1)
    messages: dict[int, list[str]] = {}

    def fail(entity: int) -> None:
        messages[entity] = []
        for _ in range(200):
            with pytest.raises(ValueError, match="first is") as info:
                store.known("tail", entity, 0)
            messages[entity].append(str(info.value))

    threads = [threading.Thread(target=fail, args=(entity,)) for entity in (5, 6, 7)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for entity, found in messages.items():
        assert found == [f"first is {entity}; expected 0 to 1 (there are 2 entities)"] * 200


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="only glibc's malloc can be told")
def test_malloc_is_told_to_keep_memory_unless_the_user_says_otherwise(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    kept = ctypes.c_int32()
    _native.call("keep_memory", _native.reference(kept))
    assert kept.value == 1
    for name in ("OPENKE_KEEP_MEMORY", "MALLOC_TRIM_THRESHOLD_", "GLIBC_TUNABLES"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.delenv("MALLOC_MMAP_THRESHOLD_", raising=False)
    assert _native._may_keep_memory()
    monkeypatch.setenv("OPENKE_KEEP_MEMORY", "0")
    assert not _native._may_keep_memory()
    monkeypatch.setenv("OPENKE_KEEP_MEMORY", "1")
    monkeypatch.setenv("MALLOC_TRIM_THRESHOLD_", "65536")
    assert not _native._may_keep_memory()
