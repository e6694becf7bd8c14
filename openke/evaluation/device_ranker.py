"""Ranking on the device that has the scores: only counts come back, once for all blocks of a slot.

Shapes: b queries of a block, n triples that ask them, c candidates.
"""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from openke.evaluation.candidates import Candidates, between
from openke.evaluation.queries import Queries
from openke.kernels.compiled import chunk_reals


class DeviceRanker:
    """Counts, for the queries of a slot, what :func:`.count_better` counts, in PyTorch.

    A score that is no candidate's becomes NaN, which is neither greater than nor equal to any. All
    sizes are known on the host, so that :meth:`count` never waits for the device.

    Parameters
    ----------
    asked
        The queries; those of a block are consecutive rows of ``asked.distinct``.
    candidates
        Among what they are ranked.
    device
        Where the scores will be.
    """

    def __init__(self, asked: Queries, candidates: Candidates, device: torch.device) -> None:
        self.asked, self.candidates = asked, candidates
        self.query, self.target = _moved(asked.query, device), _moved(asked.target, device)
        self.known, self.group = _moved(candidates.known, device), _moved(candidates.group, device)
        admitted = candidates.admitted
        self.admitted = None if admitted is None else _moved(admitted, device)
        self.counts = torch.zeros(2, len(asked.order), dtype=torch.int64, device=device)
        self.nan = torch.zeros(len(asked.distinct), dtype=torch.bool, device=device)

    def count(self, start: int, scores: Tensor) -> None:
        """Count for the queries from ``start`` on, given their scores, Float["b c"].

        Takes memory for one and a half more blocks in float32, and for a chunk of bounded size. A
        score that is NaN is an error of :meth:`fetch`.
        """
        stop = start + len(scores)
        # A copy: the model may keep what it gave.
        scores = scores.to(
            *(self.counts.device, torch.float32),
            memory_format=torch.contiguous_format,
            copy=True,
        )
        self.nan[start:stop] = scores.isnan().any(dim=1)
        rows = self.asked.asking(start, stop)
        row, target = self.query[rows] - start, self.target[rows]
        own = scores[row, target]
        self._leave_out(start, stop, scores)
        # A sum of truth values makes integers of them first.
        step = max(1, chunk_reals(scores.device) // (4 * self.candidates.width))
        parts = [torch.split(x, step, dim=-1) for x in (own, row, self.counts[:, rows])]
        for score, at, (greater, equal) in zip(*parts, strict=True):
            among, score = scores[at], score[:, None]
            greater[:] = (among > score).sum(dim=1, dtype=torch.int32)
            equal[:] = (among == score).sum(dim=1, dtype=torch.int32)
        # The answer itself, where it is a candidate and not left out already.
        self.counts[1, rows] -= (scores[row, target] == own).long()

    def fetch(self) -> NDArray[np.int64]:
        """Return greater and equal, Int["2 n"], in the order of the queries; 0 if not counted.

        Raises
        ------
        ValueError
            A score was NaN.
        """
        nan = self.nan.cpu().numpy()
        if nan.any():
            raise ValueError(
                f"found NaN scores among the {self.candidates.width} candidates of scores row "
                f"{nan.argmax()}, expected numbers: the model has diverged"
            )
        return self.counts.cpu().numpy()

    def _leave_out(self, start: int, stop: int, scores: Tensor) -> None:
        """Make NaN of what is known, and of what is not admitted."""
        width = self.candidates.width
        known = _rows(self.candidates.known, self.known, start, stop, width)
        scores.view(-1).index_fill_(0, known, torch.nan)
        if self.admitted is None or self.candidates.admitted is None:
            return
        # The groups of a block are consecutive, and no more than its queries.
        first, last = self.candidates.group[[start, stop - 1]].tolist()
        barred = torch.ones(last + 1 - first, width, dtype=torch.bool, device=scores.device)
        admitted = _rows(self.candidates.admitted, self.admitted, first, last + 1, width)
        barred.view(-1).index_fill_(0, admitted, False)
        scores.masked_fill_(barred[self.group[start:stop] - first], torch.nan)


def _moved(array: NDArray[np.int64], device: torch.device) -> Tensor:
    return torch.from_numpy(array).to(device, non_blocking=True)


def _rows(host: NDArray[np.int64], there: Tensor, start: int, stop: int, width: int) -> Tensor:
    """Return the pairs of the rows ``start`` to ``stop``, as places in an array of these rows."""
    return there[between(host, start, stop, width)] - start * width
