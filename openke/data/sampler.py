"""Train triples in random order, each with triples made false by replacing one slot."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from openke import _native
from openke.data.batch import CorruptedSide
from openke.data.options import check_seed
from openke.data.store import TripleStore

CORRUPTED_SIDES: tuple[CorruptedSide, ...] = ("head", "tail", "mixed")


class Draw(NamedTuple):
    """A batch of b positives, each with k negatives of its own or with k shared ones.

    Attributes
    ----------
    positive : Int["b 3"]
        Triples (head, relation, tail).
    negative : Int["b k"] or, shared, Int["k"]
        Ids that replace a slot; entities first, then relations. A shared set is sorted.
    slot : UInt8["b k"] or, shared, UInt8["b"]
        The slot replaced: 0 head, 1 relation, 2 tail.
    mask : UInt8["b k"] or None
        For a shared set: 1 where replacing makes a triple of the train split.
    """

    positive: NDArray[np.int64]
    negative: NDArray[np.int64]
    slot: NDArray[np.uint8]
    mask: NDArray[np.uint8] | None

    def select(self, rows: slice) -> Draw:
        """Return some of the positives and what belongs to them; a shared set stays whole."""
        own = self.negative if self.negative.ndim == 1 else self.negative[rows]
        mask = None if self.mask is None else self.mask[rows]
        return Draw(self.positive[rows], own, self.slot[rows], mask)


class Sampler:
    """Draws positives and negatives; a batch depends on seed and position, never on threads.

    Parameters
    ----------
    store
        Where the triples are. Only those of its train split are drawn and left out.
    seed
        0 … 2**64 - 1.
    entity_negatives, relation_negatives
        For each positive; or ``entity_negatives`` for the whole batch, when shared.
    bernoulli
        Mixed draws replace the head with probability tph / (tph + hpt), tph being the relation's
        mean tails per head and hpt its mean heads per tail (Wang et al., AAAI 2014); else with 1/2.
    filtered
        Never draw a triple of the train split. Otherwise any id is as likely as any other, the
        positive's own included.
    shared
        One set of distinct entities for the batch, with a mask instead of filtering.
    one_slot
        A mixed draw replaces the same slot in all entity negatives of a positive.
    threads
        0 means all processors.

    Raises
    ------
    ValueError
        More negatives than entities or relations, relation negatives in a shared set, or a seed or
        thread count out of range.
    """

    def __init__(
        self,
        store: TripleStore,
        *,
        seed: int = 0,
        entity_negatives: int = 1,
        relation_negatives: int = 0,
        bernoulli: bool = False,
        filtered: bool = True,
        shared: bool = False,
        one_slot: bool = False,
        threads: int = 0,
    ) -> None:
        if threads < 0:
            raise ValueError(f"threads is {threads}, expected 0 (all processors) or more")
        options = _native.SamplerOptions(
            check_seed(seed),
            _native.fitting(entity_negatives, _native.Int64),
            _native.fitting(relation_negatives, _native.Int64),
            bool(bernoulli),
            bool(filtered),
            bool(shared),
            bool(one_slot),
        )
        self._handle = _native.Handle(
            "sampler_create", store.pointer, _native.reference(options), free="sampler_free"
        )
        self.shared = shared
        self.threads = threads
        self._negatives = entity_negatives + relation_negatives
        self._size = len(store.triples("train"))

    def order(self, epoch: int, replacement: bool = False) -> NDArray[np.int64]:
        """Return the rows of ``store.triples("train")`` in the order of an epoch, Int["n"].

        A permutation, or as many independent draws; a function of the seed and the epoch alone.
        """
        out = np.empty(self._size, np.int64)
        _native.call(
            "sampler_order",
            self._handle.pointer,
            epoch,
            bool(replacement),
            _native.address(out, np.int64, writable=True),
        )
        return out

    def draw(
        self,
        rows: NDArray[np.int64],
        *,
        epoch: int,
        first: int,
        side: CorruptedSide = "mixed",
        threads: int | None = None,
    ) -> Draw:
        """Draw a batch.

        Parameters
        ----------
        rows : Int["b"]
            Rows of the train split: the part ``first … first + b - 1`` of the epoch's order.
        epoch, first
            Key the random numbers: the same position of the same epoch has the same negatives
            whatever the batch size (a shared set: the same ``first``).
        side
            The entity slot to replace; ``"mixed"`` draws it for each negative, or for each
            positive of a shared set.
        threads
            None: as many as the sampler was made with.

        Raises
        ------
        ValueError
            A row out of range, or a triple of which every corruption is a fact of the train split.
        """
        if side not in CORRUPTED_SIDES:
            raise ValueError(
                f"found the side {side!r}, expected one of {', '.join(CORRUPTED_SIDES)}"
            )
        rows = np.ascontiguousarray(rows, np.int64)
        if rows.ndim != 1:
            raise ValueError(f"found rows of shape {rows.shape}, expected [b]")
        b, k = len(rows), self._negatives
        positive = np.empty((b, 3), np.int64)
        negative = np.empty(k if self.shared else (b, k), np.int64)
        slot = np.empty(b if self.shared else (b, k), np.uint8)
        mask = np.empty((b, k), np.uint8) if self.shared else None
        _native.call(
            "sampler_draw",
            self._handle.pointer,
            _native.address(rows, np.int64),
            b,
            epoch,
            first,
            _native.SLOTS[side],
            self.threads if threads is None else threads,
            _native.address(positive, np.int64, writable=True),
            _native.address(negative, np.int64, writable=True),
            _native.address(slot, np.uint8, writable=True),
            None if mask is None else _native.address(mask, np.uint8, writable=True),
        )
        return Draw(positive, negative, slot, mask)
