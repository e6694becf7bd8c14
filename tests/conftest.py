"""For all tests: where the public data sets are, or why their tests are skipped; which are slow."""

import os
from pathlib import Path
from threading import Thread

import pytest
import requests
from hypothesis import HealthCheck, settings

from openke.datasets.download import mirror
from openke.datasets.search import find_dataset
from tests import fast_subset, time_by_file

DATA_SETS = ("DB15K", "MKG-W", "MKG-Y")
SECONDS_TO_CONNECT = 5
NO_DATA = (
    "needs the public data sets: set OPENKE_DATA to a folder that holds DB15K, MKG-W and MKG-Y, "
    "or run once with a network, and they are downloaded"
)
"""Why a test is skipped where the data sets are neither on this machine nor to be downloaded."""

# How fast a machine is, and what else runs on it, says nothing about the program.
settings.register_profile(
    "any machine", deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("any machine")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark as slow what the fast subset leaves out by its rule."""
    for item in items:
        parameters = item.callspec.params if hasattr(item, "callspec") else {}
        if fast_subset.left_out(parameters):
            item.add_marker("slow")


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say where the time of a long run went."""
    found = time_by_file.lines(time_by_file.seconds_by_file(terminalreporter.stats))
    if found:
        terminalreporter.section("time by file")
        for line in found:
            terminalreporter.write_line(line)


@pytest.fixture(scope="session")
def datasets(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of the public data sets, wherever they are; downloads them otherwise.

    Where they cannot be had, tests that ask for them are skipped, all for one reason. With the
    environment variable OPENKE_REQUIRE_DATA=1 they fail.
    """
    required = os.environ.get("OPENKE_REQUIRE_DATA", "0") not in ("", "0")
    try:
        if not (required or _all_here() or server_answers()):
            pytest.skip(NO_DATA)
        found = {name: find_dataset(name) for name in DATA_SETS}
    except FileNotFoundError as error:
        if required:
            pytest.fail(f"OPENKE_REQUIRE_DATA is set: {error}", pytrace=False)
        pytest.skip(NO_DATA)
    folders = {folder.parent for folder in found.values()}
    return folders.pop() if len(folders) == 1 else _together(found, tmp_path_factory)


def _all_here() -> bool:
    try:
        for name in DATA_SETS:
            find_dataset(name, known={})
    except ValueError:
        return False
    return True


def server_answers() -> bool:
    """Return whether it makes sense to try a download, within seconds even without a network."""
    answers = []

    def ask() -> None:
        try:
            requests.head(mirror(), timeout=SECONDS_TO_CONNECT)
        except requests.RequestException:
            return
        answers.append(True)

    # A thread of its own, since looking up a name knows no time limit.
    asking = Thread(target=ask, daemon=True)
    asking.start()
    asking.join(SECONDS_TO_CONNECT)
    return bool(answers)


def _together(found: dict[str, Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with links to data sets that lie apart."""
    folder = tmp_path_factory.mktemp("datasets")
    for name, place in found.items():
        (folder / name).symlink_to(place.resolve(), target_is_directory=True)
    return folder
