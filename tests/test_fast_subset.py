"""The rule of the fast subset leaves something of everything that tests are repeated over."""

import pytest

from tests import fast_subset
from tests.contracts.graphs import BATCHES, CASES
from tests.examples.test_examples import RECIPES, SCRIPTS


def test_each_registered_model_keeps_a_case():
    kept = {case for case in CASES if not fast_subset.left_out({"case": case})}
    assert kept == {case.split()[0] for case in CASES}


@pytest.mark.parametrize(
    ("name", "values"), [("shape", BATCHES), ("script", SCRIPTS), ("recipe", RECIPES)]
)
def test_of_each_repetition_one_is_kept(name, values):
    kept = [value for value in values if not fast_subset.left_out({"case": "RotatE", name: value})]
    assert len(kept) == 1


def test_other_tests_are_left_alone():
    for parameters in ({}, {"case": "own"}, {"shape": "head"}, {"case": ["RotatE"]}, {"x": 1}):
        assert not fast_subset.left_out(parameters)
