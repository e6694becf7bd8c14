"""The graph of emoji: what a table and drawings become, on a few of them."""

import io
import json
from functools import partial

import numpy as np
import openmoji_build
import pytest
from emoji_graph import VOCABULARY, facts, tags
from emoji_graph.colours import LEAST, PALETTE, colours_of
from emoji_graph.emoji import OPENMOJI, Emoji, read_emoji
from graph_making import words
from graph_making.fact import Fact
from graph_making.split import split_facts
from openmoji_build import build
from PIL import Image

from lbmkgc_models.feature_store.texts import read_texts
from openke.audit.audit import audit
from openke.data.store import TripleStore
from openke.datasets.pictures import find_pictures


def one(name, *found, code="1F600", group="objects", subgroup="tool"):
    return Emoji(code=code, name=name, group=group, subgroup=subgroup, tags=found)


def row(name, code="1F600", subgroup="tool", **more):
    blank = {"tags": "", "openmoji_tags": "", "skintone": ""}
    return {
        **blank,
        **{"annotation": name, "hexcode": code, "group": "objects", "subgroups": subgroup},
        **more,
    }


def package(folder, rows):
    """Write an unpacked package with a drawing for each row."""
    place = folder / "openmoji"
    for part in ("data", "color/svg"):
        (place / part).mkdir(parents=True)
    (place / "package.json").write_text("{}")
    (place / "LICENSE.txt").write_text("Attribution-ShareAlike 4.0")
    (place / "data" / "openmoji.json").write_text(json.dumps(rows))
    for index, found in enumerate(rows):
        (place / "color" / "svg" / f"{found['hexcode']}.svg").write_text(f"<svg>{index}</svg>")
    return place


def png(*colours):
    """Return a picture with a column of each of these on white, as many pixels of each."""
    image = Image.new("RGB", (12, 12), "white")
    for place, colour in enumerate(colours):
        image.paste(colour, (2 * place, 0, 2 * place + 2, 12))
    stream = io.BytesIO()
    image.save(stream, "PNG")
    return stream.getvalue()


def test_skins_and_flags_are_left_out_and_names_are_told_apart(tmp_path):
    rows = [
        row("hammer", "1F528", tags="Tool, home", openmoji_tags="tool, metal"),
        row("hammer ", "E1F0"),
        row("waving hand: dark skin tone", "1F44B-1F3FF", skintone=5),
        row("flag: Andorra", "1F1E6-1F1E9", "country-flag"),
    ]
    found = read_emoji(package(tmp_path, rows))
    assert [emoji.name for emoji in found] == ["hammer (1F528)", "hammer (E1F0)"]
    assert found[0].tags == ("tool", "home", "metal")
    assert found[1].tags == ()


def test_a_family_is_the_same_whoever_is_shown():
    same = ("person juggling", "woman juggling", "man juggling", "man juggling: facing right")
    assert {one(name).family for name in same} == {"juggling"}
    assert one("man").family == "man"
    assert one("woman and man holding hands").family == one("people holding hands").family


def test_parts_are_what_is_joined_with_persons():
    assert one("astronaut", code="1F9D1-200D-1F680").parts == ["1F680"]
    assert one("heart on fire", code="2764-FE0F-200D-1F525").parts == ["2764", "1F525"]
    assert one("man juggling", code="1F939-200D-2642-FE0F").parts == ["1F939"]
    assert one("rocket", code="1F680").parts == []


def test_tags_say_what_is_seen_what_is_felt_and_else_what_it_is_about():
    reader = tags.Tags(["tool", "tools", "glass", "glasses"])
    assert reader.read("leaves") == ("shows", "leaf")
    assert reader.read("xoxo") == ("feels", "romance")
    assert reader.read("ocean") == ("about", "sea")
    assert reader.read("tools") == reader.read("tool") == ("about", "tool")
    assert reader.read("glasses") == ("shows", "glasses")
    assert reader.read("red") is reader.read("whatever") is reader.read("143 ×") is None


def test_every_vocabulary_is_read_without_complaint():
    found = sorted(VOCABULARY.glob("*.txt"))
    assert {path.name for path in found} == {*tags.RELATIONS.values(), "left_out.txt"}
    for path in found:
        assert words.names(path)
        assert path.read_text(encoding="utf-8").startswith("#")
    tags.Tags([])  # no word has two relations


def test_colours_are_those_of_a_fifth_of_what_is_coloured():
    red, blue = f"#{PALETTE['red']:06x}", f"#{PALETTE['blue']:06x}"
    assert colours_of(png(red, blue, "black")) == ["blue", "red"]
    assert colours_of(png(blue, blue, blue, blue, blue, red)) == ["blue"]
    assert colours_of(png("black", "#00ff00")) == []
    assert LEAST > 12 * 2
    assert colours_of(png(red)) == []


def test_no_fact_is_in_its_heads_name():
    emoji = [
        one("red circle", "circle", "shapes", subgroup="geometric"),
        one("seals", "seal", "animal", "ocean"),
        one("whale", "animal", "sea"),
        one("crab", "animals", "sea", "beach"),
    ]
    found = facts.read_facts(emoji, {"red circle": ["red", "light red"], "whale": ["blue"]})
    assert Fact("red circle", "drawn_in", "light red (colour)") in found
    assert {fact for fact in found if fact.head == "whale"} == {
        Fact("whale", "in_subgroup", "tool (subgroup)"),
        Fact("whale", "drawn_in", "blue (colour)"),
        Fact("whale", "about", "animal (tag)"),
        Fact("whale", "about", "sea (tag)"),
    }
    tails = {fact.tail for fact in found}
    assert not tails & {"circle (tag)", "seal (tag)", "red (colour)", "beach (tag)"}
    assert Fact("geometric (subgroup)", "in_group", "objects (group)") in found
    assert facts.label("light red (colour)") == "light red"
    assert facts.label("hammer (1F528)") == "hammer"
    assert facts.label("A button (blood type)") == "A button (blood type)"


def test_what_a_family_shares_stays_together():
    families = {f"{who} {i}": f"{i}" for i in range(60) for who in ("man", "woman")}
    told = [Fact(head, "shows", "hat (tag)") for head in families]
    told += [Fact(head, "about", f"{head[-1]} (tag)") for head in families]
    parts = split_facts(told, partial(facts.together, families=families), ["shows"], "a seed")
    where = {fact: name for name, part in parts.items() for fact in part}
    for i in range(60):
        man, woman = (Fact(f"{who} {i}", "shows", "hat (tag)") for who in ("man", "woman"))
        assert where[man] == where[woman]
    assert sum(fact.relation == "shows" for fact in parts["test"]) == 24


@pytest.fixture
def drawn(monkeypatch):
    """Draw without the library that draws."""
    colours = [*PALETTE.values()]

    def render(svg, size):
        assert size == (72, 72)
        index = int(svg.removeprefix("<svg>").removesuffix("</svg>"))
        return png(*(f"#{colours[place % 3]:06x}" for place in (index, index + 1)))

    monkeypatch.setattr(openmoji_build, "render", render)


def test_a_graph_is_built_whole_and_without_leaks(tmp_path, drawn):
    generator = np.random.default_rng(0)
    known = ["animal", "sea", "tool", "happy", "hat", "tree", "sport"]
    rows = [
        row(
            f"thing {chr(97 + i // 26)}{chr(97 + i % 26)}",
            f"1F{i:03X}",
            f"kind-{i % 5}",
            tags=", ".join(generator.choice(known, size=3, replace=False)),
        )
        for i in range(120)
    ]
    package(tmp_path, rows)
    build(tmp_path, tmp_path / "OpenMoji")
    folder = tmp_path / "OpenMoji"
    assert [f for f in audit(folder).findings if f.severity != "note"] == []
    store = TripleStore.open(folder)
    assert store.entity_names[0] == "thing aa"
    kinds = (folder / "relation_kinds.tsv").read_text().splitlines()
    seen = [kind.split("\t")[0] for kind in kinds if kind.endswith("\tperceptual")]
    assert seen == ["drawn_in", "shows"]
    pictures = find_pictures([folder / "pictures"], store.entity_names)
    assert len(pictures.files) == 120
    assert not pictures.unmatched
    texts = read_texts(folder).texts
    assert "animal" in texts
    assert texts[0] == "thing aa"
    readme = (folder / "README.md").read_text(encoding="utf-8")
    assert "120 emoji with a picture each" in readme
    assert "CC BY-SA 4.0" in readme
    assert (folder / "LICENSE.openmoji.txt").read_text() == "Attribution-ShareAlike 4.0"
    before = (folder / "SHA256SUMS").read_bytes()
    build(tmp_path, folder)
    assert (folder / "SHA256SUMS").read_bytes() == before


def test_what_is_missing_is_said(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"no package there; --packages .* openmoji "):
        build(tmp_path, tmp_path / "out")
    assert len(OPENMOJI.sha256) == 64
