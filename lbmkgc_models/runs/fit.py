"""From tables in memory to a trained model: the way of ``openke import`` and ``openke train``."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from os import PathLike
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from lbmkgc_models.runs.make_model import check_model
from lbmkgc_models.runs.train_command import changed, train
from openke.data.store import TripleStore
from openke.datasets.importing import Division, import_graph, left_out
from openke.datasets.tables import BadRows, Columns
from openke.runs.experiment import Experiment, RunOptions
from openke.runs.load import Run, load_run
from openke.runs.packed import PACKED, packed_folder
from openke.runs.recipe import Recipe
from openke.runtime.drafts import remove
from openke.runtime.files import folder_for
from openke.runtime.words import counted


def fit(
    triples: Any,
    *,
    valid: Any = None,
    test: Any = None,
    texts: Any = None,
    pictures: Any = None,
    columns: Columns | None = None,
    division: Division | None = None,
    skip_bad_rows: bool = False,
    header: bool | None = None,
    model: str = "",
    recipe: Recipe | Mapping[str, Any] | str | PathLike[str] | None = None,
    settings: Mapping[str, Any] | None = None,
    out: str | PathLike[str] | None = None,
    device: str = "auto",
    trackers: Sequence[str] = (),
) -> Run:
    """Train a model on triples, with texts and pictures of entities if there are any.

    It goes the way of ``openke import`` and ``openke train``, with the same defaults, and leaves
    the same folder. For example::

        run = openke.fit(frame, texts={"name": names, "text": texts})

    Parameters
    ----------
    triples
        Head, relation and tail by name: a frame of pandas or polars, a table of Arrow, a mapping of
        columns, an array, rows, or a file; see :func:`.read_named`.
    valid, test
        Splits; without both ``triples`` are divided.
    texts
        A table with the columns name, or id, and text; see :func:`.read_entity_texts`.
    pictures
        A folder of pictures, or a mapping of names to files; see :func:`.import_graph`.
    columns
        Names of columns, where they are not the usual ones, such as ``{"head": "from"}``.
    division
        Shares of valid and test; by default a tenth each.
    skip_bad_rows
        Leave out rows that do not fit, instead of refusing them.
    header
        Whether the first row of triples has names of columns, where that is not clear.
    model
        By default LBMKGC.
    recipe
        A recipe, its content or its file; by default one that suits the graph.
    settings
        Other values in the recipe, such as ``{"training.epochs": 30}``.
    out
        Folder of the run; by default one that lasts as long as what is returned. A call that fails
        before it trains leaves nothing there.
    device
        auto, cpu, cuda, cuda:1, mps.
    trackers
        Where it is followed, such as ``["tensorboard"]``; see :data:`.TRACKERS`.

    Raises
    ------
    ValueError, OSError, ImportError
        As of the two commands.
    """
    kept = TemporaryDirectory(prefix="openke-") if out is None else None
    folder = Path(kept.name if kept is not None else out or "")
    if out is not None and folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise FileExistsError(f"{folder} is there already: name another folder as out")
    options = RunOptions(out=folder, device=device, tracker=tuple(trackers))
    if isinstance(recipe, Mapping):
        recipe = Recipe.from_dict(recipe)
    elif isinstance(recipe, (str, PathLike)):
        recipe = Recipe.read(Path(recipe))
    if recipe is not None and model:
        raise ValueError("the recipe names the model: leave model out")
    settings = settings or {}
    check_model(changed(recipe, settings, model))  # now, not after a long import
    splits = {"train": triples, "valid": valid, "test": test}
    given = {split: rows for split, rows in splits.items() if rows is not None}
    imported = folder / PACKED / "graph"
    bad = BadRows(skip_bad_rows, "skip_bad_rows=True")
    with folder_for(imported.parent):
        store = import_graph(
            triples if len(given) == 1 else given,
            imported,
            division,
            texts=texts,
            pictures=pictures,
            columns=columns,
            bad=bad,
            header=header,
        )
        # Features in the user's cache are found by the data set's name: each graph has its own.
        graph = packed_folder(folder, f"graph-{store.fingerprint[:12]}")
        imported.rename(graph)
        for line in left_out(graph, bad):
            print(line)
        try:
            _require_test(store, given)
            train(recipe, {"data.name": str(graph), **settings}, options, model=model)
        except BaseException:
            if not (folder / Experiment.SETTINGS).exists():  # no training began: nothing to keep
                remove(graph)
            raise
    return replace(load_run(folder, device=device), kept=kept)


def _require_test(store: TripleStore, given: Collection[str]) -> None:
    """Raise ``ValueError`` where there is nothing to test on: nobody has written a file of it."""
    if store.rows("test"):
        return
    if len(given) > 1:
        raise ValueError(
            "there are no facts to test on: give some as test, or neither valid nor test, and "
            "triples are divided"
        )
    facts = store.rows("train") + store.rows("valid")
    raise ValueError(
        f"{counted(facts, 'fact')} cannot be divided: the share of test is less than one, or each "
        "has an entity or a relation that train would lack; give more facts, a larger share such "
        "as division=Division(test=0.3), or your own as test"
    )
