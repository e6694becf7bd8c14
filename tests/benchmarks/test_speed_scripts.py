"""A speed script, run as a user runs it."""

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from common.measuring import Measurement, SpeedSettings, compared, finish, repeated

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"


def run(script, *options):
    return subprocess.run(
        [sys.executable, BENCHMARKS / script, *map(str, options)], capture_output=True, text=True
    )


def test_a_quick_run_prints_and_writes_nothing(tmp_path, datasets):
    out = tmp_path / "out"
    done = run(
        "speed_sampler.py", "--quick", "--dataset", "MKG-Y", "--data", datasets, "--out", out
    )
    assert done.returncode == 0, done.stderr
    assert "million negatives a second" in done.stdout
    assert not out.exists()


def double(number):
    return 2.0 * number


@pytest.mark.slow
def test_results_are_written_with_machine_and_plot(tmp_path, capsys):
    rows = [
        compared(
            *("double", n, (double, (n,)), (double, (10 * n,))),
            compiled=(double, (5 * n,)),
            threads=1,
        )
        for n in (1, 8)
    ]
    assert [row.ratio for row in rows] == [5.0] * 2
    assert all(row.memory_mb >= 0 for row in rows)
    finish("speed_double", "Doubling", "numbers", rows, SpeedSettings(out=tmp_path))
    read = json.loads((tmp_path / "speed_double.json").read_text())
    assert read["rows"][1]["seconds"] == 16.0
    assert read["rows"][1]["compiled_seconds"] == 80.0
    assert read["environment"]["torch"]
    assert (tmp_path / "speed_double.png").read_bytes().startswith(b"\x89PNG")
    assert "written to" in capsys.readouterr().out


def test_the_median_of_the_repetitions_counts():
    calls = []
    assert repeated(lambda: calls.append(1), least=5, seconds=0.0) < 0.1
    assert len(calls) == 6
    row = Measurement(work="", size=1, seconds=2, plain_seconds=1, memory_mb=0, plain_memory_mb=0)
    assert row.ratio == 0.5
    assert replace(row, compiled_seconds=0.5).ratio == 0.25
    assert replace(row, compiled_seconds=3).ratio == 0.5


def test_settings_are_checked():
    with pytest.raises(ValueError, match="--threads 0: expected at least 1"):
        SpeedSettings(threads=0)
