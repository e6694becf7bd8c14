"""Evaluation: every triple of a split ranked among all entities."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from tqdm.auto import tqdm

from openke.config.device import choose_device
from openke.config.report import RankingReport, categories
from openke.data.batch import HEAD, RELATION, TAIL, Side
from openke.data.loaders import TestDataLoader
from openke.data.ranker import TypeConstraint, count_better
from openke.data.store import SPLITS, Split, TripleStore
from openke.module.model.model import Model
from openke.module.model.scoring import Rows, encode_all, score_all

BLOCK_BYTES = 64 * 2**20
"""Size of the scores [queries, entities] held at a time."""

LinkPrediction = tuple[float, float, float, float, float]


class Tester:
    """Ranks the triples of a split (OpenKE's name and arguments).

    Parameters
    ----------
    model
        What scores.
    data_loader
        Where the triples come from.
    use_gpu
        OpenKE's switch; None takes a GPU where there is one. ``device`` says it by name.
    device
        See :func:`openke.config.device.choose_device`.
    progress
        Show a progress bar on standard error.
    """

    __test__ = False  # pytest collects classes named Test*

    def __init__(
        self,
        model: Model,
        data_loader: TestDataLoader,
        use_gpu: bool | None = None,
        *,
        device: str | None = None,
        progress: bool = True,
    ) -> None:
        store = data_loader.store
        if (model.ent_tot, model.rel_tot) != (store.entity_count, store.relation_count):
            raise ValueError(
                f"the model has {model.ent_tot} entities and {model.rel_tot} relations, the data "
                f"{store.entity_count} and {store.relation_count}: they belong to different sets"
            )
        self.device = choose_device(device, use_gpu)
        self.model = model
        self.data_loader = data_loader
        self.progress = progress
        self.report: RankingReport | None = None

    def run_link_prediction(self, type_constrain: bool = False) -> LinkPrediction:
        """Rank the test split, filtered; print the table; keep it as :attr:`report`.

        Returns
        -------
        tuple
            (mrr, mr, hits@10, hits@3, hits@1), realistic, mean of head and tail prediction.
        """
        self.report = self.rank("test", type_constrain=type_constrain)
        print(self.report.to_text())
        found = self.report.metrics()
        return found["mrr"], found["mr"], found["hits@10"], found["hits@3"], found["hits@1"]

    def rank(
        self,
        split: Split = "test",
        *,
        filter_splits: Sequence[Split] = SPLITS,
        type_constrain: bool = False,
        seed: int | None = None,
        settings: dict[str, Any] | None = None,
    ) -> RankingReport:
        """Rank every distinct triple of a split as head and as tail query.

        Parameters
        ----------
        split
            "train", "valid" or "test".
        filter_splits
            Known answers in these splits are left out of the candidates; empty: raw ranks.
        type_constrain
            Rank only among the candidates the relation admits.
        seed, settings
            Written into the report.

        Raises
        ------
        ValueError
            The split is empty, no constraint was loaded, or the model gave a score that is NaN.
        """
        store = self.data_loader.store
        store.require(split)
        constraint = self.data_loader.constraint if type_constrain else None
        if type_constrain and constraint is None:
            raise ValueError(
                "type_constrain=True needs TestDataLoader(…, type_constrain=True), which loads or "
                "derives the constraint"
            )
        started = time.perf_counter()
        triples = store.triples(split)
        greater = np.empty((2, len(triples)), np.int64)
        equal = np.empty((2, len(triples)), np.int64)
        sides: tuple[Side, ...] = ("head", "tail")
        self.model.to(self.device).eval()
        with torch.inference_mode():
            entities = encode_all(self.model)
            questions = [Questions.of(triples, side) for side in sides]
            total = sum(len(asked.distinct) for asked in questions)
            with tqdm(
                total=total, unit="query", desc=f"ranking {split}", disable=not self.progress
            ) as bar:
                for row, (side, asked) in enumerate(zip(sides, questions, strict=True)):
                    for rows, counts in self._rank_side(
                        store, side, asked, entities, filter_splits, constraint, bar
                    ):
                        greater[row, rows], equal[row, rows] = counts
        return RankingReport(
            model=type(self.model).__name__,
            dataset=store.name,
            split=split,
            filtered=bool(filter_splits),
            type_constrained=type_constrain,
            side=np.repeat(np.array(sides), len(triples)),
            relation=np.tile(triples[:, RELATION], 2),
            greater=greater.reshape(-1),
            equal=equal.reshape(-1),
            relation_category=categories(store),
            seconds=time.perf_counter() - started,
            seed=seed,
            settings=settings or {},
        )

    def _rank_side(
        self,
        store: TripleStore,
        side: Side,
        asked: Questions,
        entities: Rows,
        filter_splits: Sequence[Split],
        constraint: TypeConstraint | None,
        bar: tqdm[Any],
    ) -> Iterator[tuple[NDArray[np.int64], tuple[NDArray[np.int64], NDArray[np.int64]]]]:
        block = max(1, BLOCK_BYTES // (4 * store.entity_count))
        for start in range(0, len(asked.distinct), block):
            anchor, relation = (
                torch.from_numpy(asked.distinct[start : start + block])
                .to(self.device)
                .unbind(dim=1)
            )
            scores = score_all(self.model, side, anchor, relation, entities)
            # Rows of the split whose question is in this block: they are sorted by question.
            first, last = np.searchsorted(asked.question, [start, start + len(anchor)])
            rows = asked.order[first:last]
            counts = count_better(
                store,
                side,
                scores.float().cpu().contiguous().numpy(),
                row=asked.question[first:last] - start,
                first=asked.anchor[first:last],
                second=asked.relation[first:last],
                target=asked.target[first:last],
                splits=filter_splits,
                constraint=constraint,
            )
            yield rows, counts
            bar.update(len(anchor))


class Questions(NamedTuple):
    """The distinct questions of a split on one side, by relation, and the rows that ask them."""

    distinct: NDArray[np.int64]
    """Int["q 2"]: anchor entity and relation"""
    order: NDArray[np.int64]
    """Int["n"]: rows of the split, sorted by question; the arrays below follow it"""
    question: NDArray[np.int64]
    anchor: NDArray[np.int64]
    relation: NDArray[np.int64]
    target: NDArray[np.int64]

    @classmethod
    def of(cls, triples: NDArray[np.int64], side: Side) -> Questions:
        """Group the triples (Int["n 3"]) that ask the same: scored once, ranked for each."""
        known, asked = (HEAD, TAIL) if side == "tail" else (TAIL, HEAD)
        pairs = triples[:, [RELATION, known]]
        distinct, question = np.unique(pairs, axis=0, return_inverse=True)
        order = np.argsort(question.reshape(-1), kind="stable")
        return cls(
            np.ascontiguousarray(distinct[:, ::-1]),
            order,
            question.reshape(-1)[order],
            np.ascontiguousarray(triples[order, known]),
            np.ascontiguousarray(triples[order, RELATION]),
            np.ascontiguousarray(triples[order, asked]),
        )
