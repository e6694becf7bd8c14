"""How PyTorch's threads wait: short spins, unless the user has said otherwise."""

import os
import subprocess
import sys

import pytest

NAMES = ("OMP_WAIT_POLICY", "GOMP_SPINCOUNT")


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({}, "PASSIVE 1000"),
        ({"OMP_WAIT_POLICY": "ACTIVE"}, "ACTIVE None"),
        ({"GOMP_SPINCOUNT": "7"}, "PASSIVE 7"),
    ],
)
def test_what_the_user_has_set_stays(given, expected):
    environment = {name: value for name, value in os.environ.items() if name not in NAMES}
    program = f"import os, openke; print(*(os.environ.get(name) for name in {NAMES}))"
    found = subprocess.run(
        [sys.executable, "-c", program],
        env={**environment, **given},
        capture_output=True,
        text=True,
        check=True,
    )
    assert found.stdout.strip() == expected
