"""Mixtures of rows: trained apart, weighed on valid, tested once, shown."""

import json
from dataclasses import replace

import pytest
import torch
from common.measuring import RESULTS
from comparison import mixtures
from comparison.mixture_tables import mixture_table
from comparison.mixtures import (
    CONTROLS,
    ROWS,
    cross_fitted,
    read_mixtures,
    rows_of,
    run_mixture,
)
from comparison.runs import DEV_SEED, Bench, choose, chosen_epochs, trained
from comparison.table_rows import read_row
from mixtures import Settings

from openke.evaluation.mixing import mix
from openke.runtime.json_text import through_json
from tests.benchmarks.tiny import RELATIONS, Watch, write_dataset, write_row

CONTROL = CONTROLS[2]


def test_every_part_is_a_row_with_settings():
    for dataset, known in ROWS.items():
        for name, parts in known.items():
            rows = rows_of(name, dataset)
            assert [row.name for row in rows] == list(parts)
            assert {row.dataset for row in rows} == {dataset}


@pytest.fixture
def parts(tmp_path):
    return Bench(
        results=tmp_path / "results" / "table1",
        checkpoints=tmp_path / "checkpoints",
        data=tmp_path / "data",
        device="cpu",
        progress=False,
    )


def test_parts_are_trained_weighed_and_tested_once(parts, tmp_path, monkeypatch):
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
    assert len(found["alone"]) == 2
    assert all(0 < part["dev_mrr"] <= 1 for part in found["alone"])
    before = paths[0].stat().st_mtime_ns
    run_mixture(CONTROL, [row, row], 0, bench, parts, {})
    assert paths[0].stat().st_mtime_ns == before
    # A setting that there was not yet has its default.
    older = json.loads(paths[0].read_text())
    assert older["parts"][0]["recipe"]["training"].pop("precision") == "float32"
    paths[0].write_text(json.dumps(older))
    run_mixture(CONTROL, [row, row], 0, bench, parts, {})
    # What its parts' rows were made of has to be what it was made of.
    older["inputs"]["triples"] = "other"
    paths[0].write_text(json.dumps(older))
    with pytest.raises(ValueError, match=r"does not fit the results of its parts: .*other triples"):
        run_mixture(CONTROL, [row, row], 0, bench, parts, {})
    with pytest.raises(ValueError, match="seeds of text twice differ in their data"):
        read_mixtures(bench.results, "Factbook")
    paths[0].write_text(json.dumps(found))
    with pytest.raises(ValueError, match="made with other settings"):
        run_mixture(CONTROL, [row, row, row], 0, bench, parts, {})
    # What was trained before is not trained again, and gives the same.
    watch = Watch(monkeypatch)
    paths[0].unlink()
    run_mixture(CONTROL, [row, row], 0, bench, parts, {})
    assert "train" not in watch.events
    again = json.loads(paths[0].read_text())
    for name in ("metrics", "weights", "alone", "dev_mrr"):
        assert again[name] == found[name]
    # Unless it was trained on something else.
    notes = next(bench.checkpoints.rglob("*.seed0.*.json"))
    notes.write_text(notes.read_text().replace('"triples": "', '"triples": "other'))
    paths[0].rename(bench.results / "kept")
    with pytest.raises(ValueError, match="trained on other triples or features than there are"):
        run_mixture(CONTROL, [row, row], 0, bench, parts, {})
    (bench.results / "kept").rename(paths[0])
    (entry,) = read_mixtures(bench.results, "Factbook")
    assert [run["seed"] for run in entry.runs] == [0, 1]
    assert entry.ranks.keys() == {0, 1}
    assert entry.by_question()[0].mean() == pytest.approx(entry.metric("mrr")[0])


def test_weights_are_fitted_to_what_is_held_out_where_dev_is(parts, tmp_path, monkeypatch):
    bench = replace(parts, results=tmp_path / "results" / "mixtures")
    store = write_dataset(parts.data, "DB15K")
    row = read_row(write_row(tmp_path / "settings", "DB15K"))
    choose(row, parts)
    watch, fitted_to = Watch(monkeypatch), []

    def watched(models, of, *rest):
        fitted_to.append((models, of))
        return mix(models, of, *rest)

    monkeypatch.setattr(mixtures, "mix", watched)
    run_mixture("ComplEx + RotatE", [row, row], 0, bench, parts, {})
    dev = store.hold_out(0.1, DEV_SEED)
    models, of = fitted_to[0]
    assert of.triples("valid").tolist() == dev.triples("valid").tolist()
    assert not set(map(tuple, of.triples("valid"))) & set(map(tuple, store.triples("valid")))
    assert [len(s.triples("train")) for s in watch.stores] == [
        len(s.triples("train")) for s in (store, store, dev)
    ]
    own = trained(row, DEV_SEED, bench, bench_epochs(bench), hold_out=0.1).model
    for model in models:
        assert torch.equal(*(next(m.parameters()) for m in (model, own)))
    entry = read_mixtures(bench.results, "DB15K")[0]
    assert entry.runs[0]["alone"][0]["dev_mrr"] != entry.runs[0]["alone"][0]["mrr"]


def bench_epochs(bench):
    (path,) = bench.results.rglob("*.seed0.json")
    return json.loads(path.read_text())["epochs"]


def test_each_half_is_ranked_by_weights_of_the_other(parts, tmp_path):
    store = write_dataset(parts.data, "MKG-W")
    row = read_row(write_row(tmp_path / "settings", "MKG-W"))
    models = [trained(row, seed, parts, 3)[0] for seed in (0, 1)]
    alone = [mixtures._mrr(model, store, "valid") for model in models]
    assert min(alone) - 0.2 < cross_fitted(models, store) <= 1
    # The mixture of a model with itself ranks as that does, whatever its weights.
    assert cross_fitted(models[:1] * 2, store) == pytest.approx(alone[0], abs=1e-3)


def test_the_table_has_the_parts_beside_their_mixture(tmp_path):
    folder = tmp_path / "MKG-Y"
    folder.mkdir()
    for seed, gain in ((0, 0.0), (1, 0.01)):
        sides = {"mrr": 0.4 + gain, "mr": 9.0, "hits@1": 0.2, "hits@3": 0.3, "hits@10": 0.6}
        texts = {"modalities": ["image", "text"], "texts": "descriptions"}
        content = {
            **{"name": "LBMKGC + RotatE", "dataset": "MKG-Y", "mode": "tuned", "seed": seed},
            **{"recipe": {"model": {"name": "LBMKGC"}}, "epochs": 3, "seconds": 1.0},
            "parts": [
                {"recipe": {"model": {"name": "LBMKGC"}, "features": texts}},
                {"recipe": {"model": {"name": "RotatE"}}},
            ],
            "metrics": dict.fromkeys(("both", "head", "tail"), sides),
            "by_seen": {"both": {"unseen": {"mrr": 0.1}}},
            "dev_mrr": 0.39,
            "alone": [{"dev_mrr": 0.38, "mrr": 0.37}, {"dev_mrr": 0.36, "mrr": 0.38}],
        }
        (folder / f"LBMKGC_+_RotatE.seed{seed}.json").write_text(json.dumps(content))
    table = mixture_table(tmp_path, "MKG-Y")
    (row,) = table.rows
    assert row[:3] == ("LBMKGC + RotatE", "pictures, text: descriptions", "39.00 ± 0.00")
    assert row[3].startswith("40.50 ±")
    assert row[-4:] == ("2", "38.00, 36.00", "37.00, 38.00", "+3.50")
    assert "fitted to valid" in table.note


def test_results_were_made_with_the_settings_that_their_parts_have_now():
    table1 = Bench(results=RESULTS / "table1", checkpoints=RESULTS)
    for dataset in ROWS:
        for entry in read_mixtures(RESULTS / "mixtures", dataset):
            parts = rows_of(entry.name, dataset)
            expected = [{**row.settings(), "epochs": chosen_epochs(row, table1)} for row in parts]
            assert entry.runs[0]["parts"] == through_json(expected), entry.name


def test_seeds_of_a_mixture_that_differ_are_an_error(tmp_path):
    def written(seed, image="a", **changes):
        recipe = {"model": {"name": "LBMKGC"}, "features": {"folder": "made"}}
        sides = {"mrr": 0.4, "mr": 9.0, "hits@1": 0.2, "hits@3": 0.3, "hits@10": 0.6}
        content = {
            **{"name": CONTROL, "dataset": "Factbook", "mode": "tuned", "seed": seed},
            **{"recipe": recipe, "epochs": 3, "seconds": 1.0, "by_seen": {}},
            "parts": [{"recipe": recipe}, {"recipe": recipe}],
            "inputs": {"triples": "x", "features": [{"image": "a"}, {"image": image}]},
            "metrics": dict.fromkeys(("both", "head", "tail"), sides),
            **changes,
        }
        path = tmp_path / "Factbook" / f"text_twice.seed{seed}.json"
        path.parent.mkdir(exist_ok=True)
        path.write_text(json.dumps(content))

    written(0)
    written(1)
    assert len(read_mixtures(tmp_path, "Factbook")[0].runs) == 2
    other = [{"recipe": {"model": {"name": name}}} for name in ("LBMKGC", "RotatE")]
    for problem, changes in (
        ("differ in their parts", {"parts": other}),
        ("differ in their epochs", {"epochs": 4}),
        ("differ in their data, texts or made features", {"image": "b"}),
    ):
        written(1, **changes)
        with pytest.raises(ValueError, match=f"seeds of text twice {problem}"):
            read_mixtures(tmp_path, "Factbook")
    written(1, parts=other[:1])
    with pytest.raises(ValueError, match=r"seed1\.json: no results: 1 parts, and features of 2"):
        read_mixtures(tmp_path, "Factbook")


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
    with pytest.raises(ValueError, match="--datasets"):
        Settings(datasets=("Fact",))
    with pytest.raises(ValueError, match="--rows"):
        Settings(rows=("text and pictures",))
    assert Settings(rows=("text and pictures",), datasets=("Factbook",)).seeds == (0, 1, 2)
    with pytest.raises(ValueError, match="--seeds"):
        Settings(seeds=(-1,))
