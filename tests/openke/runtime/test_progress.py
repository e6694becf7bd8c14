"""Where there are bars, and what is said where there are none."""

import re
import sys

import pytest

from openke.runtime import progress


def test_bars_are_for_terminals(monkeypatch):
    class Terminal:
        def isatty(self):
            return True

    monkeypatch.setattr(progress, "IN_NOTEBOOK", False)
    assert not progress.has_bars()
    monkeypatch.setattr(sys, "stderr", Terminal())
    assert progress.has_bars()
    monkeypatch.setattr(sys, "stderr", None)
    assert not progress.has_bars()
    monkeypatch.setattr(progress, "IN_NOTEBOOK", True)
    assert progress.has_bars()


@pytest.mark.parametrize("seconds", [0.0, 300.0])
def test_counting_says_how_many_and_when_it_takes_long_how_far_it_is(monkeypatch, capsys, seconds):
    monkeypatch.setattr(progress, "LINE_SECONDS", seconds)
    with progress.counting("reading", 5, "files", done=2) as count:
        count(1)
        count(2)
    lines = capsys.readouterr().err.splitlines()
    assert re.fullmatch(r"reading: 3 files in 0\.\d s", lines.pop())
    assert lines == (
        ["reading: 3 of 5 files after 0 min", "reading: 5 of 5 files after 0 min"]
        if seconds == 0
        else []
    )


def test_counting_nothing_is_silent_and_so_is_what_breaks(capsys):
    with progress.counting("reading", 5, "files", done=5):
        pass
    with progress.counting("reading", 5, "files", show=False) as count:
        count(5)
    with pytest.raises(OSError, match="gone"), progress.counting("reading", 5, "files"):
        raise OSError("gone")
    assert capsys.readouterr().err == ""


def test_counting_on_a_terminal_is_a_bar(monkeypatch, capsys):
    monkeypatch.setattr(progress, "has_bars", lambda: True)
    with progress.counting("reading", 5, "files") as count:
        count(5)
    assert "reading: 100%" in capsys.readouterr().err
