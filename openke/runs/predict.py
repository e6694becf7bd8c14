"""Questions to a saved run: ``openke predict``."""

from __future__ import annotations

import json as json_module
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Any

from tabulate import tabulate

from openke.datasets.named_triples import read_named
from openke.runs.load import Run, load_run
from openke.runs.packed import WITHOUT_FACTS
from openke.runs.predictor import SLOTS, Answer, NamedQuery, Predictor
from openke.runtime.files import write_text
from openke.runtime.values import Count

__all__ = ["Answer", "Predictor"]
UNKNOWN = "?"
"""Stands for what is asked for in a file of queries."""


def command(
    run: Path,
    /,
    *,
    head: str | None = None,
    relation: str | None = None,
    tail: str | None = None,
    file: Path | None = None,
    k: Count = 10,
    new: bool = False,
    type_constrain: bool = False,
    probability: bool = False,
    why: bool = False,
    text: str | None = None,
    picture: Path | None = None,
    entities: Path | None = None,
    json: bool = False,
    output: Path | None = None,
    data: Path | None = None,
    features: Path | None = None,
    device: str = "auto",
) -> None:
    """Answer (head, relation, ?) and the like by a trained model, known answers marked.

    Also of entities that training has not seen, by their text and picture. For example::

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
    type_constrain
        Answer only by entities that the relation admits: those it has in the data, or those that
        the data set's type_constrain.txt lists; and by those that the data say nothing of.
    probability
        Say how probable each new answer is, fitted to the valid split.
    why
        Say of the best answer to each query what its score rests on, and which facts are like it.
    text
        What is known of an entity that training has not seen: the head or tail that is given.
    picture
        A picture of it.
    entities
        A table of several such entities, with the columns name, text and picture.
    json
        Write JSON instead of text.
    output
        Write to this file instead of the terminal.
    data
        Folder of the data set; by default what the run's folder has of it, else where it was in
        training.
    features
        Folder of features, for models that use them; by default as in training.
    device
        auto, cpu, cuda, cuda:1, mps.
    """
    asked = _queries(head, relation, tail, file)
    loaded = load_run(run, data, features=features, device=device)
    if text is not None or picture is not None:
        loaded = loaded.add_entities(_new(head, tail, text, picture), device=device)
    if entities is not None:
        loaded = loaded.add_entities(entities, device=device)
    probable = loaded.calibration.probability if probability else None
    try:
        answers = loaded.predictor.answer_all(
            asked, k, new=new, type_constrain=type_constrain, probability=probable
        )
    except ValueError as error:
        if file is None:
            raise
        raise ValueError(f"{file}: {error}") from error
    answered = list(zip(asked, answers, strict=True))
    reasons = [_why(loaded, q, found) if why and found else None for q, found in answered]
    if json:
        content = [
            {
                **dict(zip(SLOTS, q, strict=True)),
                "answers": [_json(a, probability) for a in found],
                **({"why": reason} if why else {}),
            }
            for (q, found), reason in zip(answered, reasons, strict=True)
        ]
        text = json_module.dumps(content, indent=2, ensure_ascii=False) + "\n"
    else:
        text = "\n".join(
            _text(q, found, probability) + _reason(reason)
            for (q, found), reason in zip(answered, reasons, strict=True)
        )
    if not loaded.facts:
        print(f"{WITHOUT_FACTS}: known answers are not marked", file=sys.stderr)
    if output is None:
        print(text, end="")
    else:
        write_text(output, text)


def _new(
    head: str | None, tail: str | None, text: str | None, picture: Path | None
) -> dict[str, list[Any]]:
    """Return the table of the one entity that is described on the command line."""
    given = [name for name in (head, tail) if name is not None]
    if len(given) != 1:
        raise ValueError(
            "--text and --picture describe a new entity: give its name as --head or as --tail, and "
            "ask for the other; --entities takes several"
        )
    return {"name": given, "text": [text or ""], "picture": [picture and str(picture)]}


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


def _why(run: Run, query: NamedQuery, answers: list[Answer]) -> dict[str, Any]:
    """Return why the best answer is that."""
    h, r, t = (answers[0].id if part is None else part for part in query)
    return run.explain(h, r, t)


def _json(answer: Answer, probability: bool) -> dict[str, Any]:
    found = asdict(answer)
    if not probability:
        del found["probability"]
    return found


def _text(query: NamedQuery, answers: list[Answer], probability: bool) -> str:
    title = "\t".join(UNKNOWN if part is None else str(part) for part in query)
    rows: list[list[Any]] = [
        [rank, f"{a.score:.4f}", a.label, "" if a.label == a.name else a.name, a.known or ""]
        for rank, a in enumerate(answers, start=1)
    ]
    header = ["", "score", "answer", "name", "known in"]
    if probability:
        header.append("probability")
        for row, a in zip(rows, answers, strict=True):
            row.append("" if a.probability is None else f"{a.probability:.1%}")
    return f"{title}\n{tabulate(rows, header, disable_numparse=True)}\n"


def _reason(reason: dict[str, Any] | None) -> str:
    """Return lines that say what a score rests on."""
    if reason is None:
        return ""
    lines = []
    if reason["parts"]:
        parts = ", ".join(f"{name} {value:+.2f}" for name, value in reason["parts"].items())
        lines.append(f"without them the score would lose: {parts}")
    if reason["gate"] is not None:
        lines.append(f"of an entity this relation sees {reason['gate']:.0%} as structure")
    for slot, weights in reason["weights"].items():
        if weights:
            shares = ", ".join(f"{name} {value:.0%}" for name, value in weights.items())
            lines.append(f"modalities of the {slot}: {shares}")
    for fact in reason["facts"]:
        said = " ".join(fact[slot] for slot in SLOTS)
        lines.append(f"like it in train: {said} ({fact['likeness']:.2f})")
    return "".join(f"  {line}\n" for line in lines)
