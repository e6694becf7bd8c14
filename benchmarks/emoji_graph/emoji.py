"""The emoji of the package: their names, tags, places and drawings."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from graph_making.packages import Package

from openke.runtime.json_text import read_json_file

OPENMOJI = Package(
    "openmoji", "17.0.0", "55ee7d13485dec86e9f38c1f3a645a13382d33ff97c0cd845ee824b0aef45e68"
)
# Flags, of which nothing is said but that they are; letters in boxes; logos, which are trademarks;
# skins and hair, which are parts of others.
LEFT_OUT = {
    "brand",
    "country-flag",
    "hair-style",
    "keycap",
    "regional-indicator",
    "skin-tone",
    "subdivision-flag",
}
SHOWN_AS_TEXT = "FE0F"
JOINED = "200D"
PERSONS = {"1F466", "1F467", "1F468", "1F469", "1F9D1", "2640", "2642"}
"""Boys, girls, men, women, persons and the signs of their sex."""
PERSON = re.compile(
    r"\b(?:m[ae]n|wom[ae]n|persons?|people|boys?|girls?|child(?:ren)?|males?|females?|and"
    r"|facing right)\b|[,:]"
)


@dataclass(frozen=True)
class Emoji:
    """One emoji as the package has it."""

    code: str
    """Its code points, such as "1F469-200D-1F680"; names its drawing."""
    name: str
    group: str
    subgroup: str
    tags: tuple[str, ...]

    @property
    def family(self) -> str:
        """Return what it is whoever is shown, and whichever way: man, woman and person are one."""
        return " ".join(PERSON.sub(" ", self.name).split()) or self.name

    @property
    def parts(self) -> list[str]:
        """Return the codes of those that are joined in it, but for persons; none of a single."""
        joined = plain(self.code).split(f"-{JOINED}-")
        return [part for part in joined if part not in PERSONS] if len(joined) > 1 else []


def plain(code: str) -> str:
    """Return code points without those that only say how to show them."""
    return "-".join(point for point in code.split("-") if point != SHOWN_AS_TEXT)


def read_emoji(package: Path) -> list[Emoji]:
    """Return the emoji of the unpacked package that the graph has, in its order.

    Those that are others with another skin are left out. Where two have one name, each has its code
    in it.
    """
    rows = [
        row
        for row in read_json_file(package / "data" / "openmoji.json")
        if not row["skintone"] and row["subgroups"] not in LEFT_OUT
    ]
    counts = Counter(row["annotation"].strip() for row in rows)
    found = []
    for row in rows:
        name, code = row["annotation"].strip(), row["hexcode"]
        tags = f"{row['tags']},{row['openmoji_tags']}".lower().split(",")
        found.append(
            Emoji(
                code=code,
                name=name if counts[name] == 1 else f"{name} ({code})",
                group=row["group"],
                subgroup=row["subgroups"],
                tags=tuple(dict.fromkeys(filter(None, (tag.strip() for tag in tags)))),
            )
        )
    return found
