"""Labels and descriptions: the Factbook's own words on countries, the kind of other entities."""

from __future__ import annotations

import re
from collections.abc import Iterable

from graph_making.fact import Fact
from graph_making.words import titles

from country_graph import VOCABULARY
from country_graph.countries import COUNTRIES
from country_graph.facts import MARKED
from country_graph.pages import Page

SUFFIX = re.compile(rf" \((?:{'|'.join(sorted(set(MARKED.values())))})\)$")
# Perceptual facts are read from the flag's description: no word of a flag goes into a text.
OF_FLAGS = re.compile(r"\bflags?\b|\bbanner|\btricolou?r|\bensign|coat of arms", re.IGNORECASE)
SENTENCE = re.compile(r"(?<=[.!?;])\s+(?=[A-Z\"'(])")


def label(entity: str) -> str:
    """Return an entity's name without the mark that tells it from others."""
    return SUFFIX.sub("", entity)


def descriptions(pages: dict[str, Page], train: Iterable[Fact]) -> dict[str, str]:
    """Return a description of each entity; other entities' kinds follow from train alone."""
    roles = titles(VOCABULARY / "roles.txt")
    found: dict[str, set[str]] = {}
    for fact in train:
        if fact.relation in roles:
            found.setdefault(fact.tail, set()).add(roles[fact.relation])
        if fact.relation == "in_region":
            # Of a region, the larger one it lies in may be all that train tells.
            found.setdefault(fact.head, set()).add(roles["in_region"])
    short = {
        full: short
        for short, full in titles(VOCABULARY / "organisations.txt").items()
        if short != full
    }
    texts = {}
    for entity, kinds in found.items():
        kind = ", ".join(role for role in dict.fromkeys(roles.values()) if role in kinds)
        texts[entity] = f"{kind} ({short[entity]})" if entity in short else kind
    return texts | {country.name: paragraph(pages[country.code]) for country in COUNTRIES}


def paragraph(page: Page) -> str:
    """Return a country's background and geographic note without sentences on flags."""
    parts = (page.text("Introduction", "Background"), page.text("Geography", "Geography - note"))
    sentences = (s for part in parts for s in SENTENCE.split(part.replace("++", "")))
    return " ".join(" ".join(s for s in sentences if s and not OF_FLAGS.search(s)).split())
