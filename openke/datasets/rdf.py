"""Triples of RDF files, N-Triples and Turtle, by the package pyoxigraph."""

from __future__ import annotations

import gzip
import re
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

from openke.datasets.tables import BadRows

RDF_KINDS = {
    "ntriples": "an N-Triple: <subject> <predicate> <object> .",
    "turtle": "Turtle",
}
"""Formats, and what is expected of a file."""
STRING = "<http://www.w3.org/2001/XMLSchema#string>"
"""The type of a literal that names none."""
LITERALS = "triples with literals, which --literals keeps"
LONGEST = 300
"""Characters that a listed triple is shown with."""
_ESCAPES = str.maketrans({"\\": r"\\", '"': r"\"", "\n": r"\n", "\r": r"\r", "\t": r"\t"})
_UNNAMED = re.compile("[0-9a-f]{24,32}")
"""What the parser calls a blank node that has no name in the file: a number of 128 bits by
chance, without leading zeros."""


def read_rdf(
    path: Path, kind: str, literals: bool = False, bad: BadRows | None = None
) -> Iterator[tuple[str, str, str]]:
    """Yield triples, terms as N-Triples write them: ``<address>``, ``_:node``, ``"text"``.

    Blank nodes keep the names they have in the file; those without are numbered in their order.

    Parameters
    ----------
    path
        The file, which gzip may have packed.
    kind
        One of :data:`RDF_KINDS`.
    literals
        Keep triples whose object is a literal; else they are left out.
    bad
        Lists these.

    Raises
    ------
    ImportError
        pyoxigraph is not installed.
    ValueError
        Not such a file; names file and line.
    """
    try:
        from pyoxigraph import Literal as RdfLiteral
        from pyoxigraph import RdfFormat, parse
    except ImportError as error:
        raise ImportError(
            f"{path}: reading RDF needs the package pyoxigraph: pip install 'openke-lbmkgc[rdf]'"
        ) from error
    format = {"ntriples": RdfFormat.N_TRIPLES, "turtle": RdfFormat.TURTLE}[kind]
    numbers: dict[str, str] = {}
    try:
        with _open(path) as stream:
            for found in parse(stream, format=format):
                subject, predicate = name_of(str(found.subject), numbers), str(found.predicate)
                if not isinstance(found.object, RdfLiteral):
                    yield subject, predicate, name_of(str(found.object), numbers)
                elif literals:
                    yield subject, predicate, _quoted(found.object)
                elif bad is not None:
                    said = f"{subject} {predicate} {_quoted(found.object)}"
                    bad.leave_out(str(path), f"a literal: {said[:LONGEST]}", LITERALS)
    except MemoryError as error:  # of the parser's own, whose terms are of 16 MiB at most
        raise ValueError(f"{path}: a term too long to read: {error}") from error
    except SyntaxError as error:
        reason = re.sub(r"^Parser error at line \d+.*?: ", "", str(error.msg))
        raise ValueError(f"{path}:{error.lineno}: {reason}; expected {RDF_KINDS[kind]}") from error
    except (gzip.BadGzipFile, EOFError, zlib.error) as error:
        raise ValueError(f"{path}: not a whole file of gzip: {error}") from error


def _open(path: Path) -> IO[bytes]:
    packed = path.name.endswith(".gz")
    return gzip.open(path, "rb") if packed else path.open("rb")  # type: ignore[return-value]


def name_of(term: str, numbers: dict[str, str]) -> str:
    """Return the name of a node: of a blank node without one its number in ``numbers``."""
    if not (term.startswith("_:") and _UNNAMED.fullmatch(term, 2)):
        return term
    return numbers.setdefault(term, f"_:blank{len(numbers) + 1}")


def _quoted(literal: Any) -> str:
    """Return a literal as N-Triples write it, on one line."""
    text = f'"{literal.value.translate(_ESCAPES)}"'
    if literal.language:
        return f"{text}@{literal.language}"
    return text if str(literal.datatype) == STRING else f"{text}^^{literal.datatype}"
