"""The main job: models side by side on the bundled graph."""

import json
from pathlib import Path

import pytest

from tests.scripts import run_here

ROOT = Path(__file__).parents[2]


def compare(*options):
    return run_here(ROOT / "examples" / "compare_factbook.py", *options, cwd=ROOT)


@pytest.mark.slow
def test_one_table_with_perceptual_relations_apart(tmp_path):
    out = tmp_path / "out"
    rows = ["LBMKGC", "LBMKGC without text", "TransE", "text and pictures, weighed"]
    few = ["--epochs", 1, "--dim", 4, "--negatives", 2, "--seeds", 0, 1]
    done = compare("--rows", *rows, *few, "--device", "cpu", "--out", out)
    assert done.returncode == 0, done.stderr
    header = next(line for line in done.stdout.splitlines() if line.startswith("MRR, %"))
    for column in ("both", "head", "tail", "perceptual", "conceptual", "seconds"):
        assert column in header
    assert "±" in done.stdout
    found = json.loads((out / "comparison.json").read_text())
    assert set(found["mrr_percent"]) == set(rows)
    # Trained to their end even here, pictures tell what text does not.
    assert all(run["perceptual"] > 40 for run in found["mrr_percent"][rows[-1]])
    for runs in found["mrr_percent"].values():
        assert len(runs) == 2
        assert all(0 < run[column] < 100 for run in runs for column in ("both", "perceptual"))


def test_an_unknown_row_lists_the_known():
    done = compare("--rows", "LBMKG")
    assert done.returncode == 2
    told = " ".join(done.stderr.replace("│", " ").split())  # tyro draws a box around it
    assert "--rows 'LBMKG': expected some of 'LBMKGC', 'LBMKGC without pictures'" in told
