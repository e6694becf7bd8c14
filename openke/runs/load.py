"""What a training run left behind, as a model again."""

from __future__ import annotations

import json
import shutil
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, Literal

import torch

from openke.data.store import TripleStore
from openke.module.model import Model
from openke.module.model.mixture import Mixture
from openke.module.model.reciprocal import Reciprocal
from openke.runs.calibration import Calibration, calibrate
from openke.runs.curves import draw_curves
from openke.runs.experiment import Experiment, seal_run
from openke.runs.explanation import Contributions, explain, parts_of_mixture
from openke.runs.mixtures import (
    check_same_graph,
    follow_parts,
    is_mixture,
    part_folders,
    read_mixture_weights,
)
from openke.runs.named_queries import Given, named_queries, triple_of
from openke.runs.packed import (
    FEATURES,
    PACKED,
    check_packed,
    pack,
    packed_folder,
    without_facts,
)
from openke.runs.predictor import Predictor
from openke.runs.rebuilders import Rebuild, multimodal, rebuilder
from openke.runs.saved import Saved, read_saved
from openke.runs.trained_triples import find_triples
from openke.runs.weights import load_weights
from openke.runtime.device import choose_device
from openke.runtime.files import is_there, write_text
from openke.runtime.folders import whole_folder
from openke.runtime.json_text import read_json_file, through_json
from openke.runtime.result_table import ResultTable
from openke.runtime.words import counted
from openke.training.checkpoint import differences
from openke.training.history import History

if TYPE_CHECKING:
    from matplotlib.figure import Figure


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
    parts: tuple[Run, ...] = ()
    """The runs that a mixture is of."""
    kept: TemporaryDirectory[str] | None = field(default=None, repr=False, compare=False)
    """The folder, where it lasts as long as this object."""

    def __repr__(self) -> str:
        """Return the model, the data set and the folder in one line."""
        model, data = self.saved["model"]["model"], self.saved["data"]["name"]
        entities = counted(self.store.entity_count, "entity")
        relations = counted(self.store.relation_count, "relation")
        return f"Run({model} on {data!r}: {entities}, {relations}; in {self.folder})"

    @cached_property
    def report(self) -> dict[str, Any]:
        """The run's ``report.json``: metrics, by relation, category and kind, and the best epoch.

        Raises
        ------
        FileNotFoundError, ValueError
            The folder has none; it is damaged.
        """
        path = self.folder / Experiment.REPORT
        if not is_there(path):
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
            The folder has no ``training.csv``, as that of a mixture.
        ValueError
            No epoch has ended.
        """
        path = self.folder / Experiment.LOG
        if self.parts:
            raise FileNotFoundError(
                f"{self.folder}: a mixture has no training of its own, but its parts have: "
                "run.parts[0].plot()"
            )
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
        saved = self.report.get("calibration") if is_there(path) else None
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
        parts: Contributions | None = None
        if self.parts:
            parts = parts_of_mixture
        elif FEATURES in self.saved["model"]:
            parts = multimodal().contributions
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
        queries = named_queries(head, relation, tail)
        probable = self.calibration.probability if probability else None
        answered = self.predictor.answer_all(
            queries, k, new=new, type_constrain=type_constrain, probability=probable
        )
        rows = [
            (*triple_of(query, a.name), rank, a.label, a.score, a.known, a.probability)
            for query, answers in zip(queries, answered, strict=True)
            for rank, a in enumerate(answers, start=1)
        ]
        names = ["head", "relation", "tail", "rank", "label", "score", "known"]
        names += ["probability"] if probability else []
        return ResultTable({name: [row[i] for row in rows] for i, name in enumerate(names)})

    def add_entities(self, entities: Any, **options: Any) -> Run:
        """Return a run that answers for further entities, too, which no training has seen.

        An entity is what its name, text and picture say. Scores of others stay what they are.

        Parameters
        ----------
        entities
            A table with the columns name, and text or picture or both: see :func:`.read_table`. For
            example ``{"name": ["Lamp 7"], "text": ["A brass lamp"], "picture": ["lamp.png"]}``. A
            model of texts reads "name: text", so a name that says something is enough; names in a
            column id are not read.
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
        for run in self.parts or (self,):
            if not run.saved["model"].get(FEATURES):
                raise ValueError(
                    f"{run.saved['model']['model']} of {run.folder} knows entities by their facts "
                    "alone: train LBMKGC with texts or pictures to answer for new ones"
                )
        kept = TemporaryDirectory(prefix="openke-")
        folder = self.save(Path(kept.name) / "run")
        for grown in part_folders(folder, self.saved) if self.parts else [folder]:
            multimodal().extend(grown, entities, **options)
        if self.parts:
            follow_parts(folder, read_saved(folder, checked=False))
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
                self.model.vectors(ids) if kind == "entity" else self.model.relation_embeddings(ids)
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
            for number, part in enumerate(self.parts):
                part.save(draft / Experiment.PARTS / str(number), facts=facts)
            packed = packed_folder(self.folder, self.saved["data"]["name"]).is_dir()
            if packed and (facts or not self.saved["data"].get("facts", True)):
                shutil.copytree(self.folder / PACKED, draft / PACKED)
            elif not self.parts:
                pack(draft, self.whole, self._pack_more, facts=facts)
            if not facts:
                saved = {**self.saved, "data": {**self.saved["data"], "facts": False}}
                write_text(draft / Experiment.SETTINGS, json.dumps(saved, indent=2) + "\n")
            seal_run(draft)
        return path

    def _pack_more(self, folder: Path) -> None:
        multimodal().pack(self.whole, self.saved, self.features, folder)


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
    saved = read_saved(folder)
    if is_mixture(saved):
        found = [
            load_run(part, data, features=features, device=device, rebuild=rebuild)
            for part in part_folders(folder, saved)
        ]
        return _mixed(folder, saved, found)
    packed = packed_folder(folder, saved["data"]["name"])
    facts = data is not None or saved["data"].get("facts", True)
    if packed.is_dir():
        if data is None:
            check_packed(packed)
            data = packed
        if features is None and (packed / FEATURES).is_dir():
            features = packed / FEATURES
    if facts:
        whole, store = find_triples(folder, saved, data)
    else:
        whole = store = without_facts(packed)
    model = rebuilder(saved, rebuild)(store, saved, features)
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
    load_weights(folder / Experiment.WEIGHTS, model)
    model = model.to(choose_device(device)).eval()
    return Run(folder, model, store, saved, whole, features, facts)


def _mixed(folder: Path, saved: Saved, parts: Sequence[Run]) -> Run:
    """Return the run of a mixture, given those of its parts."""
    check_same_graph([folder, *(part.folder for part in parts)], [saved, *(p.saved for p in parts)])
    mixture = Mixture([part.model for part in parts])
    read_mixture_weights(folder, mixture)
    first = parts[0]
    return Run(
        folder,
        mixture.eval(),
        first.store,
        saved,
        first.whole,
        first.features,
        first.facts,
        tuple(parts),
    )
