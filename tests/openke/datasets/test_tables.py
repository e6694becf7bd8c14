"""Tables of every kind give the same triples, whoever wrote them."""

import gzip
import json
import os
from types import SimpleNamespace

import numpy as np
import pytest

from openke.datasets import rdf
from openke.datasets.importing import Division, command, import_graph
from openke.datasets.named_triples import ROLES, read_named
from openke.datasets.tables import BadRows, text_of

ROWS = [
    ('Müller, "Ann"', "knows", "Bob"),
    ("Bob; Jr.", "knows", "東京|Tokyo"),
    ("東京|Tokyo", "lies in", "日本"),
    ("Bob", "lives in", "東京|Tokyo"),
]
HEADER = ("subject", "Predicate", "OBJECT")


def quoted(value):
    return '"' + value.replace('"', '""') + '"'


def csv_text(delimiter, rows, *, always=True):
    return "".join(delimiter.join(map(quoted, row)) + "\r\n" for row in rows)


TEXTS = {
    "commas.csv": csv_text(",", [HEADER, *ROWS]),
    "semicolons.csv": csv_text(";", [HEADER, *ROWS]),
    "tabs.csv": csv_text("\t", [HEADER, *ROWS]),
    "bars.csv": csv_text("|", [HEADER, *ROWS]),
    "headless.csv": csv_text(",", ROWS),
    "with-a-mark.csv": "\ufeff" + csv_text(",", [HEADER, *ROWS]),
    "other-order.csv": csv_text(",", [("tail", "n", "head", "relation")])
    + csv_text(",", [(t, "1", h, r) for h, r, t in ROWS]),
    "raw.tsv": "".join("\t".join(row) + "\n" for row in [HEADER, *ROWS]),
    "headless.txt": "".join("\t".join(row) + "\n" for row in ROWS),
    "objects.jsonl": "".join(
        json.dumps(dict(zip(("head", "relation", "tail"), row, strict=True))) + "\n" for row in ROWS
    ),
    "lists.ndjson": "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in ROWS),
}


@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize("name", TEXTS)
def test_names_may_hold_commas_quotes_and_any_script(tmp_path, name, packed):
    path = tmp_path / (name + ".gz" if packed else name)
    content = TEXTS[name].encode()
    path.write_bytes(gzip.compress(content) if packed else content)
    assert list(read_named(path)) == ROWS


def test_a_delimiter_may_be_given(tmp_path):
    path = tmp_path / "t.txt"
    path.write_text("a b^r^c\n")
    assert list(read_named(path, delimiter="^")) == [("a b", "r", "c")]
    assert list(read_named(path, "csv", delimiter="^")) == [("a b", "r", "c")]
    with pytest.raises(ValueError, match=r"found 'a b\^r\^c', expected three names with the delim"):
        list(read_named(path, delimiter="é"))
    with pytest.raises(ValueError, match=r"delimiter is '::', expected one character"):
        list(read_named(path, "csv", delimiter="::"))


def test_columns_may_be_named(tmp_path):
    path = tmp_path / "t.csv"
    path.write_text("who,what,whom,when\na,r,b,2020\n")
    columns = {"head": "who", "relation": "what", "tail": "whom"}
    assert list(read_named(path, columns=columns)) == [("a", "r", "b")]
    with pytest.raises(ValueError, match=r"no column 'whon'; did you mean 'whom'|whon"):
        list(read_named(path, columns={**columns, "tail": "whon"}))
    with pytest.raises(ValueError, match=r"found the columns who.*none of which is head"):
        list(read_named(path, columns={"relation": "what", "tail": "whom"}))


class Frame:
    """What pandas and polars have in common."""

    def __init__(self, content):
        self.content, self.columns = content, list(content)

    def __getitem__(self, name):
        return Column(self.content[name])


class Column:
    def __init__(self, values):
        self.values = values

    def to_list(self):
        return self.values


def by_column(rows, names=("head", "relation", "tail")):
    return dict(zip(names, map(list, zip(*rows, strict=True)), strict=True))


IN_MEMORY = {
    "rows": ROWS,
    "a generator": (row for row in ROWS),
    "objects": [dict(zip(("head", "relation", "tail"), row, strict=True)) for row in ROWS],
    "columns": by_column(ROWS),
    "an array": np.array(ROWS, dtype=object),
    "a frame": Frame(by_column(ROWS)),
}


@pytest.mark.parametrize("name", IN_MEMORY)
def test_what_is_in_memory_is_a_table_too(name):
    assert list(read_named(IN_MEMORY[name])) == ROWS


@pytest.mark.parametrize("package", ["pandas", "polars", "pyarrow"])
def test_frames_of_every_package(package, tmp_path):
    frames = pytest.importorskip(package)
    content = by_column(ROWS)
    table = frames.table(content) if package == "pyarrow" else frames.DataFrame(content)
    assert list(read_named(table)) == ROWS


def test_parquet(tmp_path):
    pyarrow = pytest.importorskip("pyarrow")
    from pyarrow import parquet

    path = tmp_path / "t.parquet"
    parquet.write_table(pyarrow.table(by_column(ROWS)), path, row_group_size=2)
    assert list(read_named(path)) == ROWS
    rows = [*ROWS, ("a", None, "b")]
    parquet.write_table(pyarrow.table(by_column(rows)), path)
    with pytest.raises(ValueError, match=r"t.parquet:5: found \['a', None, 'b'\], expected three"):
        list(read_named(path))
    path.write_text("no")
    with pytest.raises(ValueError, match=r"t.parquet: not a file of Parquet"):
        list(read_named(path))


@pytest.mark.parametrize("digits", [32, 31, 30])
def test_blank_nodes_without_a_name_are_numbered_whatever_their_leading_zeros(digits):
    """A parser's number by chance; one in sixteen is a digit shorter than the one before."""
    numbers = {}
    assert [rdf.name_of("_:" + digit * digits, numbers) for digit in "aba"] == [
        "_:blank1",
        "_:blank2",
        "_:blank1",
    ]
    assert rdf.name_of("_:abc", numbers) == "_:abc"


def test_turtle(tmp_path):
    pytest.importorskip("pyoxigraph")
    path = tmp_path / "t.ttl"
    path.write_text(
        "@prefix x: <http://x.org/> .\n"
        'x:a x:p x:b , [ x:q x:c ] ; x:label "A" .\n'
        "_:mine x:p x:a .\n"
    )
    found = list(read_named(path))
    assert ("<http://x.org/a>", "<http://x.org/p>", "<http://x.org/b>") in found
    assert ("<http://x.org/a>", "<http://x.org/p>", "_:blank1") in found
    assert ("_:blank1", "<http://x.org/q>", "<http://x.org/c>") in found
    assert ("_:mine", "<http://x.org/p>", "<http://x.org/a>") in found
    assert len(found) == 4
    assert len(list(read_named(path, literals=True))) == 5
    path.write_text("<http://x.org/a> nonsense\n")
    with pytest.raises(ValueError, match=r"t\.ttl:1: .*; expected Turtle"):
        list(read_named(path))


@pytest.mark.parametrize(
    ("source", "message"),
    [
        (
            [("a", "r", "b"), ("a", float("nan"), "b")],
            r"the triples, row 2: found .*expected three",
        ),
        ([("a", "r")], r"the triples, row 1: found"),
        (["arb"], r"the triples, row 1: found 'arb', expected a row of values"),
        (3, "found int, expected a path, a frame"),
        ({"head": ["a"], "relation": ["r", "s"], "tail": ["b"]}, "columns of unlike lengths"),
    ],
)
def test_bad_tables_in_memory(source, message):
    with pytest.raises(ValueError, match=message):
        list(read_named(source))


def test_bad_rows_are_left_out_where_asked_for(tmp_path):
    path = tmp_path / "t.csv"
    path.write_text('head,relation,tail\na,r,b\na,,b\nb,r,"x\ty"\nb,r,a\nb,r\n')
    bad = BadRows(skip=True)
    store = import_graph(path, tmp_path / "out", Division(valid=0, test=0), bad=bad)
    assert len(store.triples("train")) == 2
    assert [place.rpartition(":")[2] for place, _ in bad.listed] == ["3", "4", "6"]
    lines = (tmp_path / "out" / "skipped.tsv").read_text().splitlines()
    assert lines[0] == "place\treason"
    assert len(lines) == 4
    assert "'x\\ty'" in lines[2]


def test_division_by_entity(tmp_path):
    rng = np.random.default_rng(0)
    rows = [(f"e{h}", f"r{r}", f"e{t}") for h, r, t in rng.integers(0, [200, 5, 200], (3000, 3))]
    division = Division(unseen=0.1, valid=0.1, test=0.3, seed=1)
    store = import_graph(rows, tmp_path / "out", division)
    train = store.triples("train")
    seen = set(train[:, [0, 2]].ravel().tolist())
    new = set(range(store.entity_count)) - seen
    assert len(new) == int(0.1 * store.entity_count)
    assert set(train[:, 1].tolist()) == set(range(5))
    counts = {split: len(store.triples(split)) for split in ("valid", "test")}
    assert counts["test"] > 2 * counts["valid"] > 0
    for split in counts:
        ends = store.triples(split)[:, [0, 2]]
        assert np.isin(ends, list(new)).any(axis=1).all()
    in_test = set(store.triples("test")[:, [0, 2]].ravel().tolist()) & new
    in_valid = set(store.triples("valid")[:, [0, 2]].ravel().tolist()) & new
    assert len(in_test - in_valid) >= 14
    again = import_graph(rows, tmp_path / "again", division)
    assert again.fingerprint == store.fingerprint
    for wrong in ({"unseen": 1.0}, {"unseen": -0.1}, {"unseen": 0.1, "valid": 0, "test": 0}):
        with pytest.raises(ValueError, match="unseen"):
            Division(**wrong)


def test_unseen_entities_are_some_of_which_something_is_said(tmp_path):
    rows = [(f"p{i}", "is a", f"kind {i % 5}") for i in range(40)]
    names = [f"p{i}" for i in range(20)]
    pictures = {"p20": tmp_path / "p20.png", "p21": tmp_path / "p21.png"}
    for path in pictures.values():
        path.write_bytes(b"\x89PNG\r\n\x1a\n")
    given = {"texts": {"id": names, "text": ["a thing"] * 20}, "pictures": pictures}
    store = import_graph(rows, tmp_path / "out", Division(unseen=0.5), **given)
    seen = {store.entity_names[i] for i in store.triples("train")[:, [0, 2]].ravel()}
    new = set(store.entity_names) - seen
    assert len(new) == 11
    assert new <= {*names, *pictures}
    assert len(store.triples("train")) == 40 - 11


def test_a_graph_that_can_spare_no_entity_keeps_all(tmp_path):
    rows = [("a", "r", "b"), ("c", "s", "d")]
    store = import_graph(rows, tmp_path / "out", Division(unseen=0.5))
    assert len(store.triples("train")) == 2


class NotThere:
    """What pandas puts where nothing is: neither equal to itself nor unlike."""

    def __eq__(self, other):
        return self

    def __bool__(self):
        raise TypeError("boolean value of NA is ambiguous")

    __hash__ = object.__hash__


@pytest.mark.parametrize("nothing", [None, float("nan"), NotThere()])
def test_what_is_missing_in_a_frame_is_no_name(nothing):
    rows = {"head": ["a", "b"], "relation": ["r", "r"], "tail": ["b", nothing]}
    bad = BadRows(skip=True)
    assert list(read_named(rows, bad=bad)) == [("a", "r", "b")]
    assert len(bad.listed) == 1


def test_a_row_with_too_many_fields_is_refused(tmp_path):
    path = tmp_path / "t.csv"
    path.write_text("head,relation,tail\nMug,made of,clay\nCup, blue,made of,clay\n")
    with pytest.raises(ValueError, match=r"t\.csv:3: found 4 fields, .*double quotes"):
        list(read_named(path))


@pytest.mark.parametrize(
    ("header", "role"),
    [("head,verb,tail", "relation"), ("from,edge,bar", "tail"), ("x,predicate,to", "head")],
)
def test_a_header_that_is_nearly_one_is_no_fact(tmp_path, header, role):
    path = tmp_path / "t.csv"
    path.write_text(f"{header}\na,r,b\n")
    with pytest.raises(ValueError, match=f"looks like a header, .* known as {role} .*--columns"):
        list(read_named(path))


def test_columns_that_only_later_rows_have(tmp_path):
    path = tmp_path / "t.jsonl"
    rows = [{"head": "a", "relation": "r"}, {"relation": "r", "tail": "b", "head": "a"}]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    for source in (path, rows):
        bad = BadRows(skip=True)
        assert list(read_named(source, bad=bad)) == [("a", "r", "b")]
        assert len(bad.listed) == 1


def test_a_column_that_only_a_late_row_has_is_an_error(monkeypatch, tmp_path):
    for module in ("memory_tables", "table_files"):
        monkeypatch.setattr(f"openke.datasets.{module}.HEAD", 2)
    row = {"head": "a", "relation": "r", "tail": "b"}
    rows = [row, row, {**row, "note": "x"}]
    path = tmp_path / "t.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    with pytest.raises(ValueError, match=r"t\.jsonl:3: has 'note', which none of the first"):
        list(read_named(path))
    with pytest.raises(ValueError, match=r"the triples, row 3: has 'note'"):
        list(read_named(rows))


HEADERS = ("h,relation,t", "source,type,target", "Subject,Predicate,Object", "src,rel,dst")


@pytest.mark.parametrize("header", [*HEADERS, "h,r,t", "s,p,o", "S,P,O"])
def test_usual_headers_are_no_facts(tmp_path, header):
    path = tmp_path / "t.csv"
    path.write_text(f"{header}\na,likes,b\nb,likes,c\n")
    bad = BadRows()
    store = import_graph(path, tmp_path / "out", Division(valid=0, test=0), bad=bad)
    assert list(store.entity_names) == ["a", "b", "c"]
    told = [f"{path}: the first row, {header.replace(',', ', ')}, was taken for a header; --heade"]
    assert [note[: len(told[0])] for note in bad.notes] == (told if len(header) == 5 else [])
    fact = import_graph(path, tmp_path / "fact", Division(valid=0, test=0), header=False)
    assert fact.entity_count == 5


def test_letters_may_be_names_and_no_header():
    rows = [("t", "r", "b"), ("b", "r", "c")]
    assert list(read_named(rows)) == rows


def test_a_first_row_that_may_be_a_header_is_named(tmp_path, capsys):
    path = tmp_path / "t.csv"
    path.write_text("Produkt,Beziehung,Ziel\n" + "".join(f"p{i},von,m{i % 3}\n" for i in range(20)))
    bad = BadRows()
    whole = Division(valid=0, test=0)
    assert import_graph(path, tmp_path / "out", whole, bad=bad).relation_count == 2
    (note,) = bad.notes
    assert note.startswith(f"{path}: the first row, Produkt, Beziehung, Ziel, was taken for a fact")
    named = tuple(
        f"{role}={name}" for role, name in zip(ROLES, ("Produkt", "Beziehung", "Ziel"), strict=True)
    )
    command(path, out=tmp_path / "other", header="yes", columns=named)
    assert "was taken" not in capsys.readouterr().out
    with pytest.raises(ValueError, match=r"found the columns Produkt, Beziehung, Ziel, none of wh"):
        import_graph(path, tmp_path / "third", header=True)
    command(path, out=tmp_path / "fourth")
    assert note in capsys.readouterr().out


def test_what_is_computed_later_is_computed_and_ids_are_whole():
    lazy = SimpleNamespace(collect=lambda: {"head": [1.0, 2], "relation": ["r", "r"], "tail": "bc"})
    assert list(read_named(lazy)) == [("1", "r", "b"), ("2", "r", "c")]
    assert text_of(2.5) == "2.5"
    assert text_of(float("inf")) == "inf"


def test_a_bad_row_in_memory_is_shown_as_it_is():
    rows = {"head": ["a", None], "relation": ["r", "s"], "tail": ["b", "c"]}
    way_out = "skip_bad_rows=True leaves such rows out"
    message = rf"triples, row 2: found \[None, 's', 'c'\], expected three names: .*; {way_out}"
    with pytest.raises(ValueError, match=message):
        list(read_named(rows, bad=BadRows(way_out="skip_bad_rows=True")))


@pytest.mark.parametrize("ending", ["tsv", "csv", "jsonl", "tsv.gz"])
def test_a_line_without_end_is_not_read_to_its_end(tmp_path, monkeypatch, ending):
    monkeypatch.setattr("openke.datasets.table_files.LONGEST_FIELD", 100)
    path = tmp_path / f"facts.{ending}"
    text = "x" * 5000 + "\n"
    path.write_bytes(gzip.compress(text.encode()) if ending.endswith("gz") else text.encode())
    with pytest.raises(ValueError, match=r":1: a line of more than 100 characters") as caught:
        list(read_named(path))
    assert len(str(caught.value)) < 400


@pytest.mark.parametrize("nested", [["a"], {"a": 1}, b"a"])
def test_what_a_column_nests_is_no_name(nested):
    with pytest.raises(ValueError, match=r"row 1: found .*, expected three names"):
        list(read_named([(nested, "r", "b")]))


def test_a_literal_beyond_the_parser_s_memory_is_blamed_on_its_file(tmp_path):
    path = tmp_path / "facts.nt"
    path.write_text(f'<http://a> <http://r> "{"x" * (17 << 20)}" .\n')
    with pytest.raises(ValueError, match=r"facts\.nt: a term too long to read"):
        list(read_named(path, bad=BadRows()))


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no pipes with names here")
def test_a_pipe_is_refused_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "texts.csv")
    (tmp_path / "facts.tsv").write_text("a\tr\tb\nb\tr\tc\n")
    with pytest.raises(OSError, match=r"texts\.csv.* pipe"):
        import_graph(tmp_path / "facts.tsv", tmp_path / "out", texts=tmp_path / "texts.csv")
    assert not (tmp_path / "out").exists()
