"""Measure a server's requests a second and how long one takes, on the loopback address.

Serves a run of a small training, and asks it by one client and by several at once. Clients and
server share the machine.

    python benchmarks/speed_serving.py
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from http.client import HTTPConnection
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from common.measuring import RESULTS
from tabulate import tabulate

from lbmkgc_models.runs import default_recipe
from lbmkgc_models.runs.experiment import run as train
from openke.runs.experiment import RunOptions
from openke.runtime.environment import environment
from openke.runtime.files import write_text
from openke.runtime.json_text import read_json
from openke.runtime.script import run_script


@dataclass(frozen=True, kw_only=True)
class Settings:
    """Options of this script."""

    run: Path | None = None
    """Folder of a run; by default LBMKGC is trained on Factbook for an epoch."""
    clients: tuple[int, ...] = (1, 8, 32)
    """How many ask at once."""
    seconds: float = 5
    """How long each row takes."""
    out: Path = RESULTS
    """Folder for speed_serving.json."""
    quick: bool = False
    """One client and a second a row, to see that the script runs; nothing is written."""


@dataclass(frozen=True, kw_only=True)
class Row:
    """What some clients got of one kind of request."""

    request: str
    clients: int
    per_second: float
    p50_ms: float
    p99_ms: float


Request = tuple[str, str, str | None]
"""Method, address and body."""


def requests(about: dict[str, int]) -> dict[str, list[Request]]:
    """Return requests of each kind; no two alike, as far as there are that many."""
    draw = np.random.default_rng(0)
    pairs = draw.integers((about["entities"], about["relations"]), size=(1000, 2)).tolist()
    queries = [{"head": head, "relation": relation} for head, relation in pairs]

    def asked(some: list[dict[str, int]]) -> Request:
        return "POST", "/api/answers", json.dumps({"queries": some, "k": 10})

    return {
        "ten answers to a query": [asked([query]) for query in queries],
        "ten answers to each of 100 queries": [
            asked(queries[i : i + 100]) for i in range(0, 1000, 100)
        ],
        "why": [
            ("GET", f"/api/why?head={head}&relation={relation}&tail={tail}", None)
            for (head, relation), (tail, _) in zip(pairs, reversed(pairs), strict=True)
        ],
        "names that fit": [
            ("GET", f"/api/entities?q={a}{b}", None) for a in "abcdeimnost" for b in "aeiou"
        ],
    }


@contextmanager
def served(run: Path) -> Iterator[tuple[str, int]]:
    """Yield host and port of a server in a process of its own."""
    command = [sys.executable, "-m", "openke.cli", "serve", str(run), "--port", "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        try:
            line = next((line for line in server.stdout if "http://" in line), "")
            found = re.search(r"http://([\d.]+):(\d+)/", line)
            if found is None:
                raise ValueError(f"{run} is not served; 'openke serve {run}' says why")
            yield found[1], int(found[2])
        finally:
            server.terminate()


def asking(place: tuple[str, int], some: list[Request], first: int, seconds: float) -> list[float]:
    """Ask one request after the other over one connection; return how long each took."""
    connection = HTTPConnection(*place)
    took: list[float] = []
    number, end = first, time.perf_counter() + seconds
    while time.perf_counter() < end:
        method, address, body = some[number % len(some)]
        before = time.perf_counter()
        connection.request(method, address, body, {"Content-Type": "application/json"})
        answer = connection.getresponse()
        answer.read()
        took.append(time.perf_counter() - before)
        if answer.status != 200:
            raise ValueError(f"{method} {address}: the server says {answer.status}, expected 200")
        number += 1
    connection.close()
    return took


def measured(
    place: tuple[str, int], name: str, some: list[Request], clients: int, seconds: float
) -> Row:
    """Return one row."""
    asking(place, some, 0, 0.5)
    before = time.perf_counter()
    with ThreadPoolExecutor(clients) as pool:
        parts = [pool.submit(asking, place, some, 37 * i, seconds) for i in range(clients)]
        took = np.concatenate([part.result() for part in parts])
    passed = time.perf_counter() - before
    p50, p99 = (1000 * float(value) for value in np.percentile(took, (50, 99)))
    return Row(request=name, clients=clients, per_second=len(took) / passed, p50_ms=p50, p99_ms=p99)


def about(place: tuple[str, int]) -> dict[str, int]:
    """Return what the server says of its run."""
    connection = HTTPConnection(*place)
    connection.request("GET", "/api/run")
    found: dict[str, int] = read_json(connection.getresponse().read())
    return found


def main(settings: Settings) -> None:
    with TemporaryDirectory() as folder:
        run = settings.run
        if run is None:
            run = Path(folder) / "run"
            recipe = default_recipe("LBMKGC")
            train(
                recipe.changed({"data.name": "Factbook", "training.epochs": 1}),
                RunOptions(out=run, device="cpu"),
            )
        load = os.getloadavg()[0] if hasattr(os, "getloadavg") else None
        with served(run) as place:
            said = about(place)
            rows = [
                measured(place, name, some, clients, 1 if settings.quick else settings.seconds)
                for name, some in requests(said).items()
                for clients in (settings.clients[:1] if settings.quick else settings.clients)
            ]
    title = f"openke serve, {said['model']} on {said['dataset']}"
    body = [
        [r.request, r.clients, f"{r.per_second:.0f}", f"{r.p50_ms:.1f}", f"{r.p99_ms:.1f}"]
        for r in rows
    ]
    print(f"\n{title}\n")
    header = ["request", "clients", "requests/s", "p50, ms", "p99, ms"]
    print(tabulate(body, header, disable_numparse=True, colalign=("left",) + ("right",) * 4))
    if settings.quick:
        return
    content = {
        "title": title,
        "entities": said["entities"],
        "load_before": load,
        "environment": environment(),
        "rows": [asdict(row) for row in rows],
    }
    write_text(settings.out / "speed_serving.json", json.dumps(content, indent=2) + "\n")
    print(f"\nwritten to {settings.out / 'speed_serving.json'}")


if __name__ == "__main__":
    run_script(Settings, main)
