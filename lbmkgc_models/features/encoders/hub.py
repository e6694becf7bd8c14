"""Models in the Hugging Face format: from a local folder, or from the Hub by id."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError

from openke.runtime.files import sha256_of

HUB_ID = re.compile(r"\w[\w.-]*(/\w[\w.-]*)?")
WEIGHTS = ("model.safetensors", "model.safetensors.index.json")


@dataclass(frozen=True)
class Loaded:
    """A model, what prepares its inputs, and the version of its weights."""

    model: Any
    inputs: Any
    revision: str
    untrained: tuple[str, ...]
    """Parameters that the weights lack: they are random."""

    def require_trained(self, what: str, *, but: str | None = None) -> None:
        """Raise a ValueError where parameters are random, those that start with ``but`` aside."""
        missing = [name for name in self.untrained if but is None or not name.startswith(but)]
        if missing:
            raise ValueError(
                f"{what}: its weights lack {len(missing)} parameters, the first {missing[0]}; "
                "expected the weights of the model in config.json"
            )


def load_model(
    source: str,
    what: str,
    ways: str,
    *,
    model: str = "AutoModel",
    inputs: str = "AutoTokenizer",
) -> Loaded:
    """Load a model of the library transformers and the tokenizer or image processor beside it.

    Only safetensors weights are read, and no code that comes with a model is run.

    Parameters
    ----------
    source
        A local folder (config.json, model.safetensors, …), or a Hub id.
    what, ways
        For messages: "text encoder 'x'", and how to get one that loads.
    model, inputs
        Names of classes in transformers.

    Raises
    ------
    OSError
        It is not there and cannot be fetched, has no safetensors weights, or is broken.
    """
    try:
        import transformers
        from transformers.utils.hub import cached_file
    except ImportError as error:
        raise OSError(
            f"{what} needs the package transformers: pip install 'openke-lbmkgc[features]'"
        ) from error
    local = _is_folder(source, what, ways)
    try:
        options: dict[str, Any] = {"local_files_only": local, "trust_remote_code": False}
        if not local:
            # The Hub's cache keeps files by commit: take all of them from the same one.
            options["revision"] = Path(str(cached_file(source, "config.json"))).parent.name
        with _no_bar_of_weights() if local else nullcontext():
            prepare = getattr(transformers, inputs).from_pretrained(source, **options)
            network, report = getattr(transformers, model).from_pretrained(
                source,
                use_safetensors=True,
                dtype=torch.float32,
                output_loading_info=True,
                **options,
            )
    except (OSError, ValueError, RuntimeError, ImportError, SafetensorError) as error:
        reason = str(error).strip().split("\n")[0]
        raise OSError(not_loaded(what, f"{source}: {reason}", ways)) from error
    revision = _checksum(Path(source)) if local else options["revision"]
    network.eval().requires_grad_(False)
    return Loaded(network, prepare, revision, tuple(sorted(report["missing_keys"])))


def not_loaded(what: str, reason: str, ways: str) -> str:
    """Return the message for an encoder that is not to be had."""
    return f"{what} cannot be loaded: {reason}. {ways}"


def _is_folder(source: str, what: str, ways: str) -> bool:
    """Whether a source is a folder and not a Hub id."""
    if source and Path(source).is_dir():
        if not any((Path(source) / name).is_file() for name in WEIGHTS):
            raise OSError(not_loaded(what, f"the folder {source} has no {WEIGHTS[0]}", ways))
        return True
    if not HUB_ID.fullmatch(source):
        raise OSError(not_loaded(what, "there is no such folder, and it is no Hub id", ways))
    return False


@contextmanager
def _no_bar_of_weights() -> Iterator[None]:
    """Hide the progress bar of reading weights from disk, a matter of a second."""
    from transformers.utils import logging

    bars: Any = logging  # its functions are not annotated
    shown = bars.is_progress_bar_enabled()
    bars.disable_progress_bar()
    try:
        yield
    finally:
        if shown:
            bars.enable_progress_bar()


def _checksum(folder: Path) -> str:
    """Return the SHA-256 of the weights file, or of the checksums of its parts."""
    return weights_checksum(sorted(folder.glob("model*.safetensors")))


def weights_checksum(files: Sequence[Path]) -> str:
    """Return the SHA-256 of a weights file, or of the checksums of several."""
    sums = [sha256_of(path) for path in files]
    together = sums[0] if len(sums) == 1 else sha256("".join(sums).encode()).hexdigest()
    return f"sha256:{together}"


def token_counts(tokenizer: Any, texts: Sequence[str]) -> list[int]:
    """Return the tokens of each text, marks of start and end included."""
    if not texts:
        return []
    return [len(tokens) for tokens in tokenizer(list(texts), verbose=False)["input_ids"]]
