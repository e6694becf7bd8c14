"""What a training run left behind, as a model again."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from functools import cached_property
from importlib.metadata import entry_points
from numbers import Integral
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, Literal, Protocol

import torch
from safetensors import SafetensorError
from torch import Tensor

from openke.data.store import TripleStore
from openke.datasets.search import find_dataset
from openke.module.model import Model
from openke.module.model.reciprocal import Reciprocal
from openke.runs.calibration import Calibration, calibrate
from openke.runs.curves import draw_curves
from openke.runs.experiment import Experiment, check_run, seal_run
from openke.runs.explanation import explain
from openke.runs.packed import (
    FEATURES,
    PACKED,
    check_packed,
    pack,
    packed_folder,
    without_facts,
)
from openke.runs.predictor import NamedQuery, Predictor
from openke.runs.recipe import KNOWN_MODELS, structural_model
from openke.runs.weights import read_weights
from openke.runtime.device import choose_device
from openke.runtime.files import read_text, write_text
from openke.runtime.folders import whole_folder
from openke.runtime.json_text import read_json, read_json_file, through_json
from openke.runtime.result_table import ResultTable
from openke.runtime.tensors import require_numbers
from openke.runtime.values import Count, Natural, Share, check_arguments, check_value
from openke.training.checkpoint import differences
from openke.training.history import History

if TYPE_CHECKING:
    from matplotlib.figure import Figure

REBUILDERS = "openke.rebuilders"
"""Entry points of what makes models that need more than triples: "features" -> :data:`Rebuild`."""

Saved = dict[str, Any]
"""The content of ``settings.json``, see :class:`.Experiment`."""
Rebuild = Callable[[TripleStore, Saved, Path | None], Model]
"""Makes a fresh model from the triples, what was saved and a folder of features.

``saved["model"]["relations"]`` says how many relations it has: with reciprocal ones, twice those of
the triples.
"""


class Multimodal(Protocol):
    """What is registered as "features": a :data:`Rebuild` that does more with such models."""

    def __call__(self, store: TripleStore, saved: Saved, features: Path | None) -> Model:
        """Return a fresh model."""

    def pack(self, store: TripleStore, saved: Saved, features: Path | None, folder: Path) -> None:
        """Write what is of use beside triples and weights into a packed data set."""

    def extend(self, run: Path, entities: Any, **options: Any) -> None:
        """Add entities to what the folder of a run has."""

    def contributions(
        self, model: Model, head: Tensor, relation: Tensor, tail: Tensor
    ) -> dict[str, Any]:
        """Return what the score of a triple rests on."""


@dataclass(frozen=True, kw_only=True)
class SavedModel:
    """What is needed of a saved model's identity."""

    model: str
    relations: Count
    settings: Mapping[str, Any]


@dataclass(frozen=True, kw_only=True)
class SavedData:
    """What is needed of the triples a run was trained on."""

    name: str
    fingerprint: str
    directory: str | None = None
    facts: bool = True
    """Whether ``packed`` has them."""


@dataclass(frozen=True, kw_only=True)
class SavedLoader:
    """What is needed of the loader of a run."""

    seed: Natural
    hold_out: Share | None = None


NEEDED: dict[str, type] = {"model": SavedModel, "data": SavedData, "loader": SavedLoader}
"""Parts of ``settings.json`` without which no run is loaded."""


@dataclass(frozen=True)
class Run:
    """A trained model, in evaluation mode, the triples it was trained on and its settings."""

    folder: Path
    model: Model
    store: TripleStore
    saved: Saved
    whole: TripleStore
    """The triples as the data set has them: another store where a part of train was held out."""
    features: Path | None = None
    """The folder of features that was given, None where they are those of training."""
    facts: bool = True
    """Whether the triples are there; without them no answer is known, and none of the stores has
    more than names."""
    kept: TemporaryDirectory[str] | None = field(default=None, repr=False, compare=False)
    """The folder, where it lasts as long as this object."""

    @cached_property
    def report(self) -> dict[str, Any]:
        """The run's ``report.json``: metrics, by relation, category and kind, and the best epoch.

        Raises
        ------
        FileNotFoundError, ValueError
            The folder has none; it is damaged.
        """
        path = self.folder / Experiment.REPORT
        if not path.is_file():
            raise FileNotFoundError(
                f"{path}: no such file; 'openke evaluate {self.folder}' ranks the test split"
            )
        found: Any = read_json_file(path)
        if not isinstance(found, dict):
            raise ValueError(f"{path}: not a report: expected an object of JSON")
        return found

    def plot(self) -> Figure:
        """Return the curves of the training as a figure of matplotlib, see :func:`.draw_curves`.

        ``run.plot().savefig("curves.svg")`` writes it.

        Raises
        ------
        FileNotFoundError
            The folder has no ``training.csv``.
        ValueError
            No epoch has ended.
        """
        path = self.folder / Experiment.LOG
        history = History.read_csv(path)
        if not history.records:
            raise ValueError(f"{path}: no epoch has ended, so there are no curves")
        return draw_curves(history)

    @cached_property
    def predictor(self) -> Predictor:
        """What asks the model; all entities are encoded when it is first needed."""
        return Predictor(self.model, self.store, facts=self.facts)

    @cached_property
    def calibration(self) -> Calibration:
        """What makes probabilities of scores, as the report has it.

        Where the report has none it is fitted to the valid split, when first needed.

        Raises
        ------
        ImportError, ValueError
            See :func:`.calibrate`; what the report has is damaged.
        """
        path = self.folder / Experiment.REPORT
        saved = self.report.get("calibration") if path.is_file() else None
        if saved is None or not self.facts:
            return calibrate(self.predictor)
        try:
            return Calibration.from_dict(saved)
        except (ValueError, TypeError) as error:
            raise ValueError(f"{path}: {error}") from error

    def explain(
        self, head: int | str, relation: int | str, tail: int | str, facts: int = 3
    ) -> dict[str, Any]:
        """Return what the score of a triple rests on, see :func:`.explain`."""
        several = FEATURES in self.saved["model"]
        parts = _multimodal().contributions if several else None
        return explain(self.predictor, head, relation, tail, facts, parts)

    def predict(
        self,
        head: Given = None,
        relation: Given = None,
        tail: Given = None,
        k: int = 10,
        *,
        new: bool = False,
        type_constrain: bool = False,
        probability: bool = False,
    ) -> ResultTable:
        """Return the best answers to one query or to many, as whole triples, best first.

        For example ``run.predict(["Jamaica", "Cuba"], "exports")``.

        Parameters
        ----------
        head, relation, tail
            By name, label or id: one, or a list of them. What is asked for is None; with all three
            the triples are scored.
        k, new, type_constrain
            See :meth:`.Predictor.answer_all`.
        probability
            Say how probable each answer is, see :attr:`calibration`.

        Returns
        -------
        ResultTable
            Columns head, relation, tail, rank, label (of the answer), score and known (the split
            that has the triple, else None); with ``probability`` that of an answer that is new.

        Raises
        ------
        ValueError
            An unknown name, lists of unlike lengths, or not two or three of the parts.
        """
        queries = _queries(head, relation, tail)
        probable = self.calibration.probability if probability else None
        answered = self.predictor.answer_all(
            queries, k, new=new, type_constrain=type_constrain, probability=probable
        )
        rows = [
            (*_triple(query, a.name), rank, a.label, a.score, a.known, a.probability)
            for query, answers in zip(queries, answered, strict=True)
            for rank, a in enumerate(answers, start=1)
        ]
        names = ["head", "relation", "tail", "rank", "label", "score", "known"]
        names += ["probability"] if probability else []
        return ResultTable({name: [row[i] for row in rows] for i, name in enumerate(names)})

    def add_entities(self, entities: Any, **options: Any) -> Run:
        """Return a run that answers for further entities, too, which no training has seen.

        An entity is what its text and picture say. Scores of others stay what they are.

        Parameters
        ----------
        entities
            A table with the columns name, and text or picture or both: see :func:`.read_table`. For
            example ``{"name": ["Lamp 7"], "text": ["A brass lamp"], "picture": ["lamp.png"]}``.
        **options
            ``vectors``, a mapping of modality to rows of features of these entities, in place of
            what would be encoded; ``device``, where to encode.

        Returns
        -------
        Run
            In a folder that lasts as long as it; :meth:`save` keeps it.

        Raises
        ------
        ValueError
            A name that is there already, or twice; an entity of which nothing is said that the
            model uses; a model that knows entities by their facts alone.
        OSError
            A picture or the encoder is not there.
        """
        if FEATURES not in self.saved["model"] or not self.saved["model"][FEATURES]:
            raise ValueError(
                f"{self.saved['model']['model']} of {self.folder} knows entities by their facts "
                "alone: train LBMKGC with texts or pictures to answer for new ones"
            )
        kept = TemporaryDirectory(prefix="openke-")
        folder = self.save(Path(kept.name) / "run")
        _multimodal().extend(folder, entities, **options)
        device = str(next(self.model.parameters()).device)
        return replace(load_run(folder, device=device), kept=kept)

    def embeddings(self, kind: Literal["entity", "relation"] = "entity") -> ResultTable:
        """Return the vectors by which entities, or relations, enter a score: name and vector.

        With pictures and text these are the fused vectors.

        Raises
        ------
        ValueError
            Another kind, or a model written for OpenKE.
        """
        if kind not in ("entity", "relation"):
            raise ValueError(f"kind is {kind!r}, expected entity or relation")
        if self.model.in_openke_form:
            raise ValueError(
                f"{type(self.model).__name__} is written for OpenKE, which does not say what its "
                "vectors are: take them from its get_parameters()"
            )
        device = next(self.model.parameters()).device
        names = self.predictor.entities if kind == "entity" else self.predictor.relations
        ids = torch.arange(names.count, device=device)
        with torch.inference_mode():
            rows = (
                self.model.factors(ids) if kind == "entity" else self.model.relation_embeddings(ids)
            )
        return ResultTable(
            name=[names.name(i) for i in range(names.count)],
            label=[names.title(i) for i in range(names.count)],
            vector=list(rows.float().cpu().numpy()),
        )

    def save(self, path: Path | str, *, facts: bool = True, overwrite: bool = False) -> Path:
        """Copy the run into a folder that holds all that its answers need.

        Settings, weights, report and curves, names, triples, texts, small pictures and the features
        that the model uses. A checkpoint to go on training from stays behind.

        Parameters
        ----------
        path
            The folder.
        facts
            Whether triples, and the page that shows some, go with it. Without them the answers are
            the same, but none is marked as known, and what needs the facts says that they are not
            there: leaving out known answers, what a relation admits, probabilities, evaluation.
        overwrite
            Replace a run that is there, once this one is written.

        Raises
        ------
        FileExistsError
            There is something at ``path``.
        ValueError
            A model that computes with the facts, without them.
        """
        path = Path(path)
        replaced = overwrite and (path / Experiment.SETTINGS).is_file()
        if not replaced and path.exists() and (not path.is_dir() or any(path.iterdir())):
            raise FileExistsError(f"{path} is there already: name another folder")
        if not facts and getattr(self.model, "inner", self.model).needs_triples:
            raise ValueError(
                f"{self.saved['model']['model']} computes with the facts of train: it cannot be "
                "saved without them"
            )
        with whole_folder(path) as draft:
            for name in Experiment.KEPT:
                if (self.folder / name).is_file() and (facts or name != Experiment.PAGE):
                    shutil.copyfile(self.folder / name, draft / name)
            packed = packed_folder(self.folder, self.saved["data"]["name"]).is_dir()
            if packed and (facts or not self.saved["data"].get("facts", True)):
                shutil.copytree(self.folder / PACKED, draft / PACKED)
            else:
                pack(draft, self.whole, self._pack_more, facts=facts)
                if not facts:
                    saved = {**self.saved, "data": {**self.saved["data"], "facts": False}}
                    write_text(draft / Experiment.SETTINGS, json.dumps(saved, indent=2) + "\n")
            seal_run(draft)
        return path

    def _pack_more(self, folder: Path) -> None:
        _multimodal().pack(self.whole, self.saved, self.features, folder)


Given = str | int | Sequence[str | int] | None
"""One name or several; None is asked for."""


def _queries(head: Given, relation: Given, tail: Given) -> list[NamedQuery]:
    head, relation, tail = (
        int(part) if isinstance(part, Integral) else part for part in (head, relation, tail)
    )
    parts: list[Sequence[str | int] | None] = [
        [part] if isinstance(part, (str, int)) else None if part is None else list(part)
        for part in (head, relation, tail)
    ]
    lengths = {len(part) for part in parts if part is not None}
    count = 0 if 0 in lengths else max(lengths, default=0)
    if len(lengths - {1}) > 1:
        raise ValueError(
            f"lists of {', '.join(map(str, sorted(lengths)))} names: expected one length"
        )
    columns = [
        [None] * count if part is None else list(part) * (count if len(part) == 1 else 1)
        for part in parts
    ]
    return list(zip(*columns, strict=True))


def _triple(query: NamedQuery, answer: str) -> list[str]:
    return [answer if part is None else str(part) for part in query]


def load_run(
    folder: Path | str,
    data: Path | None = None,
    *,
    features: Path | None = None,
    device: str | None = None,
    rebuild: Rebuild | None = None,
) -> Run:
    """Rebuild the model of a run from its output folder.

    Parameters
    ----------
    folder
        The ``--out`` folder of a training script: ``settings.json`` and ``model.safetensors``.
    data
        Folder of the data set; by default what the run's folder has of it, else where it was in
        training, else it is looked for by name.
    features
        Folder of features, for models that use them; by default those in the run's folder, else as
        in training.
    device
        See :func:`.choose_device`.
    rebuild
        Makes the model, for one that is neither of this package nor registered as an entry point
        of ``openke.models``.

    Raises
    ------
    FileNotFoundError
        The folder is not that of a finished run, or the data set or the features are gone.
    ValueError
        Another data set or other features than in training, an unknown model, an unreadable file.
    """
    folder = Path(folder)
    saved = _saved(folder)
    packed = packed_folder(folder, saved["data"]["name"])
    facts = data is not None or saved["data"].get("facts", True)
    if packed.is_dir():
        if data is None:
            check_packed(packed)
            data = packed
        if features is None and (packed / FEATURES).is_dir():
            features = packed / FEATURES
    if facts:
        whole, store = _stores(folder, saved, data)
    else:
        whole = store = without_facts(packed)
    model = _rebuilder(saved, rebuild)(store, saved, features)
    if saved["model"].get("reciprocal"):
        model = Reciprocal(model)
    expected, found = through_json(model.identity()), saved["model"]
    if not model.in_openke_form:  # a setting that came after the run has its default
        expected["settings"] = {
            name: value for name, value in expected["settings"].items() if name in found["settings"]
        }
    differing = differences(expected, found)
    if differing:
        raise ValueError(f"{folder}: the model cannot be rebuilt as it was: {'; '.join(differing)}")
    weights = folder / Experiment.WEIGHTS
    try:
        read = read_weights(weights)
        require_numbers(weights, read)
        _check_types(weights, read, model)
        model.load_state_dict(read)
    except (SafetensorError, RuntimeError) as error:
        raise ValueError(
            f"{weights}: not the weights of this {type(model).__name__}: {error}"
        ) from error
    model = model.to(choose_device(device)).eval()
    return Run(folder, model, store, saved, whole, features, facts)


def _check_types(path: Path, read: Mapping[str, Tensor], model: Model) -> None:
    """Raise ``ValueError`` for whole numbers where reals belong: loading would convert them."""
    for name, own in model.state_dict().items():
        found = read.get(name)
        if found is not None and found.is_floating_point() != own.is_floating_point():
            raise ValueError(f"{path}: {name} is of {found.dtype}, expected {own.dtype}")


def _saved(folder: Path) -> Saved:
    for name in (Experiment.SETTINGS, Experiment.WEIGHTS):
        if not (folder / name).is_file():
            hub = not folder.exists() and len(folder.parts) == 2 and not folder.is_absolute()
            raise FileNotFoundError(
                f"{folder / name}: no such file; expected the output folder of a training run that "
                "has ended"
                + ("; a run on the Hugging Face Hub: openke.from_pretrained" if hub else "")
            )
    check_run(folder)
    path = folder / Experiment.SETTINGS
    text = read_text(path)
    try:
        saved: Saved = read_json(text)
        check_value("its content", saved, Mapping)
        for part, kind in NEEDED.items():
            check_value(part, saved.get(part), Mapping)
            needed = {f.name: saved[part][f.name] for f in fields(kind) if f.name in saved[part]}
            check_arguments(part, needed, kind)
    except ValueError as error:
        raise ValueError(f"{path}: not the settings of a run: {error}") from error
    return saved


def _stores(folder: Path, saved: Saved, data: Path | None) -> tuple[TripleStore, TripleStore]:
    """Return the triples of the data set, and those trained on."""
    trained = saved["data"]
    directory = trained.get("directory")
    if data is not None or directory is None or not Path(directory).is_dir():
        directory = find_dataset(trained["name"], data)
    whole = TripleStore.open(directory)
    store = trained_on(whole, saved)
    if store.fingerprint != trained["fingerprint"]:
        raise ValueError(
            f"{folder}: was trained on other triples than {directory} holds: give the data set of "
            "that time by --data"
        )
    return whole, store


def trained_on(whole: TripleStore, saved: Mapping[str, Any]) -> TripleStore:
    """Return what a run trained on, of the triples of its data set."""
    loader = saved["loader"]
    held_out = loader.get("hold_out")
    return whole.hold_out(held_out, loader["seed"]) if held_out else whole


def _rebuilder(saved: Saved, given: Rebuild | None) -> Rebuild:
    name = saved["model"]["model"]
    if given is not None:
        return given
    if FEATURES in saved["model"]:
        return _multimodal()
    if name not in KNOWN_MODELS:
        raise ValueError(not_installed(name, KNOWN_MODELS.group))
    known = KNOWN_MODELS[name]
    if isinstance(known, type):
        return _structural
    other: Rebuild = known
    return other


def _multimodal() -> Multimodal:
    """Return what is registered for models with features.

    Raises
    ------
    ValueError
        Nothing is.
    """
    for entry in entry_points(group=REBUILDERS):
        if entry.name == FEATURES:
            found: Multimodal = entry.load()
            return found
    raise ValueError(f"no entry point {FEATURES!r} of {REBUILDERS!r}: install the package again")


def not_installed(name: str, group: str) -> str:
    """Return the message for a run whose model no installed package registers."""
    return (
        f"the run's model {name!r} is of a package that is not installed: install the one that "
        f"registers it as an entry point of {group!r}, or give load_run a function that makes it"
    )


def _structural(store: TripleStore, saved: Saved, features: Path | None) -> Model:
    model = saved["model"]
    return structural_model(model["model"], store, model["relations"], model["settings"])
