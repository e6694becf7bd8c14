"""The facts of the graph: what tags, places, parts and drawings say of each emoji."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence

from graph_making.fact import Fact
from graph_making.split import Key

from emoji_graph.emoji import Emoji, plain
from emoji_graph.tags import RELATIONS, Tags, restated, words_of

PERCEPTUAL = ("drawn_in", "has_shape", "shows")
FAMILIES = 3
"""Of how many families a tag is at least."""
# Different things may share a word; these carry theirs in the name.
MARK = re.compile(r" \((?:tag|colour|subgroup|group|[0-9A-F-]{4,})\)$")


def read_facts(emoji: Sequence[Emoji], colours: Mapping[str, Sequence[str]]) -> set[Fact]:
    """Return all facts.

    What an emoji's own name says already, such as that a red circle is red, is none: text would
    answer it.

    Parameters
    ----------
    emoji
        Those of the graph.
    colours
        Of each drawing, by the emoji's name.
    """
    by_code = {plain(one.code): one for one in emoji}
    tags = Tags(tag for one in emoji for tag in one.tags)
    found = {
        Fact(f"{one.subgroup} (subgroup)", "in_group", f"{one.group} (group)") for one in emoji
    }
    for one in emoji:
        own = words_of(one.name)
        found.add(Fact(one.name, "in_subgroup", f"{one.subgroup} (subgroup)"))
        found |= {
            Fact(one.name, relation, tail)
            for relation, tail in _of(one, tags, colours, by_code)
            if not restated(MARK.sub("", tail), own)
        }
    return found - _rare(found, {one.name: one.family for one in emoji})


def _of(
    one: Emoji, tags: Tags, colours: Mapping[str, Sequence[str]], by_code: Mapping[str, Emoji]
) -> Iterator[tuple[str, str]]:
    """Yield relations and tails of one emoji."""
    for tag in one.tags:
        read = tags.read(tag)
        # A synonym of a tag may be in the name where the tag's word is not.
        if read is not None and not restated(tag, words_of(one.name)):
            yield read[0], f"{read[1]} (tag)"
    for colour in colours.get(one.name, ()):
        yield "drawn_in", f"{colour} (colour)"
    for part in one.parts:
        # A man juggling is no more than a person juggling: there nothing is added.
        if part in by_code and by_code[part].family != one.family:
            yield "made_of", by_code[part].name


def _rare(facts: Iterable[Fact], families: Mapping[str, str]) -> set[Fact]:
    """Return the facts of tags that too few families have."""
    with_tag: dict[str, list[Fact]] = defaultdict(list)
    for fact in facts:
        if fact.relation in RELATIONS:
            with_tag[fact.tail].append(fact)
    return {
        fact
        for found in with_tag.values()
        if len({families[fact.head] for fact in found}) < FAMILIES
        for fact in found
    }


def together(fact: Fact, families: Mapping[str, str]) -> Key:
    """Return what facts share that give each other away: those of a family, of the same tail."""
    return fact.relation, families.get(fact.head, fact.head), fact.tail


def label(entity: str) -> str:
    """Return an entity's name without the mark that tells it from others."""
    return MARK.sub("", entity)
