"""Every row of Table 1 can be read and built, and its search space fits it."""

import json
import re
import warnings

import optuna
import pytest
import torch
from common.measuring import RESULTS
from comparison.runs import read_result
from comparison.spaces import SPACES, read_space, settings_outside, value_at, with_values
from comparison.table_rows import (
    BUNDLED,
    EMOJI,
    FOLDER,
    KNOWN_DATASETS,
    MODES,
    TUNED,
    find_rows,
    read_row,
)
from comparison.variants import PAPERS_SETTINGS

from lbmkgc_models.feature_store.store import ModalFeatures
from lbmkgc_models.runs.make_model import model_maker
from openke.data.store import TripleStore
from openke.training.precision import check_precision
from tests.benchmarks.tiny import write_row
from tests.contracts.graphs import graph
from tests.openke.data.test_train_data_loader import write_openke

ROWS = find_rows()
OWN = [row for row in ROWS if (FOLDER / row.dataset / f"{row.stem}.json").is_file()]
"""Those that have files of their own."""
FILES = sorted(
    path
    for path in FOLDER.glob("*/*")
    if path.parent != SPACES and path != FOLDER / PAPERS_SETTINGS
)


def ids(row):
    return f"{row.dataset} {row.name} {row.mode}"


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    """Return triples in a folder that has texts, too."""
    folder = tmp_path_factory.mktemp("graph")
    write_openke(graph(entities=2100), folder)  # as many as there may be negatives
    lines = [f"{i}\tentity {i}\tname{i}\t" for i in range(2100)]
    (folder / "labels.tsv").write_text("\n".join(lines), encoding="utf-8")
    return TripleStore.open(folder)


def modalities_of(row):
    named = row.recipe.features.modalities
    return [] if named == "none" else named


def built(row, store):
    names = store.entity_names
    features = {
        modality: ModalFeatures.from_rows(modality, names, torch.ones(len(names), 5), names)
        for modality in modalities_of(row)
    }
    return row.recipe.build(store, make=model_maker(features))


def test_every_file_is_a_row():
    assert len(FILES) == len(OWN) > 0
    assert {row.dataset for row in ROWS} == set(KNOWN_DATASETS)
    assert {row.mode for row in ROWS} == set(MODES)


@pytest.mark.parametrize("row", OWN, ids=ids)
def test_a_row_says_where_it_is_from_and_builds(row, store):
    assert len(row.source) > 5
    made = built(row, store)
    named = made.strategy.model.identity()
    assert row.recipe.model_name in json.dumps(named)
    assert (row.recipe.evaluation.patience > 0) == (row.mode == TUNED)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a processor may lack instructions for it
        check_precision(row.recipe.training.precision, torch.device("cpu"))


def test_results_that_are_there_are_those_of_their_rows():
    for row in ROWS:
        for path in (RESULTS / "table1" / row.dataset).glob(f"{row.stem}.*.json"):
            assert read_result(path, row) is not None


def test_settings_are_json_values_and_have_no_source():
    for row in ROWS:
        found = row.settings()
        assert json.loads(json.dumps(found)) == found
        assert "source" not in found


def test_rows_come_in_the_order_asked_for(tmp_path):
    for dataset in ("MKG-W", "DB15K"):
        for name in ("A", "B_with_text"):
            write_row(tmp_path, dataset, name=name)
            write_row(tmp_path, dataset, "published", name=name)
    found = find_rows(["B with text", "A"], ["MKG-W", "DB15K"], [TUNED], tmp_path)
    assert [(row.dataset, row.name, row.mode) for row in found] == [
        *(("MKG-W", "B with text", TUNED), ("MKG-W", "A", TUNED)),
        *(("DB15K", "B with text", TUNED), ("DB15K", "A", TUNED)),
    ]
    assert [row.hold_out for row in found] == [0.0, 0.0, 0.1, 0.1]
    assert len(find_rows(folder=tmp_path)) == 8


def test_a_row_with_a_file_of_its_own_is_not_lent_one(tmp_path):
    for name in ("A", "B"):
        write_row(tmp_path, BUNDLED, name=name, lr=0.5)
    write_row(tmp_path, EMOJI, name="A", lr=0.25)
    found = find_rows(datasets=[EMOJI], folder=tmp_path)
    assert [(row.name, row.dataset) for row in found] == [("A", EMOJI), ("B", EMOJI)]
    assert [row.recipe.training.lr for row in found] == [0.25, 0.5]


def test_an_unknown_row_names_the_known_ones(tmp_path):
    write_row(tmp_path)
    message = "no settings of 'Complex' for MKG-W, DB15K (tuned).*there are ComplEx"
    with pytest.raises(ValueError, match=message.replace("(", r"\(").replace(")", r"\)")):
        find_rows(["Complex"], ["MKG-W", "DB15K"], ["tuned"], tmp_path)
    with pytest.raises(ValueError, match="there are none"):
        find_rows(["ComplEx"], ["MKG-Y"], ["tuned"], tmp_path)


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        ("{", "Expecting property name"),
        ("[]", "expected settings by name"),
        ('{"recipe": {"model": "ComplEx"}}', "settings has no source; give"),
        ('{"source": "x", "recipe": {"model": "ComplEx"}, "epochs": 3}', "no setting 'epochs'"),
        ('{"source": "x", "recipe": {"model": "ComplEx", "epoch": 3}}', "no setting 'epoch'"),
        ('{"source": "x", "recipe": {"model": "ComplEx"}}', "evaluation.patience of tuned rows"),
        ('{"source": "x", "recipe": 3}', "settings.recipe is 3; expected"),
    ],
)
def test_a_malformed_file_is_named(tmp_path, content, problem):
    path = write_row(tmp_path)
    path.write_text(content)
    with pytest.raises(ValueError, match=f"{re.escape(str(path))}: .*{problem}"):
        read_row(path)


def test_a_file_of_no_mode_is_named(tmp_path):
    path = write_row(tmp_path, mode="best")
    with pytest.raises(ValueError, match=r"ComplEx.best.json: .*published or tuned"):
        read_row(path)


@pytest.mark.parametrize("path", sorted(SPACES.glob("*.json")), ids=lambda path: path.stem)
def test_a_space_fits_its_rows(path, store):
    name = path.stem.replace("_", " ")
    space = read_space(name)
    rows = [row for row in ROWS if (row.name, row.mode) == (name, TUNED)]
    assert rows
    for row in rows:
        values = {place: value_at(row, place) for place in space}
        assert None not in values.values(), f"{ids(row)} lacks a place of {sorted(values)}"
        trial = optuna.trial.FixedTrial(values)
        with warnings.catch_warnings():
            warnings.simplefilter("error")  # the row's own value is outside the range
            drawn = {place: found.draw(trial, place) for place, found in space.items()}
        assert drawn == values
        assert with_values(row, drawn) == row
        for end in (0, -1):
            ends = {p: (f.choices or (f.low, f.high))[end] for p, f in space.items()}
            other = with_values(row, ends)
            assert {place: value_at(other, place) for place in space} == ends
            built(other, store)


def test_rows_with_other_values():
    (row,) = find_rows(["ComplEx"], ["MKG-W"], [TUNED])
    before = row.settings()
    other = with_values(row, {"training.penalty.weight": 0.25, "training.schedule": "cosine"})
    assert value_at(other, "training.penalty.weight") == 0.25
    assert value_at(other, "training.penalty.name") == value_at(row, "training.penalty.name")
    assert value_at(row, "training.schedule.name") is None
    assert value_at(row, "model.dim.size") is None
    assert row.settings() == before
    space = {"training.penalty.weight": None, "training.schedule": None}
    assert settings_outside(other, space) == settings_outside(row, space)
    one = {"training.schedule": None}
    assert settings_outside(other, one) != settings_outside(row, one)
    with pytest.raises(ValueError, match="no setting 'epoch'"):
        with_values(row, {"training.epoch": 3})
    with pytest.raises(ValueError, match=r"training.lr.x: lr is 0.1 in the recipe"):
        with_values(row, {"training.lr.x": 3})


def test_a_missing_space_names_the_known_ones():
    with pytest.raises(FileNotFoundError, match=r"Nothing.json is missing; there are.*ComplEx"):
        read_space("Nothing")


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        ("[1]", "its content is .1.; expected settings by name"),
        ('{"epochs": {"low": 1}}', "expected either choices, or low and high"),
        ('{"epochs": {"lower": 1, "high": 3}}', "epochs has no setting 'lower'"),
        ('{"epochs": 3}', "epochs is 3; expected settings"),
    ],
)
def test_a_malformed_space_is_named(tmp_path, content, problem):
    path = tmp_path / "A.json"
    path.write_text(content)
    with pytest.raises(ValueError, match=f"{re.escape(str(path))}: .*{problem}"):
        read_space("A", tmp_path)


def test_a_schedule_that_needs_dev_is_an_error(tmp_path):
    path = write_row(tmp_path, schedule={"name": "plateau", "factor": 0.3})
    with pytest.raises(ValueError, match=r"tuned.json: a plateau schedule looks at dev"):
        read_row(path)
    assert read_row(write_row(tmp_path, schedule="cosine")).recipe.training.schedule == "cosine"
