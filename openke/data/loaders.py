"""Loaders under OpenKE's names: batches for training, triples to rank for testing."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from os import PathLike
from typing import Literal

import numpy as np
import torch

from openke.data.batch import HEAD, TAIL, Batch
from openke.data.distinct import find_distinct
from openke.data.ranker import TypeConstraint
from openke.data.sampler import Sampler
from openke.data.store import TripleStore

Source = str | PathLike[str] | TripleStore
SAMPLING_MODES = ("normal", "cross", "head", "tail")
ORDERS = ("shuffle", "replacement")
NEGATIVES = ("own", "shared")


class TrainDataLoader:
    """Batches of train triples with negatives; the same seed gives the same batches.

    The arguments down to ``neg_rel`` are OpenKE's. What differs from OpenKE: an epoch visits every
    triple once unless ``order="replacement"``; ``filter_flag=False`` really turns filtering off;
    negatives depend on ``seed`` and never on ``threads``.

    Parameters
    ----------
    in_path
        A folder in OpenKE's format, or an open :class:`TripleStore`.
    tri_file, ent_file, rel_file
        Other files to read than ``train2id.txt``, ``entity2id.txt`` and ``relation2id.txt``.
    batch_size, nbatches
        Positives per batch, or batches per epoch; one follows from the other. Both together:
        an epoch is the first ``nbatches`` batches of ``batch_size``. Neither: batches of 512.
    threads
        Sampling threads; 0 means all processors.
    sampling_mode
        ``"normal"`` corrupts head or tail by a draw for each negative, ``"cross"`` heads in even
        batches and tails in odd ones, ``"head"`` or ``"tail"`` one side only.
    bern_flag
        Choose the side by tph / (tph + hpt) (Wang et al., AAAI 2014) instead of evenly.
    filter_flag
        Never draw a triple of the train split.
    neg_ent, neg_rel
        Entity and relation negatives for each positive.
    seed, order, negatives
        Random seed; ``"shuffle"`` or ``"replacement"``; each positive's ``"own"`` negatives or one
        ``"shared"`` set for the batch.
    hold_out
        Take this share of the train split as a clean validation split, by ``seed``; every entity
        and relation of it still occurs in what remains. :attr:`store` is then the divided store.

    Raises
    ------
    ValueError
        Unknown mode, sizes below 1, more negatives than entities.
    FileNotFoundError
        A file that is not there.
    """

    def __init__(
        self,
        in_path: Source = "./",
        tri_file: str | None = None,
        ent_file: str | None = None,
        rel_file: str | None = None,
        batch_size: int | None = None,
        nbatches: int | None = None,
        threads: int = 0,
        sampling_mode: Literal["normal", "cross", "head", "tail"] = "normal",
        bern_flag: bool = False,
        filter_flag: bool = True,
        neg_ent: int = 1,
        neg_rel: int = 0,
        *,
        seed: int = 0,
        order: Literal["shuffle", "replacement"] = "shuffle",
        negatives: Literal["own", "shared"] = "own",
        hold_out: float = 0.0,
    ) -> None:
        _one_of("sampling_mode", sampling_mode, SAMPLING_MODES)
        _one_of("order", order, ORDERS)
        _one_of("negatives", negatives, NEGATIVES)
        if isinstance(in_path, TripleStore):
            store = in_path
        else:
            store = TripleStore.open(
                in_path, train_file=tri_file, entity_file=ent_file, relation_file=rel_file
            )
        self.store = store.hold_out(hold_out, seed) if hold_out else store
        self.triple_count = len(self.store.triples("train"))
        self.batch_size, self.nbatches = _sizes(batch_size, nbatches, self.triple_count)
        self.sampling_mode = sampling_mode
        self.order = order
        self.neg_rel = neg_rel
        self.sampler = Sampler(
            self.store,
            seed=seed,
            entity_negatives=neg_ent,
            relation_negatives=neg_rel,
            bernoulli=bool(bern_flag),
            filtered=bool(filter_flag),
            shared=negatives == "shared",
            threads=threads,
        )
        self.settings = {
            "batch_size": self.batch_size,
            "nbatches": self.nbatches,
            "sampling_mode": sampling_mode,
            "bern_flag": bool(bern_flag),
            "filter_flag": bool(filter_flag),
            "neg_ent": neg_ent,
            "neg_rel": neg_rel,
            "seed": seed,
            "order": order,
            "negatives": negatives,
            "hold_out": hold_out,
        }
        self._next_epoch = 0

    def __len__(self) -> int:
        """Return the number of batches in an epoch."""
        return self.nbatches

    def __iter__(self) -> Iterator[Batch]:
        """Iterate over the batches of the next epoch."""
        epoch = self._next_epoch
        self._next_epoch += 1
        return self.epoch(epoch)

    def epoch(self, number: int) -> Iterator[Batch]:
        """Iterate over the batches of epoch ``number``, drawing one ahead in the background."""
        rows = self.sampler.order(number, replacement=self.order == "replacement")

        def draw(index: int) -> Batch:
            first = index * self.batch_size
            side = self._side(index)
            drawn = self.sampler.draw(
                rows[first : first + self.batch_size], epoch=number, first=first, side=side
            )
            mask = None if drawn.mask is None else torch.from_numpy(drawn.mask).bool()
            replacing = drawn.negative[..., : drawn.negative.shape[-1] - self.neg_rel]
            occurring = (drawn.positive[:, HEAD], drawn.positive[:, TAIL], replacing.reshape(-1))
            entities, where = find_distinct(np.concatenate(occurring), self.store.entity_count)
            return Batch(
                torch.from_numpy(drawn.positive),
                torch.from_numpy(drawn.negative),
                torch.from_numpy(drawn.slot),
                side,
                torch.from_numpy(entities),
                torch.from_numpy(where),
                mask,
                self.neg_rel,
            )

        with ThreadPoolExecutor(1, thread_name_prefix="sampler") as background:
            ahead = background.submit(draw, 0)
            for index in range(1, self.nbatches):
                batch = ahead.result()
                ahead = background.submit(draw, index)
                yield batch
            yield ahead.result()

    def _side(self, index: int) -> Literal["head", "tail", "mixed"]:
        if self.sampling_mode == "normal":
            return "mixed"
        if self.sampling_mode == "cross":
            return "head" if index % 2 == 0 else "tail"
        return self.sampling_mode

    def get_ent_tot(self) -> int:
        """Return the number of entities (OpenKE's name)."""
        return self.store.entity_count

    def get_rel_tot(self) -> int:
        """Return the number of relations (OpenKE's name)."""
        return self.store.relation_count

    def get_triple_tot(self) -> int:
        """Return the number of distinct train triples (OpenKE's name)."""
        return self.triple_count

    def get_batch_size(self) -> int:
        """Return the number of positives in a batch (OpenKE's name)."""
        return self.batch_size


class TestDataLoader:
    """The triples a :class:`~openke.config.Tester` ranks (OpenKE's name and arguments).

    Parameters
    ----------
    in_path
        A folder in OpenKE's format, or an open :class:`TripleStore`.
    sampling_mode
        ``"link"``: link prediction.
    type_constrain
        Whether type-constrained ranks can be asked for: candidates are then those that
        ``type_constrain.txt`` lists for the relation, or where there is no such file, those seen
        with it in any split, which is how the lineage makes that file.
    """

    __test__ = False  # pytest collects classes named Test*

    def __init__(
        self,
        in_path: Source = "./",
        sampling_mode: Literal["link"] = "link",
        type_constrain: bool = True,
    ) -> None:
        _one_of("sampling_mode", sampling_mode, ("link",))
        self.store = in_path if isinstance(in_path, TripleStore) else TripleStore.open(in_path)
        self.constraint = TypeConstraint.of(self.store) if type_constrain else None

    def get_ent_tot(self) -> int:
        """Return the number of entities (OpenKE's name)."""
        return self.store.entity_count

    def get_rel_tot(self) -> int:
        """Return the number of relations (OpenKE's name)."""
        return self.store.relation_count

    def get_triple_tot(self) -> int:
        """Return the number of distinct test triples (OpenKE's name)."""
        return len(self.store.triples("test"))


def _sizes(batch_size: int | None, nbatches: int | None, triples: int) -> tuple[int, int]:
    for name, value in (("batch_size", batch_size), ("nbatches", nbatches)):
        if value is not None and value < 1:
            raise ValueError(f"{name} is {value}, expected at least 1")
    if batch_size is None:
        batch_size = 512 if nbatches is None else -(-triples // nbatches)
    available = -(-triples // batch_size)
    return batch_size, available if nbatches is None else min(nbatches, available)


def _one_of(name: str, value: str, known: tuple[str, ...]) -> None:
    if value not in known:
        raise ValueError(f"{name} is {value!r}, expected one of {', '.join(map(repr, known))}")
