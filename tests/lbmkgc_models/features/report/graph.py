"""A small graph with texts, pictures and features, for the tests of the report."""

import json
from pathlib import Path

from PIL import Image

from openke.data.store import TripleStore
from openke.datasets.pictures import folder_name
from tests.lbmkgc_models.features.cmoa.pairs import NAMES, features
from tests.lbmkgc_models.features.small import write_dataset

WITHOUT = {"image": NAMES[100:130], "text": NAMES[120:140]}
PROMPT = 'a photo of <script>alert("x")</script> & more'


def graph(folder: Path) -> TripleStore:
    """Write and open a graph of all names; the labels try to break the page."""
    labels = [(name, f"<b>{name}</b>", f'says "{i}" & more') for i, name in enumerate(NAMES)]
    write_dataset(folder, [*labels[:-1], (NAMES[-1], "long", "word " * 200)])
    return TripleStore.open(folder)


def stores(folder: Path, **about: object) -> Path:
    """Write features of both modalities, with gaps."""
    for modality, each in features(WITHOUT, **about).items():
        each.save(folder / modality)
    return folder


def pictures(folder: Path) -> Path:
    """Draw real pictures of ten entities, generated ones of three, and a broken one."""
    for i, name in enumerate(NAMES[:10]):
        place = folder / folder_name(name)
        place.mkdir(parents=True)
        Image.new("RGB", (300, 200), (20 * i, 90, 120)).save(place / "1.png")
        Image.new("P", (30, 20)).save(place / "2.png")
    for name in NAMES[100:103]:
        place = folder / folder_name(name)
        place.mkdir()
        Image.new("RGBA", (64, 64), (200, 40, 40, 128)).save(place / "generated.png")
        (place / "generated.json").write_text(json.dumps({"prompt": PROMPT, "seed": 12345}))
    (folder / NAMES[102] / "generated.json").write_text("{")
    (folder / NAMES[0] / "1.png").write_bytes(b"no picture")
    return folder
