"""All that shapes the pictures of a run besides the texts of the entities."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

from lbmkgc_models.features.lvmc.prompt import PromptTemplate
from openke.runtime.values import Count, Inside, Natural, Weight

NO_REFINER = "none"
SIZES = range(16, 2049, 8)
STEPS = range(1, 501)


@dataclass(frozen=True, kw_only=True)
class DrawingSettings:
    """Models, sampling and prompts; the paper gives none of the numbers.

    Raises
    ------
    ValueError
        A value out of its range.
    """

    base: str = "stabilityai/stable-diffusion-xl-base-1.0"
    """SDXL's base model: a folder as save_pretrained writes it, or a Hub id."""
    base_revision: str | None = None
    """Branch, tag or commit of a Hub id."""
    refiner: str = "stabilityai/stable-diffusion-xl-refiner-1.0"
    """SDXL's refiner, likewise; "none" lets the base model finish its pictures."""
    refiner_revision: str | None = None
    """Branch, tag or commit of a Hub id."""
    template: str = "a photo of {label}, {description}"
    """Prompt of an entity; {description} falls away for entities that have none."""
    negative_prompt: str = ""
    """What pictures should not show; empty leaves it to the model."""
    steps: Count = 40
    """DDIM steps of the whole schedule (diffusers' example for base and refiner)."""
    base_end: Inside = 0.8
    """Share of the schedule at which the refiner takes over (diffusers' example)."""
    handover: Literal["latents", "noise"] = "latents"
    """latents: the base stops at base_end and the refiner goes on with its latents, as SDXL's
    authors do it; noise: the base finishes and the refiner starts from its result noised back to
    base_end, the paper's Eq. 4."""
    guidance: Weight = 5.0
    """Scale of classifier-free guidance (diffusers' default for SDXL); 1 or less is without."""
    size: Count = 1024
    """Pixels of a side; SDXL was trained at 1024."""
    seed: Natural = 0
    """Seed of the run; each entity's own is made of it and the entity's name."""

    def __post_init__(self) -> None:
        """Check the values."""
        PromptTemplate(self.template)
        if self.steps not in STEPS:
            raise ValueError(f"steps is {self.steps}, expected {STEPS[0]} to {STEPS[-1]}")
        if self.size not in SIZES:
            raise ValueError(
                f"size is {self.size}, expected a multiple of 8 from {SIZES[0]} to {SIZES[-1]}"
            )
        if not 0 < self.base_end < 1:
            raise ValueError(
                f"base_end is {self.base_end}, expected a share between 0 and 1; the refiner "
                f"{NO_REFINER!r} leaves the whole to the base"
            )
        if not (math.isfinite(self.guidance) and self.guidance >= 0):
            raise ValueError(f"guidance is {self.guidance}, expected 0 or more")
        if self.handover not in ("latents", "noise"):
            raise ValueError(f"handover is {self.handover!r}, expected 'latents' or 'noise'")

    @property
    def refined(self) -> bool:
        """Whether there is a refiner."""
        return self.refiner != NO_REFINER
