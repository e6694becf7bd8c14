"""Texts and pictures of entities come with the triples into one folder."""

import json
import tracemalloc

import pytest
import tyro

from openke.datasets import tables
from openke.datasets.importing import Division, command, import_graph
from openke.datasets.tables import BadRows

ROWS = [
    ("p1", "by", "Acme, Inc."),
    ("p2", "by", "Acme, Inc."),
    ("p3", "by", "Zoë's"),
    ("p1", "like", "p2"),
]
PNG = b"\x89PNG\r\n\x1a\n rest"
ALL = Division(valid=0, test=0)


def made(tmp_path, texts, name="texts.csv", **more):
    path = tmp_path / name
    path.write_text(texts, encoding="utf-8")
    bad = more.pop("bad", BadRows())
    import_graph(ROWS, tmp_path / "out", ALL, texts=path, bad=bad, overwrite=True, **more)
    file = tmp_path / "out" / "labels.tsv"
    lines = file.read_text(encoding="utf-8").splitlines() if file.is_file() else []
    return {line.split("\t")[1]: tuple(line.split("\t")[2:]) for line in lines}


def test_texts_by_id_with_labels(tmp_path):
    found = made(
        tmp_path,
        'id,title,description\np1,"Lamp, red","A lamp\nthat ""glows"".\t"\n"Acme, Inc.",Acme,\n',
    )
    assert found == {"p1": ("Lamp, red", 'A lamp that "glows".'), "Acme, Inc.": ("Acme", "")}
    first = (tmp_path / "out" / "labels.tsv").read_text().splitlines()[0]
    assert first.split("\t")[0] == "0"


def test_texts_by_name_where_ids_are_others(tmp_path):
    found = made(tmp_path, "id,name,text\n17,p1,A lamp\n18,p2,A chair\n")
    assert found == {"p1": ("p1", "A lamp"), "p2": ("p2", "A chair")}


def test_two_columns_need_no_header(tmp_path):
    assert made(tmp_path, "p1\tA lamp\n", "texts.tsv") == {"p1": ("p1", "A lamp")}
    assert made(tmp_path, '["p1", "A lamp"]\n', "t.jsonl") == {"p1": ("p1", "A lamp")}


def test_columns_of_texts_may_be_named(tmp_path):
    columns = {"id": "sku", "text": "Beschreibung"}
    found = made(tmp_path, "sku;Beschreibung;n\np1;Lampe;3\n", columns=columns)
    assert found == {"p1": ("", "Lampe")}


def test_a_text_of_no_entity_is_listed(tmp_path):
    bad = BadRows()
    assert set(made(tmp_path, "id,text\np1,a\np9,b\n", bad=bad)) == {"p1"}
    assert bad.listed == [(f"{tmp_path / 'texts.csv'}:3", "'p9' is no entity of the graph")]
    assert "p9" in (tmp_path / "out" / "skipped.tsv").read_text()


@pytest.mark.parametrize(
    ("texts", "message"),
    [
        ("id,text\np1,a\np1,b\n", r"texts.csv:3: 'p1' is there already, at .*texts.csv:2"),
        ("id,text\n,a\n", r"texts.csv:2: no id: expected the name of an entity"),
        ("id,text\nx,a\ny,b\n", r"none of 2 rows is of an entity .*first is of 'x', .* 'p1'"),
        ("id,picture\np1,no.png\n", r"texts.csv:2: no picture .*no.png; a column that has no"),
        ("id,image\np1,https://a/b.png\n", r"texts.csv:2: 'https.*' is an address, expected a"),
        ("sku,notes,n\np1,a,3\n", r"texts.csv:1: found 3 columns and no header that names id or n"),
    ],
)
def test_bad_texts(tmp_path, texts, message):
    with pytest.raises(ValueError, match=message):
        made(tmp_path, texts)
    assert not (tmp_path / "out").exists()


def test_pictures_of_a_folder(tmp_path):
    photos = tmp_path / "photos"
    (photos / "Zoë's").mkdir(parents=True)
    for name in ("p1.PNG", "Zoë's/b.jpg", "p9.png"):
        (photos / name).write_bytes(PNG)
    (photos / "p2.png").write_text("no picture")
    bad = BadRows()
    import_graph(ROWS, tmp_path / "out", ALL, pictures=photos, bad=bad)
    there = sorted(
        p.relative_to(tmp_path / "out").as_posix() for p in tmp_path.glob("out/pic*/*/*")
    )
    assert there == ["pictures/Zo%C3%AB's/01.jpg", "pictures/p1/01.png"]
    assert {reason.split(":")[0] for _, reason in bad.listed} == {
        "no picture", "a picture of no entity"
    }  # fmt: skip
    with pytest.raises(FileNotFoundError, match="no such folder"):
        import_graph(ROWS, tmp_path / "other", ALL, pictures=tmp_path / "nowhere")


def test_pictures_that_are_not_read_are_listed_and_a_folder_that_gave_none_is_told(tmp_path):
    photos = tmp_path / "photos"
    photos.mkdir()
    for name in ("p1.svg", "p2.heic", "README.md"):
        (photos / name).write_text("<svg/>")
    bad = BadRows()
    import_graph(ROWS, tmp_path / "out", ALL, pictures=photos, bad=bad)
    assert bad.counts == {"files that are no pictures": 2}
    reason = "no picture: JPEG, PNG, WebP, GIF, BMP and TIFF are read"
    assert bad.listed == [(str(photos / name), reason) for name in ("p1.svg", "p2.heic")]
    assert bad.notes == [
        f"{photos}: no picture was taken from it; expected files or folders named for entities, "
        "such as p1.png"
    ]
    (photos / "p1.png").write_bytes(PNG)
    bad = BadRows()
    import_graph(ROWS, tmp_path / "again", ALL, pictures=photos, bad=bad)
    assert not bad.notes


def test_pictures_of_a_column(tmp_path):
    (tmp_path / "photos").mkdir()
    (tmp_path / "photos" / "1.png").write_bytes(PNG)
    made(tmp_path, "id,text,picture\np1,a,photos/1.png\np2,b,\n")
    assert (tmp_path / "out" / "pictures" / "p1" / "01.png").read_bytes() == PNG
    made(tmp_path, "id,text,picture\np2,a,1.png\n", pictures=tmp_path / "photos")
    assert [p.name for p in (tmp_path / "out" / "pictures").iterdir()] == ["p2"]
    import_graph(
        ROWS, tmp_path / "o", ALL, pictures={"p1": tmp_path / "photos" / "1.png", "x": "y"}
    )
    assert (tmp_path / "o" / "pictures" / "p1" / "01.png").is_file()


def test_a_row_whose_picture_is_not_there_keeps_its_text(tmp_path):
    bad = BadRows(True, "--skip-bad-rows")
    found = made(tmp_path, "id,text,path\np1,a,Tools/Lamps\np2,b,\n", bad=bad)
    assert set(found) == {"p1", "p2"}
    assert not (tmp_path / "out" / "pictures").exists()
    assert bad.counts == {"pictures that are not there": 1}
    with pytest.raises(ValueError, match="--skip-bad-rows leaves such pictures out"):
        made(tmp_path, "id,path\np1,Tools\n", bad=BadRows(way_out="--skip-bad-rows"))


def test_what_somebody_put_among_pictures_is_not_deleted(tmp_path):
    (tmp_path / "p1.png").write_bytes(PNG)
    made(tmp_path, "id,picture\np1,p1.png\n")
    mine = tmp_path / "out" / "pictures" / "p1" / "mine.png"
    mine.write_bytes(PNG)
    with pytest.raises(FileExistsError, match=r"out holds pictures/p1/mine.png, which no import"):
        made(tmp_path, "id,picture\np1,p1.png\n")
    mine.unlink()
    made(tmp_path, "id,text\np1,a\n")
    assert not (tmp_path / "out" / "pictures").exists()
    manifest = json.loads((tmp_path / "out" / "import.json").read_text())
    assert "labels.tsv" in manifest["sha256"]


def test_a_picture_that_is_a_link_to_nothing_is_listed(tmp_path):
    (tmp_path / "photos").mkdir()
    (tmp_path / "photos" / "p1.png").symlink_to("gone.png")
    import_graph(ROWS, tmp_path / "out", ALL, pictures=tmp_path / "photos")
    skipped = (tmp_path / "out" / "skipped.tsv").read_text().splitlines()
    assert skipped[1:] == [
        f"{tmp_path / 'photos' / 'p1.png'}\ta link that leads nowhere, or no file"
    ]


def call(*arguments):
    return tyro.cli(command, args=[str(argument) for argument in arguments])


def test_as_a_command(tmp_path, capsys):
    facts, texts = tmp_path / "facts.csv", tmp_path / "texts.csv"
    facts.write_text("from,edge,to\np1,by,a\np1,by,a\np2,,a\np2,by,a\n")
    texts.write_text("id,text\np1,lamp\np7,none\n")
    call(facts, "--texts", texts, "--out", tmp_path / "out", "--skip-bad-rows")
    text = capsys.readouterr().out
    assert "3 entities, 1 relation; 2 train, 0 valid, 0 test" in text
    said = text[text.index("left out") : text.index("openke audit")].splitlines()
    assert said[0] == f"left out, {tmp_path / 'out' / 'skipped.tsv'} lists them:"
    assert said[1] == "  rows without head, relation and tail: 1"
    assert said[2].startswith(f"    {facts}:4: found ['p2', '', 'a']")
    assert said[3:5] == ["  rows of no entity: 1", f"    {texts}:3: 'p7' is no entity of the graph"]
    assert said[5:] == ["  repeated triples: 1", f"    {facts}:3: there already: p1, by, a"]
    listed = (tmp_path / "out" / "skipped.tsv").read_text().splitlines()
    assert len(listed) == 4
    with pytest.raises(ValueError, match=r"--columns x: expected ROLE=NAME"):
        call(facts, "--out", tmp_path / "b", "--columns", "x")
    with pytest.raises(ValueError, match=r"--columns x=y: 'x' is none of head, relation, tail, id"):
        call(facts, "--out", tmp_path / "b", "--columns", "x=y")


def test_a_text_with_a_comma_that_is_not_quoted(tmp_path):
    texts = "id,text\np1,A jug, of glass\np2,A mug\n"
    with pytest.raises(ValueError, match=r"texts\.csv:2: found 3 fields, .*, expected 2"):
        made(tmp_path, texts)
    bad = BadRows(skip=True)
    assert made(tmp_path, texts, bad=bad) == {"p2": ("", "A mug")}
    assert len(bad.listed) == 1


@pytest.mark.parametrize("header", ["id,text", "id,name,text"])
def test_texts_are_not_all_held_in_memory(tmp_path, header):
    rows = [(f"p{i}", "by", f"p{i + 1}") for i in range(1000)]
    path = tmp_path / "texts.csv"
    with path.open("w") as file:
        file.write(header + "\n")
        for i in reversed(range(1000)):
            file.write(f"p{i},{'a name,' * header.count('name')}{i} {'x' * 20_000}\n")
    tracemalloc.start()
    import_graph(rows, tmp_path / "out", ALL, texts=path)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < path.stat().st_size / 4
    lines = (tmp_path / "out" / "labels.tsv").read_text().splitlines()
    assert [line.split("\t")[0] for line in lines] == [str(i) for i in range(1000)]
    assert all(line.split("\t")[3].startswith(f"{i} xxx") for i, line in enumerate(lines))


def test_rows_that_can_be_read_once(tmp_path):
    texts = ({"id": f"x{i}", "name": f"p{i}", "text": f"text {i}"} for i in range(4))
    import_graph(ROWS, tmp_path / "out", ALL, texts=texts)
    assert "p2\tp2\ttext 2\n" in (tmp_path / "out" / "labels.tsv").read_text()


def test_of_many_left_out_the_first_are_listed_and_all_counted(tmp_path, monkeypatch):
    monkeypatch.setattr(tables, "MOST_LISTED", 5)
    monkeypatch.setattr("openke.datasets.importing.MOST_LISTED", 5)
    bad = BadRows()
    texts = {"id": ["p1", *(f"q{i}" for i in range(9))], "text": ["x"] * 10}
    import_graph(ROWS, tmp_path / "out", ALL, texts=texts, bad=bad)
    lines = (tmp_path / "out" / "skipped.tsv").read_text().splitlines()
    assert len(lines) == 7
    assert lines[-1] == "\tand 4 more rows of no entity"
    shown = bad.summary()
    assert shown[0] == "rows of no entity: 9"
    assert len(shown) == 4
