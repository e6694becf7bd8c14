"""Packages that only some of it needs, imported where they are used."""

from __future__ import annotations

from typing import Any

from openke.runtime.blas import import_with_blas


def extra(module: str, name: str = "features") -> Any:
    """Import a module of the optional dependencies ``features``, or of others by name.

    Raises
    ------
    ImportError
        It is not installed; the message says how to install it.
    """
    try:
        return import_with_blas(module)
    except ImportError as error:
        raise ImportError(
            f"{module} cannot be imported ({error}); install what it needs with "
            f"pip install 'openke-lbmkgc[{name}]'"
        ) from error
