"""Relations that mirror or repeat others, against sets of pairs."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from openke.audit import mirrors
from openke.audit.mirrors import SHARE, mirrored
from openke.data.store import TripleStore

ENTITIES, RELATIONS = 5, 3
TRIPLES = st.lists(
    st.tuples(st.integers(0, 4), st.integers(0, 2), st.integers(0, 4)), min_size=1, max_size=40
)


def expected(train, split, reverse):
    """Return how many triples of a split a rule of train answers."""
    pairs = [{(h, t) for h, r, t in train if r == relation} for relation in range(RELATIONS)]
    turned = [{(t, h) for h, t in some} if reverse else some for some in pairs]
    rules = {
        (r, other)
        for r in range(RELATIONS)
        for other in range(RELATIONS)
        if pairs[r] and (reverse or r != other)
        if len({p for p in pairs[r] & turned[other] if r != other or p[0] != p[1]})
        >= SHARE * len(pairs[r])
    }
    return sum(
        any((r, other) in rules and (h, t) in turned[other] for other in range(RELATIONS)
            if r != other or h != t)
        for h, r, t in set(split)
    )  # fmt: skip


@given(train=TRIPLES, test=TRIPLES, block=st.integers(1, 50))
def test_rows_that_a_rule_answers_are_counted(train, test, block):
    store = TripleStore.from_triples(
        train, None, sorted(set(test)), entities=ENTITIES, relations=RELATIONS
    )
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(mirrors, "BLOCK", block)
        found = list(mirrored(store))
    for reverse, figure in ((True, "rows_mirrored"), (False, "rows_repeated")):
        counts = [finding.figures[figure] for finding in found if figure in finding.figures]
        assert sum(counts) == expected(train, test, reverse)


def test_what_is_said():
    train = np.array([[h, 0, h + 10] for h in range(10)] + [[h + 10, 1, h] for h in range(9)])
    test = np.array([[18, 1, 8], [19, 1, 9], [0, 2, 1]])
    (finding,) = mirrored(TripleStore.from_triples(train, None, test, entities=20, relations=3))
    assert (finding.severity, finding.subject) == ("note", "test")
    assert finding.figures == {"rows": 3, "rows_mirrored": 2}
    assert finding.message.startswith(
        "2 of 3 rows have their pair of entities in train exchanged: relation 1 has 80 % or more "
        "of the pairs of relation 0 so. One rule answers them"
    )


@pytest.mark.parametrize(
    ("name", "mirrored_rows", "repeated_rows"),
    [("DB15K", 4, 462), ("MKG-W", 0, 1), ("MKG-Y", 0, 295)],
)
def test_the_public_data_sets(datasets, name, mirrored_rows, repeated_rows):
    found = mirrored(TripleStore.open(datasets / name))
    figures = {key: n for f in found if f.subject == "test" for key, n in f.figures.items()}
    assert figures.get("rows_mirrored", 0) == mirrored_rows
    assert figures.get("rows_repeated", 0) == repeated_rows
