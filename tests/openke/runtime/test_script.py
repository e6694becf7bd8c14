"""What a program says when something goes wrong."""

import errno
import os
import subprocess
import sys
from pathlib import Path

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


def test_a_link_to_itself_is_said_in_one_line(capsys, tmp_path):
    (tmp_path / "loop").symlink_to("loop")
    with pytest.raises((RuntimeError, OSError)) as caught:
        (tmp_path / "loop").resolve(strict=True)
    assert said(capsys, caught.value).startswith("program: error: ")


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


def test_a_full_disk_has_a_way_out(capsys):
    text = said(capsys, OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), "out/report.json"))
    assert text.startswith(
        "program: error: out/report.json: No space left on device; make room, or"
    )


@pytest.mark.skipif(os.name == "nt", reason="needs a shell of POSIX")
@pytest.mark.parametrize("closed", ["2>&-", ">&-", "<&- >&- 2>&-"])
def test_streams_that_are_closed_take_no_file_s_place(tmp_path, closed):
    script = """
import sys
from pathlib import Path
from openke.runtime.script import exit_status
def action():
    with open("out.txt", "w") as file:
        print("written", file=file)
        print("said"); print("told", file=sys.stderr)
        import os
        os.write(2, b"by a library")
        sys.stdout.flush()
    raise ValueError("wrong")
sys.exit(exit_status("program", action))
"""
    (tmp_path / "script.py").write_text(script)
    command = f"{sys.executable} script.py {closed}"
    done = subprocess.run(command, shell=True, cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 2
    assert (tmp_path / "out.txt").read_text() == "written\n"
    assert "Traceback" not in done.stderr
    assert ("error" in done.stdout) is False


def test_ctrl_c_is_known_by_what_a_package_made_of_it(capsys):
    def fail():
        try:
            raise KeyboardInterrupt
        except KeyboardInterrupt as error:
            raise ImportError("could not be loaded") from error

    assert exit_status("program", fail) == 130
    assert capsys.readouterr().err == "program: interrupted\n"


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a device that is always full")
@pytest.mark.parametrize("unbuffered", ["", "-u"])
def test_an_output_that_takes_no_more_is_named(tmp_path, monkeypatch, unbuffered):
    monkeypatch.delenv("PYTHONUNBUFFERED", raising=False)
    script = (
        "import sys; from openke.runtime.script import exit_status; "
        "from openke.runtime.progress import say\n"
        "def action():\n"
        "    say('told'); print('said')\n"
        "    if sys.argv[1:]: raise SystemExit(0)\n"
        "sys.exit(exit_status('program', action))"
    )
    (tmp_path / "script.py").write_text(script)

    def run(words):
        command = f"{sys.executable} {unbuffered} script.py {words}"
        done = subprocess.run(command, shell=True, cwd=tmp_path, capture_output=True, text=True)
        return done.returncode, done.stdout, done.stderr

    error = "program: error: standard output: No space left on device\n"
    assert run(">/dev/full") == (2, "", f"told\n{error}")
    assert run("help >/dev/full") == (2, "", f"told\n{error}")
    assert run("2>/dev/full") == (0, "said\n", "")
    assert run(">/dev/full 2>/dev/full") == (2, "", "")
