"""Image features of a data set: folders of pictures through an encoder into feature stores."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal, get_args

import torch
from torch import Tensor
from torch.nn.functional import normalize

from lbmkgc_models.feature_store.labels import read_names
from lbmkgc_models.feature_store.manifest import Value
from lbmkgc_models.features.encoders.protocol import Encoder, Unfitted
from lbmkgc_models.features.make_stores import StoreRows, Work, check_batch_size, make_stores
from lbmkgc_models.features.picture_choice import (
    MAX_PICTURES,
    Choice,
    Picture,
    Skip,
    choose_pictures,
    count_skips,
    skips_table,
)
from lbmkgc_models.features.picture_files import of_files
from lbmkgc_models.features.read_image import MAX_PIXELS, BadPicture, read_image
from lbmkgc_models.features.typical_picture import most_typical
from openke.datasets.graph_folder import PICTURES
from openke.datasets.pictures import Pictures, find_pictures, folder_name
from openke.runtime.words import counted

if TYPE_CHECKING:
    from PIL.Image import Image

CHECKSUM, AS_TRAINING = "pictures", "as training makes them"
"""Notes in the manifest: a checksum of the pictures; whether a training would make the same."""
SKIPPED = "skipped.tsv"
"""In the store ``image``: entity, file and reason of each picture that could not be used."""
Several = Literal["mean", "typical", "rows", "separate"]
SEVERAL: tuple[Several, ...] = get_args(Several)


def build_image_features(
    dataset_dir: str | Path,
    out_dir: str | Path,
    pictures: Sequence[str | Path],
    *,
    encoder: str | Encoder[Image] | Unfitted[Image] = "efficientnet-lite0",
    several: Several = "mean",
    max_pictures: int = MAX_PICTURES,
    max_pixels: int = MAX_PIXELS,
    batch_size: int = 32,
    device: str = "cpu",
    pooling: str | None = None,
    normalised: bool | None = None,
    dim: int | None = None,
    progress: bool = True,
) -> list[Path]:
    """Encode the pictures of a data set's entities and write the store ``OUT_DIR/image``.

    A run that was killed goes on where it was; stores of the same pictures, encoder and options
    that are there already are kept. A picture that cannot be used never stops the run: it is listed
    in ``image/skipped.tsv`` and counted in the manifest, and an entity without any other counts as
    missing.

    Parameters
    ----------
    dataset_dir
        Folder with ``entity2id.txt``.
    out_dir
        Folder of feature stores.
    pictures
        Folders that :func:`.find_pictures` looks in; the first that
        has pictures of an entity gives them: name those of real pictures before generated ones.
    encoder
        A name that :func:`.image_encoder` knows, or an
        encoder.
    several
        Of an entity with several pictures "mean" takes the mean of their vectors, scaled back to
        length one where the vectors have it; "typical" takes that of the picture which is most like
        the others, see :func:`.most_typical`; "rows" keeps them as several rows of the entity, for
        models that take these, such as IKRL and VISTA; "separate" keeps them apart as modalities of
        their own, image, image-2, image-3, each missing where an entity has no further picture.
    max_pictures
        The most pictures of an entity that are used, the first by name.
    max_pixels
        Larger pictures are skipped.
    batch_size
        Pictures encoded at once.
    device
        "cpu", "cuda", "auto", …
    pooling, normalised, dim
        The encoder's options; None is its own default. They and ``device`` are not used when
        ``encoder`` is an encoder.
    progress
        Show a progress bar.

    Returns
    -------
    list of Path
        The stores.

    Raises
    ------
    ValueError
        No usable picture of any entity; no names of entities; an unknown encoder or an option that
        it does not take; a bad value of ``several``, ``max_pictures``, ``batch_size``.
    OSError
        A folder or the encoder is not there, or the stores cannot be written.
    """
    check_batch_size(batch_size)
    if several not in SEVERAL:
        raise ValueError(f"several is {several!r}, expected one of {', '.join(SEVERAL)}")
    if max_pictures < 1:
        raise ValueError(f"max_pictures is {max_pictures}, expected at least 1")
    names, folders = read_names(dataset_dir), [Path(folder) for folder in pictures]
    found = find_pictures(folders, names)
    chosen = choose_pictures(found, max_pictures=max_pictures, max_pixels=max_pixels)
    options: dict[str, Value] = {"several": several, "max_pixels": max_pixels}
    by_default = isinstance(encoder, str) and (pooling, normalised, dim) == (None, None, None)
    as_training = (
        by_default
        and [folder.resolve() for folder in folders] == [Path(dataset_dir, PICTURES).resolve()]
        and (several, max_pictures, max_pixels) == ("mean", MAX_PICTURES, MAX_PIXELS)
    )
    if isinstance(encoder, str):
        encoder, options["device"] = _made(encoder, device, pooling, normalised, dim)
    assembly = _Assembly(
        names=names,
        folders=folders,
        found=found,
        chosen=chosen,
        max_pixels=max_pixels,
        several=several,
        unit_length=bool(encoder.settings.get("normalised")),
        as_training=as_training,
    )
    if not chosen.used:
        raise assembly.nothing(chosen.skipped)
    work = Work(
        modality="image",
        out_dir=Path(out_dir),
        dataset=Path(dataset_dir).resolve().name,
        entity_names=names,
        encoder=of_files(encoder, max_pixels=max_pixels),
        items=[picture.path for picture in chosen.used],
        # What is skipped, too: the store counts it.
        keys=[picture.key for picture in chosen.used]
        + [skip.line(folders) for skip in chosen.skipped],
        options=options,
        batch_size=batch_size,
        unit="pictures",
        progress=progress,
    )
    return make_stores(work, lambda rows, _: assembly.stores(rows))


def _made(
    encoder: str, device: str, pooling: str | None, normalised: bool | None, dim: int | None
) -> tuple[Encoder[Image] | Unfitted[Image], str]:
    """Return the encoder of that name and the type of its device, which rounds in its own way."""
    from lbmkgc_models.features.encoders.registry import image_encoder
    from openke.runtime.device import choose_device  # late: it loads all of training

    where = choose_device(device)
    options = {"pooling": pooling, "normalised": normalised, "dim": dim}
    return image_encoder(encoder, device=where, **options), where.type


@dataclass(frozen=True, kw_only=True)
class _Assembly:
    """From a row for each picture to the rows of each store."""

    names: Sequence[str]
    folders: Sequence[Path]
    found: Pictures
    chosen: Choice
    max_pixels: int
    several: Several
    unit_length: bool
    as_training: bool

    def _typical(self, members: Sequence[int]) -> int:
        """Return which of an entity's pictures is most like its others."""
        paths = [self.chosen.used[i].path for i in members]
        return members[most_typical(paths, max_pixels=self.max_pixels)]

    def stores(self, rows: Tensor) -> list[StoreRows]:
        """Return what each store holds, of Float["pictures dim"], NaN where one was bad."""
        broken = self._broken(rows)
        skipped = (*self.chosen.skipped, *broken.values())
        good = [i for i in range(len(rows)) if i not in broken]
        if not good:
            raise self.nothing(skipped)
        rows_of: dict[str, list[int]] = defaultdict(list)
        for i in good:
            rows_of[self.chosen.used[i].entity].append(i)
        if self.several == "typical":
            rows_of = {entity: [self._typical(members)] for entity, members in rows_of.items()}
            good = [members[0] for members in rows_of.values()]
        notes = self._notes([self.chosen.used[i] for i in good], len(rows_of), skipped)
        extra = {SKIPPED: skips_table(skipped, self.folders)} if skipped else {}
        if self.several == "rows":
            entities = [self.chosen.used[i].entity for i in good]
            return [StoreRows(entities, rows[good], notes, extra, several=True)]
        if self.several == "separate":
            most = max(map(len, rows_of.values()))
            layers = [{e: m[k] for e, m in rows_of.items() if k < len(m)} for k in range(most)]
            return [
                StoreRows(list(layer), rows[list(layer.values())], notes, {} if k else extra)
                for k, layer in enumerate(layers)
            ]
        means = torch.stack([rows[members].mean(dim=0) for members in rows_of.values()])
        values = normalize(means, dim=1) if self.unit_length else means
        return [StoreRows(list(rows_of), values, notes, extra)]

    def _broken(self, rows: Tensor) -> dict[int, Skip]:
        """Return the pictures that could not be read, by their row."""
        broken = {}
        for i in rows.isnan().all(dim=1).nonzero().flatten().tolist():
            picture = self.chosen.used[i]
            try:
                read_image(picture.path, max_pixels=self.max_pixels)
            except BadPicture as error:
                broken[i] = Skip.of(picture.entity, picture.path, error)
            # Else the encoder itself made NaN, and the store will say of which entity.
        return broken

    def _notes(
        self, used: Sequence[Picture], entities: int, skipped: Sequence[Skip]
    ) -> Mapping[str, Value]:
        content = hashlib.sha256("\n".join(picture.key for picture in used).encode())
        return {
            CHECKSUM: content.hexdigest(),
            AS_TRAINING: self.as_training,
            "pictures used": len(used),
            "pictures generated": sum(picture.generated for picture in used),
            **count_skips(skipped),
            "pictures not asked for": self.chosen.further,
            "entities without picture": len(self.names) - entities,
            "names of no entity": len(self.found.unmatched),
            "names of several entities": len(self.found.ambiguous),
            "links that lead out": len(self.found.outside),
        }

    def nothing(self, skipped: Sequence[Skip]) -> ValueError:
        """Return the error for not a single picture."""
        where = ", ".join(map(str, self.folders)) or "no folder given"
        if skipped:
            first = skipped[0]
            return ValueError(
                f"{where}: none of {counted(len(skipped), 'file')} is a picture that can be used, "
                f"the first {first.path}: {first.reason}"
            )
        there = [path.name for path in (*self.found.unmatched, *self.found.ambiguous)]
        holds = f"; {there[0]!r} is there, named for no entity alone" if there else ""
        if self.found.outside:
            holds = f"; {self.found.outside[0]} is a link that leads out of the folder"
        return ValueError(
            f"{where}: no picture of any of the {len(self.names)} entities{holds}; expected "
            f"folders or files named for them, such as {folder_name(self.names[0])}/1.jpg"
        )
