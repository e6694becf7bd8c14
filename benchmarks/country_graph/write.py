"""The graph's files."""

from __future__ import annotations

import hashlib
from collections import Counter
from pathlib import Path
from string import Template

from country_graph.countries import COUNTRIES
from country_graph.facts import Fact, kinds
from country_graph.texts import label
from openke.datasets.pictures import folder_name

SUMS = "SHA256SUMS"


def write_graph(folder: Path, parts: dict[str, list[Fact]], texts: dict[str, str]) -> None:
    """Write triples, names, texts and kinds of relations."""
    facts = [fact for part in parts.values() for fact in part]
    entities = {name: i for i, name in enumerate(_entities(facts))}
    relations = {name: i for i, name in enumerate(kinds(facts))}
    for part, rows in parts.items():
        lines = (f"{entities[h]} {entities[t]} {relations[r]}" for h, r, t in rows)
        _lines(folder / f"{part}2id.txt", [str(len(rows)), *lines])
    for name, ids in (("entity2id.txt", entities), ("relation2id.txt", relations)):
        _lines(folder / name, [str(len(ids)), *(f"{key}\t{i}" for key, i in ids.items())])
    _lines(
        folder / "labels.tsv",
        [f"{i}\t{name}\t{label(name)}\t{texts.get(name, '')}" for name, i in entities.items()],
    )
    _lines(folder / "relation_kinds.tsv", [f"{r}\t{kind}" for r, kind in kinds(facts).items()])


def write_pictures(folder: Path, images: dict[str, bytes]) -> None:
    """Write one folder with one picture for each entity that has one."""
    for entity, png in images.items():
        path = folder / "pictures" / folder_name(entity) / "1.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(png)


def write_readme(folder: Path, parts: dict[str, list[Fact]], images: int) -> None:
    """Fill the README's template with the figures of this graph."""
    facts = [fact for part in parts.values() for fact in part]
    kind = kinds(facts)
    counts = {part: Counter(fact.relation for fact in rows) for part, rows in parts.items()}
    table = [
        f"| {r} | {kind[r]} | {counts['train'][r]} | {counts['valid'][r]} | {counts['test'][r]} |"
        for r in kind
    ]
    template = Template((Path(__file__).parent / "README.template.md").read_text("utf-8"))
    text = template.substitute(
        entities=f"{len(_entities(facts)):,}",
        countries=len(COUNTRIES),
        relations=len(kind),
        triples=f"{len(facts):,}",
        train=f"{len(parts['train']):,}",
        valid=f"{len(parts['valid']):,}",
        test=f"{len(parts['test']):,}",
        perceptual=sum(count for r, count in counts["test"].items() if kind[r] == "perceptual"),
        pictures=images,
        member_of=f"{100 * sum(f.relation == 'member_of' for f in facts) / len(facts):.0f}",
        table="\n".join(table),
    )
    (folder / "README.md").write_text(text, encoding="utf-8")


def write_sums(folder: Path) -> None:
    """Write the SHA-256 of every other file of the folder."""
    paths = sorted(p for p in folder.rglob("*") if p.is_file() and p.name != SUMS)
    sums = ((hashlib.sha256(path.read_bytes()).hexdigest(), path) for path in paths)
    _lines(folder / SUMS, [f"{digest}  {p.relative_to(folder).as_posix()}" for digest, p in sums])


def _entities(facts: list[Fact]) -> list[str]:
    """Return the countries, then all else by name."""
    found = {entity for fact in facts for entity in (fact.head, fact.tail)}
    countries = [country.name for country in COUNTRIES if country.name in found]
    return countries + sorted(found - set(countries))


def _lines(path: Path, lines: list[str]) -> None:
    path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8", newline="\n")
