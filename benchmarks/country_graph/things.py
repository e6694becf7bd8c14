"""What is traded, grown, dug and made: phrases of the Factbook as names of things."""

from __future__ import annotations

import re

from graph_making.words import names

from country_graph import VOCABULARY
from country_graph.pages import phrases

THINGS = names(VOCABULARY / "things.txt")
JOINTS = re.compile(r"\s+and\s+|\s+or\s+|\s*[/&]\s*|\s+such as\s+|\s+including\s+|\s+especially\s+")
FIRST = re.compile(
    r"^(?:and|some|other|others|various|small|large|deposits of|potential|possible|including|mostly"
    r"|especially|undeveloped|unexploited|also|modest|limited|substantial|small-scale|major|raw"
    r"|processed|refined|fresh|dried|frozen|minor|extensive|commercial|quality|manufactured"
    r"|amounts of|reserves of|industrial|significant|unworked|low-grade|traditional|e\.g\.) "
)
LAST = re.compile(
    r" (?:production|processing|products?|refining|milling|smelting|making|mining|manufacturing"
    r"|assembly|extraction|deposits|reserves|potential|exports|growing|industry|industries|ores?)$"
)


def things(text: str) -> set[str]:
    """Return the names of the things an enumeration speaks of; what is not known is left out."""
    return {name for phrase in phrases(text) for name in _named(phrase)}


def _named(phrase: str) -> set[str]:
    """Look a phrase up whole, then without its qualifiers, then part by part."""
    phrase = phrase.strip()
    if phrase in THINGS:
        return {THINGS[phrase]}
    parts = [part for part in JOINTS.split(phrase) if part]
    if len(parts) > 1:
        return {name for part in parts for name in _named(part)}
    for qualifier in (FIRST, LAST):
        shorter = qualifier.sub("", phrase)
        if shorter != phrase:
            return _named(shorter)
    return set()
