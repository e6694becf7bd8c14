"""The countries and territories of the graph, and finding their names in texts."""

from __future__ import annotations

import re
from dataclasses import dataclass

from graph_making.words import titles

from country_graph import VOCABULARY


@dataclass(frozen=True)
class Country:
    """A country: page code, name, flag code ("" for none) and other names for it."""

    code: str
    name: str
    flag: str
    others: tuple[str, ...]


def read_countries() -> list[Country]:
    """Read ``vocabulary/countries.txt``."""
    found = []
    for code, rest in titles(VOCABULARY / "countries.txt").items():
        name, flag, others = ([part.strip() for part in rest.split(":")] + [""])[:3]
        synonyms = tuple(filter(None, (other.strip() for other in others.split(","))))
        found.append(Country(code, name, "" if flag == "-" else flag, synonyms))
    return found


COUNTRIES = read_countries()
NAMES = {name: c.name for c in COUNTRIES for name in (c.name, *c.others)}
# Longest first: "South Sudan" is not Sudan.
ANY = re.compile(
    "|".join(rf"(?<!\w){re.escape(name)}(?!\w)" for name in sorted(NAMES, key=len, reverse=True))
)


def countries_in(text: str) -> list[str]:
    """Return the countries a text names, each once, in its order."""
    return list(dict.fromkeys(NAMES[name] for name in ANY.findall(text)))
