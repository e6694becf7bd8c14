"""Table 2: what each ablation changes, what may stand for missing pictures, and the table."""

import json
from pathlib import Path

import pytest
import torch
from comparison.ablations import ABLATIONS, CHANGES, OF_TEXT, WHOLE, ablation_rows, ablation_tables
from comparison.completed_pictures import (
    ALIGNED,
    RANDOM,
    RETRIEVED,
    complete,
    drop,
    make_features,
    random_rows,
    retrieved_rows,
)
from comparison.entries import read_entries
from comparison.page import write_pages
from comparison.runs import Bench, check_inputs
from table2 import Settings

from lbmkgc_models.feature_store.store import ModalFeatures
from openke.datasets.search import find_dataset
from tests.benchmarks.test_table1_page import write
from tests.benchmarks.test_table1_picture_graphs import measured

NAMES = ["a", "b", "c", "d"]
IMAGE = ModalFeatures.from_rows(
    "image", ["a", "c"], torch.tensor([[1.0, 0.0], [0.0, 1.0]]), NAMES, encoder="e"
)
TEXT = ModalFeatures.from_rows(
    "text", ["a", "b", "c"], torch.tensor([[1.0, 0.0], [0.1, 0.9], [0.0, 1.0]]), NAMES
)


@pytest.mark.parametrize("graph", ["Factbook", "OpenMoji"])
def test_each_ablation_changes_what_it_says_and_no_more(graph):
    rows = {row.name: row for row in ablation_rows(graph)}
    assert list(rows) == list(ABLATIONS)
    whole = rows[WHOLE].recipe
    assert whole.model_settings["interaction"] == "RotatE"
    assert whole.model_settings["gate"] == "relation"
    assert whole.features.folder == f"runs/table2/features/{graph}/aligned"
    assert {row.dataset for row in rows.values()} == {whole.data.name} == {graph}
    for name, changes in CHANGES.items():
        assert rows[name].recipe == whole.changed(changes) != whole
    folders = {name: rows[name].recipe.features.folder for name in ABLATIONS[1:4]}
    for name, folder in folders.items():
        assert rows[name].recipe == whole.changed({"features.folder": folder})
    assert [Path(folder).name for folder in folders.values()] == ["random", "retrieved", ""]


def test_where_there_are_no_pictures_text_alone_is_left_out():
    rows = {row.name: row for row in ablation_rows("MKG-Y")}
    assert list(rows) == list(OF_TEXT)
    assert rows[WHOLE].recipe.features.modalities == ["text"]
    assert rows[WHOLE].recipe.features.folder == ""
    assert rows["without text"].recipe.features.modalities == []
    assert rows["without CGuAF"].recipe == rows[WHOLE].recipe.changed(CHANGES["without CGuAF"])
    assert {row.hold_out for row in ablation_rows("DB15K")} == {0.1}


def test_the_nearest_picture_stands_for_a_missing_one():
    rows = retrieved_rows(IMAGE, TEXT)
    assert rows.tolist() == [[1.0, 0.0], [0.0, 1.0], [0.0, 1.0], [0.0, 0.0]]
    made = complete(IMAGE, rows, "the nearest picture")
    assert made.present.all()
    assert torch.equal(made.values[IMAGE.present], IMAGE.values[IMAGE.present])
    assert made.values[1].tolist() == [0.0, 1.0]
    assert made.manifest.encoder == "e; where missing, the nearest picture"
    assert not IMAGE.present.all()


def test_random_rows_are_as_long_as_the_others_and_the_same_each_time():
    rows = random_rows(IMAGE)
    torch.testing.assert_close(rows.norm(dim=1), torch.ones(4))
    assert torch.equal(rows, random_rows(IMAGE))
    assert not torch.equal(rows, random_rows(IMAGE, seed=1))


def test_what_a_smaller_share_drops_a_larger_does():
    rows = torch.eye(20)
    names = [f"e{place}" for place in range(20)]
    features = ModalFeatures.from_rows("image", names[:19], rows[:19], names)
    assert torch.equal(drop(features, 0).present, features.present)
    left = [drop(features, share).present for share in (0.25, 0.5, 1)]
    assert [int(present.sum()) for present in left] == [14, 9, 0]
    assert not (left[1] & ~left[0]).any()
    assert not drop(features, 0.5).values[~left[1]].any()
    assert features.present.sum() == 19


@pytest.mark.slow
def test_without_pictures_there_are_random_ones_alone(tmp_path):
    directory = find_dataset("Factbook")
    make_features(directory / "features", tmp_path, str(directory), share=1)
    assert [path.name for path in tmp_path.iterdir()] == [RANDOM]
    text = json.loads((tmp_path / RANDOM / "text" / "manifest.json").read_text())
    image = json.loads((tmp_path / RANDOM / "image" / "manifest.json").read_text())
    assert text["encoder"] == "minilm"
    assert image["rows"] == 1295


@pytest.mark.slow
def test_features_of_the_bundled_graph_are_made_once(tmp_path):
    directory = find_dataset("Factbook")
    make_features(directory / "features", tmp_path, str(directory))
    counts = {}
    for kind in (ALIGNED, RANDOM, RETRIEVED):
        manifests = [
            json.loads((tmp_path / kind / modality / "manifest.json").read_text())
            for modality in ("image", "text")
        ]
        assert manifests[0]["dim"] == manifests[1]["dim"]
        counts[kind] = [manifest["rows"] for manifest in manifests]
    assert counts == {ALIGNED: [398, 1295], RANDOM: [1295, 1295], RETRIEVED: [1295, 1295]}
    before = (tmp_path / ALIGNED / "image" / "manifest.json").stat().st_mtime_ns
    make_features(directory / "features", tmp_path, str(directory))
    assert (tmp_path / ALIGNED / "image" / "manifest.json").stat().st_mtime_ns == before


def test_the_table_has_differences_from_the_whole(tmp_path):
    write(tmp_path, *measured("LBMKGC", [0.4, 0.42]), *measured("without text", [0.3, 0.33]))
    (tmp_path / "table1").rename(tmp_path / "table2")
    entries = read_entries(tmp_path / "table2", {})
    (table,) = ablation_tables(entries)
    assert table.note.endswith("Not run on: DB15K, MKG-W, MKG-Y, OpenMoji.")
    assert [row[0] for row in table.rows] == ["LBMKGC", "without text"]
    assert table.rows[0][1] == "41.00 ± 1.41"
    assert table.rows[0][-2:] == ("–", "–")
    assert table.rows[1][-2].startswith("-9.50 (")
    write(tmp_path, *measured("RotatE", [0.4]))
    write_pages(tmp_path)
    assert "## Table 2 on Factbook" in (tmp_path / "table1.md").read_text()


def test_unknown_ablations_are_named():
    with pytest.raises(ValueError, match="--rows is 'without texts'"):
        Settings(rows=("without texts",))
    with pytest.raises(ValueError, match="--datasets is 'WN18'"):
        Settings(datasets=("WN18",))
    with pytest.raises(ValueError, match="expected numbers from 0 on"):
        Settings(seeds=(-1,))


def with_features(folder, image, text="t", **made):
    """Return results whose features a script made."""
    recipe = {"model": {"name": "LBMKGC"}, "features": {"folder": folder}}
    inputs = {"triples": "x", "features": {"image": image, "text": text}}
    return [{**result, "recipe": recipe, "inputs": inputs} for result in measured(**made)]


def test_rows_on_features_that_were_made_anew_are_not_compared(tmp_path):
    whole = with_features("made/aligned", "a", name="LBMKGC", mrr=[0.4, 0.42])
    same = with_features("made/aligned", "a", name="without structure", mrr=[0.3, 0.33])
    retrieved = with_features("made/retrieved", "b", name="pictures retrieved", mrr=[0.3, 0.33])
    write(tmp_path, *whole, *same, *retrieved)
    assert ablation_tables(read_entries(tmp_path / "table1", {}))
    other = with_features("made/aligned", "c", name="without CGuAF", mrr=[0.3, 0.33])
    write(tmp_path, *other)
    with pytest.raises(ValueError, match="saw other image features of made/aligned than"):
        ablation_tables(read_entries(tmp_path / "table1", {}))
    write(tmp_path, *with_features("made/aligned", "a", name="without CGuAF", mrr=[0.3]))
    with pytest.raises(ValueError, match=r"seeds of .* differ in their data, texts or made"):
        read_entries(tmp_path / "table1", {})


def test_a_row_is_not_trained_on_other_features_than_the_results_beside_it(tmp_path):
    bench = Bench(results=tmp_path / "table1", checkpoints=tmp_path)
    (row,) = [found for found in ablation_rows() if found.name == "without structure"]
    folder = str(row.recipe.features.folder)
    write(tmp_path, *with_features(folder, "a", name="LBMKGC", mrr=[0.4]))
    write(tmp_path, *with_features("elsewhere", "b", name="without CMoA", mrr=[0.4]))
    inputs = {"triples": "x", "features": {"image": "a", "text": "t"}}
    check_inputs(row, bench, inputs)
    with pytest.raises(ValueError, match="its text features were others than those in runs"):
        check_inputs(row, bench, {**inputs, "features": {"text": "u"}})
    with pytest.raises(ValueError, match="made of other triples"):
        check_inputs(row, bench, {**inputs, "triples": "y"})
