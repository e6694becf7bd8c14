"""A folder of good inputs, and for each command a line that takes them and ends well."""

from __future__ import annotations

import csv
import gzip
import json
import os
import shlex
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image

from lbmkgc_models.feature_store.store import ModalFeatures
from openke.datasets.texts import COLUMNS
from openke.runs.recipe import Recipe
from tests.hostile.server import Outcome, Request, Server

ENTITIES, RELATIONS, PICTURED = 24, 3, 6
EXAMPLES: Mapping[str, tuple[str, ...]] = {
    "audit": ("audit data --features features",),
    "evaluate": (
        "evaluate run --data data --by-relation --json --type-constrain",
        "evaluate fused --data data --features features",
    ),
    "export": ("export run --data data --out exported --format tsv",),
    "features.align": ("features align features --out aligned --dataset data --epochs 2 --dim 4",),
    "features.classes": ("features classes data --out made --dim 4",),
    "features.generate": ("features generate data --out drawn --dry-run",),
    "features.image": (
        "features image data --pictures pictures --out made --encoder colour-histogram --dim 8",
    ),
    "features.report": (
        "features report data --features features --pictures pictures --out shown --sample 2",
    ),
    "features.text": ("features text data --out made --encoder tfidf --dim 4",),
    "features.tokens": (
        "features tokens data --pictures pictures --out made --encoder colour-histogram --codes 4 "
        "--tokens 2 --text-tokens 0",
    ),
    "import": (
        "import facts.tsv --out imported",
        "import facts.tsv.gz --out imported",
        "import --train facts.tsv --valid more.tsv.gz --out earlier --overwrite",
        "import facts.csv --texts said.csv --pictures pictures --out imported",
        "import facts.jsonl --texts said.jsonl --skip-bad-rows --out imported",
        "import facts.parquet --texts said.parquet --pictures pictures --out imported",
        "import facts.nt --literals --out imported",
        "import facts.ttl --out imported",
    ),
    "list": ("list models",),
    "mix": ("mix run fused --out mixed",),
    "predict": (
        "predict run --data data --file queries.tsv --k 3 --json",
        "predict run --data data --head e1 --relation r0 --probability --why",
        "predict able --head new --relation r0 --text 'some text' --picture pictures/e1/1.png",
        "predict able --file queries.tsv --entities people.csv",
    ),
    "serve": ("serve run --port 0",),
    "train": (
        "train data --recipe recipe.toml --out trained",
        "train data --recipe fused.json --out trained",
        "train data --recipe recipe.toml --out run --resume --set training.epochs=3",
        "train data --recipe recipe.toml --out run --overwrite",
    ),
    "tune": (
        "tune data --model TransE --trials 1 --epochs 1 --set model.dim=4 --out tuned",
        "tune data --model TransE --trials 1 --epochs 1 --space space.toml --out tuned",
    ),
}
"""Command lines that end well in a copy of the folder, by command."""
UNTIL = {"serve": "Ctrl-C ends it"}
"""What commands say that run until they are told to end: at once, here."""
KEEPS = (
    *("train", "features.generate", "features.classes", "features.image", "features.text"),
    *("export", "features.align", "features.report", "tune"),
)
"""Commands that may leave what they had done: to go on from it, or of several files those that are
whole."""


@dataclass(frozen=True)
class Example:
    """A command line that ends well, and what it then says and leaves."""

    command: str
    line: str
    outcome: Outcome
    made: frozenset[str]
    """Files that it makes or changes."""

    def request(self, folder: Path, **more: Any) -> Request:
        """Return what runs it in a folder."""
        return request(self.line, folder, **more)

    @property
    def arguments(self) -> list[str]:
        """The words of the line."""
        return shlex.split(self.line)


class World:
    """Good inputs in ``folder/good``, and the server that commands are run by."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.good = folder / "good"
        self._copies = 0
        for name in ("good", "home"):
            (folder / name).mkdir(parents=True)
        self.server = Server(folder / "home")
        _write(self.good)
        for line in (
            "train data --recipe recipe.toml --out run",
            "train data --recipe fused.json --out fused",
            "import facts.tsv --out earlier",
            "features text data --out own --encoder tfidf --dim 4",
            "train data --recipe fused.json --set features.folder=own --set "
            "features.modalities=text --out able",
        ):
            done = self.server.run(request(line, self.good, timeout=120))
            self.server.load(done.loaded)
            assert done.status == 0, (line, done.out, done.err)
        self.examples = [
            self._example(command, line) for command in EXAMPLES for line in EXAMPLES[command]
        ]

    def copy(self) -> Path:
        """Return a new copy of the good inputs."""
        self._copies += 1
        return Path(shutil.copytree(self.good, self.folder / f"copy{self._copies}", symlinks=True))

    def close(self) -> None:
        """End the server and remove everything."""
        self.server.close()
        shutil.rmtree(self.folder, ignore_errors=True)

    def _example(self, command: str, line: str) -> Example:
        folder = self.copy()
        before = snapshot(folder)
        outcome = self.server.run(request(line, folder, timeout=120))
        assert not outcome.hung, (line, outcome.out, outcome.err)
        self.server.load(outcome.loaded)
        after = snapshot(folder)
        shutil.rmtree(folder)
        made = frozenset(name for name in after if after[name] != before.get(name))
        return Example(command, line, outcome, made)


def request(line: str, folder: Path, **more: Any) -> Request:
    """Return what runs a command line in a folder."""
    words = shlex.split(line)
    return Request(arguments=words, folder=str(folder), until=UNTIL.get(words[0], ""), **more)


def in_memory() -> Path | None:
    """Return a folder that is no disk, if there is one: cases write thousands of small files."""
    folder = Path("/dev/shm")
    return folder if folder.is_dir() and os.access(folder, os.W_OK) else None


def snapshot(folder: Path) -> dict[str, str]:
    """Return what each file, link and folder below a folder is, by its path."""
    found = {}
    for path in sorted(folder.rglob("*")):
        if path.is_symlink():
            what = f"link to {path.readlink()}"
        elif path.is_file():
            what = f"file {path.stat().st_mtime_ns} {path.stat().st_size}"
        else:
            what = "folder" if path.is_dir() else "other"
        found[str(path.relative_to(folder))] = what
    return found


def _write(folder: Path) -> None:
    draw = np.random.default_rng(0)
    names = [f"e{i}" for i in range(ENTITIES)]
    relations = [f"r{i}" for i in range(RELATIONS)]
    rows = np.unique(
        np.stack([draw.integers(0, n, 160) for n in (ENTITIES, ENTITIES, RELATIONS)], 1), axis=0
    )
    rows = rows[draw.permutation(len(rows))]
    data = folder / "data"
    data.mkdir()
    for kind, known in (("entity", names), ("relation", relations)):
        lines = [str(len(known)), *(f"{name}\t{i}" for i, name in enumerate(known))]
        (data / f"{kind}2id.txt").write_text("\n".join(lines) + "\n")
    for split, part in (("train", rows[30:]), ("valid", rows[:15]), ("test", rows[15:30])):
        text = "\n".join([str(len(part)), *(" ".join(map(str, row)) for row in part.tolist())])
        (data / f"{split}2id.txt").write_text(text + "\n")
    admitted = [" ".join(map(str, (r, ENTITIES, *range(ENTITIES)))) for r in range(RELATIONS)]
    text = "\n".join([str(RELATIONS), *(line for line in admitted for _ in range(2))])
    (data / "type_constrain.txt").write_text(text + "\n")
    labels = [f"{i}\t{name}\tthing {i}\tsome {i % 5} text" for i, name in enumerate(names)]
    (data / "labels.tsv").write_text("\n".join(labels) + "\n")
    texts = [f"{i}\t{name}\tme\thand\ttype\tkind {i % 3}" for i, name in enumerate(names)]
    (data / "texts.tsv").write_text("\n".join(["\t".join(COLUMNS), *texts]) + "\n")
    _write_graphs(folder, [[names[h], relations[r], names[t]] for h, t, r in rows.tolist()])
    _write_features(folder, names, draw)
    _write_recipes(folder)


def _write_graphs(folder: Path, facts: list[list[str]]) -> None:
    lines = ["\t".join(fact) for fact in facts]
    (folder / "facts.tsv").write_text("\n".join(lines) + "\n")
    (folder / "queries.tsv").write_text("e1\tr0\t?\n?\tr1\te2\n")
    with gzip.open(folder / "more.tsv.gz", "wt") as file:
        file.write("\n".join(lines[:9]) + "\n")
    with gzip.open(folder / "facts.tsv.gz", "wt") as file:
        file.write("\n".join(lines) + "\n")
    said = [[f"e{i}", f"what\\{i} is", f"e{i}/1.png" if i < PICTURED else ""] for i in range(9)]
    _write_tables(folder, "facts", ["head", "relation", "tail"], facts)
    _write_tables(folder, "said", ["name", "text", "picture"], said)
    new = [[f"new{i}", "some text", "pictures/e1/1.png"] for i in range(3)]
    _write_csv(folder / "people.csv", ["name", "text", "picture"], new)
    terms = [" ".join(f"<http://x/{name}>" for name in fact) for fact in facts]
    terms.append(r'_:b <http://x/r0> "a\n\u00e9"@en')
    (folder / "facts.nt").write_text("".join(f"{term} .\n" for term in terms))
    short = [" ".join(f"x:{name}" for name in fact) for fact in facts]
    head = "@prefix x: <http://x/> .\n"
    (folder / "facts.ttl").write_text(head + "".join(f"{term} .\n" for term in short))


def _write_tables(folder: Path, name: str, columns: list[str], rows: list[list[str]]) -> None:
    """Write a table in all formats with names of columns."""
    import pyarrow
    import pyarrow.parquet

    _write_csv(folder / f"{name}.csv", columns, rows)
    records = [dict(zip(columns, row, strict=True)) for row in rows]
    lines = "".join(json.dumps(record) + "\n" for record in records)
    (folder / f"{name}.jsonl").write_text(lines)
    table = pyarrow.Table.from_pylist(records)
    pyarrow.parquet.write_table(table, folder / f"{name}.parquet")


def _write_csv(path: Path, columns: list[str], rows: list[list[str]]) -> None:
    with path.open("w", newline="") as file:
        csv.writer(file, quoting=csv.QUOTE_ALL).writerows([columns, *rows])


def _write_features(folder: Path, names: list[str], draw: np.random.Generator) -> None:
    for modality, dim in (("image", 6), ("text", 5)):
        values = torch.from_numpy(draw.normal(size=(len(names), dim)).astype(np.float32))
        store = ModalFeatures.from_rows(modality, names, values, names, encoder="made up")
        store.save(folder / "features" / modality)
    for name in names[:PICTURED]:
        (folder / "pictures" / name).mkdir(parents=True)
        pixels = draw.integers(0, 256, (12, 12, 3)).astype(np.uint8)
        Image.fromarray(pixels).save(folder / "pictures" / name / "1.png")


def _write_recipes(folder: Path) -> None:
    training = {
        "objective": "negative sampling",
        "loss": "SigmoidLoss",
        "epochs": 2,
        "batch_size": 64,
        "sampling": {"neg_ent": 4, "bern_flag": True},
    }
    evaluation = {"every": 1, "patience": 0}
    Recipe.from_dict(
        {"model": {"name": "TransE", "dim": 4}, "training": training, "evaluation": evaluation}
    ).write(folder / "recipe.toml")
    fused = {
        "model": {"name": "LBMKGC", "dim": 4},
        "data": {"name": "data"},
        "features": {"folder": "features"},
        "training": training,
        "evaluation": evaluation,
    }
    (folder / "fused.json").write_text(json.dumps(fused, indent=1) + "\n")
    (folder / "space.toml").write_text(
        "training.lr = {low = 0.001, high = 0.1, log = true}\nmodel.dim = {choices = [4, 6]}\n"
    )
