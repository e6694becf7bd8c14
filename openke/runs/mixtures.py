"""The folder of a mixture: its weights, and a folder for each part, which is a run of its own."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

from openke.module.model.mixture import Mixture
from openke.runs.experiment import Experiment, seal_run
from openke.runs.saved import Saved, read_saved
from openke.runs.weights import load_weights, write_weights
from openke.runtime.files import write_text
from openke.runtime.values import check_value

MODEL = Mixture.__name__
OF_PARTS = "parts."
"""Names of tensors that begin so are in the folders of the parts."""


def is_mixture(saved: Saved) -> bool:
    """Tell whether a run's settings are those of a mixture."""
    return bool(saved["model"]["model"] == MODEL)


def part_folders(folder: Path, saved: Saved) -> list[Path]:
    """Return the folders of a mixture's parts.

    Raises
    ------
    ValueError
        The settings do not name them.
    """
    try:
        check_value("model.parts", saved["model"].get("parts"), Sequence[str])
    except ValueError as error:
        raise ValueError(f"{folder / Experiment.SETTINGS}: {error}") from error
    numbers = range(len(saved["model"]["parts"]))
    return [folder / Experiment.PARTS / str(number) for number in numbers]


def check_same_graph(folders: Sequence[Path], saved: Sequence[Saved]) -> None:
    """Raise ``ValueError`` unless all runs were trained on the same triples."""
    first, data = folders[0], saved[0]["data"]
    for folder, other in zip(folders, saved, strict=True):
        if other["data"]["fingerprint"] == data["fingerprint"]:
            continue
        if other["data"]["name"] != data["name"]:
            raise ValueError(
                f"{folder} is of {other['data']['name']}, {first} of {data['name']}: a mixture is "
                "of runs of one graph"
            )
        raise ValueError(
            f"{folder} was trained on other triples of {data['name']} than {first}: train both on "
            "one version of it, with the same data.hold_out, and where that is not 0 with the same "
            "training.seed"
        )


def write_mixture(folder: Path, mixture: Mixture, saved: Saved) -> None:
    """Write settings and weights of a mixture; what its parts know is in their folders."""
    write_text(folder / Experiment.SETTINGS, json.dumps(saved, indent=2) + "\n")
    weights = {
        name: tensor
        for name, tensor in mixture.state_dict().items()
        if not name.startswith(OF_PARTS)
    }
    write_weights(folder / Experiment.WEIGHTS, weights)


def read_mixture_weights(folder: Path, mixture: Mixture) -> None:
    """Load what :func:`write_mixture` wrote into a mixture of the same parts."""
    load_weights(folder / Experiment.WEIGHTS, mixture, elsewhere=OF_PARTS)


def follow_parts(folder: Path, saved: Saved) -> None:
    """Let a mixture's settings say of its data what those of its parts say, once these grew."""
    first = read_saved(part_folders(folder, saved)[0])
    grown = {
        **saved,
        "data": {**saved["data"], "fingerprint": first["data"]["fingerprint"]},
        "model": {**saved["model"], "entities": first["model"]["entities"]},
    }
    write_text(folder / Experiment.SETTINGS, json.dumps(grown, indent=2) + "\n")
    seal_run(folder)
