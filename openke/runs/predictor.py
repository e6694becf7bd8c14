"""Answers of a trained model, best first."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from openke.data.store import SPLITS, Slot, Split, TripleStore
from openke.data.type_constraint import TypeConstraint
from openke.data.vocabulary import Vocabulary, entity_names, relation_names
from openke.evaluation.queries import GIVEN, score_queries
from openke.module.model.model import Model
from openke.module.model.openke_adapter import in_house_form
from openke.module.scoring.all_entities import encode_all
from openke.module.scoring.triples import score_triples
from openke.runs.packed import need_facts

SLOTS: tuple[Slot, ...] = ("head", "relation", "tail")
ONE_MISSING = "a query gives two of head, relation and tail, and asks for the third"
NO_PROBABILITY = "probabilities are of answers that are not known"
BLOCK_BYTES = 2**28
"""Of scores held at a time."""
Probability = Callable[[float], float]
NamedQuery = tuple[int | str | None, int | str | None, int | str | None]
"""Head, relation, tail, by id, name or label; None is asked for."""


@dataclass(frozen=True)
class Answer:
    """One answer to a query, or one triple that was to be scored."""

    id: int
    name: str
    label: str
    score: float
    known: Split | None
    """The first split that has the triple, if any."""
    probability: float | None = None
    """That it is right, where that was asked for and it is not known."""


class Predictor:
    """Asks a trained model; all entities are encoded once.

    Entities and relations are given by id (a number), by name, or by a label of ``labels.tsv``
    that only one has; text is an id only where the data set has no names.

    Parameters
    ----------
    model
        What scores.
    store
        Names and known triples.
    facts
        Whether the store has the facts: of a run that was saved without them no answer is known.

    Raises
    ------
    ValueError
        Model and store have different numbers of entities or relations.
    """

    def __init__(self, model: Model, store: TripleStore, *, facts: bool = True) -> None:
        if (model.ent_tot, model.rel_tot) != (store.entity_count, store.relation_count):
            raise ValueError(
                f"the model has {model.ent_tot} entities and {model.rel_tot} relations, the data "
                f"{store.entity_count} and {store.relation_count}: they belong to different sets"
            )
        self.store = store
        self.facts = facts
        self.entities = entity_names(store)
        self.relations = relation_names(store)
        self.model = in_house_form(model.eval())
        with torch.inference_mode():
            self._encoded = encode_all(self.model)
        self._device = next(model.parameters()).device
        self._barred: dict[tuple[Slot, int], tuple[Tensor, int]] = {}

    def tails(
        self, head: int | str, relation: int | str, k: int = 10, *, new: bool = False
    ) -> list[Answer]:
        """Return the k best tails; ``new`` leaves out those known in some split."""
        return self._ask("tail", self.entities.id(head), self.relations.id(relation), k, new)

    def heads(
        self, relation: int | str, tail: int | str, k: int = 10, *, new: bool = False
    ) -> list[Answer]:
        """Return the k best heads; ``new`` leaves out those known in some split."""
        return self._ask("head", self.entities.id(tail), self.relations.id(relation), k, new)

    def between(
        self, head: int | str, tail: int | str, k: int = 10, *, new: bool = False
    ) -> list[Answer]:
        """Return the k best relations; ``new`` leaves out those known in some split."""
        return self._ask("relation", self.entities.id(head), self.entities.id(tail), k, new)

    def judge(self, head: int | str, relation: int | str, tail: int | str) -> Answer:
        """Return the score of a triple, as an answer that is its tail."""
        h, r, t = self.entities.id(head), self.relations.id(relation), self.entities.id(tail)
        with torch.inference_mode():
            ids = (torch.tensor([i], device=self._device) for i in (h, r, t))
            scores = finite(score_triples(self.model, *ids))
        return self._answer("tail", t, float(scores[0]), self._known("tail", h, r))

    def answer(
        self, head: str | None, relation: str | None, tail: str | None, k: int, new: bool
    ) -> list[Answer]:
        """Return the answers to a query whose one missing part is None; judge a whole triple.

        Raises
        ------
        ValueError
            More than one part is missing.
        """
        if head is not None and relation is not None and tail is not None:
            return [self.judge(head, relation, tail)]
        if head is not None and relation is not None:
            return self.tails(head, relation, k, new=new)
        if relation is not None and tail is not None:
            return self.heads(relation, tail, k, new=new)
        if head is not None and tail is not None:
            return self.between(head, tail, k, new=new)
        raise ValueError(ONE_MISSING)

    def answer_all(
        self,
        queries: Sequence[NamedQuery],
        k: int = 10,
        *,
        new: bool = False,
        type_constrain: bool = False,
        probability: Probability | None = None,
    ) -> list[list[Answer]]:
        """Return the answers to many queries, scored together in blocks.

        Parameters
        ----------
        queries
            Head, relation, tail of each; what is asked for is None. Whole triples are judged.
        k
            Answers to each, at most.
        new
            Leave out those known in some split.
        type_constrain
            Only entities that the relation admits in the slot asked for, see
            :class:`.TypeConstraint`, and those that no fact says anything of.
        probability
            Says how probable an answer is that is not known, by the logarithm of its softmax over
            these: see :meth:`.Calibration.probability`. Not of whole triples.

        Raises
        ------
        ValueError
            An unknown name, a query that does not lack one part, or relations by types; what needs
            the facts, of a run without them.
        """
        found: list[list[Answer]] = [[] for _ in queries]
        asked: dict[Slot, list[tuple[int, int, int]]] = {slot: [] for slot in SLOTS}
        for place, query in enumerate(queries):
            missing = [slot for slot, part in zip(SLOTS, query, strict=True) if part is None]
            if not missing:
                head, relation, tail = (part for part in query if part is not None)
                found[place] = [self.judge(head, relation, tail)]
                continue
            if len(missing) > 1:
                raise ValueError(ONE_MISSING)
            asked[missing[0]].append((place, *self._ids(missing[0], query)))
        for slot, ids in asked.items():
            if slot == "relation" and ids and type_constrain:
                raise ValueError("type constraints are of entities: relations are not limited")
            # Sorted by relation, which is cheapest for models that project entities.
            ids.sort(key=lambda each: each[2])
            given = [i[1:] for i in ids]
            answers = self._ask_all(slot, given, k, new, type_constrain, probability)
            for (place, *_), some in zip(ids, answers, strict=True):
                found[place] = some
        return found

    def _ids(self, slot: Slot, query: NamedQuery) -> tuple[int, int]:
        """Return what a query gives, in the order of :data:`.GIVEN`."""
        kinds = (self.entities, self.relations, self.entities)
        ids = [
            None if part is None else names.id(part)
            for names, part in zip(kinds, query, strict=True)
        ]
        first, second = (ids[at] for at in GIVEN[slot])
        assert first is not None
        assert second is not None
        return first, second

    def _ask(self, slot: Slot, first: int, second: int, k: int, new: bool) -> list[Answer]:
        return self._ask_all(slot, [(first, second)], k, new, False)[0]

    def _ask_all(
        self,
        slot: Slot,
        given: Sequence[tuple[int, int]],
        k: int,
        new: bool,
        constrained: bool,
        probability: Probability | None = None,
    ) -> list[list[Answer]]:
        if k < 1:
            raise ValueError(f"k is {k}, expected at least 1 answer")
        if new:
            need_facts(self.facts, "known answers cannot be left out")
        if constrained:
            need_facts(self.facts, "what a relation admits is not known")
        if probability is not None:
            need_facts(self.facts, NO_PROBABILITY)
        found: list[list[Answer]] = []
        block = max(1, BLOCK_BYTES // (8 * max(self.entities.count, self.relations.count)))
        for begin in range(0, len(given), block):
            part = given[begin : begin + block]
            scores = self.scores(slot, part)
            known = [self._known(slot, *each) for each in part]
            for row, (_, second) in enumerate(part):
                total = 0.0
                if probability is not None:
                    total = _log_total(scores[row], list(known[row]))
                barred = torch.tensor(list(known[row]) if new else [], dtype=torch.long)
                left = scores.shape[1] - len(barred)
                if constrained:
                    shut, count = self._not_admitted(slot, second)
                    scores[row].masked_fill_(shut, -torch.inf)
                    left -= count - int(shut[barred].sum())
                scores[row].index_fill_(0, barred, -torch.inf)
                found.append(
                    [
                        self._answer(
                            slot, id, score, known[row], probability and probability(score - total)
                        )
                        for id, score in best(scores[row], k, left)
                    ]
                )
        return found

    def scores(self, slot: Slot, given: Sequence[tuple[int, int]]) -> Tensor:
        """Return the score of each candidate, Float["q e"], for pairs of ids as :data:`.GIVEN`.

        Raises
        ------
        ValueError
            One is NaN.
        """
        one, two = torch.tensor(given, device=self._device).unbind(1)
        with torch.inference_mode():
            scores = score_queries(self.model, slot, one, two, self._encoded)
        return finite(scores)

    def _not_admitted(self, slot: Slot, relation: int) -> tuple[Tensor, int]:
        """Return which entities a relation does not admit, Bool["e"], and how many these are."""
        if (slot, relation) not in self._barred:
            barred = self._has_facts.copy()
            barred[self._constraint.allowed(slot, relation)] = False
            self._barred[slot, relation] = torch.from_numpy(barred), int(barred.sum())
        return self._barred[slot, relation]

    @cached_property
    def _constraint(self) -> TypeConstraint:
        return TypeConstraint.of(self.store)

    @cached_property
    def _has_facts(self) -> NDArray[np.bool_]:
        """Bool["e"], whether some triple has an entity."""
        there = np.zeros(self.store.entity_count, bool)
        for split in SPLITS:
            there[self.store.triples(split)[:, [0, 2]].ravel()] = True
        return there

    def _known(self, slot: Slot, first: int, second: int) -> dict[int, Split]:
        known: dict[int, Split] = {}
        for split in SPLITS if self.facts else ():
            for id in self.store.known(slot, first, second, (split,)).tolist():
                known.setdefault(id, split)
        return known

    def _answer(
        self,
        slot: Slot,
        id: int,
        score: float,
        known: dict[int, Split],
        probability: float | None = None,
    ) -> Answer:
        names: Vocabulary = self.relations if slot == "relation" else self.entities
        if id in known:
            probability = None
        return Answer(id, names.name(id), names.title(id), float(score), known.get(id), probability)


def _log_total(scores: Tensor, known: list[int]) -> float:
    """Return the logarithm of the sum of exponentials of the scores that are not known."""
    rest = scores.clone()
    rest[known] = -torch.inf
    return float(rest.logsumexp(0))


def best(scores: Tensor, k: int, most: int) -> list[tuple[int, float]]:
    """Return ids and scores of the best, of which there are ``most``; the first of equal ones."""
    count = min(k, most)
    if count < 1:
        return []
    values, ids = torch.topk(scores, count)
    if int((scores >= values[-1]).sum()) > count:  # equal ones at the end: which are the first?
        ids = torch.sort(scores, descending=True, stable=True).indices[:count]
        values = scores[ids]
    pairs = zip(ids.tolist(), values.tolist(), strict=True)
    return sorted(pairs, key=lambda pair: (-pair[1], pair[0]))


def finite(scores: Tensor) -> Tensor:
    """Return scores on the CPU; ``ValueError`` where one is NaN."""
    found = scores.double().cpu()
    if found.isnan().any():
        raise ValueError(f"{int(found.isnan().sum())} of {found.numel()} scores are NaN")
    return found
