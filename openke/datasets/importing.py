"""Any graph as a data set in OpenKE's format: ``openke import``."""

from __future__ import annotations

from collections.abc import Callable, Container, Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from functools import partial
from os import PathLike
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from openke.data.store import SPLITS, Split, TripleStore
from openke.datasets.division import Division, divide
from openke.datasets.entity_texts import ROLES as TEXT_ROLES
from openke.datasets.entity_texts import pictures_of, read_entity_texts
from openke.datasets.graph_folder import SKIPPED, Content, is_taken, settle, write_folder
from openke.datasets.named_triples import ROLES as TRIPLE_ROLES
from openke.datasets.named_triples import NamedTriple, Places, read_named
from openke.datasets.numbered import Numbered, list_repeated, note_first_rows
from openke.datasets.spooled_texts import SpooledTexts
from openke.datasets.tables import MOST_LISTED, BadRows, Columns
from openke.runtime.holding import held
from openke.runtime.values import Natural, Share
from openke.runtime.words import counted

__all__ = ["Division", "import_graph"]
ImportFormat = Literal["auto", "tsv", "csv", "jsonl", "parquet", "ntriples", "turtle", "pykeen"]
TRIPLE_COLUMNS = tuple(name for names in TRIPLE_ROLES.values() for name in names)


def import_graph(
    source: Any,
    out: Path,
    division: Division | None = None,
    *,
    format: str = "auto",
    literals: bool = False,
    overwrite: bool = False,
    texts: Any = None,
    pictures: Any = None,
    columns: Columns | None = None,
    delimiter: str = "",
    bad: BadRows | None = None,
    header: bool | None = None,
) -> TripleStore:
    """Write a graph as a folder in OpenKE's format and open it.

    Ids follow the order in which names first occur, train before valid before test. Rows stream:
    what is kept of them is numbers and distinct names.

    Parameters
    ----------
    source
        A path, a factory or a table in memory as in :func:`.read_named`, divided by
        ``division``; or a mapping of "train", "valid", "test" to such sources, taken as they are.
    out
        The folder to make.
    division
        Shares and seed; by default a tenth each for valid and test.
    format, literals
        See :func:`.read_named`.
    overwrite
        Replace the data set that an earlier import left in ``out``; other files there stay.
    texts
        A table of what is said of entities, as in :func:`.read_entity_texts`: ``labels.tsv``.
    pictures
        A folder with pictures of entities, see :func:`.find_pictures`, or a mapping of names to
        files; where the texts have a column of pictures, the folder in which its paths begin. The
        pictures are copied into the folder ``pictures``.
    columns, delimiter
        Of tables, see :func:`.read_table`.
    bad
        What becomes of rows that do not fit; by default the first is an error. What is left out is
        listed in ``skipped.tsv``.
    header
        Whether the first row of triples has names of columns, where the format does not say; None
        finds out.

    Raises
    ------
    FileExistsError
        ``out`` holds something already; or, to be overwritten, files of a data set that no import
        wrote; or another import is writing there.
    FileNotFoundError, ValueError, ImportError
        A source cannot be read, holds no triples, or a name does not fit OpenKE's format.
    """
    out, bad = Path(out), bad or BadRows()
    own = None if columns is None else {r: columns[r] for r in TRIPLE_ROLES if r in columns}

    places = Places()

    def read(one: Any) -> Iterable[NamedTriple]:
        options: dict[str, Any] = {"delimiter": delimiter, "columns": own, "header": header}
        return read_named(one, format, literals, bad=bad, places=places, **options)

    with held(out):
        settle(out)
        if not overwrite and is_taken(out):
            raise FileExistsError(
                f"{out} is there already: name another folder, or give --overwrite (overwrite=True)"
            )
        numbered, splits = _numbered(source, read)
        note_first_rows(numbered, bad)
        with closing(SpooledTexts(out.parent)) as said:
            files = _say(said, numbered.entities, texts, pictures, columns, delimiter, bad)
            if splits:
                rows = dict(zip(splits, numbered.rows, strict=True))
            else:
                rows = _divided(numbered, division or Division(), {*said, *files})
                list_repeated(numbered, rows, partial(places.of, otherwise=_place(source)), bad)
            listed = [*bad.listed, *_unlisted(bad)]
            content = Content(numbered.entities, numbered.relations, rows, said, files, listed)
            write_folder(out, content)
        return TripleStore.open(out)


def _numbered(
    source: Any, read: Callable[[Any], Iterable[NamedTriple]]
) -> tuple[Numbered, list[Split]]:
    """Return the triples, and the splits of their parts where they come divided."""
    if isinstance(source, Mapping) and not set(source) & set(TRIPLE_COLUMNS):
        unknown = sorted(set(source) - set(SPLITS))
        if unknown or "train" not in source:
            raise ValueError(
                f"found the splits {', '.join(source) or 'none'}, expected train and, if there are "
                "such, valid and test"
            )
        splits = [split for split in SPLITS if split in source]
        numbered = Numbered.of(read(source[split]) for split in splits)
    else:
        splits, numbered = [], Numbered.of([read(source)])
    if not len(numbered.rows[0]):
        raise ValueError(f"{_place(source)}: no triples")
    return numbered, splits


def _place(source: Any) -> str:
    """Return what triples are called in messages."""
    return str(source) if isinstance(source, (str, Path)) else "train"


def _divided(
    numbered: Numbered, division: Division, described: Container[str]
) -> dict[Split, NDArray[np.int64]]:
    """Return the splits of triples that come in one piece."""
    entities, relations = numbered.entities, numbered.relations
    ids = [i for i, name in enumerate(entities) if name in described]
    return divide(numbered.rows[0], len(entities), len(relations), division, ids)


def _say(
    said: SpooledTexts,
    names: Sequence[str],
    texts: Any,
    pictures: Any,
    columns: Columns | None,
    delimiter: str,
    bad: BadRows,
) -> dict[str, list[Path]]:
    """Read what there is of entities beside triples: add to ``said``, return files of pictures."""
    folder = Path(pictures) if isinstance(pictures, (str, PathLike)) else None
    ids = {name: i for i, name in enumerate(names)}
    given: dict[str, Path] = {}
    if texts is not None:
        options: dict[str, Any] = {"columns": columns, "delimiter": delimiter, "pictures": folder}
        for name, one in read_entity_texts(texts, ids, bad, **options):
            if one.label or one.text:
                said.add(name, one.label, one.text)
            if one.picture is not None:
                given[name] = one.picture
    for name, file in {} if folder is not None or pictures is None else dict(pictures).items():
        if name in ids:
            given[name] = Path(file)
        else:
            reason = f"a picture of {name!r}, which is no entity of the graph"
            bad.leave_out(str(file), reason, "pictures of no entity")
    return pictures_of(folder, given, list(names), bad)


def _unlisted(bad: BadRows) -> Iterator[tuple[str, str]]:
    for kind, count in bad.counts.items():
        if count > MOST_LISTED:
            yield "", f"and {count - MOST_LISTED:,} more {kind}"


def command(
    source: Path | None = None,
    /,
    *,
    out: Path,
    train: Path | None = None,
    valid: Path | None = None,
    test: Path | None = None,
    texts: Path | None = None,
    pictures: Path | None = None,
    valid_ratio: Share = 0.1,
    test_ratio: Share = 0.1,
    unseen: Share = 0.0,
    seed: Natural = 0,
    format: ImportFormat = "auto",
    delimiter: str = "",
    columns: tuple[str, ...] = (),
    header: Literal["auto", "yes", "no"] = "auto",
    literals: bool = False,
    skip_bad_rows: bool = False,
    overwrite: bool = False,
) -> None:
    """Turn tables of triples, texts and pictures, or RDF, into a data set.

    It can then be trained on by its folder. For example::

        openke import facts.csv --texts products.csv --pictures photos --out data/mine

    Parameters
    ----------
    source
        All triples, to be divided: a table of head, relation, tail as .tsv, .csv, .jsonl or
        .parquet; RDF as .nt or .ttl; a folder written by PyKEEN's to_path_binary. Text may be .gz.
    out
        Folder of the data set to make.
    train
        In place of SOURCE: the train split, with --valid and --test if there are such.
    valid
        The valid split.
    test
        The test split.
    texts
        A table of entities with the columns id or name, and text; further ones may be name (the
        label) and picture (a path).
    pictures
        Folder with pictures of entities: NAME.png, or a folder NAME of pictures. Where the texts
        have a column picture, the folder that its paths begin in.
    valid_ratio
        Share of SOURCE for the valid split; each of its entities and relations is in train too.
    test_ratio
        Share of SOURCE for the test split, likewise.
    unseen
        Divide by entity: the share of entities that train does not have, whose triples are in valid
        and test, at the ratio of these two. With texts or pictures, of those that have some.
    seed
        Seed of the division.
    format
        What the files of triples are; auto goes by their names.
    delimiter
        Between the fields of a line; by default tabs in .tsv, and what is found in .csv.
    columns
        Names of columns where a header has others, such as head=from tail=to text=notes.
    header
        Whether the first row of triples has names of columns; auto goes by what they are.
    literals
        Keep RDF triples whose object is a literal, as entities.
    skip_bad_rows
        Leave out rows that do not fit, and list them in skipped.tsv; else the first is an error.
    overwrite
        Replace a data set that is there.
    """
    given = {"train": train, "valid": valid, "test": test}
    splits = {split: path for split, path in given.items() if path is not None}
    if (source is None) == (train is None) or (source is not None and splits):
        raise ValueError("give either one source to divide, or --train with --valid and --test")
    bad = BadRows(skip_bad_rows, "--skip-bad-rows")
    store = import_graph(
        source if source is not None else splits,
        out,
        Division(valid=valid_ratio, test=test_ratio, seed=seed, unseen=unseen),
        format=format,
        literals=literals,
        overwrite=overwrite,
        texts=texts,
        pictures=pictures,
        columns=_assigned(columns),
        delimiter=delimiter.replace("\\t", "\t"),
        bad=bad,
        header={"auto": None, "yes": True, "no": False}[header],
    )
    for line in summary(out, store, bad):
        print(line)


def summary(out: Path, store: TripleStore, bad: BadRows) -> list[str]:
    """Return what the command says of the data set that it made."""
    sizes = ", ".join(f"{len(store.triples(split)):,} {split}" for split in SPLITS)
    entities = counted(store.entity_count, "entity")
    lines = [f"{out}: {entities}, {counted(store.relation_count, 'relation')}; {sizes}"]
    lines += left_out(out, bad)
    lines.append(
        f"openke audit {out} checks it; python -m openke.tools.n_n {out} adds its categories"
    )
    return lines


def left_out(out: Path, bad: BadRows) -> list[str]:
    """Return what was left out, by kind, and what was decided; nothing where there is nothing."""
    if not bad.counts:
        return bad.notes
    head = f"left out, {out / SKIPPED} lists them:"
    return [*bad.notes, head, *(f"  {line}" for line in bad.summary())]


def _assigned(columns: Sequence[str]) -> dict[str, str] | None:
    found = {}
    for assignment in columns:
        role, sign, name = assignment.partition("=")
        if not (role and sign and name):
            raise ValueError(f"--columns {assignment}: expected ROLE=NAME, such as head=from")
        if role not in (*TRIPLE_ROLES, *TEXT_ROLES):
            known = ", ".join(dict.fromkeys([*TRIPLE_ROLES, *TEXT_ROLES]))
            raise ValueError(f"--columns {assignment}: {role!r} is none of {known}")
        found[role] = name
    return found or None
