"""Prompts: a template filled with an entity's label and description, no longer than CLIP reads."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from string import Formatter

FIELDS = ("label", "description")

_FIELD = r"(?<!\{)\{description\}(?!\})"
# With the brackets around it and what sets it off from the words before it.
_DESCRIPTION = re.compile(rf"[\s,;:–—-]*(\(\s*{_FIELD}\s*\)|{_FIELD})")


@dataclass(frozen=True)
class PromptTemplate:
    """Text with the fields ``{label}`` and, where wanted, ``{description}``.

    Raises
    ------
    ValueError
        No ``{label}``, another field, or braces that do not match.
    """

    template: str

    def __post_init__(self) -> None:
        """Check the fields."""
        expected = "expected text with {label} and, if wanted, {description}"
        try:
            parts = [part for part in Formatter().parse(self.template) if part[1] is not None]
        except ValueError as error:
            raise ValueError(f"template {self.template!r}: {error}; {expected}") from None
        names = [name for _, name, _, _ in parts]
        plain = all(not (form or conversion) for _, _, form, conversion in parts)
        if "label" not in names or not set(names) <= set(FIELDS) or not plain:
            raise ValueError(f"template {self.template!r}: {expected}")

    def fill(self, label: str, description: str) -> str:
        """Return the prompt of an entity, one line; "" where both are empty.

        Without a description its field falls away with the comma or brackets that set it off;
        without a label the description stands in its place.
        """
        if not label:
            label, description = description, ""
        if not label:
            return ""
        template = self.template
        if not description:
            template = _DESCRIPTION.sub("", template).lstrip(" ,;:.–—-")
        return " ".join(template.format(label=label, description=description).split())


def split_prompt(prompt: str, tokens: Callable[[str], int], limit: int) -> tuple[str, str]:
    """Split a prompt into the part that is read and the rest, "" for most.

    Parameters
    ----------
    prompt
        One line.
    tokens
        Returns the length of a text in tokens, marks of start and end included.
    limit
        The most tokens that are read: 77 for SDXL's CLIP encoders.

    Returns
    -------
    tuple of str
        The longest beginning of whole words that fits, and what follows it; where not even the
        first word fits, words are cut into characters.
    """
    if tokens(prompt) <= limit:
        return prompt, ""
    words = [found.end() for found in re.finditer(r"\S+", prompt)]
    # Each word and each character is at least a token, so that none beyond the limit can fit.
    for ends in (words[:limit], range(1, limit)):
        for end in reversed(ends):
            if tokens(prompt[:end]) <= limit:
                return prompt[:end], prompt[end:].lstrip()
    raise ValueError(f"a limit of {limit} tokens, expected room for a character of {prompt!r}")
