"""Evaluation: every triple of a split ranked among all entities, or all relations."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray

from openke.data.batch import HEAD, RELATION, TAIL
from openke.data.overlap import seen_entities
from openke.data.relation_types import categories, relation_kinds
from openke.data.store import SPLITS, Slot, Split
from openke.data.test_data_loader import TestDataLoader
from openke.data.type_constraint import TypeConstraint
from openke.data.vocabulary import relation_names
from openke.evaluation import classification
from openke.evaluation.candidates import Candidates
from openke.evaluation.core_ranker import CoreRanker
from openke.evaluation.device_ranker import DeviceRanker
from openke.evaluation.queries import Queries, score_queries
from openke.evaluation.report import RankingReport
from openke.module.model.model import Model, require_same_graph
from openke.module.model.openke_adapter import in_house_form
from openke.module.scoring.all_entities import encode_all
from openke.module.scoring.encodings import Encodings
from openke.runtime.device import choose_device
from openke.runtime.distributed import join
from openke.runtime.progress import counting

BLOCK_BYTES = 64 * 2**20
"""Size of the scores [queries, entities] held at a time, unless a Tester is told another."""
GPU_BLOCK_BYTES = 8 * BLOCK_BYTES
"""The same on a GPU, where fewer launches and visits of the entities count more."""
ENTITIES = [HEAD, TAIL]
RELATION_BLOCK = 2**14
"""Triples scored at a time where relations are ranked: each has a query vector of its own."""


class LinkPrediction(NamedTuple):
    """OpenKE's five numbers in OpenKE's order: realistic ranks, mean of head and tail queries."""

    mrr: float
    mr: float
    hits10: float
    hits3: float
    hits1: float


class Tester:
    """Ranks the triples of a split (OpenKE's name and arguments).

    Parameters
    ----------
    model
        What scores. A model written for OpenKE is translated, see
        :mod:`openke.module.model.openke_adapter`.
    data_loader
        Where the triples come from.
    use_gpu
        OpenKE's switch; None takes a GPU where there is one. ``device`` says it by name.
    device
        See :func:`.choose_device`.
    progress
        Show on standard error how far ranking is: a bar on a terminal, else a line at its end.
    block_bytes
        Bytes of the scores [queries, entities] held at a time; at least one query is ranked. None:
        64 MiB, on a GPU 512 MiB, which may need a few times as much.

    Raises
    ------
    ValueError
        Model and data have different numbers of entities or relations.
    """

    __test__ = False  # pytest collects classes named Test*

    def __init__(
        self,
        model: Model,
        data_loader: TestDataLoader,
        use_gpu: bool | None = None,
        *,
        device: str | torch.device | None = None,
        progress: bool = True,
        block_bytes: int | None = None,
    ) -> None:
        self.world = join()
        self.block_bytes = block_bytes
        self.device = self.world.device(choose_device(device, use_gpu))
        self.model = model
        self.data_loader = data_loader
        self.progress = progress and self.world.chief
        self.report: RankingReport | None = None
        require_same_graph(self.model, self.data_loader.store)

    def set_model(self, model: Model) -> None:
        """Rank by another model from now on (OpenKE's name)."""
        self.model = model

    def set_data_loader(self, data_loader: TestDataLoader) -> None:
        """Rank other triples from now on (OpenKE's name)."""
        self.data_loader = data_loader

    def set_use_gpu(self, use_gpu: bool) -> None:
        """Choose the device anew (OpenKE's name)."""
        self.device = self.world.device(choose_device(None, use_gpu))

    def test_one_step(self, data: Mapping[str, Any]) -> NDArray[np.float32]:
        """Return what the model predicts for a query of the loader, low is better."""
        return self.model.predict(data)

    def run_link_prediction(self, type_constrain: bool = False) -> LinkPrediction:
        """Rank the test split, filtered; print the table; keep it as :attr:`report`.

        Returns
        -------
        LinkPrediction
            (mrr, mr, hits10, hits3, hits1), realistic, mean of head and tail prediction.
        """
        return self._print(self.rank("test", type_constrain=type_constrain))

    def run_relation_prediction(self) -> LinkPrediction:
        """Rank the relations of the test split, filtered; print the table; keep the report.

        Returns
        -------
        LinkPrediction
            As :meth:`run_link_prediction`, for the queries (h, ?, t).
        """
        return self._print(self.rank_relations("test"))

    def run_triple_classification(
        self, threshlod: float | None = None, *, seed: int = 0
    ) -> tuple[float, float]:
        """Tell the test triples from as many false ones; print and return the accuracy.

        A triple is taken for true from a score of the threshold on, higher scores being better.
        The false triples replace head or tail of a true one, evenly, by an entity that makes no
        fact of any split. What differs from OpenKE: without a threshold, the best one of the valid
        split is taken, where OpenKE chooses it on the test split it then measures.

        Parameters
        ----------
        threshlod
            The threshold; the name is OpenKE's.
        seed
            Of the false triples.

        Returns
        -------
        tuple
            (accuracy, threshold)

        Raises
        ------
        ValueError
            A split is empty, or a score is NaN.
        """
        store = self.data_loader.store
        if threshlod is None:
            threshlod = classification.best_threshold(*self._judged("valid", seed))
        scores, truth = self._judged("test", seed)
        accuracy = float(np.mean((scores >= threshlod) == truth))
        print(
            f"{type(self.model).__name__} on {store.name} test: accuracy {100 * accuracy:.2f} % "
            f"at threshold {threshlod:.4g}, {len(truth)} triples, half of them false"
        )
        return accuracy, threshlod

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
        constraint = self.data_loader.constraint if type_constrain else None
        if type_constrain and constraint is None:
            raise ValueError(
                "type_constrain=True needs TestDataLoader(…, type_constrain=True), which loads or "
                "derives the constraint"
            )
        return self._rank(("head", "tail"), split, filter_splits, constraint, seed, settings)

    def rank_relations(
        self,
        split: Split = "test",
        *,
        filter_splits: Sequence[Split] = SPLITS,
        seed: int | None = None,
        settings: dict[str, Any] | None = None,
    ) -> RankingReport:
        """Rank the relation of every distinct triple of a split among all relations.

        Parameters
        ----------
        split, filter_splits, seed, settings
            As in :meth:`rank`.

        Raises
        ------
        ValueError
            The split is empty, or the model gave a score that is NaN.
        """
        return self._rank(("relation",), split, filter_splits, None, seed, settings)

    def _rank(
        self,
        slots: tuple[Slot, ...],
        split: Split,
        filter_splits: Sequence[Split],
        constraint: TypeConstraint | None,
        seed: int | None,
        settings: dict[str, Any] | None,
    ) -> RankingReport:
        store = self.data_loader.store
        store.require(split)
        started = time.perf_counter()
        triples = store.triples(split)
        counts = np.zeros((3, len(slots), len(triples)), np.int64)
        model = self._ready()  # before: what is moved in inference mode cannot be trained any more
        with torch.inference_mode():
            entities = encode_all(model)
            queries = [Queries.of(triples, slot) for slot in slots]
            rankers: list[CoreRanker | DeviceRanker] = []
            for row, (slot, asked) in enumerate(zip(slots, queries, strict=True)):
                candidates = Candidates.of(store, slot, asked, filter_splits, constraint)
                counts[2, row, asked.order] = candidates.count(asked)
                if self.device.type == "cpu":
                    rankers.append(CoreRanker(store, slot, asked, filter_splits, constraint))
                else:
                    rankers.append(DeviceRanker(asked, candidates, self.device))
            total = sum(len(asked.distinct) for asked in queries)
            with counting(f"ranking {split}", total, "queries", show=self.progress) as count:
                for slot, ranker in zip(slots, rankers, strict=True):
                    self._rank_slot(model, slot, entities, ranker, count)
                for row, ranker in enumerate(rankers):
                    counts[:2, row, ranker.asked.order] = ranker.fetch()
        names = relation_names(store)
        self.world.total(torch.from_numpy(counts[:2]))  # each process counted its own blocks
        greater, equal, candidate_counts = counts.reshape(3, -1)
        return RankingReport(
            model=self.model.identity()["model"],
            dataset=store.name,
            split=split,
            filtered=bool(filter_splits),
            type_constrained=constraint is not None,
            side=np.repeat(np.array(slots), len(triples)),
            relation=np.tile(triples[:, RELATION], len(slots)),
            greater=greater,
            equal=equal,
            candidates=candidate_counts,
            relation_category=categories(store),
            relation_kind=relation_kinds(store),
            relation_names=names.names,
            relation_labels=[names.label(relation) for relation in range(store.relation_count)],
            unseen=np.tile(~seen_entities(store)[triples[:, ENTITIES]].all(axis=1), len(slots)),
            seconds=time.perf_counter() - started,
            seed=seed,
            settings=settings or {},
        )

    def _rank_slot(
        self,
        model: Model,
        slot: Slot,
        entities: Encodings,
        ranker: CoreRanker | DeviceRanker,
        count: Callable[[int], object],
    ) -> None:
        """Score and rank this process's blocks of the queries of a slot."""
        store = self.data_loader.store
        size = self.block_bytes
        if size is None:
            size = BLOCK_BYTES if self.device.type == "cpu" else GPU_BLOCK_BYTES
        block = (
            RELATION_BLOCK // store.relation_count
            if slot == "relation"
            else size // (4 * store.entity_count)
        )
        block = max(1, block)
        given = torch.from_numpy(ranker.asked.distinct).to(self.device, non_blocking=True)
        starts = range(0, len(given), block)
        for start in starts[self.world.rank :: self.world.size]:
            first, second = given[start : start + block].unbind(dim=1)
            ranker.count(start, score_queries(model, slot, first, second, entities))
            count(len(first))

    def _judged(self, split: Split, seed: int) -> classification.Judged:
        store = self.data_loader.store
        store.require(split)
        return classification.judge(self._ready(), store, split, seed, self.device)

    def _ready(self) -> Model:
        require_same_graph(self.model, self.data_loader.store)
        self.model.to(self.device).eval()
        return in_house_form(self.model)

    def _print(self, report: RankingReport) -> LinkPrediction:
        self.report = report
        print(report.to_text())
        found = report.metrics()
        return LinkPrediction(
            found["mrr"], found["mr"], found["hits@10"], found["hits@3"], found["hits@1"]
        )
