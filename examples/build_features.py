"""Pictures and texts of a data set into features: the whole way of the paper's LvMC and CMoA.

Draws the pictures that are missing, encodes pictures and texts, aligns them, and shows them on a
page. Each step goes on where it was stopped, and leaves alone what is done already. Drawing takes
hours on a GPU; several share the work under torchrun with --steps generate.

    python examples/build_features.py --pictures DB15K-images --generated DB15K-generated
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from lbmkgc_models.features import image_command
from lbmkgc_models.features.cmoa.command import command as align
from lbmkgc_models.features.lvmc.command import command as generate
from lbmkgc_models.features.lvmc.settings import DrawingSettings
from lbmkgc_models.features.report.command import command as report
from lbmkgc_models.features.text_command import command as encode_texts
from openke.datasets.search import find_dataset
from openke.runtime.script import run_script

Step = Literal["generate", "image", "text", "align", "report"]
CLIP = "clip:openai/clip-vit-large-patch14"


@dataclass(frozen=True, kw_only=True)
class Settings:
    """Which steps, on what, and where results go."""

    dataset: str = "DB15K"
    """Name or folder of a data set with a labels.tsv."""
    data: Path | None = None
    """Folder of the data set; else OPENKE_DATA, benchmarks/, the cache and a download."""
    pictures: tuple[Path, ...] = ()
    """Folders of real pictures, one folder an entity, as mmkb has them."""
    generated: Path = Path("generated")
    """Folder that generated pictures are written to."""
    out: Path = Path("features")
    """Folder for OUT/raw (features as encoded), OUT/aligned and OUT/report."""
    steps: tuple[Step, ...] = ("generate", "image", "text", "align", "report")
    """What to do, in this order; leave generate out to use real pictures alone."""
    sdxl: DrawingSettings = field(default_factory=DrawingSettings)
    """Models and sampling of the generated pictures."""
    image_encoder: str = CLIP
    """See openke features image --help; efficientnet-lite0 needs no download."""
    text_encoder: str = CLIP
    """See openke features text --help; minilm needs no download."""
    align: Literal["heads", "clip"] = "clip"
    """clip keeps the space that the encoders of one CLIP share; heads trains projections into a
    common one, for encoders that share none."""
    batch_size: int = 4
    """Pictures drawn at once."""
    device: str = "auto"
    """auto, cpu, cuda, cuda:1, mps."""

    def __post_init__(self) -> None:
        """Check what belongs together."""
        drawn = "generate" in self.steps or self.generated.is_dir()
        if "image" in self.steps and not (self.pictures or drawn):
            raise ValueError(
                "no pictures: give folders of real ones by --pictures, or have them drawn by the "
                "step generate"
            )


def main(settings: Settings) -> None:
    folder = Path(settings.dataset)
    if not folder.is_dir():
        folder = find_dataset(settings.dataset, settings.data)
    dataset = str(folder)
    raw, aligned = settings.out / "raw", settings.out / "aligned"
    features = raw
    if "generate" in settings.steps:
        generate(
            dataset,
            out=settings.generated,
            pictures=settings.pictures,
            drawing=settings.sdxl,
            batch_size=settings.batch_size,
            device=settings.device,
        )
    drawn = (settings.generated,) if settings.generated.is_dir() else ()
    pictures = (*settings.pictures, *drawn)  # real ones go first
    if "image" in settings.steps:
        image_command.command(
            dataset,
            pictures=pictures,
            out=raw,
            encoder=settings.image_encoder,
            device=settings.device,
        )
    if "text" in settings.steps:
        encode_texts(dataset, out=raw, encoder=settings.text_encoder, device=settings.device)
    if "align" in settings.steps:
        align(raw, out=aligned, mode=settings.align, dataset=dataset)
        features = aligned
    if "report" in settings.steps:
        before = raw if features is aligned else None
        page = settings.out / "report"
        report(dataset, features=features, before=before, pictures=pictures, out=page)
    print(f"train with them: openke train {dataset} --set features.folder={features}")


if __name__ == "__main__":
    run_script(Settings, main)
