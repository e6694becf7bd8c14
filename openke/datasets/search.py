"""Where a data set is: given by the user, on the search path, in the cache, or on the net."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pooch

from openke.datasets.download import download, mirror
from openke.datasets.registry import DATA_SETS, KnownDataSet, Provider
from openke.runtime.names import did_you_mean

CHECKOUT = Path(__file__).resolve().parents[2]
BUNDLED = Path(__file__).resolve().parents[1] / "bundled"
"""Graphs that a wheel holds; a checkout has them in ``benchmarks``."""
SEARCH_PATH = "OPENKE_DATA"
"""Environment variable: folders that hold data sets, separated as those of PATH."""
NEEDED = ("entity2id.txt", "relation2id.txt", "train2id.txt")


def find_dataset(
    name: str,
    data: str | os.PathLike[str] | None = None,
    *,
    known: Mapping[str, Provider] | None = None,
) -> Path:
    """Return the folder of a data set, downloading it where it is nowhere on this machine.

    In this order: ``data``; the folders of the environment variable ``OPENKE_DATA``, separated
    as those of ``PATH``; ``benchmarks/NAME`` below the working folder and below the checkout of
    this package, or what its wheel holds; the cache (``OPENKE_CACHE``, else the system's place for
    caches); the public repository the set is registered with (``OPENKE_MIRROR`` names another
    server).

    Parameters
    ----------
    name
        Name of the data set, such as ``"DB15K"``.
    data
        A folder that is the data set or holds a folder ``name``. Where it is given, no other
        place is tried.
    known
        Data sets that can be downloaded; by default all registered ones.

    Raises
    ------
    FileNotFoundError
        ``data`` is not the data set, or it is nowhere on this machine and cannot be downloaded;
        the message names every place looked at and what to do.
    ValueError
        ``name`` is on no search path and not registered, or is not the name of a folder; or it is
        a file, or a folder that is no data set.
    """
    if not name or name in (".", "..") or Path(name).name != name:
        _refuse_what_is_there(name)
        raise ValueError(
            f"data set {name!r} is no folder with {', '.join(NEEDED)}, and no name; expected one "
            "such as 'DB15K'"
        )
    if data is not None:
        return _given(name, Path(data))
    known = DATA_SETS if known is None else known
    looked = []
    for place, said_by in _places(name):
        if not missing_files(place):
            return place
        looked.append(f"{place} ({said_by}: {_what_is_wrong(place)})")
    if not os.environ.get("OPENKE_DATA"):
        looked.append("OPENKE_DATA (not set)")
    if name not in known:
        _refuse_what_is_there(name)
        names = sorted({*known, *datasets_here()}, key=str.lower)
        raise ValueError(
            f"data set {name!r} is not known{did_you_mean(name, names)}; expected one of "
            f"{', '.join(names)}, or a folder with {', '.join(NEEDED)}, itself or in a folder of "
            f"OPENKE_DATA; looked in {'; '.join(looked)}"
        )
    source = known[name]
    if not isinstance(source, KnownDataSet):
        return _made(name, source)
    try:
        return download(name, source, cache_folder())
    except OSError as error:
        raise FileNotFoundError(
            f"data set {name!r} is not on this machine and cannot be downloaded: {error}. "
            f"Looked in {'; '.join(looked)}; then at {mirror()}. Set OPENKE_DATA to the folder "
            f"that holds {name}, or give its folder in place of the name; or download "
            f"{', '.join(source.files)} by hand from {source.page} into {_cached(name)}; "
            "or set OPENKE_MIRROR to a server that has it"
        ) from error


def folder_of(dataset: str, data: str | os.PathLike[str] | None = None) -> Path:
    """Return the folder that a command's DATASET means: itself, or see :func:`find_dataset`."""
    return Path(dataset) if Path(dataset).is_dir() else find_dataset(dataset, data)


def _made(name: str, make: Callable[[], Path]) -> Path:
    """Return the folder that a function of another package returns."""
    folder = Path(make())
    if missing_files(folder):
        raise FileNotFoundError(
            f"data set {name!r}: {folder}, which its package returns: {_what_is_wrong(folder)}"
        )
    return folder


def missing_files(folder: Path) -> list[str]:
    """Return which of the files every data set needs a folder lacks."""
    return [file for file in NEEDED if not (folder / file).is_file()]


def datasets_here() -> dict[str, Path]:
    """Return the data sets that are on this machine, by name; the first place that has one wins."""
    found: dict[str, Path] = {}
    for root, _ in _roots():
        for folder in (root, *sorted(root.iterdir())) if root.is_dir() else ():
            if not missing_files(folder):
                found.setdefault(folder.resolve().name, folder)
    return found


def cache_folder() -> Path:
    """Return the folder of downloads: ``OPENKE_CACHE``, else the system's place for caches."""
    chosen = os.environ.get("OPENKE_CACHE")
    return Path(chosen).expanduser() if chosen else Path(pooch.os_cache("openke"))


def _given(name: str, data: Path) -> Path:
    candidates = (data, data / name)
    for folder in candidates:
        if not missing_files(folder):
            return folder
    raise FileNotFoundError(
        f"no data set {name!r} in the given folder: "
        + "; ".join(f"{folder}: {_what_is_wrong(folder)}" for folder in candidates)
        + f"; expected {', '.join(NEEDED)} in one of them"
    )


def _places(name: str) -> Iterator[tuple[Path, str]]:
    """Yield folders to look at and what led to them."""
    for root, said_by in _roots():
        # The search path may also name the data set's own folder.
        itself = said_by == SEARCH_PATH and root.name == name
        yield (root if itself else root / name), said_by


def _roots() -> Iterator[tuple[Path, str]]:
    """Yield the folders that may hold data sets, and what leads to them."""
    for entry in filter(None, os.environ.get(SEARCH_PATH, "").split(os.pathsep)):
        yield Path(entry).expanduser(), SEARCH_PATH
    here, checkout = Path("benchmarks"), CHECKOUT / "benchmarks"
    yield here, "working folder"
    if here.resolve() != checkout:
        yield checkout, "checkout"
    if BUNDLED.is_dir():
        yield BUNDLED, "this package"
    yield cache_folder() / "datasets", "cache"


def _cached(name: str) -> Path:
    return cache_folder() / "datasets" / name


def _refuse_what_is_there(path: str) -> None:
    """Raise ``ValueError`` where a path is there, and so was meant, but is no data set."""
    if path and Path(path).is_dir():
        raise ValueError(
            f"{path} is a folder but lacks {', '.join(missing_files(Path(path)))}: expected a data "
            "set; 'openke import' makes one of files of triples"
        )
    if Path(path).is_file():
        raise ValueError(
            f"{path} is a file, expected a data set; make one of its triples by 'openke import "
            f"{path} --out FOLDER'"
        )


def _what_is_wrong(folder: Path) -> str:
    if not folder.exists():
        return "no such folder"
    if not folder.is_dir():
        return "not a folder"
    return f"lacks {', '.join(missing_files(folder))}"
