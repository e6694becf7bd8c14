"""Too little memory for linear algebra is an error, not a wait without end."""

import os
import subprocess
import sys

import pytest

SCRIPT = """
import resource, sys
from pathlib import Path
from openke.runtime import blas
import numpy
if sys.argv[1] == "loaded": import scipy.linalg.blas
used = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
resource.setrlimit(resource.RLIMIT_AS, (used + (int(sys.argv[2]) << 20), resource.RLIM_INFINITY))
try:
    blas.take_buffers()
    blas.import_with_blas("scipy.linalg")
    print("all")
except MemoryError as error:
    print(error)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="limits and reads its memory as Linux does")
@pytest.mark.parametrize("threads", ["1", "2"])
@pytest.mark.parametrize("when", ["loaded", "later"])
def test_memory_is_taken_or_missed_at_once(when, threads):
    said = []
    for more in (10, 50, 80, 130, 800):
        done = subprocess.run(
            [sys.executable, "-c", SCRIPT, when, str(more)],
            env={**os.environ, "OPENBLAS_NUM_THREADS": threads, "OMP_NUM_THREADS": "1"},
            capture_output=True, text=True, timeout=60, check=False,
        )  # fmt: skip
        said.append(done.stdout.strip())
        assert done.returncode == 0, done.stderr
    assert said[0] == "linear algebra needs 40 MiB"
    assert said[-1] == "all"
    assert all(text == "all" or text.startswith("linear algebra needs") for text in said)
