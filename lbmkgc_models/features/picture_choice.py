"""Which pictures of each entity are encoded, and which are skipped for what reason."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from lbmkgc_models.feature_store.manifest import Value
from lbmkgc_models.features.read_image import BadPicture, check_header
from openke.datasets.pictures import NO_FILE, NO_PICTURE, Pictures, is_generated
from openke.runtime.files import sha256_of

MAX_PICTURES = 5
"""The most pictures of an entity that are used, unless more are asked for."""


@dataclass(frozen=True)
class Picture:
    """A file that an entity's row is made of."""

    entity: str
    path: Path
    sha256: str
    generated: bool

    @property
    def key(self) -> str:
        """What stands for it in a recipe: its content, not its place."""
        return f"{self.entity}\t{self.sha256}\t{'generated' if self.generated else 'real'}"


@dataclass(frozen=True)
class Skip:
    """A file that is no good, and why."""

    entity: str
    path: Path
    kind: str
    reason: str

    @classmethod
    def of(cls, entity: str, path: Path, error: BadPicture) -> Skip:
        """Return the skip that an error makes."""
        return cls(entity, path, error.kind, error.reason)

    def line(self, folders: Sequence[Path]) -> str:
        """Return entity, file and reason with tabs between them; the file below its folder."""
        below = [self.path.relative_to(f) for f in folders if self.path.is_relative_to(f)]
        fields = (self.entity, str(below[0] if below else self.path), self.reason)
        line = "\t".join(" ".join(field.split()) for field in fields)
        # A name on disk need not be UTF-8.
        return line.encode(errors="backslashreplace").decode()


@dataclass(frozen=True)
class Choice:
    """What :func:`choose_pictures` chose.

    Attributes
    ----------
    used
        Pictures entity by entity.
    skipped
        Files whose beginning shows that they are no good, and links that lead to none.
    further
        How many pictures there are beyond those asked for; they were not looked at.
    """

    used: tuple[Picture, ...]
    skipped: tuple[Skip, ...]
    further: int


def choose_pictures(found: Pictures, *, max_pictures: int, max_pixels: int) -> Choice:
    """Take the first ``max_pictures`` of each entity that are pictures by their first bytes."""
    used: list[Picture] = []
    skipped: list[Skip] = []
    further = 0
    for entity, paths in found.broken.items():
        skipped += [Skip(entity, path, "no file", NO_FILE) for path in paths]
    for entity, paths in found.unread.items():
        skipped += [Skip(entity, path, "not a picture", NO_PICTURE) for path in paths]
    for entity, paths in found.files.items():
        taken = 0
        for path in paths:
            if taken == max_pictures:
                further += 1
                continue
            try:
                check_header(path, max_pixels=max_pixels)
            except BadPicture as error:
                skipped.append(Skip.of(entity, path, error))
                continue
            used.append(Picture(entity, path, sha256_of(path), is_generated(path)))
            taken += 1
    return Choice(tuple(used), tuple(skipped), further)


def count_skips(skipped: Sequence[Skip]) -> dict[str, Value]:
    """Return notes for a manifest: how many were skipped, in all and of each kind."""
    kinds = Counter(skip.kind for skip in skipped)
    each = {f"pictures skipped: {kind}": count for kind, count in sorted(kinds.items())}
    return {"pictures skipped": len(skipped), **each}


def skips_table(skipped: Sequence[Skip], folders: Sequence[Path]) -> str:
    """Return the content of ``skipped.tsv``: a header, then a line for each."""
    return "".join(
        f"{line}\n" for line in ("entity\tfile\treason", *(skip.line(folders) for skip in skipped))
    )
