"""A few hostile cases of each kind, and that no command and no kind of file is left out."""

import random
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from tests.hostile import mutations
from tests.hostile.cases import KINDS, WEIGHTS, option_values, registered
from tests.hostile.judge import LONGEST, judge
from tests.hostile.server import Request
from tests.hostile.suite import GOOD, Suite
from tests.hostile.world import EXAMPLES, KEEPS, UNTIL, in_memory, snapshot

CASES = 90
SEED = 20


@pytest.fixture(scope="module")
def suite():
    """Return a suite in a folder of its own."""
    with TemporaryDirectory(dir=in_memory()) as folder:
        made = Suite(Path(folder), SEED)
        yield made
        made.close()


def test_every_command_has_an_example():
    assert set(EXAMPLES) == set(registered()), "add a line that ends well to tests/hostile/world.py"
    assert set(KEEPS) <= set(EXAMPLES)
    assert len(WEIGHTS) == len(KINDS)


@pytest.mark.slow
def test_examples_end_well(suite):
    for each in suite.world.examples:
        ends = 130 if each.command in UNTIL else 0
        assert each.outcome.status == ends, (each.line, each.outcome.err)


@pytest.mark.slow
def test_every_kind_of_file_is_spoilt_in_its_own_ways(suite):
    endings = {path.suffix for path in suite.world.good.rglob("*") if path.is_file()}
    assert endings <= {*mutations.OF, ".html"}


@pytest.mark.slow
def test_hostile_cases_are_refused_in_one_line_or_end_well(suite):
    for number in range(CASES):
        suite.run(number, tell=print)
    print(suite.table())
    assert not suite.findings


@pytest.mark.slow
@pytest.mark.parametrize("command", UNTIL)
def test_what_would_run_for_ever_refuses_bad_options_in_one_line(suite, command):
    for argument in registered()[command]:
        for value in option_values(argument.kind):
            # There is no run of this name: whatever the option, nothing is served.
            words = [command, "no-run", "--port", "0"]
            if argument.positional:
                words[1] = value
            else:
                words += [f"--{argument.name.replace('_', '-')}", *([value] if value else [])]
            request = Request(arguments=words, folder=str(suite.world.good), timeout=120)
            done = suite.world.server.run(request)
            suite.world.server.load(done.loaded)  # once, not for every value
            assert (done.status, done.hung) == (2, False), words
            assert len(done.err.splitlines()) == 1, done.err
            assert "error: " in done.err
            assert len(done.err) < LONGEST, done.err


@pytest.mark.slow
def test_the_judge_sees_what_is_wrong(suite):
    from dataclasses import replace

    from tests.hostile.cases import draw_case

    copy = suite.world.copy()
    case = draw_case(suite.world, "full disk", random.Random(0), copy)
    case = replace(case, names=("file.txt",))
    before = snapshot(copy)
    done = suite.world.server.run(Request(arguments=["audit", "nothing"], folder=str(copy)))
    fine = replace(done, err="openke: error: file.txt: is wrong\n")

    def said(after=before, **changes):
        return judge(case, replace(fine, **changes), before, after)

    assert said() == "refused"
    assert said(hung=True) == "hang"
    assert said(status=-11) == "signal SIGSEGV"
    assert said(err="Traceback (most recent call last):\n") == "traceback"
    assert said(err=2 * fine.err) == "not one line"
    assert said(err=fine.err.replace("wrong", "x" * 500)) == "long message"
    assert said(err="openke: error: it is wrong\n") == "names nothing"
    assert said(after={**before, ".new.1": "file"}) == "left behind: .new.1"
    assert said(after={**before, "facts.tsv": "changed"}).startswith("foreign file touched")
    assert said(status=0, err="", out="another") == "another result"
    assert said(status=0, err="", out=case.example.outcome.out) == "well"
    assert set(GOOD) >= {"well", "refused"}
