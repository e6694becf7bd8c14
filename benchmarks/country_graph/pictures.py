"""Flags and emoji as small PNG files."""

from __future__ import annotations

import io
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from PIL import Image

from country_graph.countries import COUNTRIES
from country_graph.facts import Fact
from country_graph.words import titles
from openke.runtime.json_text import read_json_file

FLAG = (160, 120)
EMOJI = (96, 96)
COLOURS = 128


def render(svg: str, size: tuple[int, int]) -> bytes:
    """Return a drawing on white as a PNG with a palette.

    Raises
    ------
    ModuleNotFoundError
        ``resvg-py`` is not installed.
    """
    import resvg_py

    width, height = size
    png = resvg_py.svg_to_bytes(svg_string=svg, width=width, height=height, skip_system_fonts=True)
    return shrink(Image.open(io.BytesIO(bytes(png))))


def shrink(image: Image.Image) -> bytes:
    """Put an image on white, give it a palette and return its PNG."""
    image = image.convert("RGBA")
    opaque = Image.alpha_composite(Image.new("RGBA", image.size, "white"), image).convert("RGB")
    palette = opaque.quantize(COLOURS, Image.Quantize.MEDIANCUT, dither=Image.Dither.NONE)
    stream = io.BytesIO()
    palette.save(stream, "PNG", optimize=True)
    return stream.getvalue()


def check_tables(facts: Iterable[Fact]) -> None:
    """Refuse tables of pictures that name what the graph does not have.

    Raises
    ------
    ValueError
        They do.
    """
    entities = {entity for fact in facts for entity in (fact.head, fact.tail)}
    unknown = sorted((titles("emoji.txt").keys() | titles("banners.txt").keys()) - entities)
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
    for entity, code in (codes | titles("banners.txt")).items():
        path = flags / "flags" / "4x3" / f"{code}.svg"
        if not path.is_file():
            raise ValueError(f"{path}: no such flag, wanted for {entity}")
        found[entity] = render(path.read_text(encoding="utf-8"), FLAG)
    icons = read_json_file(noto / "icons.json")
    for entity, icon in titles("emoji.txt").items():
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
