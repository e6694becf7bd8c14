"""What goes in and out of the API, as JSON."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, StrictInt, StringConstraints

from lbmkgc_models.serving.limits import LIMITS

Given = StrictInt | Annotated[str, StringConstraints(min_length=1, max_length=LIMITS.name)]
"""An id, or a name or label."""
Many = Annotated[int, Field(ge=1, le=LIMITS.answers)]


class Question(BaseModel):
    """Two of the three; the one left out is asked for. With all three the triple is scored."""

    model_config = ConfigDict(extra="forbid")

    head: Given | None = None
    relation: Given | None = None
    tail: Given | None = None


class Questions(BaseModel):
    """Queries that are answered together."""

    model_config = ConfigDict(extra="forbid")

    queries: Annotated[list[Question], Field(min_length=1, max_length=LIMITS.queries)]
    k: Many = 10
    """Answers to each."""
    new: bool = False
    """Leave out those that are known."""
    type_constrain: bool = False
    """Only entities that the relation admits."""


class Named(BaseModel):
    """An entity or a relation."""

    id: int
    name: str
    title: str
    """Its label, where it has one, else its name."""


class Entity(Named):
    """An entity, and the address of its first picture, if it has one."""

    picture: str | None


class EntityPage(Named):
    """All that is known of an entity."""

    text: str
    pictures: list[str]
    """Addresses."""
    added: bool
    """Whether it was added to the server."""
    head_of: list[Named]
    """Relations of which it is the head of some fact in train."""
    tail_of: list[Named]


class Answered(Named):
    """An answer, with its score."""

    score: float
    known: str | None
    """The first split that has the triple, if any."""
    probability: float | None
    """That it is right, where it is not known."""
    text: str
    picture: str | None


class Answers(BaseModel):
    """The answers to a query, best first, and what the query was understood as."""

    head: Named | None
    relation: Named | None
    tail: Named | None
    answers: list[Answered]


class Fact(BaseModel):
    """A fact of train that is like the triple."""

    head: Named
    relation: Named
    tail: Named
    likeness: float


class Why(BaseModel):
    """What a score rests on."""

    score: float
    known: str | None
    parts: dict[str, float]
    """What the score would lose without each part."""
    weights: dict[Literal["head", "tail"], dict[str, float]]
    """How much each modality counts."""
    gate: float | None
    """The relation's share of structure, where the model has one."""
    facts: list[Fact]


class About(BaseModel):
    """What is served."""

    model: str
    dataset: str
    entities: int
    relations: int
    added: int
    facts: bool
    """Whether the graph's facts are there: without them known answers are not marked."""
    metrics: dict[str, Any] | None
    """Of the test split, both sides, where the run has a report."""
    probability: bool
    no_probability: str
    """Why there are none, or ""."""
    calibration_error: float | None
    takes: list[str]
    """By which modalities entities may be added; none where the model needs facts of them."""
    limits: dict[str, float]
