"""What a program says when something goes wrong."""

import pytest

from openke.runtime.script import LONGEST, exit_status


def said(capsys, error):
    def fail():
        raise error

    assert exit_status("program", fail) == 2
    return capsys.readouterr().err


def test_a_long_message_keeps_its_ends(capsys):
    text = said(capsys, ValueError(f"file.tsv:3: found {'x' * 10**6!r}, expected a name"))
    assert text.startswith("program: error: file.tsv:3: found 'xxx")
    assert text.endswith("x', expected a name\n")
    assert "characters left out" in text
    assert len(text) < LONGEST + 100
    assert text.count("\n") == 1


def test_too_little_memory_is_said_in_one_line(capsys):
    inside = "DefaultCPUAllocator: can't allocate memory: you tried to allocate 10 bytes."
    text = said(capsys, RuntimeError(inside))
    assert text.startswith("program: error: too little memory; smaller batches or vectors need")
    assert inside in text


@pytest.mark.parametrize("error", [MemoryError(), RuntimeError("can't start new thread")])
def test_memory_that_python_lacks_is_said_alike(capsys, error):
    assert said(capsys, error).startswith("program: error: too little memory; smaller batches")


def test_an_error_of_the_system_begins_with_its_file(capsys):
    text = said(capsys, FileNotFoundError(2, "No such file or directory", "a\nb.txt"))
    assert text == "program: error: a b.txt: No such file or directory\n"


def test_what_a_terminal_would_obey_is_left_out(capsys):
    assert said(capsys, ValueError("\x1b[31mred\x1b[0m \x07bell")) == "program: error: red ?bell\n"


def test_a_defect_is_not_hidden():
    def fail():
        raise RuntimeError("shapes do not fit")

    with pytest.raises(RuntimeError, match="shapes"):
        exit_status("program", fail)
