"""SDXL's base model and refiner as one function: prompts and seeds in, pictures out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from functools import cached_property
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from lbmkgc_models.feature_store.manifest import Value
from lbmkgc_models.features.lvmc.models import find_model, load_pipeline
from lbmkgc_models.features.lvmc.prompt import split_prompt
from lbmkgc_models.features.lvmc.seeds import generators, initial_noise
from lbmkgc_models.features.lvmc.settings import DrawingSettings

HALF = (torch.float16, torch.bfloat16)


class Sdxl:
    """Stable Diffusion XL with DDIM sampling, its models found at once and read when first used.

    With ``ε`` the U-Net's prediction from the latents ``z_t``, step ``t`` and text ``c``, the base
    goes from noise ``z_T ~ N(0, I)`` by (Eq. 3)

        z_{t−1} = √ᾱ_{t−1} (z_t − √(1 − ᾱ_t) ε) / √ᾱ_t + √(1 − ᾱ_{t−1}) ε,

    the refiner takes over at ``base_end`` by the same rule (Eq. 5), and the VAE's decoder makes the
    picture (Eq. 6). What differs from the paper: the published refiner's ``ε`` has no argument
    ``z_0`` of the base, and by default its latents go on from the base's instead of being noised
    again (Eq. 4); ``handover="noise"`` does that.

    Parameters
    ----------
    drawing
        Models and options.
    device
        Where to compute.
    dtype
        Of the weights; None takes float16 on GPUs and float32 on the CPU.
    cpu_offload
        Keep on the device only the part that computes: less GPU memory, slower.
    slicing
        Attention head by head and decoding picture by picture: less memory, slower.

    Raises
    ------
    OSError, ValueError
        See :func:`.find_model`.

    References
    ----------
    Podell et al., SDXL, ICLR 2024. Song et al., DDIM, ICLR 2021.
    """

    def __init__(
        self,
        drawing: DrawingSettings,
        *,
        device: str | torch.device = "cpu",
        dtype: torch.dtype | None = None,
        cpu_offload: bool = False,
        slicing: bool = False,
    ) -> None:
        self.drawing = drawing
        self.device = torch.device(device)
        on_gpu = self.device.type != "cpu"
        self.dtype = dtype or (torch.float16 if on_gpu else torch.float32)
        self._cpu_offload, self._slicing = cpu_offload, slicing
        half = self.dtype in HALF
        self._models = [find_model("base", drawing.base, drawing.base_revision, half=half)]
        if drawing.refined:
            revision = drawing.refiner_revision
            self._models.append(find_model("refiner", drawing.refiner, revision, half=half))

    @cached_property
    def settings(self) -> Mapping[str, Value]:
        """All that shapes the pictures besides prompts and seeds, for the records.

        Revisions are those of the weights that are read, whatever name they were asked for by.
        """
        chosen = asdict(self.drawing)
        for model in self._models:
            chosen[f"{model.role}_revision"] = model.revision
        if not self.drawing.refined:
            chosen |= {"refiner_revision": None, "base_end": None, "handover": None}
        return {**chosen, "scheduler": "DDIM"}

    def load(self) -> None:
        """Read the weights, unless that is done.

        Raises
        ------
        OSError
            See :func:`.load_pipeline`.
        ValueError
            A base without SDXL's two text encoders; so few steps that a model gets none.
        """
        _ = self._pipelines

    def split(self, prompt: str) -> tuple[str, str]:
        """Return the part of a prompt that CLIP's 77 tokens hold, and the rest."""
        return split_prompt(prompt, self._tokens, self._token_limit)

    def draw(self, prompts: Sequence[str], seeds: Sequence[int]) -> NDArray[np.float32]:
        """Return Float["n size size 3"] from 0 to 1, a picture per prompt and seed.

        A picture does not depend on what else is in the batch but for rounding. Its noise is the
        same bit for bit. In a batch of another order the picture was, too, and in one of another
        size it was within 2e-6 of itself: one grey level in one value of 30,000 (float32, CPU).
        """
        base, refiner = self._pipelines
        drawing = self.drawing
        streams = generators(seeds)
        side = drawing.size // base.vae_scale_factor
        noise = initial_noise(streams, (base.unet.config.in_channels, side, side))
        common: dict[str, Any] = {
            "prompt": list(prompts),
            # None, not "": the model says what stands for no prompt at all.
            "negative_prompt": [drawing.negative_prompt] * len(prompts)
            if drawing.negative_prompt
            else None,
            "num_inference_steps": drawing.steps,
            "guidance_scale": drawing.guidance,
        }
        split = refiner is not None and drawing.handover == "latents"
        drawn = base(
            **common,
            height=drawing.size,
            width=drawing.size,
            latents=noise.to(self.dtype),
            denoising_end=drawing.base_end if split else None,
            output_type="np" if refiner is None else "latent",
        ).images
        if refiner is not None:
            start = {"denoising_start": drawing.base_end} if split else {"strength": self._strength}
            drawn = refiner(
                **common, **start, image=drawn, generator=streams, output_type="np"
            ).images
        return np.asarray(drawn, np.float32)

    @property
    def _strength(self) -> float:
        return round(1 - self.drawing.base_end, 6)  # 0.2, not 0.1999…, which loses a step

    @cached_property
    def _pipelines(self) -> tuple[Any, Any]:
        """Return the base and the refiner, None without one."""
        names = ("StableDiffusionXLPipeline", "StableDiffusionXLImg2ImgPipeline")
        loaded = [
            load_pipeline(model, name, self.dtype)
            for model, name in zip(self._models, names, strict=False)
        ]
        base, refiner = loaded[0], loaded[1] if len(loaded) > 1 else None
        if base.text_encoder is None or base.text_encoder_2 is None:
            raise ValueError(
                f"base {self.drawing.base}: it has one text encoder, expected SDXL's two; is it a "
                "refiner?"
            )
        if refiner is not None:
            self._require_steps(base)
        for pipeline in loaded:
            if self._slicing:
                pipeline.enable_attention_slicing()
                pipeline.vae.enable_slicing()
            if self._cpu_offload:
                pipeline.enable_model_cpu_offload(device=self.device)
            else:
                pipeline.to(self.device)
        return base, refiner

    def _require_steps(self, base: Any) -> None:
        """Refuse a share of the schedule in which base or refiner has no step."""
        steps, end = self.drawing.steps, self.drawing.base_end
        if self.drawing.handover == "noise":
            of_base = steps - int(steps * self._strength)
        else:
            base.scheduler.set_timesteps(steps)
            total = base.scheduler.config.num_train_timesteps
            of_base = int((base.scheduler.timesteps >= round(total - end * total)).sum())
        if not 0 < of_base < steps:
            raise ValueError(
                f"base_end {end} of {steps} steps leaves none to the "
                f"{'refiner' if of_base else 'base'}: move base_end or take more steps"
            )

    @cached_property
    def _tokenizers(self) -> list[Any]:
        base, _ = self._pipelines
        return [base.tokenizer, base.tokenizer_2]

    @property
    def _token_limit(self) -> int:
        return min(int(tokenizer.model_max_length) for tokenizer in self._tokenizers)

    def _tokens(self, text: str) -> int:
        counts = (
            len(tokenizer(text, verbose=False)["input_ids"]) for tokenizer in self._tokenizers
        )
        return max(counts)
