"""Entities, relations and answers as the API shows them."""

from __future__ import annotations

from lbmkgc_models.serving.schemas import Answered, Entity, EntityPage, Named
from lbmkgc_models.serving.view import View
from openke.data.vocabulary import Vocabulary
from openke.runs.predictor import Answer

SHORT = 200
"""Characters of a text beside an answer."""


def named(names: Vocabulary, id: int) -> Named:
    """Return an entity or a relation by its id."""
    return Named(id=id, name=names.name(id), title=names.title(id))


def entity(view: View, id: int) -> Entity:
    """Return an entity by its id."""
    one = named(view.entities, id)
    return Entity(id=id, name=one.name, title=one.title, picture=first_picture(view, id))


def entity_page(view: View, id: int, old: int) -> EntityPage:
    """Return all that is known of an entity; those from id ``old`` on were added."""
    head_of, tail_of = view.relations_of(id)
    one = named(view.entities, id)
    return EntityPage(
        id=id,
        name=one.name,
        title=one.title,
        text=view.text(id),
        pictures=[picture_address(id, i) for i in range(len(view.pictures(id)))],
        added=id >= old,
        head_of=[named(view.relations, each) for each in head_of],
        tail_of=[named(view.relations, each) for each in tail_of],
    )


def answered(view: View, answer: Answer, of_entities: bool) -> Answered:
    """Return an answer, with text and picture where it is an entity."""
    text = view.text(answer.id) if of_entities else ""
    return Answered(
        id=answer.id,
        name=answer.name,
        title=answer.label or answer.name,
        score=answer.score,
        known=answer.known,
        probability=answer.probability,
        text=text if len(text) <= SHORT else text[: SHORT - 1] + "…",
        picture=first_picture(view, answer.id) if of_entities else None,
    )


def first_picture(view: View, id: int) -> str | None:
    """Return the address of an entity's first picture, if it has one."""
    return picture_address(id, 0) if view.pictures(id) else None


def picture_address(id: int, number: int) -> str:
    """Return where a picture is found."""
    return f"/api/pictures/{id}/{number}"
