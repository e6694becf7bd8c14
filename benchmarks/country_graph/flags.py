"""What a flag looks like, read from the Factbook's description of it."""

from __future__ import annotations

import re
from dataclasses import dataclass

from graph_making.words import matching, patterns, titles

from country_graph import VOCABULARY
from country_graph.pages import Page, clauses

COLOURS = patterns(VOCABULARY / "colours.txt")
LAYOUTS = patterns(VOCABULARY / "flag_layout.txt")
THINGS = patterns(VOCABULARY / "flag_things.txt")
CORRECTED = titles(VOCABULARY / "flag_texts.txt")
BORROWED = re.compile(r"^the flag of (?:the )?([\w ]+) is used")
# Remarks inside a clause on what a part means, and clauses that say nothing but that.
REMARK = re.compile(
    r",? (?:(?:which )?(?:represent|symboliz|signify|recall|commemorat|stand)ing\b"
    r"|symbolic of|in the style of|known as|derived? from|so-called) [^,;()]*"
)
MEANING = re.compile(
    r"\b(?:symboli[zs]e[sd]?|represents?|represented|stands?|stood|denotes?|signif(?:y|ies|ied)"
    r"|recalls?|derives?|derived|inspired|similar|said|associated|resembles?|according|reflects?"
    r"|commemorates?|refers?|referred|alludes?|evokes?|adopted|retains?|reminiscent|identif\w+"
    r"|interpreted|expresses|emphasi\w+|indicates?|means|meaning|unfurled|introduced|combines?"
    r"|taken|modeled|influenced|honors?|reminder|corresponds?|traditional|embod\w+|believe|date[sd]?"
    r"|claimed|tradition\w*|replaced|origin\w*|colors (?:are|were|of|in)|legend|folklore"
    r"|principles|echo|symbols? of|considered|official flag|reverse|history|medieval|century"
    r"|has been removed|awarded|manufactured|currently|imperial|used by|House of|officially"
    r"|has come|recognized|roots|design (?:is|was|revives|resembles|and colors)|features are"
    r"|incorporates?|banner is|flag is (?:based|one|often)|invoke|colors and design"
    r"|(?:design|scheme|flag) (?:are )?based|stylized representation)\b|; or simply"
)


@dataclass(frozen=True)
class Flag:
    """Colours, layout and things of a flag, by their names in the vocabularies."""

    colours: tuple[str, ...]
    layouts: tuple[str, ...]
    things: tuple[str, ...]


def visible(text: str) -> str:
    """Return the clauses of a description that say how a flag looks, not what it means."""
    kept = [REMARK.sub("", clause) for clause in clauses(text)]
    return "; ".join(c for i, c in enumerate(kept) if i == 0 or not MEANING.search(c))


def describe(page: Page) -> str:
    """Return the description of a country's flag, corrected where the pictures show another."""
    return CORRECTED.get(page.code) or page.text("Government", "Flag description")


def read_flag(text: str) -> Flag:
    """Read a description."""
    seen = visible(text)
    # The flag of the UK in a corner brings its colours and its crosses.
    colours = seen + ("; red white blue" if "flag of the UK" in seen else "")
    return Flag(
        tuple(matching(colours, COLOURS)),
        tuple(matching(seen, LAYOUTS)),
        tuple(matching(seen, THINGS)),
    )


def read_flags(pages: dict[str, Page], codes: dict[str, str]) -> dict[str, Flag]:
    """Read the flags of all countries that have one; ``codes`` gives each name its page's code.

    A territory that uses the flag of a country has what that country's flag has.
    """
    found = {}
    for name, code in codes.items():
        text = describe(pages[code])
        owner = BORROWED.match(text)
        if owner:
            owner_name = {"US": "United States", "UK": "United Kingdom"}.get(owner[1], owner[1])
            text = describe(pages[codes[owner_name]])
        if text:
            found[name] = read_flag(text)
    return found


def national_colours(page: Page) -> list[str]:
    """Return a country's national colours."""
    text = page.text("Government", "National symbol(s)")
    found = re.search(r"(?:national|union) colors?:([^;]*)", text)
    return matching(found[1], COLOURS) if found else []


def national_symbols(page: Page) -> str:
    """Return what the Factbook says of a country's symbols, without the colours."""
    text = page.text("Government", "National symbol(s)")
    return re.sub(r"[;:]? ?(?:national|union) colors?:[^;]*", "", text)
