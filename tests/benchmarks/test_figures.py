"""Figures of results: drawn where there are some, else one error that says what to run."""

import json

import figures
import pytest
import torch
from common.measuring import RESULTS
from comparison.ablations import WHOLE, ablation_rows
from comparison.entries import read_entries
from comparison.figures import (
    completed,
    dropped,
    imbalance,
    kinds,
    mrr,
    seeds,
    sensitivity,
    step_time,
    two_panels,
    weights,
)
from comparison.figures.canvas import DIGEST, digest, seeds_said
from comparison.page import PAGE, write_pages
from comparison.runs import Bench, Trained, read_result
from comparison.table_rows import BUNDLED, EMOJI, FOLDER, KNOWN_DATASETS, find_rows, read_row
from comparison.variants import PAPERS_LBMKGC, PAPERS_SETTINGS
from PIL import Image

from lbmkgc_models.feature_store.store import ModalFeatures
from lbmkgc_models.model.lbmkgc import LBMKGC
from openke.datasets.search import find_dataset
from tests.benchmarks.test_table1_page import lines, run, write
from tests.benchmarks.test_table1_picture_graphs import measured

TUNED = {row.name: row.recipe for row in find_rows(datasets=[BUNDLED])}
TUNED[PAPERS_LBMKGC] = read_row(FOLDER / PAPERS_SETTINGS, BUNDLED).recipe


def write_to(folder, where, *results):
    """Write results of a figure or of Table 2, as ``write`` does those of Table 1."""
    path = folder / where / BUNDLED
    path.mkdir(parents=True, exist_ok=True)
    for content in results:
        name = f"{content['name'].replace(' ', '_')}.tuned.seed{content['seed']}.json"
        (path / name).write_text(json.dumps(content))


def about(path):
    with Image.open(path, formats=["PNG"]) as picture:
        return picture.text[DIGEST]


def draws(figure, folder, numbers):
    """Draw to a file and say whether it has the digest of these numbers."""
    figure.draw(folder / "figure.png", numbers)
    return about(folder / "figure.png") == digest(numbers)


def test_seeds_are_drawn_where_there_are_two_or_more(tmp_path):
    write(tmp_path, *measured("LBMKGC", [0.4, 0.41, 0.42, 0.4, 0.39]), *measured("RotatE", [0.3]))
    found = seeds.shown(tmp_path)
    assert list(found) == [BUNDLED]
    assert found[BUNDLED]["mrr"] == pytest.approx([40, 41, 42, 40, 39])
    assert draws(seeds, tmp_path, found)
    with pytest.raises(ValueError, match="no results of 'RotatE' with two seeds or more: run"):
        seeds.shown(tmp_path, "RotatE")


def step(work, size, seconds):
    times = {"seconds": seconds, "plain_seconds": 2 * seconds, "compiled_seconds": 1.5 * seconds}
    return {"work": work, "size": size, **times}


def test_times_are_drawn_of_one_size_each(tmp_path):
    rows = [
        *(step("slow", 8, 0.3), step("slow", 20, 0.4), step("slow", 64, 0.5)),
        step("fast", 128, 0.1),
    ]
    content = {"title": "A step", "threads": 1, "environment": {"processor": "P"}, "rows": rows}
    with pytest.raises(FileNotFoundError, match=r"run benchmarks/speed_training\.py first"):
        step_time.shown(tmp_path)
    (tmp_path / "speed_training.json").write_text(json.dumps(content))
    found = step_time.shown(tmp_path)
    assert found["rows"] == [
        ["fast, 128 negatives", 100.0, pytest.approx(150.0)],
        ["slow, 20 negatives", 400.0, pytest.approx(600.0)],
    ]
    assert found["title"] == "A step\nP, 1 thread"
    assert not found["panels"]
    assert draws(step_time, tmp_path, found)
    systems = [
        {"system": "big", "batch": 1000, "step": 2.5},
        {"system": "b", "batch": 9, "step": 1},
    ]
    of_all = {"dataset": "D", "threads": 1, "environment": {"processor": "P"}, "rows": systems}
    (tmp_path / "speed_systems.json").write_text(json.dumps(of_all))
    found = step_time.shown(tmp_path)
    (panel,) = found["panels"]
    assert panel["rows"] == [["b, 9 queries", 1000], ["big, 1,000 queries", 2500.0]]
    assert "all entities of D" in panel["title"]
    assert panel["title"].endswith("P, 1 thread")
    assert draws(step_time, tmp_path, found)


def test_fewer_pictures_change_the_features_and_no_more():
    rows = {row.name: row for row in dropped.rows()}
    assert len(rows) == 4 * len(dropped.SHARES) - 3
    for name, row in rows.items():
        system, _, share = name.rpartition(" ")
        base, kind = dropped.SYSTEMS[system]
        folder = f"runs/figure3/features/{share}/{kind}"
        if share == "100" and kind == "aligned":
            assert row.recipe == TUNED[base].changed({"features.modalities": ["text"]})
        else:
            assert row.recipe == TUNED[base].changed({"features.folder": folder})
        assert row.source.startswith(f"those of {base};")


def test_lines_of_fewer_pictures_have_what_was_run(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"run benchmarks/figures\.py --figure 3 --run"):
        dropped.shown(tmp_path)
    results = [
        *measured("LBMKGC masks 25", [0.4, 0.42]),
        *measured("LBMKGC masks 50", [0.39]),
        *measured("TBKGC 100", [0.3]),
    ]
    write_to(tmp_path, "figure3", *results)
    write_to(tmp_path, "table2", *measured(WHOLE, [0.41, 0.41, 0.44]))
    found = dropped.shown(tmp_path)
    assert found["MRR"] == {
        "LBMKGC masks": {
            **{"0": pytest.approx([41]), "25": pytest.approx([40])},
            "50": pytest.approx([39]),
        },
        "TBKGC": {"100": pytest.approx([30])},
    }
    assert found["perceptual"]["TBKGC"] == {"100": pytest.approx([40])}
    assert two_panels.seeds_of(found) == "one seed"
    table = dropped.table(found)
    assert table.rows == [
        ["LBMKGC masks", "41.00 (51.00)", "40.00 (50.00)", "39.00 (49.00)", "–", "–"],
        ["TBKGC", "–", "–", "–", "–", "30.00 (40.00)"],
    ]
    assert draws(dropped, tmp_path, found)


def test_other_systems_get_other_features_and_no_more():
    rows = {row.name: row for row in completed.rows()}
    assert len(rows) == len(completed.SYSTEMS) * len(completed.MADE)
    for name, row in rows.items():
        system, _, kind = name.rpartition(" ")
        folder = f"runs/table2/features/Factbook/{kind}"
        assert row.recipe == TUNED[system].changed({"features.folder": folder})


def test_other_systems_stand_beside_as_many_seeds_of_table_1(tmp_path):
    write(tmp_path, *measured("TBKGC", [0.3, 0.5]), *measured("IKRL", [0.3]))
    with pytest.raises(FileNotFoundError, match=r"run benchmarks/figures\.py --figure 6 --run"):
        completed.shown(tmp_path)
    write_to(tmp_path, "figure6", *measured("TBKGC aligned", [0.35]))
    write_to(tmp_path, "figure6", *measured("IKRL aligned", [0.2, 0.25]))
    found = completed.shown(tmp_path)
    assert found["MRR"].pop("IKRL") == {
        "as encoded": pytest.approx([30]),
        "aligned": pytest.approx([20]),
    }
    assert found.pop("perceptual")
    assert found["MRR"] == {
        "TBKGC": {"as encoded": pytest.approx([30]), "aligned": pytest.approx([35])}
    }
    (tmp_path / "figure6" / BUNDLED / "IKRL_aligned.tuned.seed1.json").unlink()
    (tmp_path / "figure6" / BUNDLED / "IKRL_aligned.tuned.seed0.json").unlink()
    found = completed.shown(tmp_path)
    assert completed.table(found).rows == [
        ["TBKGC", "30.00 (40.00)", "35.00 (45.00)", "–", "–"],
    ]
    assert draws(completed, tmp_path, found)


def test_one_setting_is_another_at_a_time():
    whole = next(row for row in ablation_rows() if row.name == WHOLE)
    rows = sensitivity.rows()
    own = [key for key, row in rows.items() if row == whole]
    assert own == [("dim", 100), ("negatives", 500), ("margin", 9)]
    for (setting, value), row in rows.items():
        assert row.recipe == whole.recipe.changed({sensitivity.VALUES[setting][0]: value})
        assert (row.name == WHOLE) == (row == whole)


def test_other_settings_are_drawn_of_valid(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"run benchmarks/figures\.py --figure 8 --run"):
        sensitivity.shown(tmp_path)
    write_to(tmp_path, "figure8", *measured("margin 3", [0.2]), *measured("margin 6", [0.2]))
    write_to(tmp_path, "table2", *measured(WHOLE, [0.2]))
    for where, name, value in (("figure8", "margin_3", 0.3), ("table2", WHOLE, 0.4)):
        dev = {"seconds": 9, "hold_out": 0, "seed": 0, "dev_mrr": value}
        (tmp_path / where / BUNDLED / f"{name}.tuned.dev.json").write_text(json.dumps(dev))
    (elsewhere := tmp_path / "table2" / EMOJI).mkdir()
    other = {**measured(WHOLE, [0.3])[0], "dataset": EMOJI}
    (elsewhere / f"{WHOLE}.tuned.seed0.json").write_text(json.dumps(other))
    found = sensitivity.shown(tmp_path)
    assert found == {"margin": {"3": 30.0, "9": 40.0}}
    assert sensitivity.table(found).rows[-1] == ["margin", "9", "40.00"]
    assert draws(sensitivity, tmp_path, found)


def test_weights_are_of_entities_that_have_both(tmp_path):
    names = ["a", "b", "c"]
    features = {
        "image": ModalFeatures.from_rows("image", ["a", "c"], torch.eye(2), names),
        "text": ModalFeatures.from_rows("text", ["a", "b"], torch.eye(2), names),
    }
    found = weights.picture_weights(LBMKGC(3, 1, features, dim=4), names)
    assert list(found) == ["a"]
    assert 0 < found["a"] < 1
    with pytest.raises(FileNotFoundError, match=r"run benchmarks/figures\.py --figure 4 --run"):
        weights.shown(tmp_path)
    many = {f"entity {place}": place / 20 for place in range(20)}
    assert draws(weights, tmp_path, {"weights": many, "epochs": 3})


def test_weights_are_those_of_table_2(tmp_path):
    inputs = {"triples": "x", "features": {"image": "a", "text": "t"}}
    (result,) = measured(WHOLE, [0.4])
    write_to(tmp_path, "table2", {**result, "inputs": inputs})
    path = tmp_path / weights.FOLDER / BUNDLED / "weights.json"
    path.parent.mkdir(parents=True)
    same = {
        **{"recipe": result["recipe"], "epochs": result["epochs"], "weights": {"a": 0.5}},
        "inputs": {**inputs, "encoders": {"text": {"encoder": "minilm"}}},
    }
    path.write_text(json.dumps(same))
    assert weights.shown(tmp_path) == {"weights": {"a": 0.5}, "epochs": result["epochs"]}
    others = {
        "recipe": {"model": {"name": "TransE"}},
        "epochs": result["epochs"] + 1,
        "inputs": {**inputs, "features": {"image": "b", "text": "t"}},
    }
    for name, other in others.items():
        path.write_text(json.dumps({**same, name: other}))
        with pytest.raises(ValueError, match=rf"{name} than LBMKGC.*--figure 4 --run again"):
            weights.shown(tmp_path)
    del same["inputs"]  # as it was before these were written down
    path.write_text(json.dumps(same))
    with pytest.raises(ValueError, match="made with other inputs than"):
        weights.shown(tmp_path)
    next(tmp_path.glob(f"table2/{BUNDLED}/*")).unlink()
    with pytest.raises(FileNotFoundError, match=r"run benchmarks/table2\.py first"):
        weights.shown(tmp_path)


def test_weights_of_other_features_than_table_2_are_made_again(tmp_path, monkeypatch):
    inputs = {"triples": "x", "features": {"image": "a", "text": "t"}, "encoders": {}}
    recipe = weights.row().recipe.to_dict()
    (result,) = measured(WHOLE, [0.4])
    write_to(tmp_path, "table2", {**result, "recipe": recipe, "inputs": inputs})
    made, calls = dict(inputs), []

    def train(*_):
        calls.append("train")
        return Trained(LBMKGC(2, 1, dim=4), 1.0, made)

    monkeypatch.setattr(weights, "make_features", lambda *_: None)
    monkeypatch.setattr(weights, "choose", lambda *_: {"epochs": result["epochs"]})
    monkeypatch.setattr(weights, "trained", train)
    monkeypatch.setattr(weights, "picture_weights", lambda *_: {"a": 0.5})
    bench = Bench(results=tmp_path / weights.FOLDER, checkpoints=tmp_path)
    path = tmp_path / weights.FOLDER / BUNDLED / "weights.json"
    for _ in range(2):  # the second time it is there
        weights.run((0,), bench)
    assert calls == ["train"]
    found = json.loads(path.read_text())
    assert (found["inputs"], found["seed"]) == (inputs, 0)
    path.write_text(json.dumps({**found, "inputs": {**inputs, "features": {}}}))
    weights.run((0,), bench)
    assert calls == ["train"] * 2
    assert json.loads(path.read_text()) == found
    path.unlink()
    made["features"] = {"image": "b", "text": "t"}
    with pytest.raises(ValueError, match="its image features were others than those in runs"):
        weights.run((0,), bench)
    assert not path.exists()


def test_what_entities_have_is_counted(tmp_path):
    counts = imbalance.count(find_dataset(BUNDLED))
    assert counts == {"entities": 1295, "a description": 1295, "a picture": 398}
    with pytest.raises(FileNotFoundError, match=r"run benchmarks/figures\.py --figure 5 --run"):
        imbalance.shown(tmp_path)
    (tmp_path / imbalance.FOLDER).mkdir()
    for dataset, pictures in ((BUNDLED, {"a picture": 2}), ("MKG-Y", {})):
        counts = {"entities": 8, "a description": 4, **pictures}
        (tmp_path / imbalance.FOLDER / f"{dataset}.json").write_text(json.dumps(counts))
    found = imbalance.shown(tmp_path)
    assert found == {
        "MKG-Y\n8 entities": {"a description": 50},
        f"{BUNDLED}\n8 entities": {"a description": 50, "a picture": 25},
    }
    assert draws(imbalance, tmp_path, found)


def test_table_1_is_drawn_of_what_is_there(tmp_path):
    write(tmp_path, *(run("RotatE", name, "tuned", 0, 0.125) for name in ("MKG-W", "MKG-Y")))
    found = mrr.of_entries(read_entries(tmp_path / "table1", {}), {("RotatE", "MKG-Y"): {"mrr": 3}})
    assert found == {
        "order": ["RotatE, tuned"],
        "panels": {"MKG-W": {"RotatE, tuned": (12.5, None)}, "MKG-Y": {"RotatE, tuned": (12.5, 3)}},
    }
    assert draws(mrr, tmp_path, found)


def test_rows_are_drawn_by_kind_of_relation(tmp_path):
    write(tmp_path, *measured("RotatE", [0.25]), *measured("ComplEx", [0.375, 0.5]))
    found = kinds.of_entries(read_entries(tmp_path / "table1", {}))
    assert [(name, seeds) for name, _, seeds in found[BUNDLED]] == [("ComplEx", 2), ("RotatE", 1)]
    assert set(found) == {BUNDLED}
    assert found[BUNDLED][1][1].keys() == set(kinds.KINDS)
    assert draws(kinds, tmp_path, found)


def test_pages_have_the_numbers_of_figures(tmp_path):
    write(tmp_path, *measured("RotatE", [0.4]))
    write_to(tmp_path, "figure3", *measured("TBKGC 0", [0.3]))
    write_to(tmp_path, "table2", *measured("without text", [0.3]))
    write_pages(tmp_path)
    text = (tmp_path / "table1.md").read_text()
    assert "## Figure 3: fewer pictures" in text
    assert ["TBKGC", "30.00 (40.00)", "–", "–", "–", "–"] in lines(text)


@pytest.mark.parametrize(
    ("counts", "said"), [([1, 1], "one seed"), ([5], "5 seeds"), ([2, 1, 5], "1 to 5 seeds")]
)
def test_seeds_are_said(counts, said):
    assert seeds_said(counts) == said


def test_figures_without_runs_say_what_to_run():
    with pytest.raises(ValueError, match=r"--run: figure 9 has no runs of its own; run table1\.py"):
        figures.Settings(figure=9, run=True)
    with pytest.raises(ValueError, match="expected numbers from 0 on"):
        figures.Settings(figure=3, seeds=())


def test_pictures_are_current():
    """A figure shows the results that are there; one that was not run is not there."""
    page = PAGE.read_text()
    for number, figure in figures.FIGURES.items():
        path = RESULTS / f"figure{number}.png"
        again = f"python benchmarks/figures.py --figure {number}"
        if hasattr(figure, "FOLDER") and not (RESULTS / figure.FOLDER).is_dir():
            assert not path.exists(), again
        else:
            assert about(path) == digest(figure.shown(RESULTS)), again
            assert f"(../benchmarks/results/{path.name})" in page
    assert about(RESULTS / "table1.png") == digest(mrr.shown(RESULTS))
    assert about(RESULTS / "table1_pictures.png") == digest(kinds.shown(RESULTS))


def test_results_were_made_with_the_settings_they_have_now():
    """Those of Table 2 and of figures."""
    named = {
        "table2": [row for graph in KNOWN_DATASETS for row in ablation_rows(graph)],
        dropped.FOLDER: dropped.rows(),
        completed.FOLDER: completed.rows(),
        sensitivity.FOLDER: sensitivity.rows().values(),
    }
    for folder, rows in named.items():
        bench = Bench(results=RESULTS / folder, checkpoints=RESULTS)
        by_place = {(row.dataset, row.stem): row for row in rows}
        for path in sorted(bench.results.glob("*/*.json")):
            row = by_place[path.parent.name, path.stem.rpartition(".")[0]]
            chosen = read_result(bench.dev_path(row), row)
            assert chosen is not None, path
            assert read_result(path, row, epochs=chosen["epochs"]) is not None, path
    path = RESULTS / weights.FOLDER / BUNDLED / "weights.json"
    if path.is_file():
        assert read_result(path, weights.row()) is not None
