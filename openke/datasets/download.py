"""Data sets from the net: fetched file by file, checked, put together and then given their name.

Files arrive in ``CACHE/downloads`` under temporary names and get their own when their SHA-256 is
right, so a run that is cut off leaves checked files only, and the next one fetches what is missing.
The data set appears in ``CACHE/datasets/NAME`` when all of it is there.
"""

from __future__ import annotations

import logging
import os
import shutil
from collections.abc import Sequence
from hashlib import sha1, sha256
from pathlib import Path
from typing import Any

import pooch
from tqdm import tqdm

from openke.datasets.joins import JOINS
from openke.datasets.registry import HOST, Join, KnownDataSet, RemoteFile
from openke.runtime.folders import draft_of
from openke.runtime.progress import has_bars, say

SECONDS_TO_ANSWER = 30
GIT = "git:"
"""Heads the id that Git knows a file's content by: SHA-1 of "blob", its size, and the content."""


def mirror() -> str:
    """Return the server that files come from: ``OPENKE_MIRROR`` or :data:`HOST`.

    A mirror holds ``OWNER/REPOSITORY/COMMIT/PATH`` for each file of the registry.
    """
    return os.environ.get("OPENKE_MIRROR", HOST).rstrip("/") + "/"


def download(name: str, data_set: KnownDataSet, cache: Path, *, retries: int = 2) -> Path:
    """Fetch, check and put together a data set in the cache; return its folder.

    Parameters
    ----------
    name
        Name its folder gets.
    data_set
        Its files, and what is joined to them.
    cache
        Folder of all downloads.
    retries
        Further tries for each file, after a pause.

    Raises
    ------
    OSError
        A file cannot be fetched or written, or is not the one registered; the message has its
        address. Whatever was fetched before is kept for the next try.
    """
    fetched = _fetch_all(name, data_set.downloads, cache / "downloads", retries)
    target = cache / "datasets" / name
    with draft_of(target) as draft:
        folder = draft / name
        folder.mkdir()
        for file, remote in data_set.files.items():
            shutil.copyfile(fetched[remote.path], folder / file)
        for join in data_set.joins:
            _join(folder, join, [fetched[source.path] for source in join.sources])
        _publish(folder, target)
    return target


def _fetch_all(
    name: str, files: Sequence[RemoteFile], folder: Path, retries: int
) -> dict[str, Path]:
    """Return where each file lies, having fetched those not there yet."""
    pooch.get_logger().setLevel(logging.WARNING)  # the bars say what is going on
    store = pooch.create(
        path=folder,
        base_url=mirror(),
        registry={file.path: _known_to_pooch(file) for file in files},
        retry_if_failed=retries,
    )
    fetched = {}
    for number, file in enumerate(files, start=1):
        title = f"{name} {number}/{len(files)} {Path(file.path).name}"
        # total: the server says it later, but a bar without one has no truth value.
        hidden = not has_bars()
        with tqdm(
            desc=title, total=1, unit="B", unit_scale=True, disable=hidden, leave=False
        ) as bar:
            get = _Downloader(file, title, progressbar=bar, timeout=SECONDS_TO_ANSWER)
            try:
                fetched[file.path] = Path(store.fetch(file.path, downloader=get))
            except (OSError, ValueError) as error:  # requests' errors are OSErrors
                raise OSError(f"{mirror()}{file.path}: {_reason(error)}") from error
    return fetched


def _known_to_pooch(file: RemoteFile) -> str | None:
    return None if file.checksum.startswith(GIT) else f"sha256:{file.checksum}"


class _Downloader(pooch.HTTPDownloader):  # type: ignore[misc]
    """Fetches a file; checks what pooch cannot, before the file gets its name."""

    def __init__(self, file: RemoteFile, title: str, **options: Any) -> None:
        super().__init__(**options)
        self.file = file
        self.title = title

    def __call__(self, url: str, output_file: str, *rest: Any, **options: Any) -> None:
        """Fetch ``url`` into ``output_file``, a temporary name."""
        super().__call__(url, output_file, *rest, **options)
        if self.file.checksum.startswith(GIT):
            content = Path(output_file).read_bytes()
            found = sha1(b"blob %d\0" % len(content) + content).hexdigest()
            if GIT + found != self.file.checksum:
                raise ValueError(f"{GIT}{found} instead of {self.file.checksum}")
        if not has_bars():
            say(f"fetched {self.title}, {Path(output_file).stat().st_size:,} bytes")


def _reason(error: Exception) -> str:
    import requests.exceptions as http  # late: it is slow to load and rarely needed

    if isinstance(error, ValueError) and not isinstance(error, OSError):
        return f"wrong checksum: {str(error).split('. ')[0]}"
    if isinstance(error, http.HTTPError) and error.response is not None:
        return f"the server answers {error.response.status_code} {error.response.reason}"
    if isinstance(error, http.ChunkedEncodingError):
        return f"the file breaks off: {error}"
    if isinstance(error, http.Timeout):
        return f"no answer in {SECONDS_TO_ANSWER} seconds"
    if isinstance(error, http.ConnectionError):
        return "no connection to the server"
    return str(error)


def _join(folder: Path, join: Join, sources: Sequence[Path]) -> None:
    try:
        joined = JOINS[join.join](folder, *sources)
    except (ValueError, KeyError) as error:
        written = ", ".join(join.results)
        raise OSError(f"{written} of {folder.name} cannot be joined: {error}") from error
    for file, text in joined.items():
        content = text.encode("utf-8")
        found = sha256(content).hexdigest()
        if found != join.results[file]:
            raise OSError(
                f"joined {file} of {folder.name} has SHA-256 {found}, expected {join.results[file]}"
            )
        (folder / file).write_bytes(content)


def _publish(folder: Path, target: Path) -> None:
    """Give a complete folder its name; one already there gets the files, each whole."""
    try:
        folder.rename(target)
    except OSError:
        if not target.is_dir():
            raise
        for file in folder.iterdir():
            file.replace(target / file.name)
