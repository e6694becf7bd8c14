"""A small shop: products whose text says what they are, for the tests of runs that travel."""

from __future__ import annotations

import random
from pathlib import Path

KINDS = {
    "lamp": "gives warm light for reading",
    "chair": "a wooden seat with a back",
    "mug": "holds hot coffee or tea",
}
ROOMS = {"lamp": "study", "chair": "dining room", "mug": "kitchen"}


def facts(products: int = 60) -> list[tuple[str, str, str]]:
    """Return what is known of products."""
    draw, found = random.Random(0), []
    for i in range(products):
        kind = list(KINDS)[i % 3]
        found += [
            (f"p{i}", "is a", kind),
            (f"p{i}", "belongs in", ROOMS[kind]),
            (f"p{i}", "made by", f"maker {draw.randrange(4)}"),
        ]
    return found


def texts(products: int = 60) -> dict[str, list[str]]:
    """Return a table of names and texts."""
    names = [f"p{i}" for i in range(products)]
    kinds = [list(KINDS)[i % 3] for i in range(products)]
    colours = ["red", "blue", "green", "black"]
    said = [f"A {colours[i % 4]} thing, {KINDS[kind]}." for i, kind in enumerate(kinds)]
    return {"name": names, "text": said}


SETTINGS = {
    "model.dim": 16,
    "training.epochs": 25,
    "training.batch_size": 50,
    "features.text_encoder": "tfidf",
}


def write_csv(folder: Path) -> None:
    """Write facts.csv and products.csv."""
    rows = ["head,relation,tail", *(",".join(row) for row in facts())]
    (folder / "facts.csv").write_text("\n".join(rows) + "\n")
    table = texts()
    lines = [f'{n},"{t}"' for n, t in zip(table["name"], table["text"], strict=True)]
    (folder / "products.csv").write_text("\n".join(["name,text", *lines]) + "\n")
