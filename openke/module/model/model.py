"""What a model is: the contract of a scorer, with settings, penalties and an identity."""

from __future__ import annotations

import inspect
import math
from dataclasses import asdict
from typing import Any, ClassVar, NoReturn

import torch
from torch import Tensor

from openke.data.batch import Batch
from openke.data.store import TripleStore
from openke.module.model.former_names import FormerNames
from openke.module.model.openke_attributes import OpenKEAttributes
from openke.module.model.parameters import Parameters
from openke.module.scoring.all_entities import ENCODE_BLOCK
from openke.module.scoring.contract import Scorer
from openke.module.scoring.encodings import Encodings
from openke.module.scoring.negatives import Scores, score_batch
from openke.module.settings import NoSettings, configure
from openke.runtime.values import Count, check_value

STEPS = (
    *("encode", "views", "fuse", "query", "match"),
    *("entity_embeddings", "relation_embeddings"),
)
NEEDED = ("query", "match")
"""Steps without a default."""
HOOKS = ("_calc", "_transfer", "predict", "forward", "regularization")
"""What subclasses of OpenKE's models override; here only where a class is in OpenKE's form."""


class Model(FormerNames, OpenKEAttributes, Parameters, Scorer):
    """A scoring function of triples; higher is better.

    A model writes the steps that :class:`.Scorer` describes, at least ``query`` and ``match``; one
    that cannot be written so is a :class:`.Decoder`.

    Parameters
    ----------
    ent_tot, rel_tot
        Numbers of entities and relations.
    *values, **settings
        Fields of the model's ``Config``, in its order or by name.

    Raises
    ------
    TypeError
        A class without ``query`` or ``match``.
    ValueError
        Fewer than one entity or relation, or a setting the model does not have.
    """

    Config: ClassVar[type] = NoSettings
    citation: ClassVar[str]
    needs_triples: ClassVar[bool] = False
    """Whether the model is made with the facts of a graph, as ``triples``."""
    compares_entities: ClassVar[bool] = False
    """Whether there are :meth:`similarities`."""
    unscored: ClassVar[tuple[str, ...]] = ()
    """Names of parts that no score depends on, such as one that chooses negatives."""
    moves_whole: ClassVar[bool] = True
    """Whether every objective moves all parameters; not where some belong to an auxiliary loss, or
    to one objective alone."""
    auxiliary_losses: ClassVar[tuple[str, ...]] = ()
    """Names of what :meth:`auxiliary_loss` knows."""
    unscored_encodings: ClassVar[tuple[str, ...]] = ()
    """Names of encodings that no score depends on, such as one of an auxiliary loss."""

    def __init_subclass__(cls, **options: Any) -> None:
        """Accept a class written for OpenKE, which :mod:`.openke_adapter` translates.

        Such a class has its own ``forward`` and either ``predict`` or not all of the steps; no
        step of it is ever called.

        Raises
        ------
        TypeError
            A subclass of a model of this package that overrides what only OpenKE calls.
        """
        super().__init_subclass__(**options)
        if "relation_query" not in vars(cls) and set(STEPS) & set(vars(cls)):
            cls.linear_in_relation = False  # what is inherited says how another class scores
        missing = [step for step in NEEDED if getattr(cls, step) is getattr(Model, step)]
        if cls.forward is not Model.forward and (missing or cls.predict is not Model.predict):
            cls.in_openke_form = True
            for step in STEPS:
                if getattr(cls, step) is getattr(Model, step):
                    setattr(cls, step, _no_step)
        elif not missing and not cls.in_openke_form:
            _refuse_hooks(cls)

    def __init__(self, ent_tot: int, rel_tot: int, *values: Any, **settings: Any) -> None:
        super().__init__()
        self._check_steps()
        for name, value in (("ent_tot", ent_tot), ("rel_tot", rel_tot)):
            check_value(f"{type(self).__name__}.{name}", value, Count)
        self.ent_tot = ent_tot
        self.rel_tot = rel_tot
        self.config: Any = configure(self.Config, type(self).__name__, settings, values)
        self.keep_settings(self.config)
        if self.in_openke_form:  # constants such classes expect, and their old files hold
            self.register_buffer("zero_const", torch.zeros(1))
            self.register_buffer("pi_const", torch.full((1,), math.pi))

    def factors(self, entities: Tensor, encodings: Encodings | None = None) -> Tensor:
        """Return the vectors that penalties of factors see, such as N3, Float["u d"].

        They are the structural vectors, unless something else joins these; penalties take their
        :meth:`entity_moduli`. ``encodings`` are the entities encoded, where the caller has them.
        """
        return self.entity_embeddings(entities)

    def vectors(self, entities: Tensor) -> Tensor:
        """Return the vectors by which entities (Int["u"]) enter a score, Float["u d"].

        They are what :meth:`encode` returns, side by side. A model whose encodings have no vectors
        has the structural ones.
        """
        blocks = [self._vectors(block) for block in torch.split(entities, ENCODE_BLOCK)]
        return torch.cat(blocks)

    def _vectors(self, entities: Tensor) -> Tensor:
        encoded = self.encode(entities)
        rows = [
            values
            for name, values in encoded.items()
            if name not in self.unscored_encodings
            and values.is_floating_point()
            and values.dim() == 2
        ]
        return torch.cat(rows, dim=1) if rows else self.entity_embeddings(entities)

    def entity_moduli(self, rows: Tensor) -> Tensor:
        """Return the absolute value of each coordinate of structural ``rows``, Float["u m"]."""
        return rows.abs()

    def relation_moduli(self, rows: Tensor) -> Tensor:
        """Return the absolute value of each coordinate of relation ``rows``, Float["q m"]."""
        return rows.abs()

    def forward(self, batch: Batch) -> Scores:
        """Score a batch's positives and negatives."""
        return score_batch(self, batch)

    def auxiliary_loss(
        self, name: str, rows: Encodings, head: Tensor, relation: Tensor, tail: Tensor
    ) -> Tensor:
        """Return a further loss of a batch, a scalar; which weight it has, the recipe says.

        Parameters
        ----------
        name
            One of :attr:`auxiliary_losses`.
        rows
            Distinct entities as :meth:`encode` returns them.
        head, relation, tail : Int["n"]
            All triples scored, negatives included: rows of entities, and ids of relations as
            :meth:`effective_relation` returns them. Against all entities these are the facts
            alone, with the known entity as ``head``.
        """
        raise NotImplementedError(f"{type(self).__name__} has no auxiliary loss {name!r}")

    def similarities(
        self, entities: Tensor, candidates: Tensor, relation: Tensor
    ) -> dict[str, Tensor]:
        """Return how alike each entity is to all candidates, as a relation sees them.

        For strategies that choose negatives; only where :attr:`compares_entities`. ``entities``
        and ``relation`` are Int["b"], ``candidates`` Int["c"]. What is returned is cosines,
        Float["b c"], by what they compare: "structure" and modalities.
        """
        raise NotImplementedError(f"{type(self).__name__} does not compare entities")

    def constrain(self) -> None:
        """Put parameters back to where they must be, such as rows of length 1; nothing by default.

        Called without gradients, before the first step of a training and after each.
        """

    def begin_epoch(self, epoch: int) -> None:
        """Renew buffers that hold for an epoch, counted from 0; nothing by default.

        Called without gradients before an epoch's first step. What is renewed so is saved with the
        parameters, as a training may end, or go on, in the middle of an epoch.
        """

    def pair_inverses(self) -> None:
        """Learn that each relation of the second half is the inverse of one of the first.

        Called once, where :class:`.Reciprocal` is put around the model; nothing by default.
        """

    def entity_part_widths(self) -> tuple[int, ...]:
        """Return the widths of the parts of a structural vector; (): it is one part."""
        return ()

    def relation_part_widths(self) -> tuple[int, ...]:
        """Return the widths of the parts of a relation's vector; (): it is one part."""
        return ()

    def regularization(self, scores: Scores) -> Tensor:
        """Return the mean square of the batch's vectors: (mean h^2 + mean t^2 + mean r^2) / 3.

        Means run over every occurrence in the batch, negatives included, as in OpenKE. Where rows
        have several parts, each part of h, of t and of r is one term of the mean.
        """
        entities = scores.entities
        # Distinct relations are not asked for: their number would have to be waited for on a GPU.
        relations = torch.arange(self.rel_tot + self.inverse_offset, device=scores.relations.device)
        terms = []
        for part in _parts(self.entity_embeddings(entities.ids), self.entity_part_widths()):
            squares = part.square().mean(dim=1)  # [u]
            terms += [squares.index_select(0, at).mean() for at in (entities.head, entities.tail)]
        for part in _parts(self.relation_embeddings(relations), self.relation_part_widths()):
            squares = part.square().mean(dim=1)  # [r]
            share = squares.new_full(scores.relations.shape, 1 / len(scores.relations))
            terms.append(squares @ torch.zeros_like(squares).index_add(0, scores.relations, share))
        return torch.stack(terms).mean()

    def l3_regularization(self) -> Tensor:
        """Return the cubes of all structural and relation vectors, sum |e|^3 + sum |r|^3."""
        device = next(self.parameters()).device
        entities = self.entity_embeddings(torch.arange(self.ent_tot, device=device))
        relations = self.relation_embeddings(torch.arange(self.rel_tot, device=device))
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

    def _check_steps(self) -> None:
        """Raise ``TypeError`` where a step without a default is missing."""
        missing = [step for step in NEEDED if getattr(type(self), step) is getattr(Model, step)]
        if missing:
            raise TypeError(
                f"{type(self).__name__} has no {' and no '.join(missing)}: a model writes both, "
                "one that scores all entities at once derives from Decoder and writes score_all"
            )


def _refuse_hooks(cls: type[Model]) -> None:
    for name in HOOKS:
        method = vars(cls).get(name)
        if name in ("forward", "regularization"):
            foreign = inspect.isfunction(method) and "data" in inspect.signature(method).parameters
        elif name == "predict":
            foreign = method is not None
        else:  # a class with steps of its own may well call its helpers so
            foreign = method is not None and not {*STEPS, "project"} & set(vars(cls))
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
        "openke.module.model.openke_adapter instead"
    )


def _parts(rows: Tensor, widths: tuple[int, ...]) -> tuple[Tensor, ...]:
    return torch.split(rows, list(widths), dim=-1) if widths else (rows,)


def require_same_graph(model: Model, store: TripleStore) -> None:
    """Raise ``ValueError`` unless the model has as many entities and relations as the data."""
    if (model.ent_tot, model.rel_tot) != (store.entity_count, store.relation_count):
        raise ValueError(
            f"the model has {model.ent_tot} entities and {model.rel_tot} relations, the data "
            f"{store.entity_count} and {store.relation_count}: they belong to different sets"
        )
