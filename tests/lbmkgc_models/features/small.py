"""Small data sets on disk for the tests of features."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import Tensor

LABELS = (
    ("<http://x/Dog>", "dog", "animal that barks"),
    ("<http://x/Puppy>", "puppy", "young dog"),
    ("<http://x/Bank run>", "bank run", "many clients withdraw money"),
    ("<http://x/Île>", "île", ""),
)


def write_dataset(folder: Path, labels: Sequence[tuple[str, str, str]] = LABELS) -> Path:
    """Write a data set with one triple and a labels.tsv."""
    folder.mkdir(parents=True, exist_ok=True)
    names = [name for name, _, _ in labels]
    rows = "".join(f"{name}\t{i}\n" for i, name in enumerate(names))
    (folder / "entity2id.txt").write_text(f"{len(names)}\n{rows}", encoding="utf-8")
    (folder / "relation2id.txt").write_text("1\nis\t0\n")
    (folder / "train2id.txt").write_text("1\n0 1 0\n")
    lines = ("\t".join([str(i), *row]) for i, row in enumerate(labels))
    (folder / "labels.tsv").write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    return folder


def numbered(count: int) -> list[tuple[str, str, str]]:
    """Return labels of entities whose texts have many lengths."""
    return [(f"e{i}", f"thing {i}", " ".join(["very"] * (i * 7 % 11))) for i in range(count)]


class CountingEncoder:
    """Turns a text into its length and its first letter; counts what it was asked."""

    name, revision, dim, limit = "counting", "1", 2, 5

    def __init__(self) -> None:
        self.batches: list[list[str]] = []
        self.settings = {"scale": 1.0}

    def lengths(self, items: Sequence[str]) -> list[int]:
        """Return the number of characters."""
        return [len(item) for item in items]

    def encode(self, items: Sequence[str]) -> Tensor:
        """Return Float["n 2"]."""
        self.batches.append(list(items))
        return torch.tensor([[float(len(item)), float(ord(item[0]))] for item in items])


def picture(seed: int = 0, size: tuple[int, int] = (48, 40)) -> Image.Image:
    """Return a picture of coloured blocks, a different one for each seed."""
    blocks = np.random.default_rng(seed).integers(0, 256, (4, 4, 3), dtype=np.uint8)
    return Image.fromarray(blocks).resize(size, Image.Resampling.NEAREST)


def write_picture(path: Path, seed: int = 0, size: tuple[int, int] = (48, 40)) -> Path:
    """Write :func:`picture` in the format that the name ends with."""
    path.parent.mkdir(parents=True, exist_ok=True)
    picture(seed, size).save(path)
    return path


class MeanColour:
    """Turns a picture into its mean red, green and blue; counts what it was asked."""

    name, revision, dim, limit = "mean-colour", "1", 3, None

    def __init__(self, *, normalised: bool = False) -> None:
        self.settings = {"normalised": normalised}
        self.pictures = 0

    def lengths(self, items: Sequence[Image.Image]) -> list[int]:
        """Return ones."""
        return [1] * len(items)

    def encode(self, items: Sequence[Image.Image]) -> Tensor:
        """Return Float["n 3"] from 0 to 255."""
        self.pictures += len(items)
        means = [np.asarray(item, dtype=np.float64).mean(axis=(0, 1)) for item in items]
        return torch.from_numpy(np.stack(means)).float()
