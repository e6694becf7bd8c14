"""The picture that is most like an entity's others."""

from pathlib import Path

import numpy as np
import torch
from PIL import Image

from lbmkgc_models.feature_store.store import ModalFeatures
from lbmkgc_models.features.image import build_image_features
from lbmkgc_models.features.read_image import MAX_PIXELS
from lbmkgc_models.features.typical_picture import most_typical, perceptual_hash
from tests.lbmkgc_models.features.small import MeanColour, write_dataset


def disc(centre: float, size: int = 120, dark: int = 20) -> Image.Image:
    """Return a dark disc on white."""
    row, column = np.mgrid[:size, :size] / size
    inside = (row - centre) ** 2 + (column - centre) ** 2 < 0.04
    return Image.fromarray(np.where(inside, dark, 255).astype(np.uint8)).convert("RGB")


def write(folder: Path, images: list[Image.Image]) -> list[Path]:
    folder.mkdir(parents=True)
    paths = [folder / f"{number}.png" for number in range(len(images))]
    for path, image in zip(paths, images, strict=True):
        image.save(path)
    return paths


def test_a_hash_knows_the_picture_again() -> None:
    first = perceptual_hash(disc(0.3))
    assert first.shape == (256,)
    assert 100 < first.sum() < 156  # half are above the median
    again = (first == perceptual_hash(disc(0.3, size=200, dark=90))).mean()
    other = (first == perceptual_hash(disc(0.7))).mean()
    assert again > 0.9 > other


def test_the_typical_picture_is_like_the_others(tmp_path: Path) -> None:
    paths = write(tmp_path / "a", [disc(0.8), disc(0.3), disc(0.32), disc(0.28, dark=80)])
    assert most_typical(paths, max_pixels=MAX_PIXELS) in (1, 2, 3)
    assert most_typical(paths[:2], max_pixels=MAX_PIXELS) == 0
    same = write(tmp_path / "b", [disc(0.5)] * 3)
    assert most_typical(same, max_pixels=MAX_PIXELS) == 0


def test_features_are_those_of_the_typical_picture(tmp_path: Path) -> None:
    folder = write_dataset(tmp_path / "Zoo", [("ant", "ant", ""), ("bee", "bee", "")])
    shown = [disc(0.8, dark=200), disc(0.3), disc(0.3, dark=60), disc(0.31)]
    write(tmp_path / "pictures" / "ant", shown)
    (store,) = build_image_features(
        folder,
        tmp_path / "features",
        [tmp_path / "pictures"],
        encoder=MeanColour(),
        several="typical",
        progress=False,
    )
    found = ModalFeatures.load(store, ["ant", "bee"])
    assert found.present.tolist() == [True, False]
    near = [torch.allclose(found.values[0], row) for row in MeanColour().encode(shown)]
    assert not near[0]
    assert any(near[1:])
    assert found.manifest.notes["pictures"]
