"""Reading the Factbook's pages, on small samples."""

import json

import pytest
from country_graph import VOCABULARY
from country_graph.countries import COUNTRIES, countries_in
from country_graph.facts import kinds, read_facts
from country_graph.flags import national_colours, national_symbols, read_flag, visible
from country_graph.pages import Page, clauses, phrases, read_pages, without_brackets
from country_graph.split import split
from country_graph.texts import descriptions, label, paragraph
from country_graph.things import things
from graph_making import words
from graph_making.core import core
from graph_making.fact import Fact


def page(code="gh", **fields):
    """Return a page of fields named Section__Field__part, blanks as underscores kept apart."""
    sections = {}
    for name, text in fields.items():
        section, field, part = name.split("__")
        section, field = section.replace("_", " "), field.replace("_", " ")
        sections.setdefault(section, {}).setdefault(field, {})[part] = {"text": text}
        if part == "text":
            sections[section][field][part] = text
    return Page(code, sections)


GHANA = page(
    Government__Flag_description__text=(
        "three equal horizontal bands of red (top), yellow, and green, with a large black "
        "five-pointed star centered in the yellow band; red symbolizes the blood shed for "
        "independence, blue stands for the sea; the black star is said to be the lodestar"
    ),
    Introduction__Background__text="Ghana was a colony. Its flag is red. It had a long rule.",
    Geography__Climate__text="tropical; hot and humid in southwest",
    Geography__Location__text="Western Africa, bordering the Gulf of Guinea",
    Geography__Map_references__text="Africa",
    **{"Geography__Land_boundaries__border countries": "Burkina Faso 602 km, Togo 1,098 km"},
    Geography__Natural_hazards__text="dusty harmattan winds; droughts; earthquakes are rare",
    Economy__Industries__text="mining, lumbering, aluminum smelting, food processing",
)


def all_pages(**of):
    return {country.code: of.get(country.code, Page(country.code, {})) for country in COUNTRIES}


def test_pages_are_read_by_code(tmp_path):
    (tmp_path / "africa").mkdir()
    (tmp_path / "meta").mkdir()
    (tmp_path / "meta" / "categories.json").write_text("[]")
    (tmp_path / "africa" / "gh.json").write_text(json.dumps({"A": {"B": {"text": " x \n y "}}}))
    pages = read_pages(tmp_path)
    assert pages.keys() == {"gh"}
    assert pages["gh"].text("A", "B") == "x y"
    assert pages["gh"].text("A", "C") == pages["gh"].text("D", "B") == ""


@pytest.mark.parametrize("nothing", ["NA", "none", None, "NA."])
def test_a_page_that_says_nothing(nothing):
    assert Page("gh", {"A": {"B": {"text": nothing}}}).text("A", "B") == ""


def test_the_page_of_france_speaks_of_its_regions():
    regions = {"metropolitan France": {"text": "Western Europe"}, "Reunion": {"text": "Africa"}}
    assert Page("fr", {"A": {"B": regions}}).text("A", "B") == "Western Europe"


@pytest.mark.parametrize(
    ("text", "left"),
    [("a (b) c", "a c"), ("a (b (c) d) e", "a e"), ("a (b", "a "), ("a", "a")],
)
def test_brackets(text, left):
    assert without_brackets(text) == left


def test_clauses_end_outside_brackets():
    assert clauses("a (b; c); d;; e)f; g") == ["a (b; c)", "d", "e)f", "g"]


def test_phrases():
    text = "Coffee 12.5%, tea (black, green); ~3% fish: ++ wine"
    assert phrases(text) == ["coffee", "tea", "fish"]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("flood, machinery and equipment, cut diamonds 13%", {"machinery", "diamonds"}),
        ("iron and steel; small deposits of coal", {"iron", "steel", "coal"}),
        ("groundnuts (peanuts), cacao/coffee", {"peanuts", "cocoa", "coffee"}),
        ("dried, NA, 40%, ]", set()),
        ("apparel, garments, clothing", {"clothing"}),
        ("various small gold deposits", {"gold"}),
    ],
)
def test_things(text, found):
    assert things(text) == found


def test_countries_are_found_by_any_name():
    text = "US 20%, Guinea-Bissau, Equatorial Guinea, South Sudan, Dominican Republic, DRC, Nigeria"
    assert countries_in(text) == [
        "United States",
        "Guinea-Bissau",
        "Equatorial Guinea",
        "South Sudan",
        "Dominican Republic",
        "Democratic Republic of the Congo",
        "Nigeria",
    ]
    assert countries_in("Indian Ocean, New Guineans, Nigerien") == []


def test_a_flag_is_what_it_looks_like_not_what_it_means():
    text = GHANA.text("Government", "Flag description")
    assert "blood" not in visible(text)
    flag = read_flag(text)
    assert set(flag.colours) == {"red", "yellow", "green", "black"}
    assert flag.layouts == ("horizontal bands",)
    assert flag.things == ("star",)


@pytest.mark.parametrize(
    ("text", "colours", "layouts", "things_"),
    [
        ("light blue with a white disk, representing the blue sea", {"light blue", "white"},
         {"plain field", "disk"}, set()),
        ("blue with the flag of the UK in the upper hoist-side quadrant", {"red", "white", "blue"},
         {"plain field"}, {"Union Jack"}),
        ("red with a white cross in the style of the Dannebrog; the vertical part of the cross is "
         "shifted to the hoist side", {"red", "white"}, {"cross", "Nordic cross", "plain field"},
         set()),
        ("maroon with a broad white serrated band; Orange and Greenland", {"maroon", "white"},
         {"plain field", "serrated edge"}, set()),
        ("green with a white crescent moon and five stars of the Southern Cross constellation",
         {"green", "white"}, {"plain field"}, {"crescent", "star", "Southern Cross"}),
    ],
)  # fmt: skip
def test_flags(text, colours, layouts, things_):
    flag = read_flag(text)
    assert set(flag.colours) == colours
    assert set(flag.layouts) == layouts
    assert set(flag.things) == things_


def test_national_colours_and_symbols():
    read = page(**{
        "Government__National_symbol(s)__text": "black star, golden eagle: national colors: red, "
        "gold, black; red (England)"
    })  # fmt: skip
    assert national_colours(read) == ["red", "yellow", "black"]
    assert "red" not in national_symbols(read).split(";")[0]
    assert "eagle" in national_symbols(read)
    assert national_colours(Page("gh", {})) == []


@pytest.fixture(scope="module")
def facts():
    togo = page(
        "to",
        **{
            "Government__International organization participation__text": (
                "AU, UN, OAS (observer, since 1990), ECOWAS, EU (candidate country)"
            ),
            "Economy__Exports - partners__text": "Ghana 12%, Burkina Faso 3%, Togo 1% (2014)",
            "Government__Independence__text": "27 April 1960 (from French-administered trust)",
            "Geography__Environment - international agreements__party to": "Whaling, Biodiversity",
        },
    )
    guam = page(
        "gq", Government__Dependency_status__text="organized territory of the US; administered by"
    )
    martin = page("rn", Government__Flag_description__text="the flag of France is used")
    france = page("fr", Government__Flag_description__text="vertical bands of blue and white")
    return read_facts(all_pages(gh=GHANA, to=togo, gq=guam, rn=martin, fr=france))


@pytest.mark.parametrize(
    "fact",
    [
        ("Ghana", "borders", "Togo"),
        ("Togo", "borders", "Ghana"),
        ("Ghana", "flag_colour", "red (colour)"),
        ("Ghana", "flag_layout", "horizontal bands (flag)"),
        ("Ghana", "flag_shows", "star"),
        ("Ghana", "in_region", "Western Africa"),
        ("Ghana", "in_region", "Africa"),
        ("Western Africa", "in_region", "Africa"),
        ("Ghana", "on_waters", "Gulf of Guinea"),
        ("Ghana", "has_climate", "tropical climate"),
        ("Ghana", "faces_hazard", "droughts"),
        ("Ghana", "has_industry", "timber"),
        ("Togo", "exports_to", "Ghana"),
        ("Togo", "member_of", "African Union"),
        ("Togo", "independent_from", "France"),
        ("Togo", "party_to", "whaling treaty"),
        ("Guam", "dependency_of", "United States"),
        ("Saint Martin", "flag_colour", "blue (colour)"),
    ],
)
def test_facts(facts, fact):
    assert fact in facts


@pytest.mark.parametrize(
    "fact",
    [
        ("Ghana", "flag_colour", "blue (colour)"),
        ("Ghana", "faces_hazard", "earthquakes"),
        ("Togo", "member_of", "Organization of American States"),
        ("Togo", "member_of", "European Union"),
        ("Togo", "exports_to", "Togo"),
    ],
)
def test_what_is_no_fact(facts, fact):
    assert fact not in facts


def test_kinds(facts):
    found = kinds(facts)
    assert found["flag_colour"] == "perceptual"
    assert found["borders"] == "conceptual"
    assert list(found) == sorted(found)


def test_core_drops_until_all_have_two_facts():
    ring = [Fact("a", "r", "b"), Fact("b", "r", "c"), Fact("c", "r", "a")]
    chain = [Fact("c", "r", "d"), Fact("d", "r", "e")]
    assert core([*chain, *ring, ring[0]]) == sorted(ring)
    assert core(chain) == []


def test_split_keeps_twins_together_and_train_whole():
    names = [f"c{i}" for i in range(40)]
    pairs = [(a, b) for i, a in enumerate(names) for b in names[i + 1 : i + 6]]
    facts = [Fact(*fact) for a, b in pairs for fact in ((a, "borders", b), (b, "borders", a))]
    facts += [Fact(name, relation, "red (colour)") for name in names
              for relation in ("flag_colour", "national_colour")]  # fmt: skip
    facts += [Fact("only", "borders", "c0"), Fact("c0", "borders", "only")]
    parts = split(reversed(facts))
    assert parts == split(facts)
    assert sorted(fact for part in parts.values() for fact in part) == sorted(facts)
    where = {fact: name for name, part in parts.items() for fact in part}
    for head, relation, tail in facts:
        if relation == "borders":
            assert where[Fact(tail, relation, head)] == where[Fact(head, relation, tail)]
    for name in names:
        on_flag = where[name, "flag_colour", "red (colour)"]
        assert on_flag == where[name, "national_colour", "red (colour)"]
    assert where["only", "borders", "c0"] == "train"
    assert len([f for f in parts["test"] if f.relation == "flag_colour"]) == 8
    assert len([f for f in parts["valid"] if f.relation == "flag_colour"]) == 4
    assert len([f for f in parts["test"] if f.relation == "borders"]) == 36


def test_descriptions():
    train = [
        Fact("Ghana", "exports", "gold"),
        Fact("Ghana", "has_resource", "gold"),
        Fact("Ghana", "member_of", "African Union"),
        Fact("Western Africa", "in_region", "Africa"),
    ]
    texts = descriptions(all_pages(gh=GHANA), train)
    assert texts["gold"] == "export commodity, natural resource"
    assert texts["African Union"] == "international organisation (AU)"
    assert texts["Western Africa"] == texts["Africa"] == "region of the world"
    assert texts["Ghana"] == "Ghana was a colony. It had a long rule."
    assert paragraph(Page("gh", {})) == ""


@pytest.mark.parametrize(
    ("name", "shown"),
    [("red (colour)", "red"), ("Tonga (language)", "Tonga"), ("palm tree", "palm tree")],
)
def test_labels(name, shown):
    assert label(name) == shown


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        ("corn: maize\nwheat: maize\n", "'maize' stands for 'corn' and for 'wheat'"),
        ("corn:\ncorn: maize\n", "a name is there twice"),
    ],
)
def test_vocabularies_are_checked(tmp_path, lines, message):
    path = tmp_path / "words.txt"
    path.write_text(f"# what it is\n\n{lines}")
    with pytest.raises(ValueError, match=message):
        words.names(path)


def test_every_vocabulary_is_read_without_complaint():
    for path in sorted(VOCABULARY.glob("*.txt")):
        text = path.read_text(encoding="utf-8")
        assert text.startswith("#"), path.name
        read = words.patterns if " = " in text.splitlines()[-1] else words.titles
        assert read(path), path.name
    assert words.names(VOCABULARY / "things.txt")["maize"] == "corn"
