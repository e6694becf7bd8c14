"""``openke features generate``: LvMC on a data set."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Literal

import tyro

from lbmkgc_models.feature_store.labels import read_labels
from lbmkgc_models.features.lvmc.settings import DrawingSettings
from openke.datasets.pictures import find_pictures
from openke.datasets.search import folder_of
from openke.runtime.values import Count

Dtype = Literal["auto", "float32", "float16", "bfloat16"]
EXAMPLES = 3


def command(
    dataset: str,
    /,
    *,
    out: Path,
    pictures: tuple[Path, ...] = (),
    drawing: Annotated[DrawingSettings, tyro.conf.arg(name="")] = DrawingSettings(),  # noqa: B008 (it is frozen)
    batch_size: Count = 1,
    device: str = "auto",
    dtype: Dtype = "auto",
    cpu_offload: bool = False,
    slicing: bool = False,
    limit: Count | None = None,
    overwrite: bool = False,
    dry_run: bool = False,
    data: Path | None = None,
) -> None:
    """Generate pictures with SDXL for the entities of a data set that have none.

    A whole data set takes hours on a GPU, and far longer on a CPU: --dry-run counts the pictures,
    --limit draws a few. A run that was stopped goes on where it was when it is started again. Under
    torchrun, on one machine or several that share the folder, each process draws its part. For
    example::

        openke features generate DB15K --out DB15K-generated --pictures DB15K-images --limit 4

    Parameters
    ----------
    dataset
        Folder of a data set with a labels.tsv, or the name of one, such as DB15K.
    out
        Folder to write to: OUT/ENTITY/generated.png with generated.json beside it.
    pictures
        Folders of real pictures, one folder an entity; entities that have one there get none.
    drawing
        Models, sampling and prompts.
    batch_size
        Pictures drawn at once.
    device
        auto, cpu, cuda (under torchrun: each process its own GPU), cuda:1, mps.
    dtype
        Number type of the weights; auto is float16 on GPUs and float32 on the CPU.
    cpu_offload
        Keep on the GPU only the part that computes: less memory, slower.
    slicing
        Attention head by head and decoding picture by picture: less memory, slower.
    limit
        Draw for the first entities only, to try it.
    overwrite
        Draw again what was made with other options.
    dry_run
        Print how many are to be drawn and a few prompts, and draw nothing.
    data
        Folder of the data set; else OPENKE_DATA, benchmarks/, the cache and a download.
    """
    import torch  # late, like all of the work: --help and --dry-run need none of it

    from lbmkgc_models.features.lvmc.generate import generate
    from lbmkgc_models.features.lvmc.pipeline import Sdxl
    from lbmkgc_models.features.lvmc.summary import count
    from lbmkgc_models.features.lvmc.tasks import tasks_of
    from lbmkgc_models.features.lvmc.worker import Rank
    from openke.runtime.device import choose_device

    rank = Rank.from_environment()
    labels = read_labels(folder_of(dataset, data))
    if out.resolve() in {folder.resolve() for folder in pictures}:
        raise ValueError(f"--pictures {out}: it is --out too, expected folders of real pictures")
    tasks = tasks_of(labels, _with_pictures(pictures, [x.name for x in labels]), out, drawing)
    if dry_run:
        print(count(tasks))
        for task in tasks[:EXAMPLES]:
            print(f"{task.entity}: {task.prompt!r}, seed {task.seed}")
        return
    sdxl = Sdxl(
        drawing,
        device=choose_device(rank.device(device)),
        dtype=None if dtype == "auto" else getattr(torch, dtype),
        cpu_offload=cpu_offload,
        slicing=slicing,
    )
    summary = generate(
        tasks,
        out,
        sdxl,
        batch_size=batch_size,
        rank=rank,
        limit=limit,
        overwrite=overwrite,
        progress=rank.rank == 0,
    )
    print(f"{summary} ({out})")  # from each process: the last one knows the whole


def _with_pictures(folders: Sequence[Path], names: Sequence[str]) -> set[str]:
    """Return the names of the entities that have a picture in one of the folders."""
    if not folders:
        return set()
    return set(find_pictures(folders, names).files)
