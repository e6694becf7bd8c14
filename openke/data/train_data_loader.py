"""Batches of train triples with negatives, under OpenKE's name."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Literal

import numpy as np
import torch
from numpy.typing import NDArray

from openke.data.batch import HEAD, TAIL, Batch, CorruptedSide
from openke.data.distinct import find_distinct
from openke.data.frequency import frequency_weights
from openke.data.loader import (
    WHOLE,
    Change,
    Shard,
    ahead,
    producers,
    shard_of,
    unchanged,
    weighed_shard,
)
from openke.data.options import check_one_of, check_whole
from openke.data.sampler import Sampler
from openke.data.store import TripleSource, TripleStore
from openke.runtime.values import Natural

SAMPLING_MODES = ("normal", "cross", "head", "tail")
ORDERS = ("shuffle", "replacement", "file")
NEGATIVES = ("own", "shared")
WEIGHTS = ("even", "frequency")
SAMPLED = ("neg_ent", "neg_rel", "bern_flag", "filter_flag", "threads")
"""What the sampler is made of and OpenKE's setters change."""


class TrainDataLoader:
    """Batches of train triples with negatives; the same seed gives the same batches.

    The arguments down to ``neg_rel`` are OpenKE's. What differs from OpenKE: an epoch visits every
    triple once unless ``order="replacement"``; ``filter_flag=False`` really turns filtering off;
    negatives depend on ``seed`` and never on ``threads``.

    Parameters
    ----------
    in_path
        A folder in OpenKE's format, or an open :class:`TripleStore`. None takes the folder of
        ``tri_file``.
    tri_file, ent_file, rel_file
        Other files to read than ``train2id.txt``, ``entity2id.txt`` and ``relation2id.txt``.
    batch_size, nbatches
        Positives per batch, or batches per epoch; one follows from the other. Both together:
        an epoch is the first ``nbatches`` batches of ``batch_size``. Neither: batches of 512.
    threads
        Sampling threads; 0 means all processors.
    sampling_mode
        ``"normal"`` corrupts head or tail by a draw for each negative, ``"cross"`` heads in even
        steps and tails in odd ones, counted through all epochs, ``"head"`` or ``"tail"`` one side
        only.
    bern_flag
        Choose the side by tph / (tph + hpt) (Wang et al., AAAI 2014) instead of evenly.
    filter_flag
        Never draw a triple of the train split.
    neg_ent
        Negatives of each positive triple, with another head or tail.
    neg_rel
        Further negatives of each positive triple, with another relation.
    seed, order, negatives
        Random seed; ``"shuffle"``, ``"replacement"``, or ``"file"``, the order of the file in every
        epoch; each positive's ``"own"`` negatives or one ``"shared"`` set for the batch.
    one_slot
        Corrupt the same side in all own negatives of a positive.
    weights
        ``"frequency"``: a positive weighs (n(h, r) + n(r, t))^-1/2, n being how many train triples
        have both, counted from 4; ``"even"``: all weigh the same.
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
        in_path: TripleSource | None = "./",
        tri_file: str | None = None,
        ent_file: str | None = None,
        rel_file: str | None = None,
        batch_size: int | None = None,
        nbatches: int | None = None,
        threads: Natural = 0,
        sampling_mode: Literal["normal", "cross", "head", "tail"] = "normal",
        bern_flag: bool = False,
        filter_flag: bool = True,
        neg_ent: Natural = 1,
        neg_rel: Natural = 0,
        *,
        seed: int = 0,
        order: Literal["shuffle", "replacement", "file"] = "shuffle",
        negatives: Literal["own", "shared"] = "own",
        one_slot: bool = False,
        weights: Literal["even", "frequency"] = "even",
        hold_out: float = 0.0,
    ) -> None:
        check_one_of("sampling_mode", sampling_mode, SAMPLING_MODES)
        check_one_of("order", order, ORDERS)
        check_one_of("negatives", negatives, NEGATIVES)
        check_one_of("weights", weights, WEIGHTS)
        self._files = (tri_file, ent_file, rel_file)
        self._hold_out = hold_out
        self._given_sizes = (batch_size, nbatches)
        self.seed = seed
        self.threads = threads
        self.sampling_mode = sampling_mode
        self.bern_flag = bool(bern_flag)
        self.filter_flag = bool(filter_flag)
        self.neg_ent = neg_ent
        self.neg_rel = neg_rel
        self.order: str = order
        self.negatives = negatives
        self.one_slot = bool(one_slot)
        self.weights = weights
        self._next_epoch = 0
        self._change: Change = unchanged
        self._pin = False
        self._shard = WHOLE
        self.set_in_path(in_path)

    @property
    def settings(self) -> dict[str, object]:
        """What decides the batches, as JSON values."""
        # Said only where they are not what they always were: checkpoints of earlier runs have none.
        added = {"one_slot": self.one_slot, "weights": self.weights}
        usual = {"one_slot": False, "weights": "even"}
        return {
            **{name: value for name, value in added.items() if value != usual[name]},
            "batch_size": self.batch_size,
            "nbatches": self.nbatches,
            "sampling_mode": self.sampling_mode,
            "bern_flag": self.bern_flag,
            "filter_flag": self.filter_flag,
            "neg_ent": self.neg_ent,
            "neg_rel": self.neg_rel,
            "seed": self.seed,
            "order": self.order,
            "negatives": self.negatives,
            "hold_out": self._hold_out,
        }

    def __len__(self) -> int:
        """Return the number of batches in an epoch."""
        return self.nbatches

    def __iter__(self) -> Iterator[Batch]:
        """Iterate over the batches of the next epoch."""
        epoch = self._next_epoch
        self._next_epoch += 1
        return self.epoch(epoch)

    def epoch(self, number: int) -> Iterator[Batch]:
        """Iterate over the batches of epoch ``number``, drawn ahead in the background."""
        rows = self._rows(number)
        workers = producers(self._pin)
        threads = None if workers == 1 else 1  # each batch by one of the workers

        def draw(index: int) -> Batch:
            first = index * self.batch_size
            side = self._side(number * self.nbatches + index)
            positions = rows[first : first + self.batch_size]
            drawn = self.sampler.draw(
                positions, epoch=number, first=first, side=side, threads=threads
            )
            mine, share = shard_of(len(drawn.positive), self._shard)
            drawn = drawn.select(mine)  # drawing is cheap, and so all processes draw the same
            weight = None if self._weight is None else self._weight[positions]
            if weight is not None:
                weight, factor = weighed_shard(weight, mine)
                share *= factor
            mask = None if drawn.mask is None else torch.from_numpy(drawn.mask).bool()
            replacing = drawn.negative[..., : drawn.negative.shape[-1] - self.neg_rel]
            occurring = (drawn.positive[:, HEAD], drawn.positive[:, TAIL], replacing.reshape(-1))
            entities, where = find_distinct(np.concatenate(occurring), self.store.entity_count)
            batch = Batch(
                torch.from_numpy(drawn.positive),
                torch.from_numpy(drawn.negative),
                torch.from_numpy(drawn.slot),
                side,
                torch.from_numpy(entities),
                torch.from_numpy(where),
                mask,
                self.neg_rel,
                weight=weight,
                share=share,
            )
            changed: Batch = self._change(batch)
            return changed.pin() if self._pin else changed

        return ahead(draw, self.nbatches, "sampler", workers)

    def prepare(self, change: Change = unchanged, *, pin: bool, shard: Shard = WHOLE) -> None:
        """Do in the background what a step would wait for, see :class:`Loader`."""
        self._change, self._pin, self._shard = change, pin, shard

    def _rows(self, epoch: int) -> NDArray[np.int64]:
        if self.order == "file":
            return np.arange(self.triple_count)
        return self.sampler.order(epoch, replacement=self.order == "replacement")

    def _side(self, step: int) -> CorruptedSide:
        """Return which side a step replaces; "cross" goes on alternating in the next epoch."""
        if self.sampling_mode == "normal":
            return "mixed"
        if self.sampling_mode == "cross":
            return "head" if step % 2 == 0 else "tail"
        return self.sampling_mode

    # OpenKE's setters: each takes effect from the next epoch on.

    def set_in_path(self, in_path: TripleSource | None) -> None:
        """Read another folder."""
        store = _open(in_path, *self._files)
        self.store = store.hold_out(self._hold_out, self.seed) if self._hold_out else store
        train = self.store.triples("train")
        self.triple_count = len(train)
        self._weight = frequency_weights(train) if self.weights == "frequency" else None
        self.batch_size, self.nbatches = _sizes(*self._given_sizes, self.triple_count)
        self._resample()

    def set_batch_size(self, batch_size: int) -> None:
        """Set the positives per batch; an epoch then visits all triples."""
        self._given_sizes = (batch_size, None)
        self.batch_size, self.nbatches = _sizes(batch_size, None, self.triple_count)

    def set_nbatches(self, nbatches: int) -> None:
        """Set the batches per epoch and keep their size."""
        self._given_sizes = (self.batch_size, nbatches)
        self.batch_size, self.nbatches = _sizes(self.batch_size, nbatches, self.triple_count)

    def set_work_threads(self, work_threads: int) -> None:
        """Set the sampling threads."""
        self._resample(threads=work_threads)

    def set_ent_neg_rate(self, rate: int) -> None:
        """Set the entity negatives of each positive."""
        self._resample(neg_ent=rate)

    def set_rel_neg_rate(self, rate: int) -> None:
        """Set the relation negatives of each positive."""
        self._resample(neg_rel=rate)

    def set_bern_flag(self, bern: bool) -> None:
        """Set ``bern_flag``."""
        self._resample(bern_flag=bool(bern))

    def set_filter_flag(self, filter: bool) -> None:
        """Set ``filter_flag``; the parameter's name is OpenKE's."""
        self._resample(filter_flag=bool(filter))

    def set_sampling_mode(self, sampling_mode: Literal["normal", "cross", "head", "tail"]) -> None:
        """Set ``sampling_mode``."""
        check_one_of("sampling_mode", sampling_mode, SAMPLING_MODES)
        self.sampling_mode = sampling_mode

    def _resample(self, **changes: int) -> None:
        now = {name: getattr(self, name) for name in SAMPLED} | changes
        for name in ("neg_ent", "neg_rel", "threads"):
            check_whole(name, now[name])
        if now["neg_ent"] + now["neg_rel"] < 1:
            raise ValueError(
                f"neg_ent is {now['neg_ent']} and neg_rel is {now['neg_rel']}, expected at least "
                "one negative for each positive"
            )
        self.sampler = Sampler(
            self.store,
            seed=self.seed,
            entity_negatives=now["neg_ent"],
            relation_negatives=now["neg_rel"],
            bernoulli=now["bern_flag"],
            filtered=now["filter_flag"],
            shared=self.negatives == "shared",
            one_slot=self.one_slot,
            threads=now["threads"],
        )
        for name, value in changes.items():
            setattr(self, name, value)

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


def _open(
    source: TripleSource | None, tri_file: str | None, ent_file: str | None, rel_file: str | None
) -> TripleStore:
    if isinstance(source, TripleStore):
        return source
    if source is None:
        if tri_file is None:
            raise ValueError("in_path is None and so is tri_file: give a folder, or the files")
        source = Path(tri_file).parent
    return TripleStore.open(
        source, train_file=tri_file, entity_file=ent_file, relation_file=rel_file
    )


def _sizes(batch_size: int | None, nbatches: int | None, triples: int) -> tuple[int, int]:
    for name, value in (("batch_size", batch_size), ("nbatches", nbatches)):
        if value is not None:
            check_whole(name, value)
            if value < 1:
                raise ValueError(f"{name} is {value}, expected at least 1")
    if batch_size is None:
        batch_size = 512 if nbatches is None else -(-triples // nbatches)
    available = -(-triples // batch_size)
    return batch_size, available if nbatches is None else min(nbatches, available)
