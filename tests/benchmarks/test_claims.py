"""What is said of the paper's claims and figures follows from the results that are there."""

import pytest
from comparison.ablations import ABLATIONS
from comparison.claims import OF_PARTS, OF_SYSTEMS, claims_table, verdict
from comparison.deviations import FAR, REASONS, UNKNOWN, deviations_table
from comparison.entries import read_entries, read_paper
from comparison.paired import Difference
from comparison.table_rows import BUNDLED, find_rows

from tests.benchmarks.test_table1_page import run, write
from tests.benchmarks.test_table1_picture_graphs import measured, rows_of

UP, DOWN, UNSURE = Difference(1, 0.5, 1.5), Difference(-1, -1.5, -0.5), Difference(1, -0.1, 2.1)


@pytest.mark.parametrize(
    ("every", "perceptual", "said"),
    [
        (UP, UP, "holds"),
        (DOWN, DOWN, "the opposite"),
        (UNSURE, UNSURE, "not shown"),
        (UNSURE, UP, "holds on perceptual relations"),
        (UP, UNSURE, "holds on all relations"),
        (DOWN, UNSURE, "the opposite on all relations"),
        (UP, DOWN, "holds on all relations but the opposite on perceptual relations"),
    ],
)
def test_a_verdict_is_what_the_intervals_say(every, perceptual, said):
    assert verdict(every, perceptual) == said


def test_claims_are_between_rows_that_are_there(tmp_path):
    for claim in OF_PARTS:
        assert {claim.better, claim.worse} <= set(ABLATIONS)
    known = {row.name for row in find_rows(datasets=[BUNDLED])}
    for claim in OF_SYSTEMS:
        assert {claim.better, claim.worse} <= known
    write(
        *(tmp_path, *measured("LBMKGC", [0.4, 0.41, 0.42])),
        *(*measured("RotatE", [0.3, 0.31, 0.32]), *measured("ComplEx", [0.4])),
    )
    entries = read_entries(tmp_path / "table1", {})
    table = claims_table(entries, [])
    assert list(rows_of(table)) == ["LBMKGC is better than RotatE"]
    (row,) = table.rows
    assert row[1:4] == ("ours", BUNDLED, "LBMKGC – RotatE")
    assert row[4].startswith("+10.00 (")
    assert row[-1] == "holds"
    assert claims_table([], entries).rows == []


def test_the_papers_form_is_set_against_the_same_rows(tmp_path):
    systems = [*measured("LBMKGC", [0.4, 0.41]), *measured("AdaMF-MAT", [0.3, 0.31])]
    write(tmp_path / "systems", *systems)
    write(tmp_path / "parts", *measured("LBMKGC", [0.2, 0.21]))
    of_systems, of_parts = (
        read_entries(tmp_path / name / "table1", {}) for name in ("systems", "parts")
    )
    found = {row[1]: row[4] for row in claims_table(of_systems, of_parts).rows}
    assert found == {
        "the paper's": "-10.00 (-10.00, -10.00) *",
        "ours": "+10.00 (+10.00, +10.00) *",
    }


def test_rows_far_from_the_paper_come_by_how_far(tmp_path):
    paper = read_paper()
    near, far = paper["RotatE", "MKG-W"]["mrr"], paper["ComplEx", "MKG-W"]["mrr"]
    write(
        *(tmp_path, run("RotatE", "MKG-W", "tuned", 0, (near + FAR - 0.1) / 100)),
        *(run("RotatE", "MKG-Y", "tuned", 0, 0.5), run("IMF", "MKG-W", "tuned", 0, 0.1)),
        *(run("ComplEx", "MKG-W", "tuned", seed, (far + 2) / 100) for seed in (0, 1)),
        run("TuckER", "MKG-W", "tuned", 0, 0.45),  # which the paper does not have
    )
    table = deviations_table(read_entries(tmp_path / "table1", paper), paper)
    assert [row[0] for row in table.rows] == ["IMF, tuned", "RotatE, tuned", "ComplEx, tuned"]
    assert table.rows[2][2:] == (
        *(f"{far + 2:.2f}", f"{far:.2f}", "+2.00", REASONS["ComplEx", "tuned"]),
    )
    assert table.rows[0][-1] == UNKNOWN


def test_reasons_are_of_rows():
    assert REASONS.keys() <= {(row.name, row.mode) for row in find_rows()}
