"""Templates, and prompts longer than CLIP reads."""

import re

import pytest

from lbmkgc_models.features.lvmc.prompt import PromptTemplate, split_prompt


@pytest.mark.parametrize(
    ("template", "both", "bare"),
    [
        ("a photo of {label}, {description}", "a photo of Dog!, a pet", "a photo of Dog!"),
        ("{label} ({description}), outdoors", "Dog! (a pet), outdoors", "Dog!, outdoors"),
        ("{label}: {description}, in oil", "Dog!: a pet, in oil", "Dog!, in oil"),
        ("{description}. A photo of {label}", "a pet. A photo of Dog!", "A photo of Dog!"),
        ("{label} – {description}.", "Dog! – a pet.", "Dog!."),
        ("{label}", "Dog!", "Dog!"),
        ("{{description}} of {label}", "{description} of Dog!", "{description} of Dog!"),
    ],
)
def test_a_missing_description_leaves_no_traces(template: str, both: str, bare: str) -> None:
    filled = PromptTemplate(template)
    assert filled.fill("Dog!", "a pet") == both
    assert filled.fill("Dog!", "") == bare


def test_what_stands_in_the_texts_is_left_alone() -> None:
    template = PromptTemplate("a photo of {label}, {description}")
    assert template.fill("A - ({label})", "") == "a photo of A - ({label})"
    assert template.fill("{0}", "{description}") == "a photo of {0}, {description}"
    assert template.fill("two\n  lines", "") == "a photo of two lines"


def test_a_description_alone_and_nothing_at_all() -> None:
    template = PromptTemplate("a photo of {label}, {description}")
    assert template.fill("", "young dog") == "a photo of young dog"
    assert template.fill("", "") == ""


@pytest.mark.parametrize(
    "template", ["", "a dog", "{description}", "{label} {name}", "{label.upper}", "{label!r}", "{}"]
)
def test_fields(template: str) -> None:
    expected = rf"template {re.escape(repr(template))}: expected text with \{{label\}} and, if"
    with pytest.raises(ValueError, match=expected):
        PromptTemplate(template)


def test_braces_that_do_not_match() -> None:
    with pytest.raises(ValueError, match=r"template '\{label': expected '\}' before end of string"):
        PromptTemplate("{label")


def _letters(text: str) -> int:
    return len(text.replace(" ", "")) + 2


@pytest.mark.parametrize(
    ("prompt", "limit", "read", "rest"),
    [
        ("a bc def", 8, "a bc def", ""),
        ("a bc def", 7, "a bc", "def"),
        ("a  bc   def gh", 5, "a  bc", "def gh"),
        ("abcdef gh", 6, "abcd", "ef gh"),
        ("abc " * 10_000, 77, ("abc " * 25)[:-1], "abc " * 9_975),
    ],
)
def test_the_longest_beginning_that_fits(prompt: str, limit: int, read: str, rest: str) -> None:
    assert split_prompt(prompt, _letters, limit) == (read, rest)


def test_no_room_for_a_character() -> None:
    with pytest.raises(ValueError, match="a limit of 2 tokens, expected room for a character of"):
        split_prompt("abc", _letters, 2)
