"""Folders of pictures: one folder an entity, as mmkb has them."""

from __future__ import annotations

import hashlib
from urllib.parse import quote

LONGEST = 200
"""Bytes of a folder's name, below every file system's limit."""


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
