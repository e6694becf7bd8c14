"""The facts of the graph: what each page says, as triples of names."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from graph_making.fact import Fact, kinds_of
from graph_making.words import matching, names, patterns, titles

from country_graph import VOCABULARY, flags
from country_graph.countries import COUNTRIES, Country, countries_in
from country_graph.pages import Page, clauses
from country_graph.things import things

PARTIAL = re.compile(
    r"observer|candidate|dialogue|partner|guest|consultative|applicant|associate|signatory"
    r"|cooperating|correspondent|subscriber|suspended|affiliate",
    re.IGNORECASE,
)
RARE = re.compile(r"\brare|outside|infrequent|\bnot\b|south of the", re.IGNORECASE)

# What patterns find in a text. relation: section, field, part, vocabulary
READ = {
    "has_climate": ("Geography", "Climate", "text", "climate.txt"),
    "has_terrain": ("Geography", "Terrain", "text", "terrain.txt"),
    "on_waters": ("Geography", "Location", "text", "waters.txt"),
    "has_environmental_issue": (
        "Geography",
        "Environment - current issues",
        "text",
        "environment.txt",
    ),
    "has_government": ("Government", "Government type", "text", "government.txt"),
    "has_law": ("Government", "Legal system", "text", "law.txt"),
    "has_language": ("People and Society", "Languages", "text", "languages.txt"),
    "has_religion": ("People and Society", "Religions", "text", "religions.txt"),
    "has_people": ("People and Society", "Ethnic groups", "text", "peoples.txt"),
}
# What an enumeration names. relation: section, field
LISTED = {
    "exports": ("Economy", "Exports - commodities"),
    "imports": ("Economy", "Imports - commodities"),
    "has_industry": ("Economy", "Industries"),
    "grows": ("Economy", "Agriculture - products"),
    "has_resource": ("Geography", "Natural resources"),
}
# relation: section, field, part
PARTNERS = {
    "exports_to": ("Economy", "Exports - partners", "text"),
    "imports_from": ("Economy", "Imports - partners", "text"),
    "hosts_refugees_from": (
        "Transnational Issues",
        "Refugees and internally displaced persons",
        "refugees (country of origin)",
    ),
}
PERCEPTUAL = ("flag_colour", "flag_layout", "flag_shows", "national_colour")
# Different things may share a word; these kinds carry theirs in the name.
MARKED = {
    "flag_colour": "colour",
    "national_colour": "colour",
    "has_language": "language",
    "has_people": "people",
    "flag_layout": "flag",
}


def read_facts(pages: dict[str, Page]) -> set[Fact]:
    """Return all facts of the curated vocabularies."""
    found = set(_flags(pages))
    for country in COUNTRIES:
        page = pages[country.code]
        for relation, tails in _of(country, page):
            found |= {
                Fact(country.name, relation, _name(relation, tail))
                for tail in tails
                if tail != country.name
            }
    found |= {Fact(fact.tail, "borders", fact.head) for fact in found if fact.relation == "borders"}
    lies_in = titles(VOCABULARY / "continents.txt")
    found |= {Fact(region, "in_region", larger) for region, larger in lies_in.items()}
    return found


def kinds(facts: Iterable[Fact]) -> dict[str, str]:
    """Return each relation's kind."""
    return kinds_of(facts, PERCEPTUAL)


def _name(relation: str, tail: str) -> str:
    return f"{tail} ({MARKED[relation]})" if relation in MARKED else tail


def _flags(pages: dict[str, Page]) -> Iterator[Fact]:
    read = flags.read_flags(pages, {country.name: country.code for country in COUNTRIES})
    for country, flag in read.items():
        for relation, tails in (
            ("flag_colour", flag.colours),
            ("flag_layout", flag.layouts),
            ("flag_shows", flag.things),
        ):
            yield from (Fact(country, relation, _name(relation, tail)) for tail in tails)


def _of(country: Country, page: Page) -> Iterator[tuple[str, Iterable[str]]]:
    """Yield relations and tails of one page."""
    yield "national_colour", flags.national_colours(page)
    yield (
        "national_symbol",
        matching(flags.national_symbols(page), patterns(VOCABULARY / "symbols.txt")),
    )
    yield "in_region", _regions(page)
    yield "faces_hazard", _hazards(page)
    yield "has_disease_risk", _diseases(page)
    yield "member_of", _memberships(page)
    yield "party_to", _agreements(page)
    yield "dependency_of", _owner(page)
    yield "independent_from", _former_ruler(page)
    for relation, (section, field, part, file) in READ.items():
        yield relation, matching(page.text(section, field, part), patterns(VOCABULARY / file))
    for relation, (section, field) in LISTED.items():
        yield relation, things(page.text(section, field))
    for relation, (section, field, part) in PARTNERS.items():
        yield relation, countries_in(page.text(section, field, part))
    yield "borders", _borders(page)


def _borders(page: Page) -> list[str]:
    parts = ("border countries", "regional borders", "regional border", "regional border (1)")
    found = (page.text("Geography", "Land boundaries", part) for part in parts)
    return countries_in(", ".join(found))


def _regions(page: Page) -> list[str]:
    location = page.text("Geography", "Location")
    known = titles(VOCABULARY / "continents.txt")
    larger = {*known, *known.values(), "Oceania", "Arctic Region"}
    references = page.text("Geography", "Map references").split(", ")
    lies = matching(location, patterns(VOCABULARY / "regions.txt"))[:1]
    return lies + [region for region in references if region in larger]


def _hazards(page: Page) -> list[str]:
    text = page.text("Geography", "Natural hazards")
    common = "; ".join(clause for clause in clauses(text) if not RARE.search(clause))
    volcanoes = "; volcanoes" * bool(page.text("Geography", "Natural hazards", "volcanism"))
    return matching(common + volcanoes, patterns(VOCABULARY / "hazards.txt"))


def _diseases(page: Page) -> list[str]:
    found = page.sections.get("People and Society", {}).get("Major infectious diseases") or {}
    parts = [
        page.text("People and Society", "Major infectious diseases", part)
        for part in sorted(found)
        if part != "note"
    ]
    return matching("; ".join(parts), patterns(VOCABULARY / "diseases.txt"))


def _memberships(page: Page) -> list[str]:
    """Return the full members' organisations: not those a country only watches or applies to."""
    full = titles(VOCABULARY / "organisations.txt")
    text = page.text("Government", "International organization participation")
    found = []
    for item in re.split(r"[,;]\s*(?![^()]*\))", text):
        name, _, remark = item.partition("(")
        if name.strip() in full and not PARTIAL.search(remark):
            found.append(full[name.strip()])
    return found


def _agreements(page: Page) -> list[str]:
    text = page.text("Geography", "Environment - international agreements", "party to").lower()
    known = names(VOCABULARY / "agreements.txt")
    return [known[item.strip(" .")] for item in text.split(",") if item.strip(" .") in known]


def _owner(page: Page) -> list[str]:
    status = clauses(page.text("Government", "Dependency status"))[:1]
    return matching(status[0], patterns(VOCABULARY / "powers.txt"))[:1] if status else []


def _former_ruler(page: Page) -> list[str]:
    text = page.text("Government", "Independence")
    found = re.search(r"\(?\bfrom ([^;)]*)", "" if text.startswith("none") else text)
    return matching(found[1], patterns(VOCABULARY / "powers.txt")) if found else []
