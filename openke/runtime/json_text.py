"""JSON is read here, whoever wrote it."""

from __future__ import annotations

import json
from typing import Any


def read_json(text: str | bytes) -> Any:
    """Return the value of a JSON text.

    Raises
    ------
    ValueError
        It is none, or is nested so deeply that no reader follows.
    """
    try:
        return json.loads(text)
    except RecursionError:
        raise ValueError("nested too deeply, expected JSON of a few levels") from None
