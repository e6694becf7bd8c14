"""Figures of results: drawn where there are some, else one error that says what to run."""

import json

import pytest
from comparison.entries import read_entries
from comparison.figure_seeds import draw_seeds
from comparison.figure_time import _shown, draw_time

from tests.benchmarks.test_table1_factbook import measured
from tests.benchmarks.test_table1_page import write


def test_seeds_are_drawn_where_there_are_two_or_more(tmp_path):
    write(tmp_path, *measured("LBMKGC", [0.4, 0.41, 0.42, 0.4, 0.39]), *measured("RotatE", [0.3]))
    entries = read_entries(tmp_path / "table1", {})
    draw_seeds(tmp_path / "figure7.png", entries, "LBMKGC")
    assert (tmp_path / "figure7.png").read_bytes().startswith(b"\x89PNG")
    with pytest.raises(ValueError, match="no results of 'RotatE' with two seeds or more: run"):
        draw_seeds(tmp_path / "other.png", entries, "RotatE")


def row(work, size, seconds):
    return {"work": work, "size": size, "seconds": seconds, "plain_seconds": 2 * seconds}


def test_times_are_drawn_of_one_size_each(tmp_path):
    rows = [row("slow", 8, 0.3), row("slow", 20, 0.4), row("slow", 64, 0.5), row("fast", 128, 0.1)]
    content = {"title": "A step", "threads": 1, "environment": {"processor": "P"}, "rows": rows}
    assert [(each["work"], each["size"]) for each in _shown(content)] == [
        ("fast", 128),
        ("slow", 20),
    ]
    with pytest.raises(FileNotFoundError, match=r"run benchmarks/speed_training\.py first"):
        draw_time(tmp_path / "figure9.png", tmp_path / "speed_training.json")
    (tmp_path / "speed_training.json").write_text(json.dumps(content))
    draw_time(tmp_path / "figure9.png", tmp_path / "speed_training.json")
    assert (tmp_path / "figure9.png").read_bytes().startswith(b"\x89PNG")
