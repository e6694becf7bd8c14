"""Measure pictures and texts encoded per second, by each encoder that needs no download.

    python benchmarks/speed_encoders.py

CLIP and ViT have random weights and the size of ViT-B/32: they cost what trained ones cost.
"""

from __future__ import annotations

import itertools
import json
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from common import random_models
from PIL import Image
from tabulate import tabulate

from lbmkgc_models.feature_store.manifest import library_versions
from lbmkgc_models.feature_store.texts import read_texts
from lbmkgc_models.features.encoders.protocol import fitted
from lbmkgc_models.features.encoders.registry import image_encoder, text_encoder
from lbmkgc_models.features.picture_files import of_files
from lbmkgc_models.features.read_image import BadPicture, read_image
from openke.datasets.search import find_dataset
from openke.runtime.device import choose_device
from openke.runtime.environment import environment
from openke.runtime.files import write_text
from openke.runtime.script import run_script

WORDS = ("river", "capital", "island", "actor", "film", "novel", "team", "album", "county", "year")


@dataclass(frozen=True, kw_only=True)
class Settings:
    """What is encoded, and how."""

    pictures: Path | None = None
    """Folder of pictures, looked through with all its folders; by default they are drawn."""
    texts: str | None = None
    """Data set with a labels.tsv; by default texts of 5 to 40 words are made up."""
    count: int = 256
    """Pictures, and texts."""
    batch_size: int = 32
    """Items encoded at once."""
    device: str = "cpu"
    """auto, cpu, cuda, mps."""
    threads: int = 0
    """Threads of PyTorch; 0 leaves them as they are."""
    tiny: bool = False
    """Models of a few neurons: to try the script."""
    out: Path = Path("benchmarks/results/speed_encoders.json")
    """Where the figures go."""


def main(settings: Settings) -> None:
    """Time every encoder, print a table and write the figures."""
    if settings.threads:
        torch.set_num_threads(settings.threads)
    size = random_models.TINY if settings.tiny else random_models.BASE
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        files = picture_files(settings, folder / "pictures")
        texts = some_texts(settings)
        clip = f"clip:{random_models.clip_folder(folder / 'clip', size)}"
        open_clip = f"open_clip:{random_models.open_clip_folder(folder / 'open_clip', size)}"
        vit = f"vit:{random_models.vit_folder(folder / 'vit', size)}"
        rows = [
            *(timed("pictures", spec, files, settings)
              for spec in ("colour-histogram", "efficientnet-lite0", clip, open_clip, vit)),
            *(timed("texts", spec, texts, settings)
              for spec in ("tfidf", "minilm", clip, open_clip)),
        ]  # fmt: skip
    print(tabulate(rows, headers="keys", floatfmt=".1f"))
    result = {
        "settings": {
            "pictures": "drawn" if settings.pictures is None else settings.pictures.name,
            "texts": settings.texts or "made up",
            "batch_size": settings.batch_size,
            "device": settings.device,
            "models": "tiny" if settings.tiny else "ViT-B/32, random weights",
        },
        "environment": {**environment(), **library_versions()},
        "results": rows,
    }
    write_text(settings.out, json.dumps(result, indent=2) + "\n")


def timed(kind: str, spec: str, items: Sequence[Any], settings: Settings) -> dict[str, Any]:
    """Return the figures of one encoder; reading the files is part of encoding pictures."""
    device = choose_device(settings.device)
    if kind == "pictures":
        encoder: Any = of_files(image_encoder(spec, device=device), max_pixels=10**8)
    else:
        encoder = text_encoder(spec, device=device)
    fitted(encoder, items[:2])  # the first time libraries are loaded
    start = time.perf_counter()
    encoder = fitted(encoder, items)
    fit = time.perf_counter() - start
    size = settings.batch_size
    encoder.encode(items[:size])  # first calls allocate
    # Of like length together, as features are built.
    lengths = encoder.lengths(items)
    order = sorted(range(len(items)), key=lambda i: -lengths[i])
    start = time.perf_counter()
    for first in range(0, len(items), size):
        encoder.encode([items[i] for i in order[first : first + size]])
    seconds = time.perf_counter() - start
    return {
        "of": kind,
        "encoder": spec.partition(":")[0],
        "dim": encoder.dim,
        "count": len(items),
        "per second": len(items) / seconds,
        "fit, seconds": fit if fit > 0.001 else None,
    }


def picture_files(settings: Settings, folder: Path) -> list[Path]:
    """Return good pictures of a folder, or draw some of common sizes as JPEG."""
    if settings.pictures is not None:
        every = (path for path in sorted(settings.pictures.rglob("*")) if path.is_file())
        files = list(itertools.islice(filter(_is_good, every), settings.count))
        if not files:
            raise ValueError(f"--pictures {settings.pictures}: no picture there")
        return files
    folder.mkdir()
    random = np.random.default_rng(0)
    files = [folder / f"{i:05}.jpg" for i in range(settings.count)]
    for path in files:
        width, height = random.integers(200, 640, size=2)
        coarse = random.integers(0, 256, (9, 12, 3), dtype=np.uint8)
        Image.fromarray(coarse).resize((int(width), int(height)), Image.Resampling.BICUBIC).save(
            path, quality=90
        )
    return files


def _is_good(path: Path) -> bool:
    try:
        read_image(path)
    except BadPicture:
        return False
    return True


def some_texts(settings: Settings) -> list[str]:
    """Return texts of a data set, or make some up."""
    if settings.texts is not None:
        return read_texts(find_dataset(settings.texts), "descriptions").given()[1][: settings.count]
    random = np.random.default_rng(0)
    return [" ".join(random.choice(WORDS, random.integers(5, 40))) for _ in range(settings.count)]


if __name__ == "__main__":
    run_script(Settings, main)
