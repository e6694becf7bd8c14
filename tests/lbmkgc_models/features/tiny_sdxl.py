"""A tiny SDXL base and refiner of the real classes with random weights, made offline in seconds."""

import gzip
import json
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import torch

WIDTH = 16
"""Width of each text encoder and of its projection."""


def write_tiny_sdxl(folder: Path) -> tuple[Path, Path]:
    """Write ``folder/base`` and ``folder/refiner``, as ``save_pretrained`` does; return both.

    As in SDXL, the base reads the text through both encoders and the refiner through the second;
    a picture is twice as large as its latents (eight times in SDXL), and its scheduler is Euler's.
    """
    from diffusers import (
        AutoencoderKL,
        StableDiffusionXLImg2ImgPipeline,
        StableDiffusionXLPipeline,
    )

    tokenizer = _tokenizer(folder / "tokenizer")
    torch.manual_seed(0)
    vae = AutoencoderKL(
        block_out_channels=[16, 16],
        down_block_types=["DownEncoderBlock2D"] * 2,
        up_block_types=["UpDecoderBlock2D"] * 2,
        latent_channels=4,
        norm_num_groups=8,
        sample_size=32,
    )
    common: dict[str, Any] = {
        "vae": vae.eval(),
        "scheduler": _euler(),
        "tokenizer_2": tokenizer,
        "text_encoder_2": _text_encoder(projected=True),
        "add_watermarker": False,
    }
    base = StableDiffusionXLPipeline(
        **common,
        tokenizer=tokenizer,
        text_encoder=_text_encoder(projected=False),
        unet=_unet(text_width=2 * WIDTH, time_ids=6),
    )
    base.save_pretrained(folder / "base")
    refiner = StableDiffusionXLImg2ImgPipeline(
        **common,
        tokenizer=None,
        text_encoder=None,
        unet=_unet(text_width=WIDTH, time_ids=5),
        requires_aesthetics_score=True,
    )
    refiner.save_pretrained(folder / "refiner")
    return folder / "base", folder / "refiner"


def _unet(*, text_width: int, time_ids: int) -> Any:
    from diffusers import UNet2DConditionModel

    return UNet2DConditionModel(
        sample_size=16,
        block_out_channels=(16, 32),
        layers_per_block=1,
        down_block_types=("DownBlock2D", "CrossAttnDownBlock2D"),
        up_block_types=("CrossAttnUpBlock2D", "UpBlock2D"),
        attention_head_dim=(2, 4),
        transformer_layers_per_block=(1, 1),
        use_linear_projection=True,
        addition_embed_type="text_time",
        addition_time_embed_dim=8,
        projection_class_embeddings_input_dim=8 * time_ids + WIDTH,
        cross_attention_dim=text_width,
        norm_num_groups=8,
    ).eval()


def _text_encoder(*, projected: bool) -> Any:
    from transformers import CLIPTextConfig, CLIPTextModel, CLIPTextModelWithProjection

    config = CLIPTextConfig(
        vocab_size=49408,
        hidden_size=WIDTH,
        projection_dim=WIDTH,
        intermediate_size=2 * WIDTH,
        num_hidden_layers=2,
        num_attention_heads=2,
        bos_token_id=49406,
        eos_token_id=49407,
    )
    return (CLIPTextModelWithProjection if projected else CLIPTextModel)(config).eval()


def _euler() -> Any:
    from diffusers import EulerDiscreteScheduler

    return EulerDiscreteScheduler(
        beta_start=0.00085,
        beta_end=0.012,
        beta_schedule="scaled_linear",
        steps_offset=1,
        timestep_spacing="leading",
    )


def _tokenizer(folder: Path) -> Any:
    """Return CLIP's tokenizer, made from the vocabulary that open_clip comes with."""
    from transformers import CLIPTokenizer

    spec = find_spec("open_clip")
    assert spec is not None
    assert spec.submodule_search_locations is not None
    path = Path(spec.submodule_search_locations[0]) / "bpe_simple_vocab_16e6.txt.gz"
    with gzip.open(path, "rt", encoding="utf-8") as file:
        merges = file.read().split("\n")[1 : 49152 - 256 - 2 + 1]
    # Bytes that print stand for themselves, the others for characters from 256 on.
    plain = [*range(33, 127), *range(161, 173), *range(174, 256)]
    signs = [chr(code) for code in (*plain, *range(256, 256 + 256 - len(plain)))]
    words = [*signs, *(f"{sign}</w>" for sign in signs), *("".join(m.split()) for m in merges)]
    words += ["<|startoftext|>", "<|endoftext|>"]
    folder.mkdir(parents=True)
    vocabulary = {word: number for number, word in enumerate(words)}
    (folder / "vocab.json").write_text(json.dumps(vocabulary), encoding="utf-8")
    (folder / "merges.txt").write_text("\n".join(["#version: 0.2", *merges]), encoding="utf-8")
    files = str(folder / "vocab.json"), str(folder / "merges.txt")
    return CLIPTokenizer(*files, model_max_length=77)
