"""Models written for OpenKE: what they are given and what they answer, translated both ways.

A model in OpenKE's form is a subclass of :class:`Model`
with

- ``forward(data)``: Float["n"], the scores of all triples of a batch; what they mean depends on
  the loss they are trained with: OpenKE's MarginLoss wants true triples low, the others high;
- ``predict(data)``: Float["n"] as an array, always low for true triples;
- optionally ``regularization(data)`` and ``l3_regularization()``.

``data`` is a dict of ``batch_h``, ``batch_r``, ``batch_t`` (Int["n"] each), ``batch_y`` (1 for
facts, -1 for negatives; only in training) and ``mode``. A batch of b positives with k negatives
each is k + 1 blocks of b triples, the positives first. In mode ``head_batch`` only heads are
replaced, and ``batch_r``, ``batch_t`` are Int["b"]; in ``tail_batch`` only tails are.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from openke.data.batch import Batch, Data, Side, training_data
from openke.module.loss.loss import Loss
from openke.module.loss.margin_loss import MarginLoss
from openke.module.model.model import Model
from openke.module.scoring.compare import Compare
from openke.module.scoring.encodings import Encodings
from openke.module.scoring.negatives import Occurrences, Scores


def in_house_form(model: Model, loss: Loss | None = None) -> Model:
    """Return ``model``, or where it is written for OpenKE, a :class:`Translated` view of it.

    Parameters
    ----------
    model
        What scores.
    loss
        What it is trained with: tells which way its ``forward`` points.

    Raises
    ------
    ValueError
        Not a subclass of :class:`Model`.
    """
    if not isinstance(model, Model):
        raise ValueError(
            f"found a model of type {type(model).__name__}, expected a subclass of "
            "openke.module.model.Model"
        )
    return Translated(model, loss) if model.in_openke_form else model


class DictScores(Scores):
    """Scores that know the dict they were made of, for the model's own penalty."""

    data: Data


class Translated(Model):
    """A model written for OpenKE, seen as a model of this package: higher scores are better.

    Training calls ``forward`` once for each batch, evaluation ``predict`` once for each distinct
    query: none of the package's kernels is used.

    Parameters
    ----------
    model
        The user's model; its parameters stay its own.
    loss
        What it is trained with, see :func:`in_house_form`.
    """

    def __init__(self, model: Model, loss: Loss | None = None) -> None:
        super().__init__(model.ent_tot, model.rel_tot)
        self.model = model
        self.sign = -1.0 if isinstance(loss, MarginLoss) else 1.0

    def forward(self, batch: Batch) -> DictScores:
        """Score a batch by one call of the model's ``forward``."""
        data = training_data(batch)
        b, columns = len(batch), 1 + batch.negative.shape[-1]
        values = self._checked("forward", self.model(data), b * columns)
        table = self.sign * values.view(columns, b).t()  # [b 1+k]
        everyone = torch.arange(self.ent_tot, device=table.device)
        occurrences = Occurrences(everyone, batch.head.reshape(-1), batch.tail.reshape(-1))
        scores = DictScores(
            table[:, 0], table[:, 1:], batch.mask, occurrences, batch.relation.reshape(-1)
        )
        scores.data = data
        return scores

    def regularization(self, scores: Scores) -> Tensor:
        """Return the model's own ``regularization(data)``."""
        self._needs("regularization", "regul_rate", Model.regularization)
        assert isinstance(scores, DictScores)
        penalty: Tensor = self.model.regularization(scores.data)  # type: ignore[arg-type]
        return penalty

    def l3_regularization(self) -> Tensor:
        """Return the model's own ``l3_regularization()``."""
        self._needs("l3_regularization", "l3_regul_rate", Model.l3_regularization)
        return self.model.l3_regularization()

    def encode(self, entities: Tensor) -> Encodings:
        """Return "entity": the ids themselves, Int["u"]."""
        return {"entity": entities}

    def query(self, anchor: Encodings, relation: Tensor, side: Side) -> Encodings:
        """Return the queries as they were asked: ids, and whether the head is asked for."""
        asks_head = torch.full_like(relation, side == "head", dtype=torch.bool)
        return {"anchor": anchor["entity"], "relation": relation, "asks_head": asks_head}

    def match(self, query: Encodings, candidates: Encodings, compare: Compare) -> Tensor:
        """Return minus the model's ``predict``."""
        entities = candidates["entity"]
        anchor, relation, asks_head = query["anchor"], query["relation"], query["asks_head"]
        known, asked = compare.meet(anchor, entities)
        if known.dim() == 1:  # listed pairs
            r, for_head = compare.meet(relation, entities)[0], compare.meet(asks_head, entities)[0]
            head, tail = torch.where(for_head, asked, known), torch.where(for_head, known, asked)
            return self._predict(head, r, tail, "normal", len(r))
        answers = [
            self._predict(entities, r, known, "head_batch", len(entities))
            if for_head
            else self._predict(known, r, entities, "tail_batch", len(entities))
            for known, r, for_head in zip(
                torch.split(anchor, 1), torch.split(relation, 1), asks_head.tolist(), strict=True
            )
        ]
        return torch.stack(answers)

    def entity_embeddings(self, entities: Tensor) -> Tensor:
        """Refuse: only the model's own penalties know its tables."""
        raise TypeError(
            f"{type(self.model).__name__} is written for OpenKE: its tables are its own"
        )

    def relation_embeddings(self, relation: Tensor) -> Tensor:
        """Refuse, as :meth:`entity_embeddings` does."""
        return self.entity_embeddings(relation)

    def _predict(self, head: Tensor, relation: Tensor, tail: Tensor, mode: str, n: int) -> Tensor:
        predict: Any = self.model.predict
        if type(self.model).predict is Model.predict:
            raise ValueError(
                f"{type(self.model).__name__} has no predict(data), which evaluation calls"
            )
        data = {"batch_h": head, "batch_t": tail, "batch_r": relation, "mode": mode}
        return -self._checked("predict", predict(data), n).to(head.device)

    def _checked(self, method: str, values: Any, expected: int) -> Tensor:
        scores = torch.as_tensor(values)
        if scores.numel() != expected:
            raise ValueError(
                f"{type(self.model).__name__}.{method} returned {scores.numel()} scores, expected "
                f"{expected}: one for each triple"
            )
        return scores.reshape(-1)

    def _needs(self, method: str, option: str, inherited: Any) -> None:
        if getattr(type(self.model), method) is inherited:
            raise ValueError(
                f"{option} is not 0, but {type(self.model).__name__} has no {method}: write one, "
                f"or leave {option} out"
            )
