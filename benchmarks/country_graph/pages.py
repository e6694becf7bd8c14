"""The Factbook's pages: one JSON file a country, sections of fields of texts."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from openke.runtime.json_text import read_json_file


@dataclass(frozen=True)
class Page:
    """What the Factbook says of one country."""

    code: str
    sections: dict[str, Any]

    def text(self, section: str, field: str, part: str = "text") -> str:
        """Return a text in one line, or "" where there is none."""
        found = (self.sections.get(section) or {}).get(field) or {}
        if isinstance(found, dict):
            # The page of France speaks of its regions apart.
            found = found.get(part) or (part == "text" and found.get("metropolitan France"))
        if isinstance(found, dict):
            found = found.get("text")
        text = " ".join(str(found or "").split())
        return "" if text.strip(". ") in ("NA", "none") else text


def read_pages(package: Path) -> dict[str, Page]:
    """Read the pages by the Factbook's own two-letter code."""
    return {
        path.stem: Page(path.stem, read_json_file(path))
        for path in sorted(package.glob("*/??.json"))
    }


def without_brackets(text: str) -> str:
    """Drop what stands in brackets, nested or left open."""
    shorter = re.sub(r"\s*\([^()]*\)", "", text)
    return shorter.split("(")[0] if shorter == text else without_brackets(shorter)


def clauses(text: str) -> list[str]:
    """Split at the semicolons that stand outside brackets."""
    parts, depth = [""], 0
    for character in text:
        depth = max(0, depth + (character == "(") - (character == ")"))
        if character == ";" and not depth:
            parts.append("")
        else:
            parts[-1] += character
    return [part.strip() for part in parts if part.strip()]


def phrases(text: str) -> list[str]:
    """Split an enumeration into lower-case phrases without brackets, figures and remarks."""
    text = re.split(r"\s*\+\+|\bnote\b", without_brackets(text))[0].lower()
    found = (re.sub(r"[~<>]?\d[\d.,]*\s*%?", "", phrase) for phrase in re.split(r"[,;:]", text))
    return [phrase for phrase in (part.strip(" .-'\"") for part in found) if phrase]
