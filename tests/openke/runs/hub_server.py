"""A server that speaks enough of the Hub's API for uploads and downloads of one repository."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

REPOSITORY = "me/toy"
API = f"/api/models/{REPOSITORY}"
COMMIT = "a" * 40


class Hub(ThreadingHTTPServer):
    """One repository, empty at first.

    Attributes
    ----------
    files
        Content by path.
    large
        Content by SHA-256 of what was uploaded apart, as files of weights are.
    private
        What it was made as; None before it was made.
    """

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Answers)
        self.address = f"http://127.0.0.1:{self.server_address[1]}"
        self.files: dict[str, bytes] = {}
        self.large: dict[str, bytes] = {}
        self.private: bool | None = None


class Answers(BaseHTTPRequestHandler):
    """What the server answers."""

    server: Hub

    def do_HEAD(self) -> None:
        self.do_GET()

    def do_GET(self) -> None:
        path = self.path.partition("?")[0]
        name = path.partition("/resolve/")[2].partition("/")[2]
        if path.startswith(f"{API}/tree"):
            entries = [
                {"type": "file", "path": each, "size": len(content), "oid": "0" * 40}
                for each, content in self.server.files.items()
            ]
            self.say(entries)
        elif path.startswith(API) and self.server.private is not None:
            about = {"id": REPOSITORY, "sha": COMMIT, "private": self.server.private, "tags": []}
            self.say({**about, "siblings": [{"rfilename": each} for each in self.server.files]})
        elif path.startswith(f"/{REPOSITORY}/") and name in self.server.files:
            self.send(200, self.server.files[name], "application/octet-stream")
        else:
            self.send(404, b"", "text/plain", **{"X-Error-Code": "EntryNotFound"})

    def do_POST(self) -> None:
        path, content = self.path.partition("?")[0], self.body()
        if path == "/api/repos/create":
            asked = json.loads(content)  # by either word, as the client's releases do
            self.server.private = asked.get("private") or asked.get("visibility") == "private"
            self.say({"url": f"{self.server.address}/{REPOSITORY}", "id": REPOSITORY})
        elif path == "/api/validate-yaml":
            self.say({"errors": [], "warnings": []})
        elif path == f"{API}/preupload/main":
            paths = [each["path"] for each in json.loads(content)["files"]]
            modes = {p: "lfs" if p.endswith(".safetensors") else "regular" for p in paths}
            said = [{"path": p, "uploadMode": modes[p], "shouldIgnore": False} for p in paths]
            self.say({"files": said})
        elif path == f"/{REPOSITORY}.git/info/lfs/objects/batch":
            self.say(
                {"transfer": "basic", "objects": [*map(self.place, json.loads(content)["objects"])]}
            )
        elif path == f"{API}/commit/main":
            self.commit([json.loads(line) for line in content.splitlines() if line.strip()])
        else:
            self.send(404, b"", "text/plain")

    def do_PUT(self) -> None:
        content = self.body()
        assert self.path == f"/large/{hashlib.sha256(content).hexdigest()}"
        self.server.large[self.path.rpartition("/")[2]] = content
        self.send(200, b"", "text/plain")

    def place(self, wanted: dict[str, Any]) -> dict[str, Any]:
        """Return where a large file is to be uploaded to."""
        href = f"{self.server.address}/large/{wanted['oid']}"
        return {"oid": wanted["oid"], "size": wanted["size"], "actions": {"upload": {"href": href}}}

    def commit(self, operations: list[dict[str, Any]]) -> None:
        for operation in operations:
            value = operation["value"]
            if operation["key"] == "file":
                self.server.files[value["path"]] = base64.b64decode(value["content"])
            elif operation["key"] == "lfsFile":
                self.server.files[value["path"]] = self.server.large[value["oid"]]
        address = f"{self.server.address}/{REPOSITORY}/commit/{COMMIT}"
        self.say({"success": True, "commitOid": COMMIT, "commitUrl": address, "hookOutput": ""})

    def body(self) -> bytes:
        """Return what was sent, in one piece or in chunks."""
        if self.headers.get("Transfer-Encoding") != "chunked":
            return self.rfile.read(int(self.headers.get("Content-Length", 0)))
        parts = []
        while size := int(self.rfile.readline(), 16):
            parts.append(self.rfile.read(size))
            self.rfile.readline()
        self.rfile.readline()
        return b"".join(parts)

    def say(self, content: Any) -> None:
        self.send(200, json.dumps(content).encode(), "application/json")

    def send(self, status: int, content: bytes, kind: str, **headers: str) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(content)))
        self.send_header("X-Repo-Commit", COMMIT)
        self.send_header("ETag", f'"{hashlib.sha1(content).hexdigest()}"')
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content)

    def log_message(self, *_: Any) -> None:
        pass


@contextmanager
def running() -> Iterator[Hub]:
    """Return a server that answers while it lasts."""
    with Hub() as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield server
        server.shutdown()
