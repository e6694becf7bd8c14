"""Random small graphs and queries in plain Python, for the tests of the core."""

from __future__ import annotations

from typing import NamedTuple

from hypothesis import strategies as st

from openke.data.store import SPLITS, Split, TripleStore

Row = tuple[int, int, int]


class Graph(NamedTuple):
    entities: int
    relations: int
    rows: dict[Split, list[Row]]

    def store(self) -> TripleStore:
        return TripleStore.from_triples(
            *(self.rows[split] for split in SPLITS),
            entities=self.entities,
            relations=self.relations,
        )

    def answers(self, slot: str, first: int, second: int, splits: tuple[Split, ...]) -> set[int]:
        """Return what is known to answer a query, by looking at every row."""
        return {
            {"head": h, "relation": r, "tail": t}[slot]
            for split in splits
            for h, r, t in self.rows[split]
            if {"head": (t, r), "relation": (h, t), "tail": (h, r)}[slot] == (first, second)
        }


@st.composite
def graphs(draw: st.DrawFn, max_entities: int = 8, max_rows: int = 40) -> Graph:
    entities = draw(st.integers(1, max_entities))
    relations = draw(st.integers(1, 4))
    row = st.tuples(
        st.integers(0, entities - 1), st.integers(0, relations - 1), st.integers(0, entities - 1)
    )
    return Graph(
        entities,
        relations,
        {
            "train": draw(st.lists(row, min_size=1, max_size=max_rows)),
            "valid": draw(st.lists(row, max_size=max_rows // 4)),
            "test": draw(st.lists(row, max_size=max_rows // 4)),
        },
    )


def split_sets() -> st.SearchStrategy[tuple[Split, ...]]:
    return st.sets(st.sampled_from(SPLITS)).map(lambda chosen: tuple(sorted(chosen)))
