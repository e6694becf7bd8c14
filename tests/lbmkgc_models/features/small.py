"""Small data sets on disk for the tests of features."""

from collections.abc import Sequence
from pathlib import Path

import torch
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
