"""Packages that only features need, imported where they are used."""

from __future__ import annotations

from importlib import import_module
from typing import Any


def extra(module: str) -> Any:
    """Import a module of the optional dependencies ``features``.

    Raises
    ------
    ImportError
        It is not installed; the message says how to install it.
    """
    try:
        return import_module(module)
    except ImportError as error:
        raise ImportError(
            f"{module} cannot be imported ({error}); install what features need with "
            "pip install 'openke-lbmkgc[features]'"
        ) from error
