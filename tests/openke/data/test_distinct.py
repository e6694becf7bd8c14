"""Distinct ids against NumPy's sort."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from openke.data.distinct import find_distinct


@given(st.lists(st.integers(0, 129), max_size=300))
def test_as_numpy_finds_them(ids):
    ids = np.array(ids, np.int64)
    distinct, index = find_distinct(ids, 130)
    expected, inverse = np.unique(ids, return_inverse=True)
    np.testing.assert_array_equal(distinct, expected)
    np.testing.assert_array_equal(index, inverse)


@pytest.mark.parametrize("wrong", [-1, 7])
def test_an_id_out_of_range(wrong):
    with pytest.raises(ValueError, match=f"id {wrong} at position 1; expected 0 to 6"):
        find_distinct(np.array([0, wrong]), 7)
