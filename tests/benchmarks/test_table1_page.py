"""Results become tables beside the paper's figures; README and documentation have the latest."""

import json
import shutil
from dataclasses import replace
from pathlib import Path

import pytest
import table1
from common.measuring import RESULTS
from comparison.entries import Entry, read_entries, read_paper
from comparison.page import (
    BEGIN,
    END,
    PAGE,
    README,
    dataset_table,
    headline,
    overview,
    put_into,
    spent_hours,
    texts_table,
    unseen_table,
    write_pages,
)
from comparison.runs import Bench, read_result
from comparison.table_rows import DATASETS, FOLDER, TUNED, find_rows
from PIL import Image

from lbmkgc_models.runs.side_by_side import spread

PAPER = read_paper()


def run(name, dataset, mode, seed, mrr, **more):
    """Return what a test of a seed writes, as far as tables need it."""
    figures = {"mrr": mrr, "mr": 100.0, "hits@1": mrr / 2, "hits@3": mrr, "hits@10": 2 * mrr}
    sides = dict.fromkeys(("both", "head", "tail"), figures)
    unseen = {"unseen": {"mrr": mrr / 10, "count": 7}, "seen": {"mrr": mrr, "count": 70}}
    return {
        **{"name": name, "dataset": dataset, "mode": mode, "seed": seed, "epochs": 9},
        "recipe": {"model": {"name": name}},
        "seconds": 360.0,
        "metrics": {**sides, "head": {**figures, "mrr": mrr - 0.1}},
        "by_seen": dict.fromkeys(sides, unseen),
        **more,
    }


def write(folder, *runs):
    for content in runs:
        name = f"{content['name']}.{content['mode']}.seed{content['seed']}.json"
        path = folder / "table1" / content["dataset"] / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(content))


def some():
    return [
        run("RotatE", "DB15K", "tuned", 0, 0.3),
        run("RotatE", "DB15K", "tuned", 1, 0.31),
        run("RotatE", "DB15K", "tuned", 2, 0.35),
        run("RotatE", "MKG-W", "published", 0, 0.2),
        run("RotatE", "DB15K", "published", 0, 0.25),
        run("TransE", "MKG-Y", "tuned", 0, 0.2),
        run("TuckER", "DB15K", "tuned", 0, 0.36),
        run("LBMKGC", "DB15K", "tuned", 0, 0.4),
    ]


@pytest.fixture
def entries(tmp_path):
    write(tmp_path, *some())
    return read_entries(tmp_path / "table1", PAPER)


def lines(text):
    """Return the cells of a Markdown table's lines."""
    return [
        [cell.strip() for cell in line.strip("|").split("|")]
        for line in text.splitlines()
        if line.startswith("|") and "---" not in line
    ]


def test_the_paper_has_its_figures():
    assert PAPER["LBMKGC", "DB15K"] == {
        **{"mrr": 37.23, "hits@1": 27.78, "hits@3": 42.75, "hits@10": 54.71}
    }
    assert {dataset for _, dataset in PAPER} == set(DATASETS)
    assert len(PAPER) == 3 * len({model for model, _ in PAPER})
    for key, found in PAPER.items():
        assert 0 < found["hits@1"] < found["mrr"] < found["hits@10"] < 100, key
        assert found["hits@1"] < found["hits@3"] < found["hits@10"], key


def test_entries_are_in_the_order_of_the_paper(entries):
    assert [(entry.dataset, entry.name, entry.mode) for entry in entries] == [
        ("MKG-Y", "TransE", "tuned"),
        ("DB15K", "RotatE", "published"),
        ("MKG-W", "RotatE", "published"),
        ("DB15K", "RotatE", "tuned"),
        ("DB15K", "LBMKGC", "tuned"),
        ("DB15K", "TuckER", "tuned"),  # which the paper does not have
    ]
    assert [run["seed"] for run in entries[3].runs] == [0, 1, 2]


@pytest.mark.parametrize(
    ("setting", "value"),
    [
        ("recipe", {"model": {"name": "RotatE", "dim": 3}}),
        ("epochs", 10),
    ],
)
def test_seeds_that_differ_are_an_error(tmp_path, setting, value):
    write(tmp_path, *some(), run("RotatE", "DB15K", "tuned", 3, 0.3, **{setting: value}))
    message = f"seeds of DB15K RotatE tuned differ in their {setting}"
    with pytest.raises(ValueError, match=message):
        read_entries(tmp_path / "table1", PAPER)


def test_seeds_of_other_texts_are_an_error(tmp_path):
    def made_of(seed, mentions):
        # Encoders round otherwise on other processors, so their vectors may differ.
        inputs = {"triples": "a", "features": {"text": str(seed), "mentions": mentions}}
        return run("LBMKGC", "MKG-W", "tuned", seed, 0.3, inputs=inputs)

    write(tmp_path, run("LBMKGC", "MKG-W", "tuned", 0, 0.3), made_of(1, "b"), made_of(2, "b"))
    read_entries(tmp_path / "table1", PAPER)
    write(tmp_path, made_of(3, "c"))
    with pytest.raises(ValueError, match="MKG-W LBMKGC tuned differ in their data, texts or"):
        read_entries(tmp_path / "table1", PAPER)


def test_no_results_are_an_error(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"run benchmarks/table1.py first"):
        write_pages(tmp_path)
    assert not list(tmp_path.iterdir())


def test_mean_deviation_and_difference(entries):
    assert spread([30.0, 31.0, 35.0]) == "32.00 ± 2.65"  # of a sample: n - 1
    assert spread([30.0]) == "30.00"
    table = dataset_table("DB15K", entries, PAPER)
    found = {row[:2]: dict(zip(table.header, row, strict=True)) for row in table.rows}
    rotate = found["RotatE", "tuned"]
    assert rotate == {
        **{"model": "RotatE", "trained": "tuned", "sees": "–", "MRR": "32.00 ± 2.65"},
        **{"head": "22.00", "tail": "32.00"},
        **{"Hits@1": "16.00 (17.87)", "Hits@3": "32.00 (36.12)", "Hits@10": "64.00 (49.66)"},
        **{"paper's MRR": "29.28", "difference": "+2.72", "seeds": "3", "epochs": "9"},
        "hours": "0.3",
    }
    assert found["RotatE", "published"]["difference"] == "-4.28"
    unknown = found["TuckER", "tuned"]
    assert (unknown["paper's MRR"], unknown["difference"]) == ("–", "–")
    assert "(" not in unknown["Hits@1"]
    assert len(table.rows) == 4


@pytest.mark.parametrize(("hold_out", "hours"), [(0.1, 0.5), (0, 0.4)])
def test_hours_count_the_choice_of_epochs_once(tmp_path, hold_out, hours):
    write(tmp_path, *(run("RotatE", "MKG-W", "tuned", seed, 0.3) for seed in range(3)))
    dev = {"seconds": 720, "hold_out": hold_out, "seed": 0, "epochs": 9, "curve": [{"epoch": 12}]}
    (tmp_path / "table1" / "MKG-W" / "RotatE.tuned.dev.json").write_text(json.dumps(dev))
    (entry,) = read_entries(tmp_path / "table1", PAPER)
    assert entry.hours == pytest.approx(hours)
    assert spent_hours(tmp_path) == pytest.approx(hours)
    trials, mixtures = tmp_path / "tune" / "MKG-W", tmp_path / "mixtures" / "MKG-W"
    trials.mkdir(parents=True)
    (trials / "RotatE.tuned.csv").write_text("trial,seconds\n0,3600\n1,7200\n")
    (ablation := tmp_path / "table2" / "MKG-W").mkdir(parents=True)
    without = json.dumps(run("without text", "MKG-W", "tuned", 0, 0.3))
    (ablation / "without_text.tuned.seed0.json").write_text(without)
    assert spent_hours(tmp_path) == pytest.approx(hours + 3 + 0.1)
    mixtures.mkdir(parents=True)
    (mixtures / "two.seed0.json").write_text('{"seconds": 36000}')
    assert spent_hours(tmp_path) == pytest.approx(hours + 13 + 0.1)


@pytest.mark.parametrize(("last", "shown"), [(3, "3+"), (5, "3")])
def test_epochs_that_ended_at_their_bound_are_marked(last, shown):
    dev = {"epochs": 3, "curve": [{"epoch": 2}, {"epoch": last}]}
    entry = Entry("TransE", "MKG-W", "tuned", [{"epochs": 3}], dev)
    assert entry.shown_epochs == shown
    assert Entry("TransE", "MKG-W", "published", [{"epochs": 3}]).shown_epochs == "3"


def test_entities_unseen_in_train(entries):
    table = unseen_table(entries)
    assert table.header == ("model", "DB15K (7 triples)", "MKG-Y (7 triples)")
    assert table.rows == [
        ("TransE", "–", "2.00"),
        ("RotatE", "3.20 ± 0.26", "–"),
        ("LBMKGC", "4.00", "–"),
        ("TuckER", "3.60", "–"),
    ]
    only_seen = [
        Entry(
            *(entry.name, entry.dataset, entry.mode),
            [{**run, "by_seen": {"both": {}, "tail": {}}} for run in entry.runs],
        )
        for entry in entries
    ]
    assert not unseen_table(only_seen).rows
    published = [replace(entry, mode="published") for entry in entries]
    assert not unseen_table(published).rows


def test_texts_stand_side_by_side(tmp_path):
    def reads(name, texts, seed, mrr, **more):
        recipe = {
            "model": {"name": "LBMKGC", **more},
            "features": {"modalities": ["text"], "texts": texts},
        }
        return run(name, "MKG-Y", "tuned", seed, mrr, recipe=recipe)

    write(
        tmp_path,
        reads("LBMKGC with all texts", "all", 0, 0.5),
        reads("LBMKGC", "descriptions", 0, 0.3),
        reads("LBMKGC", "descriptions", 1, 0.4),
        reads("LBMKGC without structure", "descriptions", 0, 0.1, structural=False),
        run("RotatE", "DB15K", "tuned", 0, 0.3),
    )
    entries = read_entries(tmp_path / "table1", PAPER)
    sees = {entry.name: entry.sees for entry in entries}
    assert sees["LBMKGC with all texts"] == "text: all"
    assert sees["LBMKGC"] == "text: descriptions"
    assert sees["RotatE"] == "–"
    table = texts_table(entries)
    assert table.header == ["texts of LBMKGC", "MKG-Y", "unseen"]
    assert table.rows == [
        ["descriptions", "35.00 ± 7.07", "3.50 ± 0.71"],
        ["all", "50.00", "5.00"],
    ]


def height(path):
    """Return the number of pixels that a PNG is high."""
    with Image.open(path, formats=["PNG"]) as picture:
        return picture.height


def test_pages_are_written(tmp_path, entries):
    write_pages(tmp_path)
    markdown = (tmp_path / "table1.md").read_text()
    assert [line for line in markdown.splitlines() if line.startswith("## ")] == [
        *("## DB15K", "## MKG-W", "## MKG-Y", "## Entities unseen in train"),
        "## Far from the paper",
    ]
    (tuned,) = [line for line in lines(markdown) if line[:2] == ["RotatE", "tuned"]]
    assert tuned[3] == "32.00 ± 2.65"
    assert tuned[9:11] == ["29.28", "+2.72"]
    latex = (tmp_path / "table1.tex").read_text()
    assert latex.count(r"\begin{tabular}") == latex.count(r"\end{tabular}") == 5
    assert r"32.00 $\pm$ 2.65" in latex
    assert latex.isascii()
    before = height(tmp_path / "table1.png")
    write(tmp_path, *(run(name, "MKG-W", "tuned", 0, 0.3) for name in ("ComplEx", "IKRL")))
    write_pages(tmp_path)
    assert height(tmp_path / "table1.png") > before  # two rows more


def test_the_readme_has_what_is_tuned_has_several_seeds_and_is_in_the_paper(entries):
    table = headline(entries, PAPER)
    assert table.header == ["MRR, %", "DB15K", "paper"]
    assert table.rows == [["RotatE", "32.00 ± 2.65", "29.28"]]


def test_the_overview_has_every_row(entries):
    rows = {row[0]: row[1:] for row in overview(entries, PAPER).rows}
    absent = ("DistMult, not run", "ComplEx, not run")
    run = ("RotatE, published", "RotatE, tuned", "PairRE, not run")
    assert list(rows)[:6] == ["TransE, tuned", *absent, *run]
    assert list(rows)[-2:] == ["LBMKGC, tuned", "TuckER, tuned"]
    assert len(rows) == len({model for model, _ in PAPER}) + 2  # RotatE twice, and TuckER
    assert rows["GC-OTE, not run"] == ["–", "31.85", "–", "33.92", "–", "32.95"]
    assert rows["RotatE, published"] == ["25.00", "29.28", "20.00", "33.67", "–", "34.95"]
    assert rows["TuckER, tuned"] == ["36.00", *["–"] * 5]


def test_sections_of_readme_and_page_are_replaced(tmp_path, entries):
    readme, page = tmp_path / "README.md", tmp_path / "results.md"
    for path in (readme, page):
        path.write_text(f"before\n\n{BEGIN}\nreplaced\n{END}\n\nafter\n")
    write_pages(tmp_path, readme, page)
    texts = [path.read_text() for path in (readme, page)]
    for text in texts:
        assert text.startswith(f"before\n\n{BEGIN}\n\n")
        assert text.endswith(f"|\n\n{END}\n\nafter\n")
        assert "replaced" not in text
    assert len(lines(texts[0])) == 2
    titles = [line for line in texts[1].splitlines() if line.startswith("## ")]
    assert titles == [
        *("## All rows", "## DB15K", "## MKG-W", "## MKG-Y", "## Entities unseen in train"),
        "## Far from the paper",
    ]
    assert ["LBMKGC", "4.00", "–"] in lines(texts[1])
    write_pages(tmp_path, readme, page)
    assert [path.read_text() for path in (readme, page)] == texts


PAIR = f"{BEGIN}\n{END}\n"


@pytest.mark.parametrize(
    "text", ["nothing", f"{BEGIN}\n", f"{END}\n", f"{END}\n{BEGIN}\n", PAIR + PAIR]
)
def test_marks_must_be_there_once(text, tmp_path):
    path = tmp_path / "page.md"
    path.write_text(text)
    with pytest.raises(ValueError, match=r"page.md: expected <!-- results --> and below it"):
        put_into(path, "new")
    path.write_text(PAIR)
    put_into(path, "new")
    assert "\nnew\n" in path.read_text()


def test_only_the_projects_own_results_go_into_its_pages(tmp_path, entries, monkeypatch):
    pages = {"README": tmp_path / "README.md", "PAGE": tmp_path / "results.md"}
    for name, path in pages.items():
        path.write_text(PAIR)
        monkeypatch.setattr(table1, name, path)
    table1.main(table1.Settings(render=True, results=tmp_path))
    assert [path.read_text() for path in pages.values()] == [PAIR, PAIR]
    monkeypatch.setattr(table1, "RESULTS", tmp_path)
    table1.main(table1.Settings(render=True, results=tmp_path))
    for path in pages.values():
        assert "| RotatE" in path.read_text()


def test_pages_and_tables_are_current(tmp_path):
    for folder in RESULTS.iterdir():
        if folder.is_dir():
            shutil.copytree(folder, tmp_path / folder.name)
    copies = [Path(shutil.copy(path, tmp_path)) for path in (README, PAGE)]
    write_pages(tmp_path, *copies)
    again = "python benchmarks/table1.py --render"
    for path, copy in zip((README, PAGE), copies, strict=True):
        assert copy.read_text() == path.read_text(), again
    for name in ("table1.md", "table1.tex"):
        assert (tmp_path / name).read_text() == (RESULTS / name).read_text(), again
    assert (RESULTS / "table1.png").is_file(), again


def test_results_were_made_with_the_settings_beside_them():
    """Each row has a choice on dev, and its seeds were trained as it says."""
    rows = {(row.dataset, row.stem): row for row in find_rows()}
    bench = Bench(results=RESULTS / "table1", checkpoints=FOLDER)
    paths = sorted(bench.results.glob("*/*.json"))
    assert paths
    for path in paths:
        row = rows[path.parent.name, path.stem.rpartition(".")[0]]
        found = read_result(path, row)
        assert found is not None
        if "metrics" in found and row.mode == TUNED:
            chosen = read_result(bench.dev_path(row), row)
            assert chosen is not None, path
            assert found["epochs"] == chosen["epochs"], path


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"seed": -1}, "seed is -1; expected a whole number, 0 or more"),
        ({"epochs": "9"}, "epochs is '9'; expected a whole number"),
        ({"recipe": None}, "recipe is None; expected settings by name"),
        ({"mode": "best"}, "mode is 'best'; expected one of 'published', 'tuned'"),
        ({"metrics": []}, r"metrics is \[\]; expected settings by name"),
        ({"metrics": {"both": {"mrr": 5.0}}}, "metrics.both.mrr is 5.0; expected a number from 0"),
        ({"by_seen": {"both": []}}, r"by_seen.both is \[\]; expected settings by name"),
        (
            {"by_seen": {"both": {"seen": {"mrr": "x"}}}},
            "by_seen.both.seen.mrr is 'x'; expected a number from 0",
        ),
    ],
)
def test_a_figure_that_no_measurement_gives_is_refused(tmp_path, change, message):
    result = run("RotatE", "DB15K", "tuned", 0, 0.3)
    write(tmp_path, result)
    (path,) = (tmp_path / "table1" / "DB15K").iterdir()
    path.write_text(json.dumps({**result, **change}))
    with pytest.raises(ValueError, match=rf"seed0\.json: no results: {message}"):
        read_entries(tmp_path / "table1", {})
    path.write_text("[" * 100_000)
    with pytest.raises(ValueError, match=r"seed0\.json: no results: "):
        read_entries(tmp_path / "table1", {})


def test_a_seed_counts_once(tmp_path):
    result = run("RotatE", "DB15K", "tuned", 0, 0.3)
    write(tmp_path, result)
    (path,) = (tmp_path / "table1" / "DB15K").iterdir()
    path.with_name("RotatE.tuned.seed7.json").write_text(path.read_text())
    with pytest.raises(ValueError, match="RotatE tuned has the seed 0 more than once"):
        read_entries(tmp_path / "table1", {})
