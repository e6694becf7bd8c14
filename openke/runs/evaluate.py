"""A saved run ranked once more, on any split and by other rules: ``openke evaluate``."""

from __future__ import annotations

import json as json_module
from collections.abc import Sequence
from pathlib import Path

from openke.data.store import SPLITS, Split
from openke.data.test_data_loader import TestDataLoader
from openke.evaluation.report import Policy, RankingReport
from openke.evaluation.tester import Tester
from openke.runs.load import Run, load_run
from openke.runs.packed import need_facts
from openke.runtime.files import write_text
from openke.runtime.values import Count

MIB = 2**20


def evaluate(
    run: Run,
    split: Split = "test",
    *,
    filter_splits: Sequence[Split] = SPLITS,
    type_constrain: bool = False,
    relations: bool = False,
    block_bytes: int | None = None,
) -> RankingReport:
    """Rank a split by the model of a run, as training does at its end.

    The valid split is the one that training was watched on: where a part of train was held out,
    that part. The test split is filtered by all triples of the data set.

    Parameters
    ----------
    run
        See :func:`.load_run`.
    split
        What is ranked.
    filter_splits
        Known answers in these splits are left out of the candidates; empty: raw ranks.
    type_constrain
        Rank only among the entities the relation admits.
    relations
        Rank the relation of (h, ?, t) among all relations, instead of heads and tails.
    block_bytes
        See :class:`.Tester`.

    Raises
    ------
    ValueError
        The split is empty, the run was saved without its facts, both ``relations`` and
        ``type_constrain`` were asked for, or a score is NaN.
    """
    need_facts(run.facts, "there is nothing to rank")
    if relations and type_constrain:
        raise ValueError("type constraints are of entities: relations are ranked without them")
    store = run.whole if split == "test" else run.store
    loader = TestDataLoader(store, type_constrain=type_constrain)
    device = str(next(run.model.parameters()).device)
    tester = Tester(run.model, loader, device=device, block_bytes=block_bytes)
    seed, settings = run.saved["loader"]["seed"], run.model.identity()["settings"]
    if relations:
        return tester.rank_relations(
            split, filter_splits=filter_splits, seed=seed, settings=settings
        )
    return tester.rank(
        split,
        filter_splits=filter_splits,
        type_constrain=type_constrain,
        seed=seed,
        settings=settings,
    )


def command(
    run: Path,
    /,
    *,
    split: Split = "test",
    filter: tuple[Split, ...] = SPLITS,
    ties: Policy = "realistic",
    type_constrain: bool = False,
    relations: bool = False,
    by_relation: bool = False,
    json: bool = False,
    output: Path | None = None,
    block_mib: Count | None = None,
    data: Path | None = None,
    features: Path | None = None,
    device: str = "auto",
) -> None:
    """Rank a split by a saved model and print the table that training ends with.

    With nothing but RUN it gives the figures of the run's report.json. For example::

        openke evaluate runs/countries --split valid --by-relation

    Parameters
    ----------
    run
        Output folder of a training.
    split
        What is ranked. The valid split is the one training was watched on.
    filter
        Known answers in these splits are left out of the candidates; with no name behind it, ranks
        are raw.
    ties
        Where an answer stands among candidates of the same score: in their middle, first, or last.
        JSON has all three.
    type_constrain
        Rank only among the entities that the relation admits.
    relations
        Rank the relation of (h, ?, t), instead of head and tail.
    by_relation
        Print a table of each relation, too; JSON has it anyway.
    json
        Write JSON, as report.json has it, instead of text.
    output
        Write to this file instead of the terminal.
    block_mib
        MiB of scores held at a time: fewer for less memory. By default 64, on a GPU 512.
    data
        Folder of the data set; by default what the run's folder has of it, else where it was in
        training.
    features
        Folder of features, for models that use them; by default as in training.
    device
        auto, cpu, cuda, cuda:1, mps.
    """
    report = evaluate(
        load_run(run, data, features=features, device=device),
        split,
        filter_splits=filter,
        type_constrain=type_constrain,
        relations=relations,
        block_bytes=None if block_mib is None else block_mib * MIB,
    )
    if json:
        text = json_module.dumps(report.to_dict(), indent=2, allow_nan=False)
    else:
        tables = [report.to_text(ties)]
        if by_relation:
            tables.append(report.relations_to_text(ties))
        text = "\n\n".join(tables)
    if output is None:
        print(text)
    else:
        write_text(output, text + "\n")
