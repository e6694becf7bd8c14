"""Flags and emoji as small PNG files."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from graph_making.drawing import render
from graph_making.fact import Fact
from graph_making.words import titles

from country_graph import VOCABULARY
from country_graph.countries import COUNTRIES
from openke.runtime.json_text import read_json_file

FLAG = (160, 120)
EMOJI = (96, 96)


def check_tables(facts: Iterable[Fact]) -> None:
    """Refuse tables of pictures that name what the graph does not have.

    Raises
    ------
    ValueError
        They do.
    """
    entities = {entity for fact in facts for entity in (fact.head, fact.tail)}
    unknown = sorted(
        (titles(VOCABULARY / "emoji.txt").keys() | titles(VOCABULARY / "banners.txt").keys())
        - entities
    )
    if unknown:
        raise ValueError(f"pictures of what the graph does not have: {', '.join(unknown)}")


def pictures(flags: Path, noto: Path) -> dict[str, bytes]:
    """Return a picture of each entity that has one: countries' flags, and emoji that show it.

    Raises
    ------
    ValueError
        An icon or a flag of the tables is not in the packages.
    """
    codes = {country.name: country.flag for country in COUNTRIES if country.flag}
    found = {}
    for entity, code in (codes | titles(VOCABULARY / "banners.txt")).items():
        path = flags / "flags" / "4x3" / f"{code}.svg"
        if not path.is_file():
            raise ValueError(f"{path}: no such flag, wanted for {entity}")
        found[entity] = render(path.read_text(encoding="utf-8"), FLAG)
    icons = read_json_file(noto / "icons.json")
    for entity, icon in titles(VOCABULARY / "emoji.txt").items():
        found[entity] = render(_emoji(icons, icon, entity), EMOJI)
    return found


def _emoji(icons: dict[str, Any], icon: str, entity: str) -> str:
    if icon not in icons["icons"]:
        raise ValueError(f"icons.json: no icon {icon!r}, wanted for {entity}")
    drawn = icons["icons"][icon]
    width = drawn.get("width", icons.get("width", 16))
    height = drawn.get("height", icons.get("height", 16))
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" '
        f'viewBox="0 0 {width} {height}">{drawn["body"]}</svg>'
    )
