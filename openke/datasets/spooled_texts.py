"""Labels and texts of many entities, kept in a file and not in memory."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryFile, gettempdir
from typing import IO

from openke.runtime.files import naming


class SpooledTexts(Mapping[str, tuple[str, str]]):
    """Label and text by the name of an entity, each of them on one line and without tabs.

    Parameters
    ----------
    folder
        Where the file is, which has no name and is gone with this object; by default where
        temporary files are.
    """

    def __init__(self, folder: Path | None = None) -> None:
        self._folder = Path(gettempdir()) if folder is None else folder
        try:
            self._file: IO[bytes] = TemporaryFile(dir=self._folder)  # noqa: SIM115, close() does
        except OSError as error:  # which names a file that nobody asked for
            raise OSError(error.errno, error.strerror, str(self._folder)) from error
        self._begin: dict[str, int] = {}
        self._end = 0

    def add(self, name: str, label: str, text: str) -> None:
        """Keep what is said of an entity, of which nothing was said before."""
        self._begin[name] = self._end
        with naming(self._folder):
            self._end += self._file.write(f"{label}\t{text}\n".encode())

    def __getitem__(self, name: str) -> tuple[str, str]:
        with naming(self._folder):
            self._file.seek(self._begin[name])  # which writes what is not yet written
        label, _, text = self._file.readline().decode().rstrip("\n").partition("\t")
        return label, text

    def __iter__(self) -> Iterator[str]:
        return iter(self._begin)

    def __len__(self) -> int:
        return len(self._begin)

    def close(self) -> None:
        """Let go of the file, and of what is not yet written."""
        with suppress(OSError):
            self._file.close()
