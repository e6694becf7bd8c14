"""OpenKE's loader in Python, under the path its scripts import it from."""

from __future__ import annotations

from typing import Any

from openke.data.store import TripleSource
from openke.data.train_data_loader import TrainDataLoader


class PyTorchTrainDataLoader(TrainDataLoader):
    """A :class:`TrainDataLoader` with the two further arguments of OpenKE's.

    OpenKE samples in Python here and in C++ there; this package has one sampler, so both loaders
    give the same batches.

    Parameters
    ----------
    in_path, tri_file, ent_file, rel_file, batch_size, nbatches, threads, sampling_mode, \
bern_flag, filter_flag, neg_ent, neg_rel
        As in :class:`TrainDataLoader`.
    shuffle
        False keeps the order of the file in every epoch.
    drop_last
        Leave out the last batch of an epoch where it has fewer triples than the others.
    **options
        Further arguments of :class:`TrainDataLoader`.
    """

    def __init__(
        self,
        in_path: TripleSource | None = None,
        tri_file: str | None = None,
        ent_file: str | None = None,
        rel_file: str | None = None,
        batch_size: int | None = None,
        nbatches: int | None = None,
        threads: int = 8,
        sampling_mode: Any = "normal",
        bern_flag: bool = False,
        filter_flag: bool = True,
        neg_ent: int = 1,
        neg_rel: int = 0,
        shuffle: bool = True,
        drop_last: bool = True,
        **options: Any,
    ) -> None:
        super().__init__(
            in_path,
            tri_file,
            ent_file,
            rel_file,
            batch_size,
            nbatches,
            threads,
            sampling_mode,
            bern_flag,
            filter_flag,
            neg_ent,
            neg_rel,
            **{"order": "shuffle" if shuffle else "file", **options},
        )
        if drop_last:
            self.set_nbatches(max(1, min(self.nbatches, self.triple_count // self.batch_size)))
