"""A recipe: everything that decides how a model is trained, as one JSON value."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from inspect import signature
from typing import Any, NamedTuple

import torch

from openke.data.loader import Loader
from openke.data.query_data_loader import QueryDataLoader
from openke.data.store import TripleStore
from openke.data.train_data_loader import TrainDataLoader
from openke.module.loss import LOSSES
from openke.module.loss.query_losses import QUERY_LOSSES
from openke.module.model import MODELS, Model, Reciprocal
from openke.module.penalty import PENALTIES
from openke.module.settings import at_least, configure
from openke.module.strategy import KVsAll, NegativeSampling, OneVsAll, Strategy
from openke.module.strategy.all_entities import AllEntitiesStrategy
from openke.runs.recipe_parts import (
    OptimizerSettings,
    Part,
    check_known,
    divide,
    make_part,
)
from openke.training.callback import Callback
from openke.training.openke_setters import check_values
from openke.training.schedule import Schedule
from openke.training.trainer import Trainer

Make = Callable[[str, TripleStore, int, Mapping[str, Any]], Model]
"""Makes a model from its name, the triples it trains on, its number of relations and settings."""

QUESTIONS: dict[str, type[AllEntitiesStrategy]] = {"1vsall": OneVsAll, "kvsall": KVsAll}
TRAININGS = (*QUESTIONS, "negative sampling")
"""What ``training`` may be."""
OF_QUESTIONS = ("label_smoothing", "relation_prediction")
OF_SAMPLING = ("sampling", "regul_rate", "l3_regul_rate")
"""Fields that only one kind of training knows."""
OWN = (
    *("in_path", "tri_file", "ent_file", "rel_file", "batch_size", "nbatches", "seed", "hold_out"),
)
"""Arguments of TrainDataLoader that a recipe settles itself."""
CHECKED = ("opt_method", "train_times", "alpha", "clip_norm")
"""Arguments of Trainer that are checked before there is one."""


def structural(name: str, store: TripleStore, relations: int, settings: Mapping[str, Any]) -> Model:
    """Return a model of this package."""
    check_known("model", name, MODELS)
    kind = MODELS[name]
    facts = {"triples": store.triples("train")} if kind.needs_triples else {}
    return kind(store.entity_count, relations, **facts, **settings)


class Training(NamedTuple):
    """What a :class:`Recipe` is made into."""

    strategy: Strategy
    loader: Loader
    options: dict[str, Any]
    """Further arguments of :class:`Trainer`."""
    schedule: Schedule | None


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """The one description of a training, checked when it is made.

    Raises
    ------
    ValueError
        Unknown names, settings that do not exist, or that belong to another kind of training.
    """

    model: str
    """A registered model."""
    model_settings: Mapping[str, Any] = field(default_factory=dict)
    """Fields of the model's ``Config``."""
    training: str = "1vsall"
    """1vsall, kvsall or negative sampling."""
    reciprocal: bool = False
    """Each relation has an inverse of its own, and only tails are asked for."""
    loss: Part = "softmax"
    """softmax or bce; with negative sampling one of openke.module.loss, with its arguments."""
    sampling: Mapping[str, Any] = field(default_factory=dict)
    """Arguments of TrainDataLoader for negative sampling, such as neg_ent and negatives."""
    label_smoothing: float = 0.0
    """Share of the right answer's weight that is spread over all entities."""
    relation_prediction: float = 0.0
    """Weight of the cross entropy of (h, ?, t) against all relations."""
    penalty: Part | None = None
    """One of openke.module.penalty with its weight, such as {"name": "N3", "weight": 0.05}."""
    regul_rate: float = 0.0
    """Weight of the mean squares of the batch (OpenKE's)."""
    l3_regul_rate: float = 0.0
    """Weight of the cubes of all vectors (OpenKE's)."""
    dropout: float = 0.0
    """Share of the known entity's vectors that a step forgets."""
    query_dropout: float = 0.0
    """Share of the query's vectors that a step forgets."""
    optimizer: Part = "adagrad"
    """sgd, adagrad, adadelta, adam, …, with lr, weight_decay and lr_decay."""
    schedule: Part | None = None
    """One of openke.training.schedule, such as {"name": "cosine", "warm_up": 3}."""
    clip_norm: float | None = None
    """The greatest length of a step's gradient."""
    epochs: int = 100
    """Passes over the train split."""
    batch_size: int = 1000
    """Queries, or with negative sampling positive triples, in a step."""

    def __post_init__(self) -> None:
        """Check all that needs no data."""
        if self.training not in TRAININGS:
            known = ", ".join(map(repr, TRAININGS))
            raise ValueError(f"recipe: training is {self.training!r}, expected one of {known}")
        foreign = OF_SAMPLING if self.training in QUESTIONS else OF_QUESTIONS
        for name in foreign:
            if getattr(self, name):
                raise ValueError(
                    f"recipe: {name} is {getattr(self, name)!r}, but training by {self.training} "
                    "has none; leave it out"
                )
        at_least("recipe", "batch_size", self.batch_size, 1)
        check_values(**{n: v for n, v in self._options().items() if n in CHECKED})
        for part in (self._loss, self._penalty, self._schedule):
            part()
        known_arguments = [n for n in signature(TrainDataLoader).parameters if n not in OWN]
        for name in self.sampling:
            check_known("an argument in sampling", name, known_arguments)

    @classmethod
    def from_json(cls, content: Mapping[str, Any]) -> Recipe:
        """Return the recipe that a JSON object describes.

        Raises
        ------
        ValueError
            As for the class; an unknown field lists the known ones.
        """
        return configure(cls, "recipe", dict(content))

    def to_json(self) -> dict[str, Any]:
        """Return the recipe as JSON values, all fields included."""
        return asdict(self)

    def build(
        self,
        store: TripleStore,
        *,
        make: Make = structural,
        seed: int = 0,
        hold_out: float = 0.0,
    ) -> Training:
        """Make what trains on a data set.

        Parameters
        ----------
        store
            The triples.
        make
            Makes the model; by default one of this package.
        seed
            Of parameters, order and negatives; sets PyTorch's seed.
        hold_out
            As of :class:`.TrainDataLoader`; the loader's store is then the divided one.

        Raises
        ------
        ValueError
            An unknown model, settings it does not have, or a strategy it does not admit.
        """
        torch.manual_seed(seed)
        loader = self._loader(store, seed, hold_out)
        relations = store.relation_count * (2 if self.reciprocal else 1)
        model = make(self.model, loader.store, relations, self.model_settings)
        strategy = self._strategy(Reciprocal(model) if self.reciprocal else model)
        return Training(strategy, loader, self._options(), self._schedule())

    def trainer(
        self,
        store: TripleStore,
        *,
        device: str | None = None,
        callbacks: Sequence[Callback] = (),
        progress: bool = True,
        **building: Any,
    ) -> Trainer:
        """Return a Trainer; ``building`` are further arguments of :meth:`build`.

        The schedule comes after ``callbacks``, so a Validation among them measures first.
        """
        made = self.build(store, **building)
        scheduled = [made.schedule] if made.schedule else []
        return Trainer(
            made.strategy,
            made.loader,
            **made.options,
            device=device,
            callbacks=[*callbacks, *scheduled],
            progress=progress,
        )

    def _loader(self, store: TripleStore, seed: int, hold_out: float) -> Loader:
        common: Any = {"batch_size": self.batch_size, "seed": seed, "hold_out": hold_out}
        if self.training in QUESTIONS:
            return QueryDataLoader(store, targets=QUESTIONS[self.training].targets, **common)
        return TrainDataLoader(store, **common, **self.sampling)

    def _strategy(self, model: Model) -> Strategy:
        common: Any = {
            "penalty": self._penalty(),
            "anchor_dropout": self.dropout,
            "query_dropout": self.query_dropout,
        }
        if self.training in QUESTIONS:
            return QUESTIONS[self.training](
                model,
                self._loss(),
                label_smoothing=self.label_smoothing,
                relation_prediction=self.relation_prediction,
                **common,
            )
        rates: Any = {"regul_rate": self.regul_rate, "l3_regul_rate": self.l3_regul_rate}
        return NegativeSampling(model, self._loss(), **rates, **common)

    def _loss(self) -> Any:
        """Return a Loss, or the name of the loss of questions."""
        name, settings = divide("loss", self.loss)
        if self.training in QUESTIONS:
            check_known("loss", name, QUERY_LOSSES, f" with {self.training}")
            if settings:
                raise ValueError(f"recipe: loss {name!r} has no setting {', '.join(settings)}")
            return name
        return make_part("loss", name, LOSSES, settings, " with negative sampling")

    def _penalty(self) -> Any:
        if self.penalty is None:
            return None
        name, settings = divide("penalty", self.penalty)
        return make_part("penalty", name, PENALTIES, settings)

    def _schedule(self) -> Schedule | None:
        if self.schedule is None:
            return None
        name, settings = divide("schedule", self.schedule)
        return Schedule(name, **settings)

    def _options(self) -> dict[str, Any]:
        """Return arguments of Trainer."""
        name, settings = divide("optimizer", self.optimizer)
        made = configure(OptimizerSettings, f"recipe: optimizer {name!r}", settings)
        return {
            "train_times": self.epochs,
            "opt_method": name,
            "alpha": made.lr,
            "weight_decay": made.weight_decay,
            "lr_decay": made.lr_decay,
            "clip_norm": self.clip_norm,
        }
