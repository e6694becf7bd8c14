"""What the end of a long test run says of its time."""

from types import SimpleNamespace

from tests.time_by_file import MOST, lines, seconds_by_file


def report(place, seconds):
    return SimpleNamespace(nodeid=place, duration=seconds)


def test_seconds_are_added_up_by_file():
    warning = SimpleNamespace(nodeid="a.py::one")  # takes no time
    taken = seconds_by_file(
        {
            "passed": [report("a.py::one", 40.0), report("b.py::one", 50.0)],
            "": [report("a.py::one", 20.0)],
            "warnings": [warning],
        }
    )
    assert taken == {"a.py": 60.0, "b.py": 50.0}
    assert lines(taken) == ["    60 s  a.py", "    50 s  b.py", "   110 s  all"]


def test_a_short_run_says_nothing_and_a_long_one_not_all():
    assert lines(seconds_by_file({"passed": [report("a.py::one", 3.0)]})) == []
    many = [report(f"{number}.py::one", 10.0) for number in range(2 * MOST)]
    assert len(lines(seconds_by_file({"passed": many}))) == MOST + 1
