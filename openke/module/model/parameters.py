"""Reading and writing a model's tables, under the names of OpenKE's methods."""

from __future__ import annotations

import json
import math
import warnings
from collections.abc import Iterable, Mapping
from os import PathLike
from pathlib import Path
from typing import Any, ClassVar, Literal

import torch
from torch import Tensor, nn

from openke.runtime.files import write_text
from openke.runtime.json_text import read_json_file
from openke.runtime.tensors import load_tensors, save_tensors

Mode = Literal["numpy", "list", "tensor"]

MARKS = ("zero_const", "pi_const")
"""Entries that every file of OpenKE has and no other: 0 and pi."""


class Parameters(nn.Module):
    """What a model's tables are saved to and loaded from: files of this package and of OpenKE.

    Loading leaves the model in evaluation mode, as OpenKE does; a model that refuses what it was
    given is unchanged. Nothing in a file is executed.
    """

    in_openke_form: ClassVar[bool] = False
    """Whether the class has OpenKE's forward(data) and predict(data) instead of a model's steps."""

    def constants(self) -> dict[str, float]:
        """Return the settings that scores depend on and that OpenKE writes beside its tables."""
        return {}

    def from_openke(self, entries: dict[str, Tensor]) -> dict[str, Tensor]:
        """Return tables trained by OpenKE as this model means them."""
        return entries

    def check_origin(self, entries: dict[str, Tensor], source: str) -> None:
        """Raise ``ValueError`` where ``entries`` could be OpenKE's without its constants."""

    def save_checkpoint(self, path: str | PathLike[str]) -> None:
        """Write the tables and :meth:`constants` as a PyTorch file.

        Raises
        ------
        OSError
            The file cannot be written; an older one of that name is then still whole.
        """
        content = {name: values.detach().cpu() for name, values in self.state_dict().items()}
        content |= {name: torch.tensor([value]) for name, value in self.constants().items()}
        save_tensors(Path(path), content)

    def load_checkpoint(self, path: str | PathLike[str]) -> None:
        """Read all tables from a file of :meth:`save_checkpoint`, this package's or OpenKE's.

        What a Trainer of either wrote around the model is left out.

        Raises
        ------
        FileNotFoundError, ValueError
            No such file; not a file of tables, or one of another model: names what differs.
        """
        entries = _read_checkpoint(Path(path))
        self._take(entries, str(path), whole=True)

    def save_parameters(self, path: str | PathLike[str]) -> None:
        """Write the tables and :meth:`constants` as JSON: a dict of nested lists."""
        content = self.get_parameters("list")
        content |= {name: [value] for name, value in self.constants().items()}
        write_text(Path(path), json.dumps(content))

    def load_parameters(self, path: str | PathLike[str]) -> None:
        """Read the tables that a JSON file holds; others stay as they are.

        Raises
        ------
        FileNotFoundError, ValueError
            No such file; not a dict of number arrays; see :meth:`set_parameters`.
        """
        path = Path(path)
        if not path.is_file():
            raise FileNotFoundError(f"{path}: no such file of parameters")
        content = read_json_file(path)
        if not isinstance(content, dict):
            raise ValueError(f"{path}: holds a {type(content).__name__}, expected a dict of tables")
        self._take(_tensors(content, str(path)), str(path), whole=False)

    def get_parameters(
        self, mode: Mode = "numpy", param_dict: Iterable[str] | None = None
    ) -> dict[str, Any]:
        """Return copies of the tables by name, e.g. ``ent_embeddings.weight``.

        Parameters
        ----------
        mode
            As NumPy arrays, nested lists or tensors on the CPU.
        param_dict
            The names wanted; None: all.

        Raises
        ------
        ValueError
            An unknown mode, or a name the model does not have.
        """
        state = self.state_dict()
        names = list(state) if param_dict is None else list(param_dict)
        unknown = [name for name in names if name not in state]
        if unknown:
            raise ValueError(
                f"{type(self).__name__} has no {', '.join(unknown)}; it has {', '.join(state)}"
            )
        tensors = {name: state[name].detach().cpu().clone() for name in names}
        if mode == "tensor":
            return tensors
        if mode == "numpy":
            return {name: values.numpy() for name, values in tensors.items()}
        if mode == "list":
            return {name: values.tolist() for name, values in tensors.items()}
        raise ValueError(f"mode is {mode!r}, expected one of numpy, list, tensor")

    def set_parameters(self, parameters: Mapping[str, Any]) -> None:
        """Take tables by name, as :meth:`get_parameters` of this or another model returns them.

        Tables that are not given stay as they are; names the model does not have are left out with
        a warning. So TransR starts from trained TransE tables.

        Raises
        ------
        ValueError
            No name is the model's, a shape differs, a constant is another, or not an array.
        """
        self._take(_tensors(parameters, "parameters"), "parameters", whole=False)

    def _take(self, entries: dict[str, Tensor], source: str, *, whole: bool) -> None:
        """Load ``entries``: exactly the model's tables where ``whole``, else those there are."""
        if not self.in_openke_form:  # else the tables mean what the user's class means by them
            if any(mark in entries for mark in MARKS):
                entries = self.from_openke(entries)
            else:
                self.check_origin(entries, source)
        state = self.state_dict()
        own = {name: values for name, values in entries.items() if name in state}
        constants = self.constants()
        foreign = [name for name in entries if name not in own and name not in constants]
        wrong = _differing_constants(constants, entries)
        if whole:
            wrong += [f"{name} is missing there" for name in state if name not in own]
            wrong += [f"{name} is unknown here" for name in foreign if not _is_constant(name)]
        wrong += [
            f"{name} is {list(values.shape)} there and {list(state[name].shape)} here"
            for name, values in own.items()
            if values.shape != state[name].shape
        ]
        if wrong:
            raise ValueError(
                f"{source}: does not fit this {type(self).__name__}: {'; '.join(wrong)}. Build the "
                "model with the sizes and settings it was trained with"
            )
        if not own:
            raise ValueError(
                f"{source}: nothing for {type(self).__name__}, which has {', '.join(state)}; found "
                f"{', '.join(entries) or 'no entries'}"
            )
        foreign = [name for name in foreign if not _is_idle(name)]
        if foreign:
            warnings.warn(
                f"{source}: {type(self).__name__} keeps no {', '.join(foreign)}; left out",
                stacklevel=3,
            )
        self.load_state_dict(own, strict=False)
        self.eval()


def _differing_constants(constants: dict[str, float], entries: dict[str, Tensor]) -> list[str]:
    return [
        f"{name} is {entries[name].tolist()} there and {value} here"
        for name, value in constants.items()
        if name in entries
        and not (
            entries[name].numel() == 1 and math.isclose(entries[name].item(), value, rel_tol=1e-6)
        )
    ]


def _is_constant(name: str) -> bool:
    """Whether OpenKE writes ``name`` though it is no table: no score here depends on it."""
    return _is_idle(name) or name == "margin"


def _is_idle(name: str) -> bool:
    """Whether ``name`` is a constant that only ever shaped fresh tables, or not even that."""
    return name in MARKS or name.endswith("embedding_range")


def _read_checkpoint(path: Path) -> dict[str, Tensor]:
    if not path.is_file():
        raise FileNotFoundError(f"{path}: no such checkpoint")
    content = load_tensors(path, "checkpoint of a model's state_dict()")
    if isinstance(content, dict) and isinstance(content.get("state"), dict):
        content = content["state"].get("strategy")  # a checkpoint of this package's Trainer
    if not isinstance(content, dict) or not all(
        isinstance(name, str) and isinstance(values, Tensor) for name, values in content.items()
    ):
        raise ValueError(f"{path}: not a checkpoint of a model, which is a dict of tensors")
    inside = "model."
    if any(name.startswith(inside) for name in content):  # of a whole strategy
        return {n.removeprefix(inside): v for n, v in content.items() if n.startswith(inside)}
    return dict(content)


def _tensors(content: Mapping[str, Any], source: str) -> dict[str, Tensor]:
    entries = {}
    for name, values in content.items():
        try:
            entries[name] = torch.as_tensor(values)
        except (TypeError, ValueError, RuntimeError) as error:
            raise ValueError(f"{source}: {name} is not an array of numbers ({error})") from error
    return entries
