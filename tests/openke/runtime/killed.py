"""Processes that are killed at each moment at which they change a file."""

import os
import sys
from collections.abc import Callable, Iterator
from itertools import count

WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT
CHANGES = ("os.rename", "os.remove", "os.mkdir", "os.rmdir", "shutil.rmtree")


def killed(action: Callable[[], object]) -> Iterator[int]:
    """Yield after each change before which a process of its own can be killed in ``action``.

    Nothing that cleans up runs there, as after ``kill -9``. Ends with the first ``action`` that
    ends, which must end well.
    """
    for change in count():
        child = os.fork()
        if not child:
            try:
                sys.addaudithook(_end_before(change))
                action()
                os._exit(0)
            finally:
                os._exit(1)
        status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        if status == 0:
            return
        assert status == 9, status
        yield change


def _end_before(change: int) -> Callable[[str, tuple[object, ...]], None]:
    left = change

    def count_down(event: str, arguments: tuple[object, ...]) -> None:
        nonlocal left
        writes = event == "open" and isinstance(arguments[2], int) and arguments[2] & WRITING
        if event in CHANGES or writes:
            if not left:
                os._exit(9)
            left -= 1

    return count_down
