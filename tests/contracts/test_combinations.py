"""The rule by which combinations are left out leaves no pair of values out."""

from itertools import combinations, product

import pytest

from tests.contracts import combinations as rule
from tests.contracts.graphs import BATCHES, CASES


@pytest.mark.parametrize("sizes", [(2,), (3, 2), (2, 3, 2), (2, 2, 2)])
def test_each_case_meets_each_value_and_the_others_meet_in_every_way(sizes):
    others = [[f"{name} {value}" for value in range(size)] for name, size in enumerate(sizes)]
    rows = list(rule.sparse(list(CASES), *others))
    assert len(rows) == len(set(rows)) == len(CASES) * max(sizes)
    for one, other in combinations(range(len(sizes) + 1), 2):
        choices = [list(CASES), *others]
        met = {(row[one], row[other]) for row in rows}
        assert met == set(product(choices[one], choices[other]))
    assert {row[1:] for row in rows} == set(product(*others))


def rows_of(mark):
    return mark.args[1]


def test_each_model_meets_each_shape_and_each_case_own_and_shared_negatives(monkeypatch):
    monkeypatch.setattr(rule, "EXHAUSTIVE", False)
    rows = rows_of(rule.on_batches(CASES, BATCHES))
    of_case = {case: {shape for c, shape in rows if c == case} for case in CASES}
    for case, shapes in of_case.items():
        if " " in case:
            assert {shape.startswith("shared") for shape in shapes} == {False, True}
            assert len(shapes) == 2
        else:
            assert shapes == set(BATCHES)
    further = {shape for case, shapes in of_case.items() if " " in case for shape in shapes}
    assert further == set(BATCHES)


def test_an_exhaustive_run_leaves_nothing_out(monkeypatch):
    monkeypatch.setattr(rule, "EXHAUSTIVE", True)
    assert rows_of(rule.on_batches(CASES, BATCHES)) == list(product(CASES, BATCHES))
    mark = rule.combined(CASES, name="ab", loss=[1, 2, 3])
    assert mark.args[0] == ("case", "name", "loss")
    assert rows_of(mark) == list(product(CASES, "ab", [1, 2, 3]))
