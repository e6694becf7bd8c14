"""What a command may do with a hostile case, and what it did."""

from __future__ import annotations

import re
import signal
from collections.abc import Mapping

from tests.hostile.cases import Case
from tests.hostile.server import Outcome
from tests.hostile.world import KEEPS

LONGEST = 500
"""Characters of a refusal."""
NOISE = 3000
"""Characters that standard error may have besides."""

Tree = Mapping[str, str]


def judge(case: Case, outcome: Outcome, before: Tree, after: Tree) -> str:
    """Return "well", "refused", "stopped", or what is wrong in a few words.

    Parameters
    ----------
    case
        What was tried.
    outcome
        What the command did.
    before, after
        The folder before and after it, see :func:`.snapshot`.
    """
    stopped = case.request.signal is not None
    if outcome.hung:
        return "hang"
    if "Traceback (most recent call last)" in outcome.err:
        return "traceback"
    if outcome.status < 0 and not (stopped and -outcome.status == case.request.signal):
        return f"signal {signal.Signals(-outcome.status).name}"
    if wrong := _files(case, outcome, before, after):
        return wrong
    if stopped and outcome.status in (-(case.request.signal or 0), 130, 143):
        return "stopped"
    if case.request.out == "gone" and outcome.status == 1:
        return "stopped"
    if outcome.status == 2:
        unheard = case.request.out and case.request.err
        return "refused" if unheard else _refusal(case, outcome)
    if outcome.status not in (0, case.example.outcome.status, 1 if _audits(case) else 0):
        return f"exit status {outcome.status}"
    if len(outcome.err) > NOISE:
        return "noise"
    if case.same and shown(outcome.out) != shown(case.example.outcome.out):
        return "another result"
    return "well"


def _audits(case: Case) -> bool:
    return case.example.command == "audit"


def _refusal(case: Case, outcome: Outcome) -> str:
    lines = outcome.err.splitlines()
    errors = [line for line in lines if re.match(r"openke[\w ]*: error: ", line)]
    if len(errors) != 1 or lines[-1:] != errors:
        return "not one line"
    if len(errors[0]) > LONGEST:
        return "long message"
    if len(outcome.err) - len(errors[0]) > NOISE:
        return "noise"
    if case.names and not any(name.lower() in errors[0].lower() for name in case.names):
        return "names nothing"
    if "weights_only" in errors[0]:
        return "unsafe advice"
    return "refused"


def _files(case: Case, outcome: Outcome, before: Tree, after: Tree) -> str:
    made = case.example.made
    changed = {
        name for name in {*before, *after} if before.get(name) != after.get(name)
    } - case.touched
    if foreign := sorted(name for name in changed if name in before and name not in made):
        return f"foreign file touched: {foreign[0]}"
    killed = case.request.signal is not None and outcome.status < 0
    new = sorted(name for name in changed if name not in before)
    hidden = [name for name in new if re.search(r"(^|/)\.(?!partial-)", name) and not killed]
    if hidden:
        return f"left behind: {hidden[0]}"
    keeps = case.example.command in KEEPS or case.request.out  # done before it said so
    if outcome.status and not killed and not keeps and new:
        return f"left behind: {new[0]}"
    return ""


def shown(text: str) -> str:
    """Return what a command printed, without times and folders."""
    text = re.sub(r"\d+\.\d+ s\b", "_ s", text)
    text = re.sub(r"(?m)^( +\d+ +[\d.]+ +\d+) +\d+ ", r"\1 _ ", text)  # the table of a search
    text = re.sub(r"127\.0\.0\.1:\d+", "127.0.0.1:_", text)
    return re.sub(r'"seconds": [\d.]+', '"seconds": _', text)
