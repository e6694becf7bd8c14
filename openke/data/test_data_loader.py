"""The triples that a Tester ranks, under OpenKE's name."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Literal

import numpy as np

from openke.data.batch import HEAD, RELATION, TAIL
from openke.data.options import check_one_of
from openke.data.store import TripleSource, open_store
from openke.data.type_constraint import TypeConstraint


class TestDataLoader:
    """The triples a :class:`.Tester` ranks (OpenKE's name and arguments).

    Parameters
    ----------
    in_path
        A folder in OpenKE's format, or an open :class:`.TripleStore`.
    sampling_mode
        ``"link"`` or ``"classification"``: accepted for OpenKE's scripts, a Tester does both.
    type_constrain
        Whether type-constrained ranks can be asked for: candidates are then those that
        ``type_constrain.txt`` lists for the relation, or where there is no such file, those seen
        with it in any split, which is how OpenKE's ``n-n.py`` makes that file.
    """

    __test__ = False  # pytest collects classes named Test*

    def __init__(
        self,
        in_path: TripleSource = "./",
        sampling_mode: Literal["link", "classification"] = "link",
        type_constrain: bool = True,
    ) -> None:
        self.set_sampling_mode(sampling_mode)
        self.store = open_store(in_path)
        self.constraint = TypeConstraint.of(self.store) if type_constrain else None

    def set_sampling_mode(self, sampling_mode: Literal["link", "classification"]) -> None:
        """Accept OpenKE's modes; a Tester does what it is asked for."""
        check_one_of("sampling_mode", sampling_mode, ("link", "classification"))
        self.sampling_mode = sampling_mode

    def __len__(self) -> int:
        """Return the number of distinct test triples."""
        return len(self.store.triples("test"))

    def __iter__(self) -> Iterator[list[dict[str, Any]]]:
        """Yield the head and the tail query of each test triple, as OpenKE's loops expect.

        Each is what ``model.predict`` takes: ``batch_h``, ``batch_t`` and ``batch_r``, Int["1"],
        but all entities, Int["e"], in the place that is asked for; and ``mode``. A
        :class:`.Tester` goes another way, which is far quicker and filters known answers.

        Raises
        ------
        ValueError
            The mode is "classification".
        """
        if self.sampling_mode != "link":
            raise ValueError(
                "sampling_mode is 'classification': this loader yields queries of link prediction "
                "alone; call Tester.run_triple_classification()"
            )
        everyone = np.arange(self.store.entity_count)
        for triple in self.store.triples("test"):
            slots = {
                "batch_h": triple[[HEAD]], "batch_t": triple[[TAIL]], "batch_r": triple[[RELATION]]
            }  # fmt: skip
            yield [
                {**slots, "batch_h": everyone, "mode": "head_batch"},
                {**slots, "batch_t": everyone, "mode": "tail_batch"},
            ]

    def get_ent_tot(self) -> int:
        """Return the number of entities (OpenKE's name)."""
        return self.store.entity_count

    def get_rel_tot(self) -> int:
        """Return the number of relations (OpenKE's name)."""
        return self.store.relation_count

    def get_triple_tot(self) -> int:
        """Return the number of distinct test triples (OpenKE's name)."""
        return len(self.store.triples("test"))
