"""Ways to spoil a file: what a disk, a network, an editor or an attacker leaves in its place."""

from __future__ import annotations

import gzip
import json
import os
import random
import re
import struct
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

Spoil = Callable[[Path, random.Random], None]

WORDS = ("-1", "0", "1.5", "1e400", "nan", "2147483648", "9" * 40, "", "\0", "\ud800", "é" * 9, "x")
VALUES: tuple[Any, ...] = (
    None, True, False, -1, 0, 1, 1.5, 10**30, -1e-3, "", "x", "nan", [], [1], {}, {"a": 1},
    float("nan"), float("inf"), "y" * 5000, "\0", [[[[]]]],
)  # fmt: skip
"""What stands in the place of a value in JSON."""


def nothing(path: Path, draw: random.Random) -> None:
    """Remove the file."""
    path.unlink()


def empty(path: Path, draw: random.Random) -> None:
    """Leave no byte of it."""
    path.write_bytes(b"")


def cut(path: Path, draw: random.Random) -> None:
    """Cut it off somewhere."""
    content = path.read_bytes()
    path.write_bytes(content[: draw.randrange(len(content) + 1)])


def flipped(path: Path, draw: random.Random) -> None:
    """Flip a bit."""
    content = bytearray(path.read_bytes())
    if content:
        content[draw.randrange(len(content))] ^= 1 << draw.randrange(8)
    path.write_bytes(content)


def noise(path: Path, draw: random.Random) -> None:
    """Put random bytes in its place."""
    path.write_bytes(draw.randbytes(draw.randrange(1, 3000)))


def doubled(path: Path, draw: random.Random) -> None:
    """Append it to itself."""
    path.write_bytes(path.read_bytes() * 2)


def pipe(path: Path, draw: random.Random) -> None:
    """Put a pipe in its place that nobody writes into."""
    path.unlink()
    os.mkfifo(path)


def folder(path: Path, draw: random.Random) -> None:
    """Put a folder in its place."""
    path.unlink()
    path.mkdir()


def dangling(path: Path, draw: random.Random) -> None:
    """Put a link in its place that leads nowhere."""
    path.unlink()
    path.symlink_to("nowhere")


def loop(path: Path, draw: random.Random) -> None:
    """Put a link to itself in its place."""
    path.unlink()
    path.symlink_to(path.name)


def moved(path: Path, draw: random.Random) -> None:
    """Move it, and leave a link to it in its place, which is as good as the file."""
    aside = path.with_name(f".{path.name}-moved")
    path.rename(aside)
    path.symlink_to(aside.name)


def line_lost(path: Path, draw: random.Random) -> None:
    """Leave a line out, or write one twice."""
    lines = path.read_bytes().split(b"\n")
    at = draw.randrange(len(lines))
    lines[at : at + 1] = [lines[at]] * draw.choice((0, 2))
    path.write_bytes(b"\n".join(lines))


def word_changed(path: Path, draw: random.Random) -> None:
    """Replace a word."""
    words = re.split(r"(\s+)", path.read_text(encoding="utf-8", errors="surrogateescape"))
    words[draw.randrange(len(words))] = draw.choice(WORDS)
    path.write_bytes("".join(words).encode("utf-8", "surrogatepass"))


def long_line(path: Path, draw: random.Random) -> None:
    """Put a line of a megabyte in."""
    lines = path.read_bytes().split(b"\n")
    lines.insert(draw.randrange(len(lines) + 1), draw.choice((b"x", b"x\t", b"1 ")) * 500_000)
    path.write_bytes(b"\n".join(lines))


def value_changed(path: Path, draw: random.Random) -> None:
    """Replace a value of a JSON file, leave one out, or nest one deeply."""
    content = json.loads(path.read_text(encoding="utf-8"))
    places = list(_places(content))
    owner, name = draw.choice(places)
    if draw.random() < 0.15:
        del owner[name]
    else:
        owner[name] = draw.choice(VALUES)
    text = json.dumps(content)
    if draw.random() < 0.05:
        text = "[" * 100_000 + text
    path.write_text(text)


def _places(content: Any) -> Any:
    names = content if isinstance(content, dict) else range(len(content))
    for name in names:
        yield content, name
        if isinstance(content[name], dict | list):
            yield from _places(content[name])


def setting_changed(path: Path, draw: random.Random) -> None:
    """Replace a value of a TOML file."""
    lines = path.read_text(encoding="utf-8").split("\n")
    at = draw.choice([i for i, line in enumerate(lines) if "=" in line])
    value = draw.choice(("-1", "1.5", "true", '"x"', "nan", "inf", "[]", "{}", "9" * 30, '""'))
    lines[at] = f"{lines[at].partition('=')[0]}= {value}"
    path.write_text("\n".join(lines))


def tensor_changed(path: Path, draw: random.Random) -> None:
    """Change numbers, types or shapes in a safetensors file, or its header."""
    content = path.read_bytes()
    size = struct.unpack("<Q", content[:8])[0]
    header, data = json.loads(content[8 : 8 + size]), bytearray(content[8 + size :])
    name = draw.choice([name for name in header if name != "__metadata__"])
    how = draw.randrange(5)
    if how == 0:
        number = draw.choice((float("nan"), float("inf"), 1e38, -1e38, 0.0))
        begin, end = header[name]["data_offsets"]
        data[begin:end] = struct.pack("<f", number) * ((end - begin) // 4)
    elif how == 1:
        header[name]["dtype"] = draw.choice(("F64", "I32", "F16", "BOOL", "X", "U8"))
    elif how == 2:
        header[name]["shape"] = draw.choice(([], [0], [1], [10**12], [-1], [2**63, 2]))
    elif how == 3:
        header[draw.choice(("", "other", "x" * 3000))] = header.pop(name)
    else:
        header.pop("__metadata__", None)
    text = json.dumps(header).encode()
    size = draw.choice((len(text), len(text), 2**63, 5))
    path.write_bytes(struct.pack("<Q", size) + text + data)


def archive_changed(path: Path, draw: random.Random) -> None:
    """Compress what is no text, or claim to be compressed."""
    path.write_bytes(
        draw.choice((b"\x1f\x8b", gzip.compress(draw.randbytes(999)), gzip.compress(b"")))
    )


def record_changed(path: Path, draw: random.Random) -> None:
    """Replace a value in a line of JSON."""
    lines = path.read_text(encoding="utf-8").splitlines()
    at = draw.randrange(len(lines))
    record = json.loads(lines[at])
    record[draw.choice([*record, "other"])] = draw.choice(VALUES)
    lines[at] = draw.choice((json.dumps(record), json.dumps(list(record.values())), "null", "[]"))
    path.write_text("\n".join(lines) + "\n")


def column_changed(path: Path, draw: random.Random) -> None:
    """Let a column of a Parquet file be of another type, gone, named otherwise or there twice."""
    import pyarrow
    import pyarrow.parquet

    table = pyarrow.parquet.read_table(path)
    at = draw.randrange(table.num_columns)
    n = table.num_rows
    columns = (
        [None] * n, [["a"]] * n, [{"a": 1}] * n, [1.5] * n, [float("nan")] * n, [b"\xff"] * n,
        ["a\0b"] * n, ["a\nb"] * n, [True] * n, list(range(n)), ["x" * 100_000] * n, [""] * n,
    )  # fmt: skip
    how = draw.randrange(6)
    if how == 0:
        table = table.remove_column(at)
    elif how == 1:
        table = table.rename_columns(
            ["other" if i == at else c for i, c in enumerate(table.column_names)]
        )
    elif how == 2:
        table = table.append_column(table.column_names[at], table.column(at))
    elif how == 3:
        table = table.slice(0, 0)
    else:
        values = pyarrow.array(draw.choice(columns))
        table = table.set_column(at, table.column_names[at], values)
    pyarrow.parquet.write_table(table, path)


def picture_claims(path: Path, draw: random.Random) -> None:
    """Put a picture in its place that claims to be large, or is of a kind that nobody expects."""
    from PIL import Image

    width, height = draw.choice(((60000, 60000), (0, 0), (1, 2**31 - 1), (1, 1)))
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    chunks = ((b"IHDR", header), (b"IDAT", zlib.compress(b"\0" * 99)), (b"IEND", b""))
    if draw.random() < 0.5:
        path.write_bytes(
            b"\x89PNG\r\n\x1a\n"
            + b"".join(
                struct.pack(">I", len(data))
                + kind
                + data
                + struct.pack(">I", zlib.crc32(kind + data))
                for kind, data in chunks
            )
        )
        return
    kind, mode = draw.choice(
        (("GIF", "P"), ("TIFF", "F"), ("TIFF", "I;16"), ("PNG", "1"), ("PNG", "LA"), ("PPM", "L"))
    )
    Image.new(mode, draw.choice(((1, 1), (1, 3000)))).save(path, kind)


class _Attack:
    def __reduce__(self) -> Any:
        return os.mkdir, ("attacked",)


def pickled(path: Path, draw: random.Random) -> None:
    """Put a pickle in its place that would run code."""
    import torch

    torch.save({"state": _Attack()}, path)


ANY: tuple[Spoil, ...] = (
    nothing, empty, cut, flipped, noise, doubled, pipe, folder, dangling, loop, moved,
)  # fmt: skip
TEXT: tuple[Spoil, ...] = (line_lost, word_changed, word_changed, long_line)
OF: dict[str, tuple[Spoil, ...]] = {
    "": TEXT,  # checksums of what a run has packed
    ".txt": TEXT,
    ".tsv": TEXT,
    ".csv": TEXT,
    ".jsonl": (*TEXT, *[record_changed] * 6),
    ".nt": TEXT,
    ".ttl": TEXT,
    ".parquet": (column_changed,) * 6,
    ".png": (picture_claims,) * 4,
    ".json": (*TEXT, *[value_changed] * 8),
    ".toml": (*TEXT, *[setting_changed] * 4),
    ".safetensors": (tensor_changed,) * 6,
    ".ckpt": (pickled,) * 2,
    ".pth": (pickled,) * 2,
    ".gz": (archive_changed,) * 2,
}
"""Further ways, by the ending of the file."""
SEALED = (".safetensors", ".ckpt")
"""Files that know their checksum: a changed one is refused, or was not read."""
