"""What a model is: encode entities, ask a question, match candidates against it."""

from __future__ import annotations

import inspect
import math
from abc import ABC, abstractmethod
from dataclasses import asdict
from typing import Any, ClassVar, NoReturn

import torch
from torch import Tensor, nn

from openke.data.batch import Batch, Side
from openke.data.store import TripleStore
from openke.module.model import scoring
from openke.module.model.openke_names import OpenKENames
from openke.module.model.parameters import Parameters
from openke.module.model.scoring import Compare, Rows, Scores
from openke.module.settings import NoSettings, at_least, check_number, configure

STEPS = ("encode", "query", "match", "structure", "relation_rows")
HOOKS = ("_calc", "_transfer", "predict", "forward", "regularization")
"""What subclasses of OpenKE's models override; here only where a class is in OpenKE's form."""


class Model(OpenKENames, Parameters, ABC):
    """A scoring function of triples; higher is better.

    A model implements three steps, and every shape of scoring follows from them
    (:mod:`openke.module.model.scoring`): :meth:`encode` runs once for each distinct entity,
    :meth:`query` once for each question, :meth:`match` compares questions with candidates through
    a kernel that never writes a [batch, candidates, dim] array. Where an entity looks different to
    every relation, :meth:`place` runs once for each distinct pair of both.

    Parameters
    ----------
    ent_tot, rel_tot
        Numbers of entities and relations.
    *values, **settings
        Fields of the model's ``Config``, in its order or by name.

    Raises
    ------
    ValueError
        Fewer than one entity or relation, or a setting the model does not have.
    """

    Config: ClassVar[type] = NoSettings
    citation: ClassVar[str]
    relational: ClassVar[bool] = False
    """Whether entities look different to every relation: :meth:`place` then says how."""
    directed: ClassVar[bool] = False
    """Whether (h, r, ?) and (?, r, t) ask different relations, and score a triple differently."""
    inverses: int = 0
    """What questions about heads add to their relation: the ids of inverses, where there are."""
    over_graph: ClassVar[bool] = False
    """Whether the model is made with the facts of a graph, as ``triples``."""
    linear: ClassVar[bool] = False
    """Whether scores are linear in :meth:`relation_rows`: :meth:`between` then says how."""

    def __init_subclass__(cls, **options: Any) -> None:
        """Accept a class written for OpenKE, which :mod:`openke.module.model.lineage` translates.

        Such a class has its own ``forward`` and either ``predict`` or not all of the steps; no
        step of it is ever called.

        Raises
        ------
        TypeError
            A subclass of a model of this package that overrides what only OpenKE calls.
        """
        super().__init_subclass__(**options)
        if "between" not in vars(cls) and set(STEPS) & set(vars(cls)):
            cls.linear = False  # what is inherited says how another class scores
        missing = [step for step in STEPS if getattr(cls, step) is getattr(Model, step)]
        if cls.forward is not Model.forward and (missing or cls.predict is not Model.predict):
            cls.in_openke_form = True
            for step in missing:
                setattr(cls, step, _no_step)
        elif not missing and not cls.in_openke_form:
            _refuse_hooks(cls)

    def __init__(self, ent_tot: int, rel_tot: int, *values: Any, **settings: Any) -> None:
        super().__init__()
        for name, value in (("ent_tot", ent_tot), ("rel_tot", rel_tot)):
            at_least(type(self).__name__, name, value, 1)
        self.ent_tot = ent_tot
        self.rel_tot = rel_tot
        self.config: Any = configure(self.Config, type(self).__name__, settings, values)
        for name in ("margin", "epsilon"):
            if getattr(self.config, name, None) is not None:
                check_number(type(self).__name__, name, getattr(self.config, name))
        self.keep_settings(self.config)
        if self.in_openke_form:  # constants such classes expect, and their old files hold
            self.register_buffer("zero_const", torch.zeros(1))
            self.register_buffer("pi_const", torch.full((1,), math.pi))

    @abstractmethod
    def encode(self, entities: Tensor) -> Rows:
        """Return what scoring needs of distinct ``entities`` (Int["u"]): named Float["u ..."]."""

    def asked(self, relation: Tensor, side: Side) -> Tensor:
        """Return Int["q"], the relation that a question about slot ``side`` really asks.

        It is ``relation`` itself, or where heads are asked for that of its inverse, if it has one.
        """
        return relation + self.inverses if side == "head" and self.inverses else relation

    def place(self, rows: Rows, relation: Tensor) -> Rows:
        """Return encoded entities as relations see them, row by row; only where ``relational``.

        ``rows`` are named Float["p ..."] of :meth:`encode`, ``relation`` is Int["p"], as
        :meth:`asked` returns it. What is returned goes into :meth:`query` and :meth:`match`.
        """
        raise NotImplementedError(f"{type(self).__name__} is not relational")

    @abstractmethod
    def query(self, anchor: Rows, relation: Tensor, side: Side) -> Rows:
        """Return the questions (h, r, ?) or (?, r, t), named Float["q ..."].

        ``anchor`` holds the encoded known entities, ``relation`` is Int["q"], ``side`` the slot
        that is asked for.
        """

    @abstractmethod
    def match(self, query: Rows, candidates: Rows, compare: Compare) -> Tensor:
        """Return scores: ``compare`` decides which queries meet which candidates."""

    @abstractmethod
    def structure(self, entities: Tensor) -> Tensor:
        """Return the structural table's rows, Float["u d"], as the penalties see them."""

    @abstractmethod
    def relation_rows(self, relation: Tensor) -> Tensor:
        """Return the relation table's rows, Float["q d"], as the penalties see them.

        ``relation`` is Int["q"], as :meth:`asked` returns it.
        """

    def factors(self, entities: Tensor, rows: Rows | None = None) -> Tensor:
        """Return the vectors by which entities enter the score, Float["u d"].

        They are the structural rows, unless something else joins these; penalties of factors, such
        as N3, take their :meth:`entity_moduli`. ``rows`` are the entities encoded, where the caller
        has them.
        """
        return self.structure(entities)

    def entity_moduli(self, rows: Tensor) -> Tensor:
        """Return the absolute value of each coordinate of structural ``rows``, Float["u m"]."""
        return rows.abs()

    def relation_moduli(self, rows: Tensor) -> Tensor:
        """Return the absolute value of each coordinate of relation ``rows``, Float["q m"]."""
        return rows.abs()

    def forward(self, batch: Batch) -> Scores:
        """Score a batch's positives and negatives."""
        return scoring.score_batch(self, batch)

    def between(self, head: Rows, tail: Rows) -> Tensor:
        """Return Float["q d"], whose dot product with a relation's row is (h, r, t)'s score.

        ``head`` and ``tail`` hold encoded entities, pair by pair; only where :attr:`linear`.
        """
        raise NotImplementedError(f"{type(self).__name__} is not linear in its relations")

    def structure_widths(self) -> tuple[int, ...]:
        """Return the widths of the parts of a structural row; (): it is one part."""
        return ()

    def relation_widths(self) -> tuple[int, ...]:
        """Return the widths of the parts of a relation's row; (): it is one part."""
        return ()

    def regularization(self, scores: Scores) -> Tensor:
        """Return the mean square of the batch's vectors: (mean h^2 + mean t^2 + mean r^2) / 3.

        Means run over every occurrence in the batch, negatives included, as in OpenKE. Where rows
        have several parts, each part of h, of t and of r is one term of the mean.
        """
        entities = scores.entities
        # Distinct relations are not asked for: their number would have to be waited for on a GPU.
        relations = torch.arange(self.rel_tot + self.inverses, device=scores.relations.device)
        terms = []
        for part in _parts(self.structure(entities.ids), self.structure_widths()):
            squares = part.square().mean(dim=1)  # [u]
            terms += [squares[entities.head].mean(), squares[entities.tail].mean()]
        for part in _parts(self.relation_rows(relations), self.relation_widths()):
            squares = part.square().mean(dim=1)  # [r]
            share = squares.new_full(scores.relations.shape, 1 / len(scores.relations))
            terms.append(squares @ torch.zeros_like(squares).index_add(0, scores.relations, share))
        return torch.stack(terms).mean()

    def l3_regularization(self) -> Tensor:
        """Return the cubes of all structural and relation vectors, sum |e|^3 + sum |r|^3."""
        device = next(self.parameters()).device
        entities = self.structure(torch.arange(self.ent_tot, device=device))
        relations = self.relation_rows(torch.arange(self.rel_tot, device=device))
        return entities.abs().pow(3).sum() + relations.abs().pow(3).sum()

    def identity(self) -> dict[str, Any]:
        """Return what a checkpoint must agree on: class, sizes and settings, as JSON values."""
        settings: dict[str, Any] = (
            {name: list(parameter.shape) for name, parameter in self.named_parameters()}
            if self.in_openke_form
            else asdict(self.config)
        )
        return {
            "model": type(self).__name__,
            "entities": self.ent_tot,
            "relations": self.rel_tot,
            "settings": settings,
        }


def _refuse_hooks(cls: type[Model]) -> None:
    for name in HOOKS:
        method = vars(cls).get(name)
        if name in ("forward", "regularization"):
            foreign = inspect.isfunction(method) and "data" in inspect.signature(method).parameters
        elif name == "predict":
            foreign = method is not None
        else:  # a class with steps of its own may well call its helpers so
            foreign = method is not None and not {*STEPS, "place"} & set(vars(cls))
        if foreign:
            base = next(parent for parent in cls.__mro__[1:] if issubclass(parent, Model))
            raise TypeError(
                f"{cls.__name__}.{name} is a method of OpenKE's and would never be called: "
                f"{base.__name__} scores by encode, query and match here. Either derive "
                f"{cls.__name__} from openke.module.model.Model, with forward(data) and "
                "predict(data) of its own, or override encode, query or match"
            )


def _no_step(model: Model, *_: object) -> NoReturn:
    raise TypeError(
        f"{type(model).__name__} is written for OpenKE: ask in_house_form(model) of "
        "openke.module.model.lineage instead"
    )


def table(
    rows: int, dim: int, bound: float | None = None, scale: float | None = None
) -> nn.Embedding:
    """Return an embedding table [rows, dim], uniform in +-bound, by default Xavier's bound.

    With ``scale`` it is normal with that standard deviation instead.
    """
    embedding = nn.Embedding(rows, dim)
    if scale is not None:
        nn.init.normal_(embedding.weight, std=scale)
        return embedding
    limit = math.sqrt(6 / (rows + dim)) if bound is None else bound
    nn.init.uniform_(embedding.weight, -limit, limit)
    return embedding


def start_bound(owner: str, margin: float | None, epsilon: float | None, dim: int) -> float | None:
    """Return (margin + epsilon) / dim, OpenKE's bound of fresh tables; None unless both are set."""
    if margin is None or epsilon is None:
        return None
    at_least(owner, "margin + epsilon", margin + epsilon, 0)
    return (margin + epsilon) / dim


def _parts(rows: Tensor, widths: tuple[int, ...]) -> tuple[Tensor, ...]:
    return torch.split(rows, list(widths), dim=-1) if widths else (rows,)


def require_same_graph(model: Model, store: TripleStore) -> None:
    """Raise ``ValueError`` unless the model has as many entities and relations as the data."""
    if (model.ent_tot, model.rel_tot) != (store.entity_count, store.relation_count):
        raise ValueError(
            f"the model has {model.ent_tot} entities and {model.rel_tot} relations, the data "
            f"{store.entity_count} and {store.relation_count}: they belong to different sets"
        )
