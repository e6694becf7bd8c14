"""TOML is read here: by the standard library, or its forerunner on Python 3.10."""

from __future__ import annotations

import sys
from typing import Any

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib


def read_toml(text: str) -> dict[str, Any]:
    """Return the tables of a TOML document.

    Raises
    ------
    ValueError
        It is none; the message has line and column, and the usual reason.
    """
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ValueError(f"not TOML, in which texts need quotes: {error}") from error
    except RecursionError:
        raise ValueError("nested too deeply, expected TOML of a few levels") from None
