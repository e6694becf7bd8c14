"""The bundled graph has tables of its own: by kind of relation, and with what is better."""

import json

import numpy as np
import pytest
from comparison.entries import read_entries, read_paper
from comparison.page import BEGIN, END, write_pages
from comparison.paired import crossed_difference, paired_difference
from comparison.picture_graphs import compare, picture_tables
from comparison.rank_files import EVERY, rank_path, read_ranks
from comparison.runs import Bench, open_dataset, run_row
from comparison.table_rows import BUNDLED, DATASETS, EMOJI, KNOWN_DATASETS, find_rows, read_row
from scipy import stats
from table1 import Settings
from tune import Settings as Tuning
from tune import rows_of as searched_rows

from tests.benchmarks.test_table1_page import lines, run, some, write
from tests.benchmarks.tiny import write_dataset, write_row

PAPER = read_paper()
KINDS = ("perceptual", "perceptual", "conceptual")


def measured(name, mrr, seconds=60.0):
    """Return results of seeds from 0 on; perceptual relations score a tenth more."""
    return [
        run(
            *(name, BUNDLED, "tuned", seed, value),
            by_kind={"both": {"perceptual": {"mrr": value + 0.1}, "conceptual": {"mrr": value}}},
            seconds=seconds + seed,
        )
        for seed, value in enumerate(mrr)
    ]


def tables(folder, *rows):
    write(folder, *(result for row in rows for result in row))
    return picture_tables(read_entries(folder / "table1", PAPER), BUNDLED)


def rows_of(table):
    return {row[0]: dict(zip(table.header[1:], row[1:], strict=True)) for row in table.rows}


def test_the_interval_is_that_of_a_paired_t_test():
    generator = np.random.default_rng(0)
    for count in (2, 3, 5, 40):
        own, other = generator.normal(size=(2, count))
        found = paired_difference(dict(enumerate(own)), dict(enumerate(other)))
        low, high = stats.ttest_rel(own, other).confidence_interval(0.95)
        assert (found.low, found.high) == pytest.approx((low, high))
        assert found.mean == pytest.approx((own - other).mean())


def test_models_that_were_not_run_are_named(tmp_path):
    write(tmp_path, *measured("RotatE", [0.4]))
    entries = read_entries(tmp_path / "table1", PAPER)
    (table,) = picture_tables(entries, BUNDLED, ["RotatE", "IMF", "MyGO"])
    assert table.note.endswith("Not run: IMF, MyGO.")
    assert "Not run" not in picture_tables(entries, BUNDLED, ["RotatE"])[0].note


def seeing(name, image, text="t", folder="", **more):
    """Return a result whose features have these digests."""
    recipe = {"model": {"name": name}, "features": {"folder": folder}}
    inputs = {"triples": "x", "features": {"image": image, "text": text}, **more}
    return [{**result, "recipe": recipe, "inputs": inputs} for result in measured(name, [0.4])]


def test_rows_on_other_features_than_most_are_named(tmp_path):
    write(tmp_path, *measured("RotatE", [0.4]))
    for name in ("LBMKGC", "QEB"):
        write(tmp_path, *seeing(name, "a"))
    write(tmp_path, *seeing("MyGO", "tokens"), *seeing("IMF", "narrowed"))
    write(tmp_path, *seeing("AdaMF", "b", folder="made/aligned"))
    (table,) = picture_tables(read_entries(tmp_path / "table1", PAPER), BUNDLED)
    assert "other checksums" not in table.note
    write(tmp_path, *seeing("IMF", "b", encoders={}), *seeing("TBKGC", "a", text="u"))
    table, *_ = picture_tables(read_entries(tmp_path / "table1", PAPER), BUNDLED)
    assert " IMF, TBKGC saw features with other checksums than" in table.note


def test_seeds_that_both_have_are_compared():
    found = paired_difference({0: 5.0, 1: 6.0, 2: 99.0}, {1: 4.0, 0: 4.0, 7: 0.0})
    assert found.mean == 1.5
    assert paired_difference({0: 5.0, 1: 6.0}, {1: 4.0, 2: 4.0}) is None


def test_a_star_says_that_zero_is_left_out():
    better = paired_difference({0: 2.0, 1: 2.1, 2: 2.2}, dict.fromkeys(range(3), 1.0))
    assert str(better) == "+1.10 (+0.85, +1.35) *"
    unsure = paired_difference({0: 2.0, 1: 0.1, 2: 1.2}, dict.fromkeys(range(3), 1.0))
    assert str(unsure) == "+0.10 (-2.27, +2.47)"
    assert str(paired_difference({0: 1.0, 1: 1.0}, {0: 1.0, 1: 1.0})) == "+0.00 (+0.00, +0.00)"


@pytest.mark.parametrize(
    ("of_seed", "of_question", "of_rest", "count"),
    [(1.0, 0.0, 0.0, 8), (0.0, 20.0, 0.0, 2), (0.5, 20.0, 0.0, 5), (0.3, 9.0, 12.0, 4)],
)
def test_seeds_questions_and_what_is_left_have_their_part_in_the_variance(
    of_seed, of_question, of_rest, count
):
    generator, questions = np.random.default_rng(0), 1500
    seed = centred(generator.normal(size=(count, 1)), of_seed, 0)
    question = centred(generator.normal(size=(1, questions)), of_question, 1)
    rest = generator.normal(size=(count, questions))
    rest -= rest.mean(axis=0)
    rest -= rest.mean(axis=1, keepdims=True)
    degrees = (count - 1) * (questions - 1)
    rest *= of_rest / np.sqrt(np.square(rest).sum() / degrees)
    own = dict(enumerate(3 + seed + question + rest))
    found = crossed_difference(own, dict.fromkeys(range(count), np.zeros(questions)))
    assert found.mean == pytest.approx(3)
    # The mean squares, which here have what is left in them no more, and Satterthwaite's degrees.
    parts = [
        max(questions * of_seed**2, of_rest**2),
        max(count * of_question**2, of_rest**2),
        of_rest**2,
    ]
    variance = parts[0] + parts[1] - parts[2]
    freedom = variance**2 / (
        parts[0] ** 2 / (count - 1) + parts[1] ** 2 / (questions - 1) + parts[2] ** 2 / degrees
    )
    half = stats.t.ppf(0.975, freedom) * np.sqrt(variance / (count * questions))
    assert (found.high - found.low) / 2 == pytest.approx(half)


def centred(values, deviation, axis):
    values = values - values.mean(axis=axis, keepdims=True)
    return deviation * values / values.std(axis=axis, ddof=1, keepdims=True)


def test_nineteen_of_twenty_intervals_over_questions_hold_the_truth():
    generator, held = np.random.default_rng(1), 0
    for _ in range(400):
        own = 1 + generator.normal(size=(4, 1)) + 9 * generator.normal(size=(1, 90))
        own = own + 12 * generator.normal(size=(4, 90))
        found = crossed_difference(dict(enumerate(own)), dict.fromkeys(range(4), np.zeros(90)))
        held += found.low <= 1 <= found.high
    assert 370 <= held <= 390  # 380 are expected, with a standard deviation of 4.4


def test_two_seeds_are_needed_and_no_difference_is_none():
    assert crossed_difference({0: np.ones(3)}, {0: np.ones(3), 1: np.ones(3)}) is None
    own = {0: np.arange(3.0), 1: np.arange(3.0)}
    assert str(crossed_difference(own, own)) == "+0.00 [+0.00, +0.00]"


def with_ranks(folder, results, seed=0):
    """Write results whose figures are those of drawn ranks, beside these ranks."""
    generator = np.random.default_rng(seed)
    for result in results:
        found = {kind: generator.integers(2, 40, (2, 30)) / 2 for kind in set(KINDS)}
        means = {kind: {"mrr": float((1 / ranks).mean())} for kind, ranks in found.items()}
        result["metrics"]["both"] = {
            **result["metrics"]["both"],
            "mrr": float(np.mean([mean["mrr"] for mean in means.values()])),
        }
        result["by_kind"] = {"both": means}
        write(folder, result)
        path = folder / "table1" / BUNDLED / f"{result['name']}.tuned.seed{result['seed']}.json"
        doubled = {kind: (2 * ranks).astype(np.uint16) for kind, ranks in found.items()}
        with rank_path(path).open("wb") as stream:
            np.savez_compressed(stream, **doubled)
    return path


def test_rows_with_ranks_are_compared_by_question_others_by_seed(tmp_path):
    with_ranks(tmp_path, measured("RotatE", [0.3, 0.3, 0.3]))
    last = with_ranks(tmp_path, measured("LBMKGC", [0.4, 0.4, 0.4]), seed=1)
    write(tmp_path, *measured("TransE", [0.35, 0.31, 0.30]))
    entries = {entry.name: entry for entry in read_entries(tmp_path / "table1", PAPER)}
    own, other = entries["LBMKGC"], entries["RotatE"]
    for kind in ("", "perceptual"):
        found = compare(own, other, kind)
        assert found.of_questions
        by_seed = paired_difference(own.by_seed(kind), other.by_seed(kind))
        assert found.mean == pytest.approx(by_seed.mean)
    assert not compare(entries["TransE"], other).of_questions
    rank_path(last).unlink()  # of one seed there are none: seeds alone
    fewer = {entry.name: entry for entry in read_entries(tmp_path / "table1", PAPER)}
    assert not compare(fewer["LBMKGC"], fewer["RotatE"]).of_questions


def test_ranks_of_another_test_are_refused(tmp_path):
    last = with_ranks(tmp_path, measured("RotatE", [0.3, 0.3]))
    (entry,) = read_entries(tmp_path / "table1", PAPER)
    first = entry.ranks[0]
    assert entry.by_question()[0].mean() == pytest.approx(entry.metric("mrr")[0])
    first.write_bytes(rank_path(last).read_bytes())
    with pytest.raises(ValueError, match=r"RotatE\.tuned\.seed0\.ranks\.npz: ranks of anot"):
        entry.by_question()
    for content in (b"no archive", b"PK\x03\x04"):
        first.write_bytes(content)
        with pytest.raises(ValueError, match=r"seed0\.ranks\.npz: no ranks"):
            read_ranks(first)
    with first.open("wb") as stream:
        np.savez_compressed(stream, all=np.zeros((2, 3), np.uint8))
    with pytest.raises(ValueError, match="expected arrays of two rows of ranks"):
        read_ranks(first)


def test_rows_stand_by_mrr_with_their_kinds_and_seconds(tmp_path):
    first, *_ = tables(
        *(tmp_path, measured("RotatE", [0.3, 0.31, 0.35])),
        measured("LBMKGC without text", [0.4, 0.4, 0.4]),
        *(measured("ComplEx", [0.2]), [run("TransE", BUNDLED, "published", 0, 0.45)]),
    )
    assert first.title == "Factbook"
    assert list(rows_of(first)) == ["LBMKGC without text", "RotatE", "ComplEx"]
    assert rows_of(first)["RotatE"] == {
        **{
            "sees": "–",
            "MRR": "32.00 ± 2.65",
            "perceptual": "42.00 ± 2.65",
            "conceptual": "32.00 ± 2.65",
        },
        **{"Hits@1": "16.00 ± 1.32", "Hits@10": "64.00 ± 5.29"},
        **{"seeds": "3", "epochs": "9", "seconds": "61"},
    }


def test_rows_that_were_searched_say_in_how_many_trials(tmp_path):
    found = tmp_path / "tune" / BUNDLED / "LBMKGC_without_text.tuned.csv"
    found.parent.mkdir(parents=True)
    found.write_text("trial,state,dev_mrr\n0,complete,0.4\n1,pruned,0.2\n")
    first, *_ = tables(tmp_path, measured("LBMKGC without text", [0.4]), measured("ComplEx", [0.2]))
    rows = rows_of(first)
    assert {name: row["trials"] for name, row in rows.items()} == {
        **{"LBMKGC without text": "2", "ComplEx": "–"}
    }
    assert "Trials: those of `tune.py`" in first.note


def test_every_row_is_set_against_both_references(tmp_path):
    _, second = tables(
        *(tmp_path, measured("RotatE", [0.30, 0.31, 0.32])),
        measured("LBMKGC", [0.40, 0.41, 0.42]),
        *(measured("TransE", [0.35, 0.31, 0.30]), measured("IKRL", [0.5])),
    )
    kinds = ["perceptual", "conceptual"]
    assert second.header == ["model", "over RotatE", *kinds, "over LBMKGC", *kinds]
    found = {row[0]: row[1:] for row in second.rows}
    assert list(found) == ["LBMKGC", "TransE", "RotatE"]  # one seed of IKRL has no interval
    assert found["LBMKGC"][3:] == ("–", "–", "–")
    assert found["LBMKGC"][0].startswith("+10.00 (+10.00, ")
    assert found["LBMKGC"][0].endswith("*")
    assert found["RotatE"][:3] == ("–", "–", "–")
    assert "*" not in found["TransE"][0]
    assert found["TransE"][3].startswith("-9.00 (")


def test_no_results_and_no_reference_make_no_table(tmp_path):
    assert tables(tmp_path, some()) == []
    assert len(tables(tmp_path / "other", measured("ComplEx", [0.2, 0.3]))) == 1


def test_the_bundled_graph_is_in_no_table_of_the_papers_figures(tmp_path):
    write(tmp_path, *some())
    readme, page = tmp_path / "README.md", tmp_path / "results.md"

    def pages():
        for path in (readme, page):
            path.write_text(f"{BEGIN}\n{END}\n")
        write_pages(tmp_path, readme, page)
        return readme.read_text(), page.read_text(), (tmp_path / "table1.png").read_bytes()

    before = pages()
    write(tmp_path, *measured("RotatE", [0.3, 0.31]), *measured("MMRNS", [0.4, 0.41]))
    after = pages()
    assert after[0] == before[0]
    assert after[2] == before[2]
    kept, _, added = after[1].partition("## Factbook\n")
    assert kept.strip() == before[1].replace(END, "").strip()
    assert "Filtered test, realistic ranks" in added
    assert [line[0] for line in lines(added)] == ["model", "MMRNS", "RotatE", "model", "MMRNS"]
    markdown = (tmp_path / "table1.md").read_text()
    assert "## Factbook: differences" in markdown
    latex = (tmp_path / "table1.tex").read_text()
    assert r"40.50 $\pm$ 0.71" in latex
    assert latex.isascii()


def test_the_bundled_graph_alone_has_its_tables(tmp_path):
    write(tmp_path, *measured("RotatE", [0.3, 0.31]))
    write_pages(tmp_path)
    assert (tmp_path / "table1.md").read_text().count("\n## ") == 1
    assert not (tmp_path / "table1.png").exists()


def test_a_test_has_its_kinds_where_the_graph_tells_them_apart(tmp_path):
    bench = Bench(
        results=tmp_path / "results",
        checkpoints=tmp_path / "checkpoints",
        data=tmp_path / "data",
        device="cpu",
        progress=False,
    )
    found = {}
    for dataset in ("MKG-W", BUNDLED):
        write_dataset(bench.data, dataset)
        if dataset == BUNDLED:
            kinds = "".join(f"relation {i}\t{kind}\n" for i, kind in enumerate(KINDS))
            (bench.data / dataset / "relation_kinds.tsv").write_text(kinds)
        row = read_row(write_row(tmp_path / "settings", dataset, epochs=3))
        assert row.hold_out == 0
        run_row(row, [0, 1], bench)
        found[dataset] = json.loads(bench.seed_path(row, 1).read_text())
    assert "by_kind" not in found["MKG-W"]
    assert found[BUNDLED].keys() - found["MKG-W"].keys() == {"by_kind"}
    both = found[BUNDLED]["by_kind"]["both"]
    assert sorted(both) == ["conceptual", "perceptual"]
    counts = {kind: both[kind]["count"] for kind in both}
    assert sum(counts.values()) == 2 * 21
    mean = sum(both[kind]["mrr"] * counts[kind] for kind in both) / sum(counts.values())
    assert mean == pytest.approx(found[BUNDLED]["metrics"]["both"]["mrr"])
    for dataset, kinds in (("MKG-W", [EVERY]), (BUNDLED, sorted(both))):
        ranks = read_ranks(rank_path(tmp_path / f"results/{dataset}/ComplEx.tuned.seed1.json"))
        assert sorted(ranks) == kinds
        every = np.concatenate([ranks[kind] for kind in kinds], axis=1)
        for side, mine in (("both", every), ("head", every[0]), ("tail", every[1])):
            assert (1 / mine).mean() == pytest.approx(found[dataset]["metrics"][side]["mrr"])
        assert every.mean() == pytest.approx(found[dataset]["metrics"]["both"]["mr"])


def test_it_is_known_but_trained_only_when_it_is_asked_for():
    assert (*DATASETS, BUNDLED, EMOJI) == KNOWN_DATASETS
    assert Settings().datasets == DATASETS
    assert Settings(datasets=(BUNDLED,)).datasets == (BUNDLED,)
    message = "--datasets 'Fact': expected DB15K, MKG-W, MKG-Y, Factbook, OpenMoji"
    with pytest.raises(ValueError, match=message):
        Settings(datasets=("Fact",))


def test_a_search_begins_with_the_rows_settings_where_there_are_some():
    (found,) = searched_rows(Tuning(rows=("ComplEx",), dataset=BUNDLED))
    assert found.source != "the defaults of openke train"
    assert found.recipe.data.name == BUNDLED


def test_emoji_have_the_settings_of_the_bundled_graph():
    own, lent = find_rows(datasets=[BUNDLED]), find_rows(datasets=[EMOJI])
    assert [row.name for row in lent] == [row.name for row in own]
    for row, other in zip(lent, own, strict=True):
        assert (row.dataset, row.recipe.data.name) == (EMOJI, EMOJI)
        same = row.recipe.changed({"data.name": BUNDLED})
        if row.name == "PairRE":
            same = same.changed({"evaluation.patience": other.recipe.evaluation.patience})
        assert same == other.recipe


def test_emoji_that_were_not_built_are_said_to_be(tmp_path, monkeypatch):
    monkeypatch.setattr("comparison.runs.find_dataset", find_nothing)
    with pytest.raises(FileNotFoundError, match=r"OpenMoji .*: run benchmarks/openmoji_build\.py"):
        open_dataset(EMOJI, None)
    with pytest.raises(ValueError, match="'Nothing' is not known"):
        open_dataset("Nothing", None)


def find_nothing(name, data):
    raise ValueError(f"data set {name!r} is not known")
