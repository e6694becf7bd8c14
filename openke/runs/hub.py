"""Runs on the Hugging Face Hub, by its own mixin: pushed with a card made from their report."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

try:
    from huggingface_hub import EvalResult, ModelCard, ModelCardData, ModelHubMixin
    from huggingface_hub import snapshot_download as download
    from huggingface_hub.errors import HFValidationError
except ImportError as error:
    raise ImportError(
        f"the Hub needs the package huggingface_hub ({error}): pip install 'openke-lbmkgc[hub]'"
    ) from error

from openke.runs.load import Run, load_run
from openke.runtime.files import write_text
from openke.runtime.pages import render

TEMPLATE = Path(__file__).with_name("card.md.j2")
CARD, CONFIG = "README.md", "config.json"
TASK = "graph-ml"
LIBRARY = "openke-lbmkgc"
NOT_THERE = (OSError, HFValidationError)
"""What is raised where the Hub has no such run, or is not reached."""
SHOWN = {"mrr": "MRR", "hits@1": "Hits@1", "hits@3": "Hits@3", "hits@10": "Hits@10"}
"""Metrics of the card and what they are called there."""


def push_to_hub(run: Run, repo_id: str, *, facts: bool = True, **options: Any) -> str:
    """Upload a run with all that its answers need, its triples and texts among it.

    Parameters
    ----------
    run
        The run.
    repo_id
        Such as "me/countries"; made where it is not there.
    facts
        Whether the triples go with it, see :meth:`.Run.save`.
    **options
        Those of ``ModelHubMixin.push_to_hub``, such as ``private=True`` or ``token``.

    Returns
    -------
    str
        The address of the commit.
    """
    return str(HubRun.of(run, facts=facts).push_to_hub(repo_id, **options))


def from_pretrained(repo_id: str, *, device: str | None = None, **options: Any) -> Run:
    """Download a run, and load it; nothing of it is executed.

    Parameters
    ----------
    repo_id
        What :func:`push_to_hub` was given, or a folder.
    device
        See :func:`.load_run`.
    **options
        Those of ``ModelHubMixin.from_pretrained``, such as ``revision`` or ``token``.

    Raises
    ------
    OSError, ValueError
        It is not there, or is no run.
    """
    return HubRun.from_pretrained(repo_id, device=device, **options).run


class HubRun(ModelHubMixin, library_name=LIBRARY):
    """A run as huggingface_hub takes it.

    Attributes
    ----------
    run
        The run. It is no argument, of which the mixin would make a configuration.
    facts
        Whether its triples are saved with it.
    """

    run: Run
    facts: bool = True

    def __init__(self) -> None:
        pass

    @classmethod
    def of(cls, run: Run, *, facts: bool = True) -> HubRun:
        """Return a run so that it can be pushed, or saved by ``save_pretrained``."""
        made = cls()
        made.run, made.facts = run, facts
        return made

    def _save_pretrained(self, save_directory: Path) -> None:
        self.run.save(save_directory, facts=self.facts)
        card_of(self.run, facts=self.facts).save(save_directory / CARD)
        # By this file the Hub counts downloads.
        about = {"library": LIBRARY, "model": self.run.saved["model"]["model"]}
        write_text(save_directory / CONFIG, json.dumps(about, indent=2) + "\n")

    @classmethod
    def _from_pretrained(
        cls, *, model_id: str, device: str | None = None, **options: Any
    ) -> HubRun:
        folder = Path(model_id)
        if not folder.is_dir():
            folder = Path(download(model_id, **options))
        return cls.of(load_run(folder, device=device))


def card_of(run: Run, *, facts: bool = True) -> ModelCard:
    """Return a model card with the metrics of the run's report, where it has one."""
    saved = run.saved
    model, dataset = saved["model"]["model"], saved["data"]["name"]
    try:
        report = run.report
    except FileNotFoundError:
        report = {}
    sides = {side: found["realistic"] for side, found in report.get("metrics", {}).items()}
    about = ModelCardData(
        library_name=LIBRARY,
        pipeline_tag=TASK,
        tags=["knowledge-graph", "link-prediction", model],
        model_name=f"{model} on {dataset}",
        eval_results=[
            EvalResult(
                task_type=TASK,
                dataset_type=dataset,
                dataset_name=dataset,
                metric_type=name,
                metric_name=title,
                metric_value=sides["both"][name],
            )
            for name, title in SHOWN.items()
            if "both" in sides
        ]
        or None,
    )
    text = render(
        TEMPLATE,
        model=model,
        dataset=dataset,
        entities=run.store.entity_count,
        relations=run.store.relation_count,
        triples=len(run.store.triples("train")) if run.facts else None,
        facts=facts and run.facts,
        features=sorted({name for part in run.parts or (run,) for name in _features(part)}),
        sides=sides,
        shown=SHOWN,
        recipe=saved.get("recipe", {}),
    )
    return ModelCard(f"---\n{about.to_yaml()}\n---\n\n{text}")


def _features(run: Run) -> list[str]:
    return list(run.saved["model"].get("features") or ())
