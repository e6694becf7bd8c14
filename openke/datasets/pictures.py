"""Folders of pictures: one folder an entity, as mmkb has them, or one file an entity."""

from __future__ import annotations

import hashlib
import os
import unicodedata
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote, unquote

LONGEST = 200
"""Bytes of a folder's name, below every file system's limit."""
ENDINGS = (".jpg", ".jpeg", ".png", ".webp", ".gif", ".bmp", ".tif", ".tiff")
"""Of files beside the folders of entities that are tried; inside such a folder every file is."""
NO_PICTURE = "no picture: JPEG, PNG, WebP, GIF, BMP and TIFF are read"
"""Why one of :attr:`Pictures.unread` is not used."""
NO_FILE = "a link that leads nowhere, or no file"
"""Why one of :attr:`Pictures.broken` is no picture."""
GENERATED = "generated"
"""A picture of this name beside a .json of this name was generated: the .json says how."""


def folder_name(entity: str) -> str:
    """Return the name of an entity's folder: its own, percent-encoded where a path cannot hold it.

    Different entities get different folders; too long a name is cut and ends with a checksum.
    """
    name = quote(entity, safe=" ()_-,'&+")
    if name.startswith("."):
        name = "%2E" + name[1:]
    name = name.removesuffix(".") + "%2E" * name.endswith(".")
    if len(name) <= LONGEST:
        return name
    return f"{name[: LONGEST - 17]}-{hashlib.sha256(entity.encode()).hexdigest()[:16]}"


@dataclass(frozen=True)
class Pictures:
    """Which files are pictures of which entity, as :func:`find_pictures` found them.

    Attributes
    ----------
    files
        Entity -> its files, generated ones last; only entities that have some, in their order.
    unmatched
        Folders and files that are named for no entity.
    ambiguous
        Those that several entities share a short name with; not used.
    outside
        Links that lead out of the folder given; not followed.
    broken
        Entity -> those of its files that are none: links that lead nowhere, pipes.
    unread
        Entity -> files beside the folders that have its name, but neither the ending nor the
        beginning of a picture that is read, such as ``Berlin.svg``.
    """

    files: Mapping[str, tuple[Path, ...]]
    unmatched: tuple[Path, ...] = ()
    ambiguous: tuple[Path, ...] = ()
    outside: tuple[Path, ...] = ()
    broken: Mapping[str, tuple[Path, ...]] = field(default_factory=dict)
    unread: Mapping[str, tuple[Path, ...]] = field(default_factory=dict)


_STARTS = (b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", b"GIF8", b"BM", b"II*\0", b"MM\0*")
"""How files of pictures begin; WebP's have their mark further in."""


def is_picture(file: Path) -> bool:
    """Whether a file begins as a picture does; whether it can be read shows when it is."""
    with file.open("rb") as stream:
        start = stream.read(12)
    return start.startswith(_STARTS) or (start[:4] == b"RIFF" and start[8:] == b"WEBP")


def is_generated(picture: Path) -> bool:
    """Whether a picture was generated, and is not a real one."""
    return picture.stem == GENERATED and picture.with_suffix(".json").is_file()


def find_pictures(folders: Iterable[str | Path], names: Sequence[str]) -> Pictures:
    """Find the pictures of entities.

    A folder or file is an entity's if its name (without a picture's ending) is
    :func:`folder_name` of the entity, else the entity's own name, else the last part of a URI
    ("Berlin" for ``<http://dbpedia.org/resource/Berlin>``) or a Freebase id as mmkb writes it
    ("m.0156q" for ``/m/0156q``). Hidden files and .json files are left out, and so are files with
    other endings than those of pictures that are named for no entity: a README, a list.

    Parameters
    ----------
    folders
        Where to look: ``FOLDER/ENTITY/any.jpg`` and ``FOLDER/ENTITY.png``. The first that has
        pictures of an entity gives them all: real pictures before generated ones.
    names
        The entities.

    Raises
    ------
    FileNotFoundError
        One of the folders is not there.
    """
    names_of = _Names(names)
    files: dict[str, tuple[Path, ...]] = {}
    broken: dict[str, list[Path]] = defaultdict(list)
    unread: dict[str, list[Path]] = defaultdict(list)
    left_out: dict[str, list[Path]] = defaultdict(list)
    for root in map(Path, folders):
        if not root.is_dir():
            raise FileNotFoundError(f"{root}: no such folder, expected one with pictures")
        found: dict[str, list[Path]] = defaultdict(list)
        for place in _visible(root):
            entities = names_of.entities(place.name if place.is_dir() else place.stem)
            other = place.suffix.lower() not in ENDINGS and place.is_file()
            if other and (not entities or place.suffix.lower() == ".json"):
                continue  # a README, a list
            reason = "outside" if _leaves(place, root) else _not_one(entities)
            if reason:
                left_out[reason].append(place)
                continue
            if other and not is_picture(place):
                unread[entities[0]].append(place)
                continue
            for file in _visible(place) if place.is_dir() else [place]:
                if _leaves(file, root):
                    left_out["outside"].append(file)
                elif not file.is_dir() and file.suffix.lower() != ".json":
                    (found if file.is_file() else broken)[entities[0]].append(file)
        for entity, paths in found.items():
            files.setdefault(entity, tuple(sorted(paths, key=_order)))
    ordered = {name: files[name] for name in names if name in files}
    reasons = {reason: tuple(paths) for reason, paths in left_out.items()}
    none, others = (
        {name: tuple(of[name]) for name in names if name in of} for of in (broken, unread)
    )
    return Pictures(ordered, broken=none, unread=others, **reasons)


class _Names:
    """Which entities a name on disk stands for, by the most exact reading that knows it."""

    def __init__(self, names: Sequence[str]) -> None:
        readings = (lambda name: [folder_name(name)], lambda name: [name], _short)
        self._tables: list[dict[str, list[str]]] = []
        for reading in readings:
            table = defaultdict(list)
            for name in names:
                for form in dict.fromkeys(map(_composed, reading(name))):
                    table[form].append(name)
            self._tables.append(dict(table))

    def entities(self, name: str) -> list[str]:
        return next((t[_composed(name)] for t in self._tables if _composed(name) in t), [])


def _short(name: str) -> list[str]:
    """Return the last part of a URI as it is, decoded and encoded, and mmkb's Freebase ids."""
    name = name.removeprefix("<").removesuffix(">")
    if "/" not in name:
        return []
    last = name.rstrip("/").rpartition("/")[2]
    freebase = [name[1:].replace("/", ".")] if name.startswith("/") else []
    return [last, unquote(last), folder_name(last), folder_name(unquote(last)), *freebase]


def _composed(name: str) -> str:
    # Some file systems take accents apart.
    return unicodedata.normalize("NFC", name)


def _visible(folder: Path) -> list[Path]:
    return sorted(path for path in folder.iterdir() if not path.name.startswith("."))


def _leaves(path: Path, root: Path) -> bool:
    return path.is_symlink() and not Path(os.path.realpath(path)).is_relative_to(root.resolve())


def _not_one(entities: Sequence[str]) -> str:
    return "" if len(entities) == 1 else "ambiguous" if entities else "unmatched"


def _order(path: Path) -> tuple[bool, str, Path]:
    return is_generated(path), path.name, path
