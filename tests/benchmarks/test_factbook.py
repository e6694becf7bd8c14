"""The committed graph is whole, consistent with itself and split without leaks."""

import hashlib
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from country_graph import VOCABULARY
from country_graph.countries import COUNTRIES
from country_graph.facts import PERCEPTUAL
from graph_making.fact import Fact
from graph_making.words import titles
from PIL import Image

from lbmkgc_models.feature_store.texts import read_texts
from openke.audit.audit import audit
from openke.data.store import SPLITS, TripleStore
from openke.datasets.pictures import folder_name
from openke.datasets.search import find_dataset

FOLDER = Path(__file__).parents[2] / "benchmarks" / "Factbook"


@pytest.fixture(scope="module")
def parts():
    store = TripleStore.open(FOLDER)
    entities, relations = store.entity_names, store.relation_names
    return {
        split: {
            Fact(entities[h], relations[r], entities[t])
            for h, r, t in store.triples(split).tolist()
        }
        for split in SPLITS
    }


@pytest.fixture(scope="module")
def entities(parts):
    return {entity for part in parts.values() for f in part for entity in (f.head, f.tail)}


def test_files_are_those_that_were_built():
    listed = {}
    for line in (FOLDER / "SHA256SUMS").read_text().splitlines():
        digest, name = line.split("  ", 1)
        listed[name] = digest
        assert hashlib.sha256((FOLDER / name).read_bytes()).hexdigest() == digest, name
    pictures = {p.relative_to(FOLDER).as_posix() for p in FOLDER.glob("pictures/*/*")}
    assert pictures <= set(listed)
    assert sum((FOLDER / name).stat().st_size for name in listed) < 4_000_000


def test_it_is_found_by_name(monkeypatch, tmp_path):
    monkeypatch.delenv("OPENKE_DATA", raising=False)
    monkeypatch.chdir(tmp_path)
    assert find_dataset("Factbook") == FOLDER


def test_the_audit_has_nothing_to_say():
    found = audit(FOLDER)
    assert [f for f in found.findings if f.severity != "note"] == []


def test_sizes_and_shares(parts, entities):
    facts = [fact for part in parts.values() for fact in part]
    assert len(facts) == len(set(facts))
    assert 20_000 < len(facts) < 27_000
    assert len(entities) > 1_200
    relations = Counter(fact.relation for fact in facts)
    assert relations["member_of"] < 0.2 * len(facts)
    assert min(Counter(e for f in facts for e in {f.head, f.tail}).values()) >= 2
    for relation, count in relations.items():
        tested = sum(fact.relation == relation for fact in parts["test"])
        wanted = 0.2 if relation in PERCEPTUAL else 0.1
        assert tested == pytest.approx(wanted * count, abs=2), relation


def test_what_gives_a_fact_away_is_on_its_side(parts):
    where = {fact: split for split, part in parts.items() for fact in part}
    checked = Counter()
    for (head, relation, tail), split in where.items():
        for twin in {
            "borders": [Fact(tail, "borders", head)],
            "exports_to": [Fact(tail, "imports_from", head), Fact(head, "imports_from", tail)],
            "flag_colour": [Fact(head, "national_colour", tail)],
            "flag_shows": [Fact(head, "national_symbol", tail)],
        }.get(relation, []):
            if twin in where:
                assert where[twin] == split, (head, relation, tail)
                checked[relation] += 1
    assert min(checked.values()) > 20
    assert checked["borders"] == sum(fact.relation == "borders" for fact in where)


def test_each_country_once(entities):
    names = {country.name for country in COUNTRIES}
    assert len(names) == len(COUNTRIES) == 237
    assert names <= entities
    assert sum("Congo" in name for name in names) == 2
    for other in ("DRC", "Czechia", "Ivory Coast", "US", "UK", "Holy See", "Zaire"):
        assert other not in entities
    assert len({name.casefold() for name in entities}) == len(entities)


def test_names_hold_no_noise(entities):
    marks = ("(colour)", "(language)", "(people)", "(flag)")
    for name in entities:
        bare = name
        for mark in marks:
            bare = bare.removesuffix(mark)
        assert not set(bare) & set("()[];:%+"), name
        assert bare == bare.strip() or bare != name, name
        assert name.casefold() not in ("na", "none", "dried", "other", "note")


def test_relations_have_a_kind():
    rows = [line.split("\t") for line in (FOLDER / "relation_kinds.tsv").read_text().splitlines()]
    store = TripleStore.open(FOLDER)
    assert [name for name, _ in rows] == list(store.relation_names)
    assert {name for name, kind in rows if kind == "perceptual"} == set(PERCEPTUAL)
    assert {kind for _, kind in rows} == {"perceptual", "conceptual"}


def test_texts_say_nothing_of_flags():
    read = read_texts(FOLDER)
    texts = dict(zip(read.names, read.texts, strict=True))
    assert all(texts.values())
    for country in COUNTRIES:
        text = texts[country.name].removeprefix(country.name)
        assert len(text) > 40, country.name
        assert "flag" not in text.casefold(), country.name


def test_pictures_are_small_and_of_entities(entities):
    folders = {folder_name(entity): entity for entity in entities}
    flags = {country.name for country in COUNTRIES if country.flag} | titles(
        VOCABULARY / "banners.txt"
    ).keys()
    seen = set()
    for path in (FOLDER / "pictures").iterdir():
        entity = folders[path.name]
        seen.add(entity)
        (file,) = path.iterdir()
        with Image.open(file) as image:
            assert image.size == ((160, 120) if entity in flags else (96, 96)), entity
            assert np.asarray(image.convert("RGB")).std() > 5, entity
    assert seen == flags | titles(VOCABULARY / "emoji.txt").keys()
    assert not [entity for entity in seen if entity.endswith(("(colour)", "(flag)"))]


def test_pictures_show_the_colours_of_the_facts(parts):
    has = {(f.head, f.tail) for part in parts.values() for f in part if f.relation == "flag_colour"}
    near = {"red": (210, 30, 40), "green": (0, 120, 60), "white": (255, 255, 255)}
    shares = {(colour, said): [] for colour in near for said in (True, False)}
    for country in COUNTRIES:
        if not country.flag:
            continue
        with Image.open(FOLDER / "pictures" / folder_name(country.name) / "1.png") as image:
            pixels = np.asarray(image.convert("RGB").resize((40, 30)), dtype=float)
        for colour, rgb in near.items():
            said = (country.name, f"{colour} (colour)") in has
            shares[colour, said].append((np.abs(pixels - rgb).max(-1) < 70).mean())
    for colour in near:
        assert np.median(shares[colour, True]) > 0.1, colour
        assert np.median(shares[colour, False]) < 0.01, colour


def test_the_readme_gives_the_figures(parts):
    text = (FOLDER / "README.md").read_text(encoding="utf-8")
    for part in parts.values():
        assert f"{len(part):,}" in text
    assert "$" not in text
    for name in ("LICENSE.flag-icons.txt", "LICENSE.noto-emoji.txt"):
        assert name in text
        assert (FOLDER / name).is_file()
