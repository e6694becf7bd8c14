"""Answers of a trained model, best first: ``openke predict``."""

from __future__ import annotations

import json as json_module
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from tabulate import tabulate

from openke.data.store import SPLITS, Slot, Split, TripleStore
from openke.data.vocabulary import Vocabulary, entity_names, relation_names
from openke.datasets.named_triples import read_named
from openke.evaluation.queries import score_queries
from openke.module.model.model import Model
from openke.module.model.openke_adapter import in_house_form
from openke.module.scoring.all_entities import encode_all
from openke.module.scoring.triples import score_triples
from openke.runs.load import load_run
from openke.runtime.files import write_text

UNKNOWN = "?"
"""Stands for what is asked for in a file of queries."""
SLOTS: tuple[Slot, ...] = ("head", "relation", "tail")


@dataclass(frozen=True)
class Answer:
    """One answer to a query, or one triple that was to be scored."""

    id: int
    name: str
    label: str
    score: float
    known: Split | None
    """The first split that has the triple, if any."""


class Predictor:
    """Asks a trained model; all entities are encoded once.

    Entities and relations are given by id (a number), by name, or by a label of ``labels.tsv``
    that only one has; text is an id only where the data set has no names.

    Parameters
    ----------
    model
        What scores.
    store
        Names and known triples.

    Raises
    ------
    ValueError
        Model and store have different numbers of entities or relations.
    """

    def __init__(self, model: Model, store: TripleStore) -> None:
        if (model.ent_tot, model.rel_tot) != (store.entity_count, store.relation_count):
            raise ValueError(
                f"the model has {model.ent_tot} entities and {model.rel_tot} relations, the data "
                f"{store.entity_count} and {store.relation_count}: they belong to different sets"
            )
        self.store = store
        self.entities = entity_names(store)
        self.relations = relation_names(store)
        self.model = in_house_form(model.eval())
        with torch.inference_mode():
            self._encoded = encode_all(self.model)
        self._device = next(model.parameters()).device

    def tails(
        self, head: int | str, relation: int | str, k: int = 10, *, new: bool = False
    ) -> list[Answer]:
        """Return the k best tails; ``new`` leaves out those known in some split."""
        return self._ask("tail", self.entities.id(head), self.relations.id(relation), k, new)

    def heads(
        self, relation: int | str, tail: int | str, k: int = 10, *, new: bool = False
    ) -> list[Answer]:
        """Return the k best heads; ``new`` leaves out those known in some split."""
        return self._ask("head", self.entities.id(tail), self.relations.id(relation), k, new)

    def between(
        self, head: int | str, tail: int | str, k: int = 10, *, new: bool = False
    ) -> list[Answer]:
        """Return the k best relations; ``new`` leaves out those known in some split."""
        return self._ask("relation", self.entities.id(head), self.entities.id(tail), k, new)

    def judge(self, head: int | str, relation: int | str, tail: int | str) -> Answer:
        """Return the score of a triple, as an answer that is its tail."""
        h, r, t = self.entities.id(head), self.relations.id(relation), self.entities.id(tail)
        with torch.inference_mode():
            ids = (torch.tensor([i], device=self._device) for i in (h, r, t))
            scores = _finite(score_triples(self.model, *ids))
        return self._answer("tail", t, scores[0], self._known("tail", h, r))

    def answer(
        self, head: str | None, relation: str | None, tail: str | None, k: int, new: bool
    ) -> list[Answer]:
        """Return the answers to a query whose one missing part is None; judge a whole triple.

        Raises
        ------
        ValueError
            More than one part is missing.
        """
        if head is not None and relation is not None and tail is not None:
            return [self.judge(head, relation, tail)]
        if head is not None and relation is not None:
            return self.tails(head, relation, k, new=new)
        if relation is not None and tail is not None:
            return self.heads(relation, tail, k, new=new)
        if head is not None and tail is not None:
            return self.between(head, tail, k, new=new)
        raise ValueError("a query gives two of head, relation and tail, and asks for the third")

    def _ask(self, slot: Slot, first: int, second: int, k: int, new: bool) -> list[Answer]:
        if k < 1:
            raise ValueError(f"k is {k}, expected at least 1 answer")
        with torch.inference_mode():
            one, two = (torch.tensor([i], device=self._device) for i in (first, second))
            scores = _finite(score_queries(self.model, slot, one, two, self._encoded)[0])
        known = self._known(slot, first, second)
        order = np.argsort(-scores, kind="stable").tolist()
        best = [i for i in order if not (new and i in known)][:k]
        return [self._answer(slot, i, scores[i], known) for i in best]

    def _known(self, slot: Slot, first: int, second: int) -> dict[int, Split]:
        known: dict[int, Split] = {}
        for split in SPLITS:
            for id in self.store.known(slot, first, second, (split,)).tolist():
                known.setdefault(id, split)
        return known

    def _answer(self, slot: Slot, id: int, score: float, known: dict[int, Split]) -> Answer:
        names: Vocabulary = self.relations if slot == "relation" else self.entities
        return Answer(id, names.name(id), names.title(id), float(score), known.get(id))


def _finite(scores: torch.Tensor) -> NDArray[np.float64]:
    found = scores.double().cpu().numpy()
    if np.isnan(found).any():
        raise ValueError(f"{int(np.isnan(found).sum())} of {found.size} scores are NaN")
    return found


def command(
    run: Path,
    /,
    *,
    head: str | None = None,
    relation: str | None = None,
    tail: str | None = None,
    file: Path | None = None,
    k: int = 10,
    new: bool = False,
    json: bool = False,
    output: Path | None = None,
    data: Path | None = None,
    features: Path | None = None,
    device: str = "auto",
) -> None:
    """Answer (head, relation, ?) and the like by a trained model, known answers marked.

    For example::

        openke predict runs/countries --head Jamaica --relation has_people --k 3

    Parameters
    ----------
    run
        Output folder of a training.
    head
        Head, by name or label, by id where the data set has no names. Leave out the one of the
        three that is asked for; with all three the triple is scored.
    relation
        Relation, likewise.
    tail
        Tail, likewise.
    file
        Queries, one a line: head, relation, tail with tabs between them, ? for what is asked.
    k
        Answers to each query.
    new
        Leave out the answers that are known.
    json
        Write JSON instead of text.
    output
        Write to this file instead of the terminal.
    data
        Folder of the data set; by default where it was in training.
    features
        Folder of features, for models that use them; by default as in training.
    device
        auto, cpu, cuda, cuda:1, mps.
    """
    asked = _queries(head, relation, tail, file)
    loaded = load_run(run, data, features=features, device=device)
    predictor = Predictor(loaded.model, loaded.store)
    answered = [(query, predictor.answer(*query, k, new)) for query in asked]
    if json:
        content = [
            {**dict(zip(SLOTS, q, strict=True)), "answers": [asdict(a) for a in answers]}
            for q, answers in answered
        ]
        text = json_module.dumps(content, indent=2, ensure_ascii=False) + "\n"
    else:
        text = "\n".join(_text(q, answers) for q, answers in answered)
    if output is None:
        print(text, end="")
    else:
        write_text(output, text)


NamedQuery = tuple[str | None, str | None, str | None]


def _queries(
    head: str | None, relation: str | None, tail: str | None, file: Path | None
) -> list[NamedQuery]:
    if file is None:
        if sum(part is not None for part in (head, relation, tail)) < 2:
            raise ValueError("give two of --head, --relation and --tail, or --file")
        return [(head, relation, tail)]
    if (head, relation, tail) != (None, None, None):
        raise ValueError("--file holds the queries: leave out --head, --relation and --tail")
    asked: list[NamedQuery] = []
    for row in read_named(file, "tsv"):
        h, r, t = (None if part == UNKNOWN else part for part in row)
        asked.append((h, r, t))
    return asked


def _text(query: NamedQuery, answers: list[Answer]) -> str:
    title = "\t".join(UNKNOWN if part is None else part for part in query)
    rows: list[list[Any]] = [
        [rank, f"{a.score:.4f}", a.label, "" if a.label == a.name else a.name, a.known or ""]
        for rank, a in enumerate(answers, start=1)
    ]
    header = ["", "score", "answer", "name", "known in"]
    return f"{title}\n{tabulate(rows, header, disable_numparse=True)}\n"
