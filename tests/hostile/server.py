"""Runs commands in processes of their own, forked from one that has loaded all they need.

Started as a program it reads a request a line, JSON, and writes what became of each. It has one
thread, so that a fork of it is whole.
"""

from __future__ import annotations

import json
import os
import resource
import select
import signal
import subprocess
import sys
import time
import traceback
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
STOPPING = (signal.SIGINT, signal.SIGTERM)
LONG = 10
"""Times of a request's seconds that a command may take, whatever it does."""
KEPT = 1 << 20
"""Bytes of an output that are kept."""


@dataclass(frozen=True, kw_only=True)
class Request:
    """A command, and what it has to cope with."""

    arguments: list[str]
    folder: str
    timeout: float = 20.0
    """Seconds that it may compute, and that it may do nothing: a command that others keep from the
    processor does not hang."""
    file_bytes: int | None = None
    """The largest file it may write, as on a full disk."""
    memory_bytes: int | None = None
    """What it may have more than the process it was forked from."""
    out: str = ""
    """What is wrong with its standard output: full, closed, or gone."""
    err: str = ""
    """What is wrong with its standard error."""
    signal: int | None = None
    after: float = 0.0
    """Seconds until the signal."""
    until: str = ""
    """What it says when it is to be interrupted as by Ctrl-C."""


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What a command did."""

    status: int
    """Exit status; -N where signal N ended it."""
    out: str
    err: str
    seconds: float
    cpu_seconds: float
    hung: bool = False
    loaded: list[str] = field(default_factory=list)
    """Modules it had to load."""


class Server:
    """The process that the commands are forked from."""

    def __init__(self, home: Path) -> None:
        environment = {
            name: value for name, value in os.environ.items() if not name.startswith("OPENKE_")
        }
        environment |= {
            "HOME": str(home),
            "XDG_CACHE_HOME": str(home / "cache"),
            "OPENKE_MIRROR": "http://127.0.0.1:9",  # where nothing answers
            "HF_HUB_OFFLINE": "1",
            "PYTHONDONTWRITEBYTECODE": "1",
            "COLUMNS": "100",
        }
        # More threads than one in the parent would not be there in its children.
        environment |= dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"), "1")
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.hostile.server"],
            cwd=ROOT, env=environment, text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        )  # fmt: skip

    def run(self, request: Request) -> Outcome:
        """Run a command."""
        return Outcome(**self._ask(asdict(request)))

    def load(self, modules: list[str]) -> None:
        """Load modules, so that no command has to."""
        self._ask(modules)

    def close(self) -> None:
        """End the process."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait()

    def _ask(self, question: Any) -> Any:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(question) + "\n")
        self._process.stdin.flush()
        return json.loads(self._process.stdout.readline())


def _serve() -> None:
    answers = os.fdopen(os.dup(1), "w")  # nothing that a module prints is an answer
    os.dup2(2, 1)
    for line in sys.stdin:
        question = json.loads(line)
        if isinstance(question, list):
            _load(question)
            answer: Any = True
        else:
            answer = asdict(_run(Request(**question)))
        answers.write(json.dumps(answer) + "\n")
        answers.flush()


def _load(modules: list[str]) -> None:
    for name in modules:
        try:
            __import__(name)
        except Exception:
            continue


def _run(request: Request) -> Outcome:
    pipes = [os.pipe() for _ in range(3)]
    begun = time.monotonic()
    signal.pthread_sigmask(signal.SIG_BLOCK, STOPPING)  # until the command has begun
    child = os.fork()
    if child:
        signal.pthread_sigmask(signal.SIG_UNBLOCK, STOPPING)
    else:
        try:
            _be_command(request, [write for _, write in pipes])
        finally:
            os._exit(99)
    for _, write in pipes:
        os.close(write)
    outputs, hung = _read(child, request, [read for read, _ in pipes], begun)
    _, ended, used = os.wait4(child, 0)
    out, err, loaded = (output.decode("utf-8", "replace") for output in outputs)
    return Outcome(
        status=os.waitstatus_to_exitcode(ended), out=out, err=err,
        seconds=time.monotonic() - begun, cpu_seconds=used.ru_utime + used.ru_stime,
        hung=hung, loaded=loaded.split(),
    )  # fmt: skip


def _read(
    child: int, request: Request, pipes: list[int], begun: float
) -> tuple[list[bytearray], bool]:
    """Return all that a child writes until it ends, and whether it had to be ended."""
    outputs = {pipe: bytearray() for pipe in pipes}
    waiting = set(pipes)
    signalled = request.signal is None
    ended = not request.until
    hung = False
    watch = Watch(child, request.timeout)
    while waiting:
        passed = time.monotonic() - begun
        if not signalled and passed >= request.after:
            os.kill(child, request.signal or 0)
            signalled = True
        if not hung and watch.sees_a_hang():
            os.killpg(child, signal.SIGKILL)
            hung = True
        patience = 1.0 if signalled else max(0.0, request.after - passed) + 0.001
        for pipe in select.select(list(waiting), [], [], min(patience, 1.0))[0]:
            chunk = os.read(pipe, 65536)
            if not chunk:
                os.close(pipe)
                waiting.remove(pipe)
            elif len(outputs[pipe]) < KEPT:
                outputs[pipe] += chunk
        if not ended and request.until.encode() in outputs[pipes[0]]:
            os.kill(child, signal.SIGINT)
            ended = True
    return list(outputs.values()), hung


class Watch:
    """Tells a process that hangs from one that others keep from the processor."""

    def __init__(self, process: int, seconds: float) -> None:
        self.process, self.seconds = process, seconds
        self.begun = self.moved = time.monotonic()
        self.schedule: list[str] = []

    def sees_a_hang(self) -> bool:
        """Return whether it has computed, or not even wanted to compute, for too long."""
        now, schedule = time.monotonic(), []
        for path in Path(f"/proc/{self.process}/task").glob("*/schedstat"):
            with suppress(OSError):  # the thread has ended
                schedule.append(path.read_text())
        if schedule != self.schedule:
            self.schedule, self.moved = schedule, now
        still, all_time = now - self.moved, now - self.begun
        computed = sum(int(each.split()[0]) for each in schedule) / 1e9
        return max(still, computed, all_time / LONG) >= self.seconds


def _be_command(request: Request, pipes: list[int]) -> None:
    """Be the ``openke`` of a command line: as if Python had just started with it."""
    os.setpgid(0, 0)
    # A shell's background job, which the tests may be, ignores Ctrl-C.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    out, err, modules = pipes
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    os.dup2(out, 1)
    os.dup2(err, 2)
    sys.stdout = os.fdopen(1, "w", encoding="utf-8", closefd=False)
    sys.stderr = os.fdopen(2, "w", encoding="utf-8", closefd=False, errors="backslashreplace")
    if request.out:
        sys.stdout = _lose(1, sys.stdout, request.out)
    if request.err:
        sys.stderr = _lose(2, sys.stderr, request.err)
    os.chdir(request.folder)
    if request.file_bytes is not None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (request.file_bytes, resource.RLIM_INFINITY))
    if request.memory_bytes is not None:
        pages = int(Path("/proc/self/statm").read_text().split()[0])
        most = pages * resource.getpagesize() + request.memory_bytes
        resource.setrlimit(resource.RLIMIT_AS, (most, resource.RLIM_INFINITY))
    before = set(sys.modules)
    sys.argv = ["openke", *request.arguments]
    status = _status()
    resource.setrlimit(resource.RLIMIT_AS, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    os.write(modules, " ".join(sorted(set(sys.modules) - before))[:60000].encode())
    os._exit(status)


def _lose(number: int, stream: Any, how: str) -> Any:
    """Let nobody read what is written to a stream: full, closed by the caller, or a pipe."""
    os.close(number)
    if how == "closed":
        return None
    if how == "full":
        target = os.open("/dev/full", os.O_WRONLY)
    else:
        read, target = os.pipe()
        os.close(read)
    if target != number:
        os.dup2(target, number)
        os.close(target)
    return stream


def _status() -> int:
    """Return what Python would exit with."""
    from openke.cli import main

    try:
        try:
            signal.pthread_sigmask(signal.SIG_UNBLOCK, STOPPING)
        except KeyboardInterrupt:  # the command had not begun
            return 130
        try:
            status: Any = main()
        except SystemExit as leaving:
            status = leaving.code
        signal.pthread_sigmask(signal.SIG_BLOCK, STOPPING)
        sys.stdout.flush()
    except BaseException:
        traceback.print_exc()
        status = 1
    if isinstance(status, str):
        print(status, file=sys.stderr)
    try:
        sys.stderr.flush()
    except OSError:
        return 120
    return 1 if isinstance(status, str) else status or 0


if __name__ == "__main__":
    _serve()
