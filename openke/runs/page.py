"""A run on one HTML page: metrics, curves, relations, and answers that were right and wrong."""

from __future__ import annotations

import base64
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from openke.data.store import TripleStore
from openke.evaluation.report import RankingReport, ranks
from openke.module.model.model import Model
from openke.runs.calibration import Calibration
from openke.runs.predictor import Answer, Predictor
from openke.runtime.files import write_text
from openke.runtime.pages import render

TEMPLATE = Path(__file__).with_name("page.html.j2")
EXAMPLES = 8
"""Questions shown whose first answer was right, and of those where it was not."""
ANSWERS = 5
"""Answers shown to each."""
WRONG_FROM = 4
"""The least rank of the right answer to a question that is shown as answered wrongly."""
Picture = Callable[[int], bytes]
"""Returns a small JPEG of an entity, b"" where it has no picture."""
RELATIONS = 200
"""Relations shown, the most frequent ones."""


@dataclass(frozen=True)
class Example:
    """One question of the test split, and how it was answered."""

    head: str
    relation: str
    tail: str
    """The right answer."""
    rank: float
    """Among all candidates but other right answers."""
    answers: list[Answer]
    """The best ones; the right one may not be among them."""
    right: int
    """Id of the right answer."""
    given: int
    """Id of the head."""


def write_page(
    path: Path,
    report: RankingReport,
    store: TripleStore,
    model: Model,
    *,
    recipe: Mapping[str, Any],
    curves: Path | None = None,
    calibration: Calibration | None = None,
    picture: Picture | None = None,
    notes: Mapping[str, Any] | None = None,
) -> None:
    """Write the page; nothing on it is fetched from elsewhere.

    Parameters
    ----------
    path
        The page, replaced whole.
    report
        Ranks of the test split.
    store
        Its triples and names.
    model
        What answered.
    recipe
        How it was trained.
    curves
        The picture of the training, left out where it is not there.
    calibration
        How good probabilities of its answers are, where there are some.
    picture
        Returns the pictures of entities.
    notes
        What else the report says, such as which features a model had; "worth", what each part of a
        mixture is worth by relation and side.

    Raises
    ------
    OSError
        The file cannot be written.
    """
    content = report.to_dict()
    others = dict(notes or {})
    worth = others.pop("worth", {})
    right, wrong = examples(report, store, model)
    page = render(
        TEMPLATE,
        report=content,
        sides=report.sides,
        relations=list(content["by_relation"].items())[:RELATIONS],
        left_out=max(0, len(content["by_relation"]) - RELATIONS),
        groups=_groups(content),
        curves=_embedded(curves),
        calibration=calibration,
        picture=lambda entity: _uri("jpeg", b"" if picture is None else picture(entity)),
        right=right,
        wrong=wrong,
        wrong_from=WRONG_FROM,
        recipe=recipe,
        notes=others,
        worth=worth,
        parts=next((list(sides["head"]) for sides in worth.values()), []),
    )
    write_text(path, page)


def examples(
    report: RankingReport, store: TripleStore, model: Model
) -> tuple[list[Example], list[Example]]:
    """Return questions for a tail that were answered rightly, and such that were not.

    They are drawn evenly, with the report's seed; none where tails were not asked for.
    """
    if "tail" not in report.sides:
        return [], []
    chosen = report.side == "tail"
    place = ranks(report.greater[chosen], report.equal[chosen])
    triples = store.triples("test")
    if len(triples) != len(place):  # ranked was only a part
        return [], []
    random = np.random.default_rng(report.seed or 0)
    predictor = Predictor(model, store)
    found: list[list[Example]] = []
    for some in (np.flatnonzero(place == 1), np.flatnonzero(place >= WRONG_FROM)):
        drawn = np.sort(random.permutation(some)[:EXAMPLES]).tolist()
        found.append([_example(predictor, triples[row].tolist(), place[row]) for row in drawn])
    right, wrong = found
    return right, wrong


def _example(predictor: Predictor, triple: list[int], rank: float) -> Example:
    head, relation, tail = triple
    return Example(
        head=predictor.entities.title(head),
        relation=predictor.relations.title(relation),
        tail=predictor.entities.title(tail),
        rank=float(rank),
        answers=predictor.tails(head, relation, ANSWERS),
        right=tail,
        given=head,
    )


def _groups(content: Mapping[str, Any]) -> list[tuple[str, Mapping[str, Mapping[str, float]]]]:
    """Return the metrics of both sides by kind, category, and whether train has all entities."""
    titles = {
        "by_kind": "kind of relation",
        "by_category": "category of relation",
        "by_seen": "entities in train",
    }
    return [
        (title, next(iter(content[name].values())))
        for name, title in titles.items()
        if content[name]
    ]


def _embedded(picture: Path | None) -> str:
    if picture is None or not picture.is_file():
        return ""
    return _uri("png", picture.read_bytes())


def _uri(kind: str, content: bytes) -> str:
    return f"data:image/{kind};base64,{base64.b64encode(content).decode()}" if content else ""
