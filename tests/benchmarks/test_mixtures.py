"""Mixtures of rows: trained apart, weighed on valid, tested once, shown."""

import json
from dataclasses import replace

import pytest
from comparison.mixtures import (
    CONTROLS,
    MIXTURES,
    mixture_table,
    read_mixtures,
    rows_of,
    run_mixture,
)
from comparison.runs import Bench, choose
from comparison.table_rows import PICTURE_GRAPHS, read_row
from mixtures import Settings

from tests.benchmarks.tiny import RELATIONS, write_dataset, write_row

CONTROL = CONTROLS[2]


def test_every_part_is_a_row_with_settings():
    for dataset in PICTURE_GRAPHS:
        for name, parts in MIXTURES.items():
            rows = rows_of(name, dataset)
            assert [row.name for row in rows] == list(parts)
            assert {row.dataset for row in rows} == {dataset}


def test_parts_are_trained_weighed_and_tested_once(tmp_path):
    parts = Bench(
        results=tmp_path / "results" / "table1",
        checkpoints=tmp_path / "checkpoints",
        data=tmp_path / "data",
        device="cpu",
        progress=False,
    )
    bench = replace(parts, results=tmp_path / "results" / "mixtures")
    write_dataset(parts.data, "Factbook")
    row = read_row(write_row(tmp_path / "settings", "Factbook"))
    with pytest.raises(ValueError, match=r"first run benchmarks/table1\.py --datasets Factbook"):
        run_mixture(CONTROL, [row, row], 0, bench, parts, {})
    choose(row, parts)
    for seed in (0, 1):
        run_mixture(CONTROL, [row, row], seed, bench, parts, models := {})
        assert [key[1] for key in models] == [seed, seed + 100]
    paths = sorted((bench.results / "Factbook").glob("*.json"))
    assert [path.name for path in paths] == ["text_twice.seed0.json", "text_twice.seed1.json"]
    found = json.loads(paths[0].read_text())
    assert [part["name"] for part in found["parts"]] == ["ComplEx", "ComplEx"]
    assert [len(side) for side in found["weights"]] == [RELATIONS, RELATIONS]
    assert [part["epochs"] for part in found["parts"]] == [found["epochs"]] * 2
    assert 0 < found["metrics"]["both"]["mrr"] <= 1
    assert found["parameters"] > 2 * RELATIONS * 2
    assert not list(parts.checkpoints.rglob("*.ckpt"))
    before = paths[0].stat().st_mtime_ns
    run_mixture(CONTROL, [row, row], 0, bench, parts, {})
    assert paths[0].stat().st_mtime_ns == before
    with pytest.raises(ValueError, match="made with other settings"):
        run_mixture(CONTROL, [row, row, row], 0, bench, parts, {})
    (entry,) = read_mixtures(bench.results, "Factbook")
    assert [run["seed"] for run in entry.runs] == [0, 1]
    assert entry.ranks.keys() == {0, 1}
    assert entry.by_question()[0].mean() == pytest.approx(entry.metric("mrr")[0])


def test_the_table_has_differences_from_the_same_text_twice(tmp_path):
    folder = tmp_path / "Factbook"
    folder.mkdir()
    for name, gain in ((CONTROL, 0.0), ("text and pictures", 0.02)):
        for seed in range(3):
            kinds = {"perceptual": {"mrr": 0.4 + 4 * gain}, "conceptual": {"mrr": 0.39}}
            sides = {
                "mrr": 0.39 + gain + 0.001 * seed,
                **{"mr": 9.0, "hits@1": 0.2, "hits@3": 0.3, "hits@10": 0.6},
            }
            content = {
                **{"name": name, "dataset": "Factbook", "mode": "tuned", "seed": seed},
                **{"recipe": {"model": {"name": "ComplEx"}}, "epochs": 3, "seconds": 1.0},
                "metrics": dict.fromkeys(("both", "head", "tail"), sides),
                "by_seen": {},
                "by_kind": {"both": kinds},
            }
            path = folder / f"{name.replace(' ', '_')}.seed{seed}.json"
            path.write_text(json.dumps(content))
    table = mixture_table(tmp_path, "Factbook")
    rows = {row[0]: row for row in table.rows}
    assert list(rows) == ["text and pictures", CONTROL]
    assert rows["text and pictures"][-2].startswith("+2.00")
    assert rows["text and pictures"][-1].startswith("+8.00")
    assert rows[CONTROL][-2:] == ("–", "–")


def test_what_is_asked_for_is_checked():
    with pytest.raises(ValueError, match="--dataset"):
        Settings(dataset="DB15K")
    with pytest.raises(ValueError, match="--mixtures"):
        Settings(mixtures=("pictures",))
    with pytest.raises(ValueError, match="--seeds"):
        Settings(seeds=(-1,))
