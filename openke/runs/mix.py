"""Finished runs as one: their scores weighed for each relation, in a folder as every run has it."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated, Any

import tyro

from openke.data.overlap import leak_of
from openke.data.test_data_loader import TestDataLoader
from openke.data.vocabulary import Vocabulary, relation_names
from openke.evaluation.mixing import CANDIDATES
from openke.evaluation.mixing import mix as fitted
from openke.evaluation.tester import Tester
from openke.module.model.mixture import SIDES, Mixture
from openke.runs.anywhere import load
from openke.runs.calibration import calibrate_if_possible
from openke.runs.experiment import Experiment, seal_run, write_report
from openke.runs.load import Run, load_run
from openke.runs.mixtures import check_same_graph, write_mixture
from openke.runs.packed import need_facts
from openke.runs.predictor import Predictor
from openke.runs.rebuilders import multimodal
from openke.runs.saved import Saved
from openke.runtime.environment import environment
from openke.runtime.folders import whole_folder
from openke.runtime.values import Count

WORTH = "worth"
"""Entry of the report: relation -> head and tail -> part -> its share."""


def mix(
    runs: Sequence[Run | str | os.PathLike[str]],
    *,
    out: str | os.PathLike[str] | None = None,
    candidates: Count = CANDIDATES,
    device: str = "auto",
    overwrite: bool = False,
) -> Run:
    """Make one run of two or more: their scores weighed for each relation and side.

    The weights are fitted to the valid split, or to what was held out of train in its place, see
    :func:`openke.evaluation.mixing.mix`; then test is ranked once. For example::

        run = openke.mix(["runs/complex", "runs/rotate"], out="runs/both")

    Parameters
    ----------
    runs
        Runs of one graph, or their folders.
    out
        Folder of the mixture, which has a copy of each run; by default one that lasts as long as
        what is returned.
    candidates
        The most wrong answers of each query that weights are fitted to.
    device
        auto, cpu, cuda, cuda:1, mps.
    overwrite
        Replace a run that is there.

    Returns
    -------
    Run
        The mixture. Its report has, as "worth", the share of each part by relation and side.

    Raises
    ------
    FileExistsError
        There is something at ``out``.
    FileNotFoundError, ValueError
        A folder is no run; fewer than two, runs of different graphs, or that held out different
        triples; a valid split that the parts were trained on; models that cannot be mixed.
    """
    kept = TemporaryDirectory(prefix="openke-") if out is None else None
    folder = Path(kept.name) / "run" if kept is not None else Path(out or "")
    _check_free(folder, overwrite)
    parts = [run if isinstance(run, Run) else load(Path(run), device=device) for run in runs]
    _check(parts)
    mixture = fitted([part.model for part in parts], parts[0].store, candidates=candidates)
    with whole_folder(folder) as draft:
        for number, part in enumerate(parts):
            part.save(draft / Experiment.PARTS / str(number))
        saved = _settings(parts, mixture, candidates)
        write_mixture(draft, mixture, saved)
        _test(draft, parts[0], mixture, saved)
        seal_run(draft)
    return replace(load_run(folder, device=device), kept=kept)


def _check_free(folder: Path, overwrite: bool) -> None:
    replaced = overwrite and (folder / Experiment.SETTINGS).is_file()
    if not replaced and os.path.lexists(folder) and (not folder.is_dir() or any(folder.iterdir())):
        raise FileExistsError(
            f"{folder} is there already: name another folder, or let overwrite replace a run"
        )


def _check(parts: Sequence[Run]) -> None:
    if len(parts) < 2:
        raise ValueError(f"a mixture is of two runs or more, got {len(parts)}")
    for part in parts:
        need_facts(part.facts, f"weights cannot be fitted with {part.folder}")
    check_same_graph([part.folder for part in parts], [part.saved for part in parts])
    store = parts[0].store
    store.require("valid")
    if (leak := leak_of(store)) is not None:
        raise ValueError(
            f"weights cannot be fitted to the valid split of {store.name}: {leak}; train the parts "
            "with --set data.hold_out=0.1 and one training.seed, so that they are fitted to that"
        )


def _settings(parts: Sequence[Run], mixture: Mixture, candidates: int) -> Saved:
    first = parts[0].saved
    return {
        "recipe": {
            "parts": [part.saved.get("recipe", {}) for part in parts],
            "candidates": candidates,
        },
        "model": {**mixture.identity(), "parts": mixture.names},
        "data": first["data"],
        "loader": first["loader"],
        "environment": environment(),
    }


def _test(folder: Path, first: Run, mixture: Mixture, saved: Saved) -> None:
    """Rank the test split once, and write the report of it."""
    whole, device = first.whole, mixture.weights.device
    tester = Tester(mixture, TestDataLoader(whole, type_constrain=False), device=device)
    report = tester.rank("test", seed=saved["loader"]["seed"], settings=saved["model"]["settings"])
    write_report(
        folder,
        report,
        whole,
        mixture,
        recipe=saved["recipe"],
        calibration=calibrate_if_possible(Predictor(mixture, first.store)),
        picture=multimodal().picture(whole),
        notes={WORTH: worth(mixture, relation_names(whole))},
    )
    print(report.to_text())
    means = mixture.worth().mean(dim=(0, 1)).tolist()
    shares = (f"{name} {mean:.2f}" for name, mean in zip(mixture.names, means, strict=True))
    print(f"worth of each part, mean of all relations: {', '.join(shares)}")


def worth(mixture: Mixture, relations: Vocabulary) -> dict[str, Any]:
    """Return :meth:`.Mixture.worth` by relation, side and part."""
    shares = mixture.worth().tolist()
    return {
        relations.name(relation): {
            side: dict(zip(mixture.names, shares[place][relation], strict=True))
            for place, side in enumerate(SIDES)
        }
        for relation in range(relations.count)
    }


def command(
    runs: Annotated[
        tuple[Path, ...],
        tyro.conf.arg(metavar="RUN RUN [RUN ...]", help_behavior_hint="(two or more)"),
    ],
    /,
    *,
    out: Path | None = None,
    candidates: Count = CANDIDATES,
    overwrite: bool = False,
    device: str = "auto",
) -> None:
    """Make one run of two or more: their scores weighed for each relation.

    The weights are fitted to the valid split, or to what the runs held out of train in its place.
    What comes out is a run like others: evaluate, predict, serve and export take it. For example::

        openke mix runs/complex runs/rotate --out runs/both

    Parameters
    ----------
    runs
        Output folders of trainings on one graph.
    out
        Folder of the mixture, which has a copy of each run; by default runs/mixture-DATASET.
    candidates
        The most wrong answers of each query that weights are fitted to.
    overwrite
        Replace an earlier run under --out.
    device
        auto, cpu, cuda, cuda:1, mps.
    """
    loaded = [load_run(run, device=device) for run in runs]
    _check(loaded)
    out = out or Path("runs") / f"mixture-{loaded[0].store.name}".lower()
    mix(loaded, out=out, candidates=candidates, device=device, overwrite=overwrite)
    print(f"written to {out}")
