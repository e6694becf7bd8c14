"""The token files of MyGO's code: NAME-visual.json, NAME-textual.json and their codebooks."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from lbmkgc_models.feature_store.labels import read_names
from lbmkgc_models.feature_store.names import name_positions, read_entity_names
from lbmkgc_models.feature_store.pth import read_tensor
from lbmkgc_models.features.picture_tokens import check_counts, most_frequent, store_of
from openke.runtime.json_text import read_json_file

KINDS = {"image": "visual", "text": "textual"}


def import_tokens(
    dataset_dir: str | Path,
    out_dir: str | Path,
    folder: str | Path,
    *,
    tokens: int = 8,
    text_tokens: int = 8,
    entity_file: str | Path | None = None,
) -> list[Path]:
    """Write stores of the token files in a folder, of each modality that is there.

    ``NAME-visual.json`` has the codes of each entity's pictures, by its name or by its id in the
    order of whoever made it, ``visual.pth`` the codebook; ``textual`` stands for texts. The
    codebooks are read by ``torch.load(weights_only=True)``.

    Parameters
    ----------
    dataset_dir, out_dir
        Folder of the data set, whose name is NAME, and where stores are written.
    folder
        Where the files are.
    tokens, text_tokens
        The most codes of an entity.
    entity_file
        The ``entity2id.txt`` of whoever made the files, where ids stand in them and are not those
        of the data set.

    Raises
    ------
    FileNotFoundError
        Neither modality is there, or one without its codebook.
    ValueError
        Files of another form, ids that do not fit, or codes that the codebook lacks.
    """
    check_counts(tokens=tokens, text_tokens=text_tokens)
    folder, dataset = Path(folder), Path(dataset_dir).resolve().name
    names = read_names(dataset_dir)
    ids: Sequence[str] = names
    if entity_file is not None:
        ids = list(name_positions(read_entity_names(Path(entity_file)), str(entity_file)))
    stores = []
    for (modality, kind), most in zip(KINDS.items(), (tokens, text_tokens), strict=True):
        path = folder / f"{dataset}-{kind}.json"
        if not path.is_file():
            continue
        book = read_tensor(folder / f"{kind}.pth")
        found = {_named(key, ids, path): Counter(c) for key, c in _read(path).items()}
        rows = most_frequent(found, most)
        about: dict[str, Any] = {"dataset": dataset, "encoder": path.name}
        try:
            stores.append(store_of(modality, rows, book, names, out_dir, **about))
        except ValueError as error:
            raise ValueError(f"{path}: {error}") from error
    if not stores:
        raise FileNotFoundError(
            f"{folder}: no tokens of {dataset} there; expected {dataset}-visual.json with "
            f"visual.pth, {dataset}-textual.json with textual.pth, or both"
        )
    return stores


def _read(path: Path) -> dict[str, list[int]]:
    content = read_json_file(path)
    fits = isinstance(content, dict) and all(
        isinstance(codes, list) and all(type(code) is int for code in codes)
        for codes in content.values()
    )
    if not fits:
        raise ValueError(f"{path}: expected a list of whole numbers for each entity")
    return dict(content)


def _named(key: str, ids: Sequence[str], path: Path) -> str:
    """Return the name of an entity that a file names by name or id."""
    if key in ids or not key.isdecimal():
        return key
    if int(key) >= len(ids):
        raise ValueError(
            f"{path}: id {key}, but there are {len(ids)} entities; name the entity2id.txt that "
            "the file was made with as --entities"
        )
    return ids[int(key)]
