"""Draws cases, runs and judges them, and counts what became of them."""

from __future__ import annotations

import random
import shutil
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from tabulate import tabulate

from tests.hostile.cases import KINDS, WEIGHTS, Case, draw_case
from tests.hostile.judge import judge
from tests.hostile.server import Outcome
from tests.hostile.world import World, snapshot

GOOD = ("well", "refused", "stopped")


class Suite:
    """Cases by number: the same seed and number are the same case.

    Parameters
    ----------
    folder
        An empty folder.
    seed
        Of all cases.
    kind
        One of :data:`.KINDS`, where only such cases are wanted.
    """

    def __init__(self, folder: Path, seed: int, kind: str | None = None) -> None:
        self.world = World(folder)
        self.seed, self.kind = seed, kind
        self.counts: Counter[tuple[str, str]] = Counter()
        self.findings: list[str] = []

    def run_for(self, seconds: float, tell: Callable[[str], object]) -> None:
        """Try cases for some time; ``tell`` gets a line about each that went wrong."""
        end = time.monotonic() + seconds
        number = 0
        while time.monotonic() < end:
            self.run(number, tell)
            number += 1

    def run(self, number: int, tell: Callable[[str], object]) -> str:
        """Try a case and return its outcome in a word or a few."""
        case, outcome, verdict = self._tried(number)
        self.counts[case.kind, verdict.partition(":")[0]] += 1
        if verdict not in GOOD:
            said = f"case {number}: {verdict}: {_words(case)}\n    {_last(outcome)}"
            self.findings.append(said)
            tell(said)
        return verdict

    def shown(self, number: int) -> str:
        """Return all of a case."""
        case, outcome, verdict = self._tried(number)
        return f"{_words(case)}\n{verdict}, status {outcome.status}\n{outcome.out}\n{outcome.err}"

    def table(self) -> str:
        """Return how many cases of each kind had which outcome."""
        outcomes = sorted({outcome for _, outcome in self.counts}, key=lambda o: (o not in GOOD, o))
        kinds = sorted({kind for kind, _ in self.counts})
        rows = [[kind, *(self.counts[kind, o] for o in outcomes), self._of(kind)] for kind in kinds]
        total = ["all", *(sum(self.counts[k, o] for k in kinds) for o in outcomes)]
        return tabulate([*rows, [*total, self.counts.total()]], ["", *outcomes, "cases"])

    def close(self) -> None:
        """Remove everything."""
        self.world.close()

    def _of(self, kind: str) -> int:
        return sum(count for (of, _), count in self.counts.items() if of == kind)

    def _tried(self, number: int) -> tuple[Case, Outcome, str]:
        draw = random.Random(f"{self.seed} {number}")
        kind = self.kind or draw.choices(list(KINDS), WEIGHTS)[0]
        copy = self.world.copy()
        try:
            case = draw_case(self.world, kind, draw, copy)
            before = snapshot(copy)
            outcome = self.world.server.run(case.request)
            verdict = judge(case, outcome, before, snapshot(copy))
            if case.again and verdict in GOOD:
                verdict = self._again(case, copy) or verdict
        finally:
            shutil.rmtree(copy)
        return case, outcome, verdict

    def _again(self, case: Case, copy: Path) -> str:
        """Return what is wrong after a signal: the next run must do all that this one had to."""
        request = replace(case.request, signal=None)
        if case.example.command in ("train", "import", "mix"):  # what was stopped is there
            words = [word for word in request.arguments if word not in ("--resume", "--overwrite")]
            request = replace(request, arguments=[*words, "--overwrite"])
        elif "--overwrite" not in request.arguments:  # as whoever sees that it is not whole does
            for name in case.example.made:
                if (copy / name).is_file():
                    (copy / name).unlink()
        outcome = self.world.server.run(request)
        if outcome.status != case.example.outcome.status:
            return f"not again: {_last(outcome)}"
        left = [name for name in snapshot(copy) if "/." in f"/{name}"]
        return f"not swept: {left[0]}" if left else ""


def _words(case: Case) -> str:
    return f"{case.kind}, {case.what}: openke {case.example.line}"


def _last(outcome: Outcome) -> str:
    lines = (outcome.err.strip() or outcome.out.strip() or "nothing said").splitlines()
    took = f"{outcome.cpu_seconds:.1f} s of {outcome.seconds:.1f} s computing"
    return f"status {outcome.status}, {took}: {lines[-1][:300]}"
