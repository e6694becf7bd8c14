"""How a script or command meets its user: options from a dataclass, errors as one line."""

from __future__ import annotations

import errno
import os
import re
import sys
from collections.abc import Callable, Iterable
from pathlib import Path, PurePath
from typing import TypeGuard, TypeVar

from openke.runtime.arguments import parse_arguments
from openke.runtime.progress import say

Options = TypeVar("Options")
LONGEST = 400
"""Characters of a message that are shown."""
MENDABLE = (ValueError, OSError, ImportError, ArithmeticError, MemoryError, RuntimeError)
"""What a user can mend; another error is a defect of the program."""
NO_MEMORY = (
    "can't allocate memory",
    "out of memory",
    "not enough memory",
    "can't start new thread",
    "bad_alloc",
)
"""How PyTorch and Python say so, in a RuntimeError."""
LOOP = "Symlink loop"
"""How Python before 3.13 says, in a RuntimeError, that a link leads to itself."""
FULL = (errno.ENOSPC, errno.EFBIG, getattr(errno, "EDQUOT", errno.ENOSPC))
"""How a system says that it has no room for a file."""
NO_ROOM = "; make room, or name another place: nothing is left there half written"


def exit_status(name: str, action: Callable[[], int | None]) -> int:
    """Run ``action`` and return the exit status of program ``name``; None is 0.

    What a user can mend (bad values, files, missing packages, a loss that is not finite, too little
    memory) becomes one line on standard error and status 2; ``python -X dev`` shows where it came
    from. An interrupt is 130, a reader that has gone, such as ``head``, 1.
    """
    _open_streams()
    try:
        return _written(action)
    except BrokenPipeError:
        return 1
    except SystemExit:
        raise
    except BaseException as error:
        if _was_interrupt(error):
            say(f"{name}: interrupted")
            return 130
        if not isinstance(error, MENDABLE):
            raise
        memory = isinstance(error, MemoryError) or _says(error, NO_MEMORY)
        mendable = memory or _says(error, (LOOP,)) or not isinstance(error, RuntimeError)
        if sys.flags.dev_mode or not mendable:
            raise
        said = f"standard output: {error.strerror}" if _is_of_output(error) else said_of(error)
        if memory:
            said = f"too little memory; smaller batches or vectors need less ({said})"
        say(f"{name}: error: {shortened(said)}")
        return 2
    finally:
        _give_up_unwritten()


def _written(action: Callable[[], int | None]) -> int:
    """Return the status of an action once all that it printed is written, also of one that exits.

    Python would write the rest when it ends, where nobody could say what went wrong.
    """
    try:
        status = action() or 0
    except SystemExit:
        sys.stdout.flush()
        raise
    sys.stdout.flush()
    return status


def _says(error: BaseException, texts: Iterable[str]) -> bool:
    return isinstance(error, RuntimeError) and any(text in str(error) for text in texts)


def _was_interrupt(error: BaseException) -> bool:
    """Whether an error is Ctrl-C, or what a package made of it while it was loaded."""
    found: BaseException | None = error
    while found is not None and not isinstance(found, KeyboardInterrupt):
        found = found.__cause__ or found.__context__
    return found is not None


def _is_of_output(error: BaseException) -> TypeGuard[OSError]:
    """Whether an error is standard output's, which takes no more.

    Writing the rest fails alike; where it is not buffered there is no rest, but all other writes
    of this package name their file.
    """
    if not isinstance(error, OSError) or error.filename is not None or error.errno is None:
        return False
    try:
        sys.stdout.flush()
    except OSError as again:
        return again.errno == error.errno
    return bool(getattr(sys.stdout, "write_through", False)) and error.errno in FULL


def _give_up_unwritten() -> None:
    """Let Python not try again, when it ends, to write what a stream did not take."""
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except OSError:
            nowhere = os.open(os.devnull, os.O_WRONLY)
            os.dup2(nowhere, stream.fileno())
            os.close(nowhere)


def _open_streams() -> None:
    """Open what the caller has closed of standard input, output and error: nobody reads there.

    Else Python has None in their place, and the next file that is opened has their number: what a
    library says to standard error would be written into it.
    """
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            setattr(sys, name, Path(os.devnull).open(mode))  # noqa: SIM115 (until it ends)


def said_of(error: BaseException) -> str:
    """Return the message of an error on one line, the file first where the system names one."""
    if isinstance(error, OSError) and error.strerror and error.filename is not None:
        way_out = NO_ROOM if error.errno in FULL else ""
        return " ".join(f"{os.fsdecode(error.filename)}: {error.strerror}{way_out}".split())
    # Escapes are for a terminal, and what is no text for nobody.
    text = re.sub(r"\x1b\[[0-9;]*m", "", str(error))
    text = "".join(c if c.isprintable() or c.isspace() else "?" for c in text)
    return " ".join(text.split()) or type(error).__name__


def shortened(message: str) -> str:
    """Return a message without its middle where it is long, such as one with a line of a file."""
    if len(message) <= LONGEST:
        return message
    left_out = len(message) - LONGEST
    begin, end = message[: LONGEST * 2 // 3], message[-LONGEST // 3 :]
    return f"{begin} … ({left_out} characters left out) … {end}"


def run_script(settings: type[Options], main: Callable[[Options], None]) -> None:
    """Parse the command line into ``settings``, call ``main`` with it and exit.

    The help begins with the docstring of the module that ``main`` is in.
    """
    about = sys.modules[main.__module__].__doc__
    run_program(lambda: main(parse_arguments(settings, description=about)))


def run_program(action: Callable[[], int | None]) -> None:
    """Exit with the :func:`exit_status` of ``action``.

    Of several processes that torchrun started the first one alone prints.
    """
    if os.environ.get("RANK", "0") != "0":
        sys.stdout = Path(os.devnull).open("w")  # noqa: SIM115 (until the process ends)
    sys.exit(exit_status(program_name(), action))


def program_name() -> str:
    """Return the name this program was called by, without its folder."""
    return PurePath(sys.argv[0]).name
