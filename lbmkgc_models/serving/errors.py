"""What is said of bad input: a status and one sentence."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager

from fastapi import FastAPI, HTTPException, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse

from lbmkgc_models.serving.served import Conflict
from openke.runtime.script import said_of, shortened

ROW = re.compile(r"^the new entities, row 1: ")
"""How messages on a table of entities begin, of which there is one row here."""
TYPES = ("int", "constrained-str")
"""Parts of a place that say which of several types was tried."""


@contextmanager
def refusing() -> Iterator[None]:
    """Turn the errors of what somebody asked for into a 4xx, and of what is missing into a 503."""
    try:
        yield
    except Conflict as error:
        raise HTTPException(409, shortened(said_of(error))) from error
    except ValueError as error:
        raise HTTPException(422, ROW.sub("", shortened(said_of(error)))) from error
    except (ImportError, OSError) as error:
        raise HTTPException(503, f"the server cannot do it: {shortened(said_of(error))}") from error


def say_in_one_sentence(app: FastAPI) -> None:
    """Let an application say what is wrong with a request in one sentence."""

    @app.exception_handler(RequestValidationError)
    async def invalid(request: Request, error: RequestValidationError) -> JSONResponse:
        errors = error.errors()
        # Where several types are taken, that a value is none of another type says little.
        one = next((e for e in errors if not e["type"].endswith("_type")), errors[0])
        place = ".".join(str(part) for part in one["loc"] if part not in TYPES)
        return JSONResponse({"detail": shortened(f"{place}: {one['msg']}")}, 422)
