"""Tables of the documentation that are made of measured results.

python -m tests.docs.tables writes them into the pages.
"""

from __future__ import annotations

import json
import statistics
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from tabulate import tabulate

ROOT = Path(__file__).parents[2]
DOCS, RESULTS = ROOT / "docs", ROOT / "benchmarks" / "results"
KINDS = ("both", "head", "tail", "perceptual", "conceptual")


def read(name: str) -> Any:
    return json.loads((RESULTS / f"{name}.json").read_text(encoding="utf-8"))


def table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    columns = ("left",) + ("right",) * (len(header) - 1)
    return tabulate(rows, header, tablefmt="github", disable_numparse=True, colalign=columns)


def duration(seconds: float) -> str:
    """Return a time with its unit, in two or three digits."""
    for unit, size in (("h", 3600.0), ("min", 60.0), ("s", 1.0), ("ms", 1e-3)):
        if seconds >= size:
            value = seconds / size
            return f"{value:.{1 if value < 100 else 0}f} {unit}"
    return f"{seconds * 1e6:.0f} µs"


def factbook() -> str:
    rows = []
    for name, runs in read("factbook")["mrr_percent"].items():
        values = [[run[kind] for run in runs] for kind in KINDS]
        rows.append(
            [name, *(f"{statistics.mean(v):.2f} ± {statistics.stdev(v):.2f}" for v in values)]
        )
    return table(["MRR, %", *KINDS], rows)


def against_plain(header: Sequence[str], rows: Sequence[tuple[str, Mapping[str, Any]]]) -> str:
    columns = {"this project": "seconds", "plain code": "plain_seconds"}
    if any(r.get("compiled_seconds") for _, r in rows):
        columns["plain code, compiled"] = "compiled_seconds"
    cells = [[name, *(duration(r[key]) for key in columns.values())] for name, r in rows]
    return table([*header, *columns], cells)


def training() -> str:
    measured = read("speed_training")["rows"]
    largest = {r["work"]: r for r in measured}  # the last of each is that of most negatives
    wanted = [(name, r["size"]) for name, r in largest.items()]
    rows = [
        (f"{r['work']}, {r['size']} negatives" if "," not in r["work"] else _shared(r), r)
        for work, size in wanted
        for r in measured
        if (r["work"], r["size"]) == (work, size)
    ]
    return against_plain(["a step"], rows)


def _shared(row: Mapping[str, Any]) -> str:
    return f"{row['work'].partition(',')[0]}, {row['size']} negatives shared by the batch"


def systems() -> str:
    rows = [
        [
            *(row["system"], f"{row['batch']:,}", f"{row['steps']:,}", duration(row["step"])),
            *(duration(row["epoch"]), f"{row['memory_mb'] / 1e3:.1f} GB"),
        ]
        for row in read("speed_systems")["rows"]
    ]
    return table(["", "queries a step", "steps", "a step", "an epoch", "memory"], rows)


def evaluation() -> str:
    rows = [(r["work"], r) for r in read("speed_evaluation")["rows"] if r["note"] == "DB15K"]
    return against_plain(["ranking the test split"], rows)


def data() -> str:
    loading = {(r["work"], r["size"]): r for r in read("speed_loading")["rows"]}
    sampler = read("speed_sampler")["rows"][-1]
    rows = [
        (f"draw {sampler['size']:,} filtered negatives of DB15K", sampler),
        ("open DB15K, 79,222 train triples", loading["DB15K", 79222]),
        ("open a graph of 20 million triples", loading["synthetic", 20_000_000]),
    ]
    return against_plain([""], rows)


def gpu() -> str:
    rows = [
        [
            *(f"{row['model']}, {row['way']}", f"{row['ms a step']:.2f} ms"),
            *(f"{row['steps/s']:,.0f}", f"{row['peak MiB']:,.0f} MiB", duration(row["test s"])),
        ]
        for row in sorted(read("speed_gpu")["rows"], key=lambda row: row["model"])
    ]
    return table(["", "a step", "steps a second", "memory", "full test"], rows)


def serving() -> str:
    rows = [
        [
            *(row["request"], str(row["clients"]), f"{row['per_second']:.0f}"),
            *(f"{row['p50_ms']:.1f} ms", f"{row['p99_ms']:.1f} ms"),
        ]
        for row in read("speed_serving")["rows"]
    ]
    return table(["", "clients", "requests a second", "p50", "p99"], rows)


TABLES = {
    ("results.md", "factbook"): factbook,
    ("speed.md", "training"): training,
    ("speed.md", "systems"): systems,
    ("speed.md", "evaluation"): evaluation,
    ("speed.md", "data"): data,
    ("speed.md", "gpu"): gpu,
    ("serving.md", "speed_serving"): serving,
}
"""Page and mark -> what makes the table between ``<!-- MARK -->`` and ``<!-- end of MARK -->``."""


def with_table(text: str, mark: str, content: str) -> str:
    """Return a page with the table of a mark replaced."""
    begin, end = f"<!-- {mark} -->\n", f"<!-- end of {mark} -->"
    before, _, rest = text.partition(begin)
    _, found, after = rest.partition(end)
    assert found, f"expected {begin.strip()} and below it {end}"
    return f"{before}{begin}\n{content}\n\n{end}{after}"


def main() -> None:
    for (page, mark), make in TABLES.items():
        path = DOCS / page
        text = path.read_text(encoding="utf-8")
        path.write_text(with_table(text, mark, make()), encoding="utf-8")


if __name__ == "__main__":
    main()
