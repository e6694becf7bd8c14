"""Drawing with the real classes of diffusers, held against the paper's formulas."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import Tensor

from lbmkgc_models.features.lvmc.pipeline import Sdxl
from lbmkgc_models.features.lvmc.record import levels
from lbmkgc_models.features.lvmc.seeds import generators, initial_noise
from lbmkgc_models.features.lvmc.settings import DrawingSettings

pytestmark = pytest.mark.slow

PROMPTS = ["a photo of dog, animal that barks", "a photo of île", "a photo of bank run"]
SEEDS = [3, 2**62 + 5, 8]


def _apart(one: NDArray[np.float32], other: NDArray[np.float32]) -> int:
    """Return the greatest difference in grey levels."""
    return int(np.abs(levels(one).astype(int) - levels(other).astype(int)).max())


def test_pictures_are_of_their_size_and_differ(sdxl: Sdxl) -> None:
    drawn = sdxl.draw(PROMPTS, SEEDS)
    assert drawn.shape == (3, 32, 32, 3)
    assert drawn.dtype == np.float32
    assert drawn.min() >= 0
    assert drawn.max() <= 1
    assert _apart(drawn[0], drawn[1]) > 20
    assert _apart(sdxl.draw(PROMPTS[:1], SEEDS[1:2])[0], drawn[0]) > 20


@pytest.mark.usefixtures("quick")
@pytest.mark.parametrize("handover", ["latents", "noise"])
def test_a_picture_does_not_depend_on_its_batch(drawing: DrawingSettings, handover: str) -> None:
    one = Sdxl(replace(drawing, handover=handover))  # type: ignore[arg-type]
    together = one.draw(PROMPTS, SEEDS)
    turned = one.draw(PROMPTS[::-1], SEEDS[::-1])[::-1]
    alone = np.concatenate([one.draw([p], [s]) for p, s in zip(PROMPTS, SEEDS, strict=True)])
    assert _apart(together, turned) <= 1
    assert _apart(together, alone) <= 1


@pytest.mark.usefixtures("quick")
@pytest.mark.parametrize("handover", ["latents", "noise", "none"])
def test_the_formulas_of_the_paper(drawing: DrawingSettings, handover: str) -> None:
    changes: dict[str, Any] = {"guidance": 0.0}  # ε as it is, without the one of no prompt
    changes |= {"refiner": "none"} if handover == "none" else {"handover": handover}
    sdxl = Sdxl(replace(drawing, **changes))
    drawn = sdxl.draw(PROMPTS[:1], SEEDS[:1])
    base, refiner = sdxl._pipelines
    streams = generators(SEEDS[:1])
    latents = initial_noise(streams, (4, 16, 16))
    size = [32, 32, 0, 0]  # height, width, no crop
    with torch.no_grad():
        of_base = [801, 601, 401] if handover == "latents" else [801, 601, 401, 201, 1]
        latents = _ddim(base, latents, of_base, [*size, 32, 32])
        if handover == "noise":
            share = base.scheduler.alphas_cumprod[201]
            noise = torch.randn(latents.shape, generator=streams[0])
            latents = share.sqrt() * latents + (1 - share).sqrt() * noise
        if handover != "none":
            latents = _ddim(refiner, latents, [201, 1], [*size, 6.0])  # its aesthetic score
        vae = (refiner or base).vae
        picture = vae.decode(latents / vae.config.scaling_factor).sample[0]
    expected = (picture / 2 + 0.5).clamp(0, 1).permute(1, 2, 0).numpy()
    assert np.abs(drawn[0] - expected).max() < 1e-4


def _ddim(pipeline: Any, latents: Tensor, timesteps: list[int], numbers: list[float]) -> Tensor:
    """Return the latents after the steps of Eq. 3."""
    text, _, pooled, _ = pipeline.encode_prompt(PROMPTS[0], do_classifier_free_guidance=False)
    added = {"text_embeds": pooled, "time_ids": torch.tensor([numbers])}
    alphas = pipeline.scheduler.alphas_cumprod
    for t in timesteps:
        noise = pipeline.unet(latents, t, text, added_cond_kwargs=added).sample
        now, then = alphas[t], alphas[t - 200] if t > 200 else torch.tensor(1.0)
        clean = (latents - (1 - now).sqrt() * noise) / now.sqrt()
        latents = then.sqrt() * clean + (1 - then).sqrt() * noise
    return latents


@pytest.mark.usefixtures("quick")
def test_options_that_shape_a_picture(drawing: DrawingSettings, sdxl: Sdxl) -> None:
    drawn = sdxl.draw(PROMPTS[:1], SEEDS[:1])
    for change in ({"negative_prompt": "blue"}, {"guidance": 2.0}, {"steps": 6}):
        other = Sdxl(replace(drawing, **change)).draw(PROMPTS[:1], SEEDS[:1])  # type: ignore[arg-type]
        assert _apart(drawn, other) > 2, change


def test_saving_memory_changes_no_picture(drawing: DrawingSettings, sdxl: Sdxl) -> None:
    saving = Sdxl(drawing, slicing=True, cpu_offload=True)
    for _ in range(2):  # the second batch finds the models where the first has left them
        assert _apart(saving.draw(PROMPTS, SEEDS), sdxl.draw(PROMPTS, SEEDS)) <= 1
    assert saving._pipelines[0].vae.use_slicing


def test_half_precision(drawing: DrawingSettings, sdxl: Sdxl) -> None:
    half = Sdxl(drawing, dtype=torch.bfloat16)
    drawn = half.draw(PROMPTS, SEEDS)
    assert half._pipelines[0].unet.dtype == torch.bfloat16
    assert np.abs(drawn - sdxl.draw(PROMPTS, SEEDS)).mean() < 0.05
    assert Sdxl(drawing, device="cuda").dtype == torch.float16
    assert Sdxl(drawing, device="cpu").dtype == torch.float32


def test_settings_for_the_record(drawing: DrawingSettings, sdxl: Sdxl) -> None:
    settings = sdxl.settings
    assert settings["base"] == drawing.base
    assert str(settings["base_revision"]).startswith("sha256:")
    assert settings["base_revision"] != settings["refiner_revision"]
    assert [settings[name] for name in ("scheduler", "steps", "base_end")] == ["DDIM", 5, 0.6]
    alone = Sdxl(replace(drawing, refiner="none")).settings
    assert (alone["refiner_revision"], alone["base_end"], alone["handover"]) == (None, None, None)
    assert alone["base_revision"] == settings["base_revision"]


def test_what_clip_reads_of_a_long_prompt(sdxl: Sdxl) -> None:
    words = " ".join(f"word{i}" for i in range(60))
    read, rest = sdxl.split(words)
    assert f"{read} {rest}" == words
    tokenizer = sdxl._pipelines[0].tokenizer
    assert len(tokenizer(read).input_ids) <= 77
    assert len(tokenizer(f"{read} {rest.split()[0]}").input_ids) > 77
    assert sdxl.split(PROMPTS[0]) == (PROMPTS[0], "")
    read, rest = sdxl.split("日本" * 100)
    assert read + rest == "日本" * 100
    assert len(tokenizer(read).input_ids) <= 77


@pytest.mark.usefixtures("quick")
@pytest.mark.parametrize(
    ("changes", "left"),
    [
        ({"base_end": 0.1}, "base_end 0.1 of 5 steps leaves none to the base: move base_end"),
        ({"steps": 1}, "base_end 0.6 of 1 steps leaves none to the base"),
        ({"base_end": 0.9999}, "base_end 0.9999 of 5 steps leaves none to the refiner"),
        ({"base_end": 0.9, "handover": "noise"}, "base_end 0.9 of 5 steps leaves none to the re"),
    ],
)
def test_a_model_without_steps(
    drawing: DrawingSettings, changes: dict[str, Any], left: str
) -> None:
    with pytest.raises(ValueError, match=left):
        Sdxl(replace(drawing, **changes)).load()


@pytest.mark.usefixtures("quick")
def test_a_refiner_is_no_base(drawing: DrawingSettings) -> None:
    with pytest.raises(ValueError, match=r"it has one text encoder, expected SDXL's two; is it a"):
        Sdxl(replace(drawing, base=drawing.refiner)).load()
