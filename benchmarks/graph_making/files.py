"""The files of a graph that is made."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from string import Template

from graph_making.fact import Fact
from openke.datasets.pictures import folder_name

SUMS = "SHA256SUMS"
Parts = Mapping[str, Sequence[Fact]]
"""The facts of train, valid and test."""


def write_graph(
    folder: Path,
    parts: Parts,
    kinds: Mapping[str, str],
    label: Callable[[str], str],
    texts: Mapping[str, str],
    first: Sequence[str] = (),
) -> None:
    """Write triples, names, texts and kinds of relations.

    Parameters
    ----------
    folder
        Where.
    parts
        The facts.
    kinds
        Of each relation, in the order of their ids.
    label
        Of an entity, by its name.
    texts
        A description of those entities that have one.
    first
        Entities that come first, if they have facts; all others are ordered by name.
    """
    found = entities_of(parts)
    first = [entity for entity in first if entity in found]
    entities = {name: i for i, name in enumerate([*first, *sorted(found - set(first))])}
    relations = {name: i for i, name in enumerate(kinds)}
    for part, rows in parts.items():
        lines = (f"{entities[h]} {entities[t]} {relations[r]}" for h, r, t in rows)
        write_lines(folder / f"{part}2id.txt", [str(len(rows)), *lines])
    for name, ids in (("entity2id.txt", entities), ("relation2id.txt", relations)):
        write_lines(folder / name, [str(len(ids)), *(f"{key}\t{i}" for key, i in ids.items())])
    write_lines(
        folder / "labels.tsv",
        [f"{i}\t{name}\t{label(name)}\t{texts.get(name, '')}" for name, i in entities.items()],
    )
    write_lines(folder / "relation_kinds.tsv", [f"{r}\t{kind}" for r, kind in kinds.items()])


def write_pictures(folder: Path, images: Mapping[str, bytes]) -> None:
    """Write one folder with one picture for each entity that has one."""
    for entity, png in images.items():
        path = folder / "pictures" / folder_name(entity) / "1.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(png)


def write_readme(
    folder: Path, template: Path, parts: Parts, kinds: Mapping[str, str], **more: str | int
) -> None:
    """Fill a README's template with the figures of the graph, and with others."""
    counts = {part: Counter(fact.relation for fact in rows) for part, rows in parts.items()}
    table = [
        f"| {r} | {kind} | {counts['train'][r]} | {counts['valid'][r]} | {counts['test'][r]} |"
        for r, kind in kinds.items()
    ]
    text = Template(template.read_text(encoding="utf-8")).substitute(
        entities=f"{len(entities_of(parts)):,}",
        relations=len(kinds),
        triples=f"{sum(map(len, parts.values())):,}",
        **{part: f"{len(rows):,}" for part, rows in parts.items()},
        perceptual=sum(n for r, n in counts["test"].items() if kinds[r] == "perceptual"),
        table="\n".join(table),
        **more,
    )
    (folder / "README.md").write_text(text, encoding="utf-8")


def write_sums(folder: Path) -> None:
    """Write the SHA-256 of every other file of the folder."""
    paths = sorted(p for p in folder.rglob("*") if p.is_file() and p.name != SUMS)
    sums = ((hashlib.sha256(path.read_bytes()).hexdigest(), path) for path in paths)
    write_lines(
        folder / SUMS, [f"{digest}  {p.relative_to(folder).as_posix()}" for digest, p in sums]
    )


def entities_of(parts: Parts) -> set[str]:
    """Return the entities of the facts."""
    return {entity for rows in parts.values() for f in rows for entity in (f.head, f.tail)}


def write_lines(path: Path, lines: Iterable[str]) -> None:
    """Write lines that end the same on every system."""
    path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8", newline="\n")
