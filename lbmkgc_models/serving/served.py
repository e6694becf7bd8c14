"""A run that is served: asked by many, and given further entities meanwhile."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Lock
from typing import Any

from lbmkgc_models.features.read_image import BadPicture, read_image
from lbmkgc_models.runs.new_entities import taken
from lbmkgc_models.serving.limits import LIMITS, Limits
from lbmkgc_models.serving.view import View
from openke.runs.calibration import Calibration
from openke.runs.load import Run
from openke.runs.predictor import Answer, NamedQuery


class Conflict(ValueError):  # noqa: N818, named for what it is
    """What is asked for does not go together with what is there."""


class Served:
    """A run, and what it is asked.

    Parameters
    ----------
    run
        The run; its folder is only read.
    probability
        Whether answers are given probabilities.
    keep
        Where the run is saved after each entity that is added; by default nowhere.
    limits
        See :class:`.Limits`.

    Attributes
    ----------
    view
        The run as it is now. Whoever answers a request takes it once.
    calibration
        Fitted once: a few more candidates hardly change it.
    no_probability
        Why there are no probabilities, or "".
    """

    def __init__(
        self,
        run: Run,
        *,
        probability: bool = True,
        keep: Path | None = None,
        limits: Limits = LIMITS,
    ) -> None:
        if keep is not None and keep.exists() and (not keep.is_dir() or any(keep.iterdir())):
            raise FileExistsError(
                f"--keep {keep} is there already: name another folder; to go on from what it has, "
                f"serve {keep}"
            )
        self.view = View(run)
        self.limits = limits
        self.keep = keep
        self.old = run.store.entity_count
        self.calibration: Calibration | None = None
        self.no_probability = "not asked for"
        if probability:
            self._calibrate(run)
        # What is imported and compiled at first use, here, where nobody waits for an answer.
        run.explain(*run.store.triples("train")[0].tolist())
        # One computation at a time: each takes all cores, and much memory.
        self._computing = Lock()
        self._adding = Lock()

    def _calibrate(self, run: Run) -> None:
        try:
            self.calibration, self.no_probability = run.calibration, ""
        except (ImportError, ValueError) as error:
            self.no_probability = str(error)

    @property
    def taken(self) -> tuple[str, ...]:
        """By which modalities entities may be added; none where the model needs facts of them."""
        return taken(self.view.run) if self.view.entities.names is not None else ()

    def answers(
        self, view: View, queries: Sequence[NamedQuery], k: int, new: bool, type_constrain: bool
    ) -> list[list[Answer]]:
        """Return the answers to queries, see :meth:`.Predictor.answer_all`."""
        probability = self.calibration.probability if self.calibration else None
        with self._computing:
            return view.run.predictor.answer_all(
                queries, k, new=new, type_constrain=type_constrain, probability=probability
            )

    def why(self, view: View, head: int, relation: int, tail: int) -> dict[str, Any]:
        """Return what a score rests on, see :meth:`.Run.explain`."""
        with self._computing:
            return view.run.explain(head, relation, tail)

    def add(self, name: str, text: str, picture: bytes) -> int:
        """Add an entity, and return its id.

        Raises
        ------
        Conflict
            The name is there already, the model takes none, or there are too many.
        ValueError
            A bad name or picture, or nothing that the model uses.
        ImportError, OSError
            The encoder is not there, or the run cannot be kept; nothing is added.
        """
        with self._adding:
            view = self.view
            self._check(view, name)
            with TemporaryDirectory(prefix="openke-") as folder:
                row: dict[str, list[Any]] = {"name": [name], "text": [text]}
                if picture:
                    file = Path(folder) / "picture"
                    file.write_bytes(picture)
                    self._check_picture(file)
                    row["picture"] = [str(file)]
                larger = view.run.add_entities(row)
            if self.keep is not None:
                larger.save(self.keep, overwrite=True)
            self.view = View(larger)
            return larger.store.entity_count - 1

    def _check(self, view: View, name: str) -> None:
        if not self.taken:
            model = view.run.saved["model"]["model"]
            raise Conflict(f"{model} needs a trained row of each entity, so none can be added")
        if name in (view.entities.names or ()):
            raise Conflict(f"the entity {name!r} is there already: give the new one another name")
        if view.entities.count - self.old >= self.limits.added:
            raise Conflict(f"{self.limits.added} entities were added already, which is the most")

    def _check_picture(self, file: Path) -> None:
        try:
            read_image(file, max_pixels=self.limits.pixels)
        except BadPicture as error:
            raise ValueError(f"the picture: {error.reason}") from error
