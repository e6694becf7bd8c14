"""Fixtures of the formula tests."""

import numpy as np
import pytest

from tests.contracts.graphs import ENTITIES, RELATIONS


@pytest.fixture
def triples():
    """Return 40 random triples: heads, relations, tails."""
    generator = np.random.default_rng(3)
    return (
        generator.integers(ENTITIES, size=40),
        generator.integers(RELATIONS, size=40),
        generator.integers(ENTITIES, size=40),
    )
