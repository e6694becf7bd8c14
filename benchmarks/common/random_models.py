"""CLIP and ViT with random weights, written to folders as the libraries write trained ones.

They cost what trained ones of their size cost, need no download, and run the libraries' own code.
The vocabulary is the one that open_clip brings along.
"""

from __future__ import annotations

import gzip
import json
from dataclasses import dataclass
from pathlib import Path

VOCABULARY = 49408
"""Tokens of CLIP."""


@dataclass(frozen=True, kw_only=True)
class Size:
    """How large a model is."""

    width: int
    text_width: int
    layers: int
    heads: int
    text_heads: int
    embedding: int
    image: int
    patch: int
    context: int


TINY = Size(
    width=16,
    text_width=16,
    layers=1,
    heads=2,
    text_heads=2,
    embedding=8,
    image=32,
    patch=16,
    context=12,
)
"""For tests."""
BASE = Size(
    width=768,
    text_width=512,
    layers=12,
    heads=12,
    text_heads=8,
    embedding=512,
    image=224,
    patch=32,
    context=77,
)
"""CLIP's ViT-B/32."""


def open_clip_folder(folder: Path, size: Size) -> Path:
    """Write a CLIP of open_clip: open_clip_config.json and its weights."""
    import open_clip
    from safetensors.torch import save_file

    folder.mkdir(parents=True, exist_ok=True)
    (folder / "open_clip_config.json").write_text(json.dumps({"model_cfg": open_clip_config(size)}))
    model = open_clip.create_model(f"local-dir:{folder}")
    save_file(model.state_dict(), folder / "open_clip_model.safetensors")
    return folder


def open_clip_config(size: Size) -> dict[str, object]:
    """Return what open_clip makes a model of."""
    return {
        "embed_dim": size.embedding,
        "vision_cfg": {
            "image_size": size.image,
            "layers": size.layers,
            "width": size.width,
            "head_width": size.width // size.heads,
            "patch_size": size.patch,
        },
        "text_cfg": {
            "context_length": size.context,
            "vocab_size": VOCABULARY,
            "width": size.text_width,
            "heads": size.text_heads,
            "layers": size.layers,
        },
    }


def clip_folder(folder: Path, size: Size) -> Path:
    """Write a CLIP of transformers: weights, image processor and tokenizer."""
    from transformers import CLIPConfig, CLIPModel

    common = {"num_hidden_layers": size.layers, "projection_dim": size.embedding}
    config = CLIPConfig(
        text_config={
            "hidden_size": size.text_width,
            "intermediate_size": 4 * size.text_width,
            "num_attention_heads": size.text_heads,
            "max_position_embeddings": size.context,
            "vocab_size": VOCABULARY,
            # The last two tokens are the marks of start and end.
            "bos_token_id": VOCABULARY - 2,
            "eos_token_id": VOCABULARY - 1,
            **common,
        },
        vision_config={
            "hidden_size": size.width,
            "intermediate_size": 4 * size.width,
            "num_attention_heads": size.heads,
            "image_size": size.image,
            "patch_size": size.patch,
            **common,
        },
        projection_dim=size.embedding,
    )
    CLIPModel(config).save_pretrained(folder)
    _write_processor(folder, size)
    _write_tokenizer(folder, size)
    return folder


def vit_folder(folder: Path, size: Size, *, pooler: bool = True) -> Path:
    """Write a ViT of transformers: weights and image processor."""
    from transformers import ViTConfig, ViTModel

    config = ViTConfig(
        hidden_size=size.width,
        intermediate_size=4 * size.width,
        num_hidden_layers=size.layers,
        num_attention_heads=size.heads,
        image_size=size.image,
        patch_size=size.patch,
    )
    ViTModel(config, add_pooling_layer=pooler).save_pretrained(folder)
    _write_processor(folder, size)
    return folder


def _write_processor(folder: Path, size: Size) -> None:
    from transformers import CLIPImageProcessor

    CLIPImageProcessor(
        size={"shortest_edge": size.image},
        crop_size={"height": size.image, "width": size.image},
    ).save_pretrained(folder)


def _write_tokenizer(folder: Path, size: Size) -> None:
    """Write the vocabulary of open_clip in the files that transformers reads."""
    import open_clip
    from open_clip.tokenizer import default_bpe
    from transformers import CLIPTokenizer

    tokens = open_clip.SimpleTokenizer().encoder
    start, end = "<start_of_text>", "<end_of_text>"
    renamed = {start: "<|startoftext|>", end: "<|endoftext|>"}
    vocabulary = {renamed.get(token, token): number for token, number in tokens.items()}
    with gzip.open(default_bpe(), "rt", encoding="utf-8") as file:
        merges = file.read().split("\n")[1 : VOCABULARY - 512 - 2 + 1]
    (folder / "vocab.json").write_text(json.dumps(vocabulary), encoding="utf-8")
    (folder / "merges.txt").write_text("#version: 0.2\n" + "\n".join(merges), encoding="utf-8")
    tokenizer = CLIPTokenizer.from_pretrained(folder, model_max_length=size.context)
    tokenizer.save_pretrained(folder)
