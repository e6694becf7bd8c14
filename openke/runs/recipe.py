"""A recipe: everything that decides how a model is trained and watched, as one file."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

import tomli_w
import torch

from openke.data.loader import Loader
from openke.data.query_data_loader import QueryDataLoader
from openke.data.store import TripleStore
from openke.data.train_data_loader import TrainDataLoader
from openke.module.loss import LOSSES
from openke.module.loss.query_losses import QUERY_LOSSES
from openke.module.model import MODELS, Model, Reciprocal
from openke.module.penalty import PENALTIES
from openke.module.settings import NoSettings, configure
from openke.module.strategy import OBJECTIVES, SAMPLING, NegativeSampling, Strategy
from openke.module.strategy.all_entities import AllEntitiesStrategy
from openke.runs.parts import Part, divide, make_part
from openke.runs.places import places, put
from openke.runs.sections import (
    DataSection,
    EvaluationSection,
    FeatureSection,
    TrainingSection,
)
from openke.runtime.files import is_there, read_text, write_text
from openke.runtime.json_text import read_json
from openke.runtime.names import check_known, close_names
from openke.runtime.registry import Registry
from openke.runtime.toml import read_toml
from openke.runtime.values import check_arguments, check_value
from openke.training.callback import Callback
from openke.training.callbacks import Checkpoint
from openke.training.optimizers import OPTIMIZERS
from openke.training.schedule import SCHEDULES, Schedule
from openke.training.trainer import Trainer

Make = Callable[[str, TripleStore, int, Mapping[str, Any]], Model]
"""Makes a model from its name, the triples it trains on, its number of relations and settings."""

FILES = ("in_path", "tri_file", "ent_file", "rel_file")
SETTLED = (*FILES, "batch_size", "nbatches", "seed", "hold_out")
"""Arguments of TrainDataLoader that a recipe settles itself."""
KNOWN_MODELS: Registry[Any] = Registry(MODELS, "openke.models")
"""Models of this package; of others the classes, and functions that rebuild a model of a run."""
READERS: dict[str, Callable[[str], Any]] = {".toml": read_toml, ".json": read_json}
"""Readers of a recipe by the ending of its file."""
SECTIONS: dict[str, type[Any]] = {
    "data": DataSection,
    "features": FeatureSection,
    "training": TrainingSection,
    "evaluation": EvaluationSection,
}


def structural_model(
    name: str, store: TripleStore, relations: int, settings: Mapping[str, Any]
) -> Model:
    """Return a model over structure, of this package or an entry point of another's."""
    check_known("model", name, KNOWN_MODELS)
    kind = KNOWN_MODELS[name]
    if not (isinstance(kind, type) and issubclass(kind, Model)):
        raise ValueError(
            f"model is {name!r}, expected one of {', '.join(map(repr, MODELS))}: {name} "
            "is made with features; give what makes it as make"
        )
    facts = {"triples": store.triples("train")} if kind.needs_triples else {}
    return kind(store.entity_count, relations, **facts, **settings)


class Built(NamedTuple):
    """What a :class:`Recipe` is made into."""

    strategy: Strategy
    loader: Loader
    options: dict[str, Any]
    """Further arguments of :class:`.Trainer`."""
    schedule: Schedule | None


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """The one description of a training, checked when it is made.

    Raises
    ------
    ValueError
        Unknown names, settings that do not exist, or that belong to another kind of training.
    """

    model: Part
    """A registered model, with fields of its ``Config`` beside the name."""
    data: DataSection = field(default_factory=DataSection)
    features: FeatureSection = field(default_factory=FeatureSection)
    training: TrainingSection = field(default_factory=TrainingSection)
    evaluation: EvaluationSection = field(default_factory=EvaluationSection)

    def __post_init__(self) -> None:
        """Check all that needs no data."""
        divide("model", self.model)
        for name, kind in SECTIONS.items():
            check_arguments(name, vars(getattr(self, name)), kind)
        check_known("training.optimizer", self.training.optimizer.lower(), OPTIMIZERS)
        for part in (self._loss, self._penalty, self._schedule):
            part()
        sampling = self.training.sampling
        check_arguments("training.sampling", sampling, TrainDataLoader, but=SETTLED)
        if sampling.get("neg_ent", 1) + sampling.get("neg_rel", 0) < 1:
            raise ValueError(
                "training.sampling has neg_ent 0 and no neg_rel; expected at least one negative "
                "for each positive"
            )

    @property
    def model_name(self) -> str:
        """Name of the model."""
        return divide("model", self.model)[0]

    @property
    def model_settings(self) -> dict[str, Any]:
        """Fields of the model's ``Config``."""
        return divide("model", self.model)[1]

    @classmethod
    def from_dict(cls, content: Mapping[str, Any]) -> Recipe:
        """Return the recipe that a JSON or TOML object describes.

        Raises
        ------
        ValueError
            As for the class; an unknown field lists the known ones.
        """
        check_value("recipe", content, Mapping)
        made = dict(content)
        for name, kind in SECTIONS.items():
            if name in made:
                made[name] = configure(kind, name, made[name])
        check_arguments("", made, cls, owner="recipe")
        return cls(**made)

    def to_dict(self) -> dict[str, Any]:
        """Return the recipe as JSON values, all fields included."""
        found = asdict(self)
        found["model"] = {"name": self.model_name, **self.model_settings}
        if not isinstance(self.features.modalities, str):
            found["features"]["modalities"] = list(self.features.modalities)
        return found

    @classmethod
    def read(cls, path: str | Path) -> Recipe:
        """Read a ``.json`` or ``.toml`` file, or the ``settings.json`` of a run.

        Raises
        ------
        FileNotFoundError, ValueError
            No such file; not JSON or TOML, or no recipe: names the file.
        """
        path = Path(path)
        if not is_there(path):
            raise FileNotFoundError(f"{path}: no such file of a recipe")
        if path.suffix not in READERS:
            endings = " or ".join(READERS)
            raise ValueError(f"{path}: no recipe, expected a file that ends in {endings}")
        text = read_text(path)
        try:
            content = READERS[path.suffix](text)
            # settings.json of a run has its recipe inside, beside what it was resolved to.
            inside = content.get("recipe") if isinstance(content, dict) else None
            return cls.from_dict(content if inside is None else inside)
        except ValueError as error:  # of JSON, TOML and the recipe alike
            raise ValueError(f"{path}: {error}") from error

    def write(self, path: str | Path) -> None:
        """Write the recipe to a ``.json`` or ``.toml`` file; what is None is left out of TOML."""
        path = Path(path)
        content = self.to_dict()
        if path.suffix == ".toml":
            write_text(path, tomli_w.dumps(_without_none(content)))
        else:
            write_text(path, json.dumps(content, indent=2) + "\n")

    def changed(self, changes: Mapping[str, Any]) -> Recipe:
        """Return the recipe with other values at some places.

        Parameters
        ----------
        changes
            Place -> value, such as ``{"training.lr": 0.05, "training.penalty.weight": 0.1}``.

        Raises
        ------
        ValueError
            A place below something that is no object, or a setting that does not exist.
        """
        content = self.to_dict()
        for place, value in changes.items():
            if "." not in place:
                _check_top(place, content)
            put(content, place, value)
        return Recipe.from_dict(content)

    def build(self, store: TripleStore, *, make: Make = structural_model) -> Built:
        """Make what trains on a data set; sets PyTorch's seed.

        Parameters
        ----------
        store
            The triples; with ``data.hold_out`` the loader's store is the divided one.
        make
            Makes the model; by default one over structure.

        Raises
        ------
        ValueError
            An unknown model, settings it does not have, or a strategy it does not admit.
        """
        torch.manual_seed(self.training.seed)
        loader = self._loader(store)
        relations = store.relation_count * (2 if self.training.reciprocal else 1)
        model = make(self.model_name, loader.store, relations, self.model_settings)
        strategy = self._strategy(Reciprocal(model) if self.training.reciprocal else model)
        return Built(strategy, loader, self._options(), self._schedule())

    def trainer(
        self,
        store: TripleStore,
        *,
        make: Make = structural_model,
        device: str | None = None,
        callbacks: Sequence[Callback] = (),
        progress: bool = True,
    ) -> Trainer:
        """Return a Trainer of what :meth:`build` makes.

        The schedule comes after what measures among ``callbacks``, such as a Validation, and before
        the first Checkpoint, which has to save the rate of the epoch that follows.
        """
        built = self.build(store, make=make)
        watching = list(callbacks)
        if built.schedule is not None:
            saving = (i for i, found in enumerate(watching) if isinstance(found, Checkpoint))
            watching.insert(next(saving, len(watching)), built.schedule)
        return Trainer(
            built.strategy,
            built.loader,
            **built.options,
            device=device,
            callbacks=watching,
            progress=progress,
        )

    def _loader(self, store: TripleStore) -> Loader:
        t = self.training
        common: Any = {
            "batch_size": t.batch_size,
            "seed": t.seed,
            "hold_out": self.data.hold_out,
        }
        kind, _ = self._objective()
        if issubclass(kind, AllEntitiesStrategy):
            asked: Any = {"answer_weights": t.answer_weights, "one_side": t.one_side}
            return QueryDataLoader(store, targets=kind.targets, **asked, **common)
        negatives = t.sampling.get("neg_ent", 1)
        if negatives > store.entity_count:
            raise ValueError(
                f"training.sampling.neg_ent is {negatives}, the negatives of a triple, but "
                f"{store.name} has {store.entity_count} entities; set it to so many or fewer"
            )
        return TrainDataLoader(store, **common, **t.sampling)

    def _strategy(self, model: Model) -> Strategy:
        t = self.training
        kind, settings = self._objective()
        common: Any = {
            **settings,
            "penalty": self._penalty(),
            "auxiliary": t.auxiliary,
            "anchor_dropout": t.dropout,
            "query_dropout": t.query_dropout,
        }
        if issubclass(kind, AllEntitiesStrategy):
            return kind(
                model,
                self._loss(),
                label_smoothing=t.label_smoothing,
                relation_prediction=t.relation_prediction,
                **common,
            )
        rates: Any = {"regul_rate": t.regul_rate, "l3_regul_rate": t.l3_regul_rate}
        return kind(model, self._loss(), **rates, **common)

    def _objective(self) -> tuple[type[AllEntitiesStrategy] | type[NegativeSampling], Any]:
        """Return the strategy and its settings."""
        name, settings = divide("training.objective", self.training.objective)
        return OBJECTIVES[name], settings

    def _loss(self) -> Any:
        """Return a Loss, or the name of the loss of queries."""
        place = "training.loss"
        objective, _ = divide("training.objective", self.training.objective)
        known: Mapping[str, Any] = LOSSES if self.training.samples else QUERY_LOSSES
        name, settings = divide(place, self.training.loss, known)
        where = f" with {objective}"
        if self.training.samples:
            if name in QUERY_LOSSES:
                where += f"; {name} belongs to {' and '.join(_by_queries())}"
            return make_part(place, name, LOSSES, settings, where)
        if name in LOSSES:
            where += f"; {name} belongs to {SAMPLING}"
        check_known(place, name, known, where)
        check_arguments(place, settings, NoSettings, owner=f"{place} {name!r}")
        return name

    def _penalty(self) -> Any:
        if self.training.penalty is None:
            return None
        place = "training.penalty"
        name, settings = divide(place, self.training.penalty, PENALTIES)
        return make_part(place, name, PENALTIES, settings)

    def _schedule(self) -> Schedule | None:
        if self.training.schedule is None:
            return None
        name, settings = divide("training.schedule", self.training.schedule, SCHEDULES)
        return Schedule(name, **settings)

    def _options(self) -> dict[str, Any]:
        """Return arguments of Trainer."""
        t = self.training
        return {
            "train_times": t.epochs,
            "opt_method": t.optimizer,
            "alpha": t.lr,
            "weight_decay": t.weight_decay,
            "lr_decay": t.lr_decay,
            "clip_norm": t.clip_norm,
            "precision": t.precision,
        }


def _by_queries() -> list[str]:
    return [name for name, kind in OBJECTIVES.own.items() if issubclass(kind, AllEntitiesStrategy)]


def _check_top(name: str, content: Mapping[str, Any]) -> None:
    """Raise ``ValueError`` where a name is not at the top of a recipe but may be further inside."""
    if name in content:
        return
    known = {place.rpartition(".")[2]: place for place, _ in places(content)} | {
        top: top for top in content
    }
    if near := close_names(name, known):
        raise ValueError(
            f"recipe has no setting {name!r} (did you mean {known[near[0]]}?); it knows "
            f"{', '.join(content)}"
        )


def _without_none(content: Any) -> Any:
    if isinstance(content, dict):
        return {name: _without_none(v) for name, v in content.items() if v is not None}
    return [_without_none(v) for v in content] if isinstance(content, list | tuple) else content
