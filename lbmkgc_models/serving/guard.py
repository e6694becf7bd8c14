"""What is refused before it is read: foreign hosts and pages, too much, and too slow."""

from __future__ import annotations

import re
from collections.abc import Iterator

import anyio
from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from lbmkgc_models.serving.limits import Limits

SAFE = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; "
    "img-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-cache",
}
"""Headers of every answer: the page loads nothing from elsewhere, and no other page shows it."""
HOST = re.compile(r"(?:\[([^\]]*)\]|([^:]*))(?::\d+)?")
"""A host with or without a port; addresses of IPv6 stand in brackets."""


class Guard:
    """Stands before an application.

    Parameters
    ----------
    app
        What it passes requests to, their bodies read.
    limits
        Bytes and seconds of a request.
    hosts
        Names that the server may be called by, without ports; None takes any. On a loopback
        address others are those of foreign pages that point their own names at this machine.
    """

    def __init__(self, app: ASGIApp, limits: Limits, hosts: frozenset[str] | None = None) -> None:
        self.app, self.limits, self.hosts = app, limits, hosts

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, or pass it on."""
        if scope["type"] != "http":
            return await self.app(scope, receive, send)

        async def send_safely(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in SAFE.items():
                    headers.setdefault(name, value)
            await send(message)

        headers = Headers(scope=scope)
        refused = next(self._refusals(headers), None)
        if refused is None and scope["method"] not in ("GET", "HEAD"):
            body = await self._read(headers, receive)
            if isinstance(body, bytes):
                receive = _of(body, receive)
            else:
                refused = body
        if refused is not None:
            status, reason = refused
            return await JSONResponse({"detail": reason}, status)(scope, receive, send_safely)
        return await self.app(scope, receive, send_safely)

    def _refusals(self, headers: Headers) -> Iterator[tuple[int, str]]:
        host = headers.get("host", "")
        found = HOST.fullmatch(host)
        if self.hosts is not None and not (found and set(found.groups()) & self.hosts):
            yield 400, f"this server answers on this machine alone, not as {host[:100]!r}"
        origin = headers.get("origin")
        if origin is not None and origin.partition("://")[2] != host:
            yield 403, "this server takes no requests from other pages"
        length = headers.get("content-length", "0")
        if not length.isdecimal() or int(length) > self.limits.upload:
            yield self._too_large()

    async def _read(self, headers: Headers, receive: Receive) -> bytes | tuple[int, str]:
        """Return a body, or why it is refused."""
        parts, size = [], 0
        with anyio.move_on_after(self.limits.seconds):
            while True:
                message = await receive()
                if message["type"] == "http.disconnect":
                    return 400, "the request ended in the middle"
                parts.append(message.get("body", b""))
                size += len(parts[-1])
                if size > self.limits.upload:
                    return self._too_large()
                if not message.get("more_body"):
                    return b"".join(parts)
        return 408, f"the request took more than {self.limits.seconds:g} seconds to arrive"

    def _too_large(self) -> tuple[int, str]:
        return 413, f"the request is too large: expected at most {self.limits.upload:,} bytes"


def _of(body: bytes, rest: Receive) -> Receive:
    """Return what gives a body once, and then waits for the end of the connection."""
    given = False

    async def receive() -> Message:
        nonlocal given
        if given:
            return await rest()
        given = True
        return {"type": "http.request", "body": body, "more_body": False}

    return receive
