"""Any graph becomes the same data set, whatever format its triples came in."""

import builtins
import csv
import gzip
import hashlib
import json
import os
import shutil
from functools import partial
from types import SimpleNamespace

import numpy as np
import pytest
import tyro
from hypothesis import given
from hypothesis import strategies as st

from openke.audit.audit import audit
from openke.data.store import SPLITS, TripleStore
from openke.datasets.graph_folder import is_taken, settle
from openke.datasets.importing import Division, command, import_graph
from openke.datasets.tables import BadRows
from openke.runtime.holding import held
from tests.openke.runtime.killed import killed

ROWS = [
    ("Ann Lee", "knows", "Bob"),
    ("Bob", "knows", "Zoë"),
    ("Zoë", "lives in", "Köln"),
    ("Ann Lee", "lives in", "Köln"),
    ("Bob", "lives in", "Köln"),
    ("Zoë", "knows", "Ann Lee"),
]
ENTITIES = ["Ann Lee", "Bob", "Zoë", "Köln"]
RELATIONS = ["knows", "lives in"]


def table(path, rows=ROWS, opener=open):
    with opener(path, "wt", encoding="utf-8") as file:
        file.writelines("\t".join(row) + "\n" for row in rows)
    return path


def pykeen_folder(folder, rows=ROWS):
    """Write what PyKEEN's TriplesFactory.to_path_binary writes, but for its base.pth."""
    folder.mkdir()
    named = {"entity": ENTITIES, "relation": RELATIONS}
    ids = {kind: {name: i for i, name in enumerate(names)} for kind, names in named.items()}
    for kind, numbers in ids.items():
        with gzip.open(folder / f"{kind}_to_id.tsv.gz", "wt", encoding="utf-8") as file:
            writer = csv.writer(file, delimiter="\t", lineterminator="\n")
            writer.writerows([("id", "label"), *((i, name) for name, i in numbers.items())])
    with gzip.open(folder / "numeric_triples.tsv.gz", "wt") as file:
        file.write("head\trelation\ttail\n")
        for h, r, t in rows:
            file.write(f"{ids['entity'][h]}\t{ids['relation'][r]}\t{ids['entity'][t]}\n")
    return folder


def factory():
    e, r = ({name: i for i, name in enumerate(names)} for names in (ENTITIES, RELATIONS))
    mapped = np.array([(e[h], r[x], e[t]) for h, x, t in ROWS])
    return SimpleNamespace(mapped_triples=mapped, entity_to_id=e, relation_to_id=r)


def named(store, split):
    e, r = store.entity_names, store.relation_names
    return [(e[h], r[x], e[t]) for h, x, t in store.triples(split).tolist()]


def whole(store):
    return sorted(row for split in SPLITS for row in named(store, split))


SOURCES = {
    "a table": lambda path: table(path / "rows.tsv"),
    "a packed table": lambda path: table(path / "rows.txt.gz", opener=gzip.open),
    "PyKEEN's folder": lambda path: pykeen_folder(path / "factory"),
    "PyKEEN's factory": lambda path: factory(),
}


@pytest.mark.parametrize("source", SOURCES)
def test_every_source_gives_the_same_folder(source, tmp_path):
    made = import_graph(SOURCES[source](tmp_path), tmp_path / "out", Division(test=0.2))
    expected = import_graph(table(tmp_path / "t.tsv"), tmp_path / "other", Division(test=0.2))
    assert list(made.entity_names) == ENTITIES
    assert list(made.relation_names) == RELATIONS
    assert made.fingerprint == expected.fingerprint
    assert whole(made) == sorted(ROWS)
    assert len(made.triples("test")) == 1


def test_triples_of_rdf_keep_their_terms(tmp_path):
    pytest.importorskip("pyoxigraph")
    path = tmp_path / "graph.nt"
    path.write_text(
        "# a comment\n"
        "<http://x.org/a> <http://x.org/p> <http://x.org/caf\\u00E9> .\n"
        "\n"
        '<http://x.org/a> <http://x.org/label> "two\\nlines\\t"@en .\n'
        '<http://x.org/a> <http://x.org/age> "4"^^<http://x.org/year> .\n'
        '<http://x.org/a> <http://x.org/label> "a \\"name\\"" .\n'
        "_:b1 <http://x.org/p> <http://x.org/a> . # behind\n"
        "<http://x.org/a> <http://x.org/p> _:b1 .\n"
    )
    options = Division(valid=0, test=0)
    bad = BadRows()
    store = import_graph(path, tmp_path / "out", options, bad=bad)
    assert dict(bad.counts) == {"triples with literals, which --literals keeps": 3}
    assert bad.listed[0] == (
        str(path),
        r'a literal: <http://x.org/a> <http://x.org/label> "two\nlines\t"@en',
    )
    assert named(store, "train") == [
        ("<http://x.org/a>", "<http://x.org/p>", "<http://x.org/café>"),
        ("_:b1", "<http://x.org/p>", "<http://x.org/a>"),
        ("<http://x.org/a>", "<http://x.org/p>", "_:b1"),
    ]
    kept = import_graph(path, tmp_path / "kept", options, literals=True)
    assert [name for name in kept.entity_names if name.startswith('"')] == [
        r'"two\nlines\t"@en',
        '"4"^^<http://x.org/year>',
        r'"a \"name\""',
    ]


def test_splits_that_are_given_stay_as_they_are(tmp_path):
    parts = {"train": ROWS[:3], "valid": ROWS[3:4], "test": ROWS[4:]}
    files = {split: table(tmp_path / f"{split}.tsv", rows) for split, rows in parts.items()}
    store = import_graph(files, tmp_path / "out")
    assert {split: named(store, split) for split in SPLITS} == parts
    without = import_graph({"train": files["train"]}, tmp_path / "train")
    assert len(without.triples("valid")) == len(without.triples("test")) == 0


def test_only_where_a_source_is_divided_are_repeated_triples_left_out(tmp_path):
    twice = [*ROWS, *ROWS[:2]]
    bad = BadRows()
    store = import_graph({"train": twice, "test": ROWS[:1]}, tmp_path / "given", bad=bad)
    assert (store.rows("train"), store.rows("test")) == (len(twice), 1)
    assert not bad.counts
    assert audit(store).splits[0].duplicates == 2
    divided = import_graph(twice, tmp_path / "divided", Division(valid=0, test=0), bad=bad)
    assert len(divided.triples("train")) == len(set(ROWS))
    assert bad.counts == {"repeated triples": 2}
    assert [place for place, _ in bad.listed] == ["the triples, row 7", "the triples, row 8"]
    bad = BadRows(skip=True)
    (tmp_path / "t.csv").write_text("head,relation,tail\na,r,b\n,,\n\nb,r,c\na,r,b\n")
    import_graph(tmp_path / "t.csv", tmp_path / "file", Division(valid=0, test=0), bad=bad)
    assert bad.listed[-1] == (f"{tmp_path / 't.csv'}:6", "there already: a, r, b")
    bad = BadRows()
    twice = SimpleNamespace(**{**vars(factory()), "mapped_triples": np.zeros((2, 3), int)})
    import_graph(twice, tmp_path / "factory", Division(valid=0, test=0), bad=bad)
    assert bad.listed == [("train", "there already: Ann Lee, knows, Ann Lee")]


names = st.text("abcdé <>:/#\"'", min_size=1, max_size=5).filter(lambda s: s == s.strip() != "")


@given(
    st.lists(st.tuples(names, names, names), min_size=1, max_size=40),
    st.floats(0, 0.5),
    st.floats(0, 0.49),
    st.integers(0, 5),
)
def test_nothing_in_valid_or_test_is_new(tmp_path_factory, rows, valid, test, seed):
    folder = tmp_path_factory.mktemp("graph")
    source = table(folder / "rows.tsv", rows)
    division = Division(valid=valid, test=test, seed=seed)
    store = import_graph(source, folder / "out", division)
    assert whole(store) == sorted(set(rows))
    train = store.triples("train")
    for split, share in (("valid", valid), ("test", test)):
        triples = store.triples(split)
        assert len(triples) <= share * len(set(rows)) + 1e-6
        assert np.isin(triples[:, [0, 2]], train[:, [0, 2]]).all()
        assert np.isin(triples[:, 1], train[:, 1]).all()
    again = import_graph(source, folder / "again", division)
    assert again.fingerprint == store.fingerprint


def test_shares_are_met_where_they_can_be(tmp_path):
    rows = [(f"e{i % 10}", f"r{i % 3}", f"e{(i * 7 + i // 10) % 10}") for i in range(200)]
    distinct = len(set(rows))
    store = import_graph(table(tmp_path / "t.tsv", rows), tmp_path / "out", Division(seed=3))
    for split in ("valid", "test"):
        assert len(store.triples(split)) == distinct // 10
    other = import_graph(tmp_path / "t.tsv", tmp_path / "other", Division(seed=4))
    assert other.fingerprint != store.fingerprint


def test_what_is_there_is_not_overwritten_unasked(tmp_path):
    source = table(tmp_path / "t.tsv")
    out = tmp_path / "out"
    import_graph(source, out)
    with pytest.raises(FileExistsError, match="is there already: name another folder, or give --o"):
        import_graph(source, out)
    table(source, ROWS[:2])
    assert len(import_graph(source, out, overwrite=True).triples("train")) == 2
    (out / "type_constrain.txt").write_text("of the old triples")
    with pytest.raises(FileExistsError, match=r"out holds type_constrain.txt, which no import wr"):
        import_graph(source, out, overwrite=True)
    (out / "type_constrain.txt").unlink()
    table(source, [("a\0", "r", "b")])
    with pytest.raises(ValueError, match="found the name 'a\\\\x00', expected one without tabs"):
        import_graph(source, out, overwrite=True)
    assert len(TripleStore.open(out).triples("train")) == 2  # as it was
    assert sorted(p.name for p in tmp_path.iterdir()) == ["out", "t.tsv"]


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("t.tsv", "a\tr\tb\na r b\n", r"t\.tsv:2: found 'a r b', expected three names with tabs"),
        ("t.tsv", "a\t\tb\n", r"t\.tsv:1: found 'a\\t\\tb', expected three names"),
        ("t.tsv", "\n", r"t\.tsv: no triples"),
        (
            "t.tsv",
            b"a\tr\tb\na\tr\t\xfc\n",
            r"t\.tsv:2: byte 0xfc is not UTF-8; save it as UTF-8 .in",
        ),
        ("t.csv", b"a,r,b\r" * 9000 + b"a,\xfc,b\r", r"t\.csv:9001: byte 0xfc .* Excel: CSV UTF-8"),
        ("t.tsv.gz", gzip.compress(b"a\tr\t\xff", mtime=0), r"t\.tsv\.gz:1: byte 0xff is not UTF"),
        ("t.jsonl", '["a","r","b"]'.encode("utf-16"), r"t\.jsonl:1: byte 0xff is not UTF-8"),
        ("t.csv", 'a,r,b\n"a,r,b\n', r"t\.csv:2: not a row of CSV \(unexpected end of data\)"),
        ("t.csv", "a,r,b\na,,b\n", r"t\.csv:2: found \['a', '', 'b'\], expected three names"),
        ("t.csv", "a,r,b,c\n", r"t\.csv:1: found 4 columns and no header that names head, rel"),
        ("t.csv", "from,to\na,b\n", r"t\.csv:1: found \['from', 'to'\], expected three"),
        ("t.csv", 'a,r,"b\nc"\n', r"t\.csv:1: found the name 'b\\nc', expected one without"),
        ("t.jsonl", '{"head": 1}\n', r"t\.jsonl: found the columns head, none of which is relat"),
        ("t.jsonl", '["a","r","b"]\n{\n', r"t\.jsonl:2: not JSON: "),
        ("t.jsonl", "[" * 100_000, r"t\.jsonl:1: not JSON: nested too deeply"),
        ("t.jsonl", '["a","r","b"]\n3\n', r"t\.jsonl:2: found '3', expected an object or a l"),
        ("t.jsonl", '["a","r","b"]\n{"a": 1}\n', r"t\.jsonl:2: found '.*', expected a list"),
        ("t.tsv", "a,r,b\n", r"t\.tsv:1: found 'a,r,b', .*; --format csv reads commas"),
    ],
)
def test_bad_files(tmp_path, name, content, message):
    path = tmp_path / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(ValueError, match=message):
        import_graph(path, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_bad_factories(tmp_path):
    with pytest.raises(ValueError, match=r"found \{\}, expected a path, a table or a Tri"):
        import_graph({"train": {}}, tmp_path / "out")
    with pytest.raises(ValueError, match="found SimpleNamespace without entity_to_id, relation_to"):
        import_graph(SimpleNamespace(mapped_triples=[]), tmp_path / "out")
    folder = pykeen_folder(tmp_path / "f")
    (folder / "relation_to_id.tsv.gz").write_bytes(gzip.compress(b"id\tlabel\n0\tknows\n"))
    with pytest.raises(ValueError, match=r"triples.tsv.gz:4: found the id '1', which has no label"):
        import_graph(folder, tmp_path / "out")
    (folder / "relation_to_id.tsv.gz").write_bytes(gzip.compress(b"number\tlabel\n"))
    with pytest.raises(ValueError, match="found the columns number, label, expected id, label"):
        import_graph(folder, tmp_path / "out")
    (folder / "relation_to_id.tsv.gz").unlink()
    with pytest.raises(FileNotFoundError, match=r"lacks relation_to_id.tsv.gz; expected a folder"):
        import_graph(folder, tmp_path / "out")


def test_bad_arguments(tmp_path):
    with pytest.raises(FileNotFoundError, match="no such file or folder of triples"):
        import_graph(tmp_path / "nowhere", tmp_path / "out")
    source = table(tmp_path / "t.tsv")
    with pytest.raises(ValueError, match="format is 'xml', expected one of auto, tsv, csv, "):
        import_graph(source, tmp_path / "out", format="xml")
    with pytest.raises(ValueError, match="found the splits valid, expected train and"):
        import_graph({"valid": source}, tmp_path / "out")
    with pytest.raises(ValueError, match=r"shares of 0.6 for valid and 0.4 for test: expected"):
        Division(valid=0.6, test=0.4)


@pytest.mark.parametrize(
    ("name", "package", "extra"),
    [
        ("t.nt", "pyoxigraph", "rdf"),
        ("t.ttl", "pyoxigraph", "rdf"),
        ("t.parquet", "pyarrow", "tab"),
    ],
)
def test_a_missing_package_is_named_with_its_extra(tmp_path, monkeypatch, name, package, extra):
    real = builtins.__import__

    def without(name, *rest):
        if name.startswith(package):
            raise ImportError(name)
        return real(name, *rest)

    (tmp_path / name).write_text("")
    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(
        ImportError, match=rf"needs the package {package}: pip install 'openke-lbmkgc\[{extra}"
    ):
        import_graph(tmp_path / name, tmp_path / "out")


def call(*arguments):
    return tyro.cli(command, args=[str(argument) for argument in arguments])


def test_as_a_command(tmp_path, capsys):
    source = table(tmp_path / "t.tsv")
    call(
        source, "--out", tmp_path / "a", "--test-ratio", "0.2", "--valid-ratio", "0", "--seed", "2"
    )
    text = capsys.readouterr().out
    assert "4 entities, 2 relations; 5 train, 0 valid, 1 test" in text
    call("--train", source, "--test", table(tmp_path / "b.tsv", ROWS[:1]), "--out", tmp_path / "b")
    assert "6 train, 0 valid, 1 test" in capsys.readouterr().out
    for wrong in (
        ["--out", tmp_path / "c"],
        [source, "--train", source, "--out", tmp_path / "c"],
        [source, "--test", source, "--out", tmp_path / "c"],
        ["--valid", source, "--out", tmp_path / "c"],
    ):
        with pytest.raises(ValueError, match="give either one source to divide, or --train with"):
            call(*wrong)


def test_overwriting_deletes_nothing_that_no_import_wrote(tmp_path):
    source = table(tmp_path / "a.tsv")
    out = tmp_path / "GRAPH"
    out.mkdir()
    theirs = {"mydata2id_notes.txt": "my notes", "train2id.txt": "mine", "a-b.txt": "dear diary"}
    for name, text in theirs.items():
        (out / name).write_text(text)
    with pytest.raises(FileExistsError, match=r"GRAPH holds a-b.txt, mydata2id_notes.txt, train2"):
        import_graph(source, out, overwrite=True)
    assert {path.name: path.read_text() for path in out.iterdir()} == theirs


def test_overwriting_keeps_other_files_and_what_somebody_changed(tmp_path):
    source = table(tmp_path / "a.tsv")
    out = tmp_path / "GRAPH"
    import_graph(source, out)
    (out / "labels.tsv").write_text("labels")
    import_graph(source, out, overwrite=True)
    assert (out / "labels.tsv").read_text() == "labels"
    (out / "valid2id.txt").write_text("0\n\n")
    with pytest.raises(FileExistsError, match=r"GRAPH holds valid2id.txt, which no import wr"):
        import_graph(source, out, overwrite=True)


def test_a_manifest_names_no_file_elsewhere(tmp_path):
    source = table(tmp_path / "a.tsv")
    out, other = tmp_path / "GRAPH", tmp_path / "other2id.txt"
    import_graph(source, out)
    other.write_text("theirs")
    manifest = json.loads((out / "import.json").read_text())
    manifest["sha256"]["../other2id.txt"] = hashlib.sha256(b"theirs").hexdigest()
    (out / "import.json").write_text(json.dumps(manifest))
    import_graph(source, out, overwrite=True)
    assert other.read_text() == "theirs"


def test_a_foreign_file_of_the_manifests_name_is_kept(tmp_path):
    out = tmp_path / "GRAPH"
    out.mkdir()
    (out / "import.json").write_text('{"mine": 1}')
    with pytest.raises(FileExistsError, match=r"GRAPH holds import.json, which no import wrote"):
        import_graph(table(tmp_path / "a.tsv"), out, overwrite=True)
    assert (out / "import.json").read_text() == '{"mine": 1}'


@pytest.fixture
def graphs(tmp_path):
    """Return an action that imports a graph over an older one, and what each has."""
    old, new = table(tmp_path / "old.tsv", ROWS[:3]), table(tmp_path / "new.tsv", ROWS[1:])
    said = tmp_path / "said.tsv"
    said.write_text("name\ttext\nBob\ta man\n")
    whole = Division(valid=0, test=0)

    def write(source, texts=None):
        import_graph(source, tmp_path / "out", whole, overwrite=True, texts=texts)

    return partial(write, old, said), partial(write, new)


def read(out):
    """Return the train split and whether there are texts, or None where there is no data set."""
    try:
        return whole(TripleStore.open(out)), (out / "labels.tsv").exists()
    except (OSError, ValueError):
        return None


@pytest.mark.slow
@pytest.mark.skipif(not hasattr(os, "fork"), reason="processes cannot be forked")
def test_a_killed_import_leaves_the_old_graph_or_the_new_one_or_none(graphs, tmp_path):
    write_old, write_new = graphs
    out = tmp_path / "out"
    expected = []
    for write in graphs:
        write()
        expected.append(read(out))
    assert expected[0] != expected[1]
    (out / "mine.txt").write_text("mine")
    write_old()
    seen = set()
    for _ in killed(write_new):
        found = read(out)
        assert found in (*expected, None)
        seen.add(found and expected.index(found))
        if found is None:  # the next one brings it to its end
            with held(out):
                settle(out)
            assert read(out) == expected[1]
        write_old()
        assert (out / "mine.txt").read_text() == "mine"
        assert not [path.name for path in out.iterdir() if path.name.startswith(".")]
    assert seen == {0, 1, None}
    assert read(out) == expected[1]


@pytest.mark.slow
@pytest.mark.skipif(not hasattr(os, "fork"), reason="processes cannot be forked")
def test_a_killed_import_into_a_new_folder_is_none_or_whole(tmp_path):
    source, out = table(tmp_path / "t.tsv"), tmp_path / "out"
    expected = read(import_graph(source, tmp_path / "other").directory)
    for _ in killed(partial(import_graph, source, out)):
        assert read(out) in (None, expected)
        try:
            import_graph(source, out)
        except FileExistsError:  # it only had to be put in its place
            assert read(out) == expected
        assert not [path.name for path in out.iterdir() if path.name.startswith(".")]
        shutil.rmtree(out)
    assert read(out) == expected


def test_of_two_imports_into_one_folder_one_is_refused(tmp_path):
    source, out = table(tmp_path / "t.tsv"), tmp_path / "out"
    with held(out):
        for overwrite in (False, True):
            with pytest.raises(FileExistsError, match=r"out: process .* is writing there now"):
                import_graph(source, out, overwrite=overwrite)
        assert not is_taken(out)
    assert import_graph(source, out).entity_count == 4


def test_only_folders_of_its_own_are_brought_to_an_end(tmp_path):
    source, out, other = table(tmp_path / "t.tsv"), tmp_path / "out", tmp_path / "other"
    import_graph(source, other)
    out.mkdir()
    for name in (".import-ready", ".import-draft"):
        (out / name).symlink_to(other)
    import_graph(source, out)
    assert read(out) == read(other) is not None
