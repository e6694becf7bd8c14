"""Encoders by name: "NAME", "NAME:SOURCE", or names of texts' encoders with + between them."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lbmkgc_models.features.encoders.clip import ClipImageEncoder, ClipTextEncoder
from lbmkgc_models.features.encoders.colour import ColourHistogram
from lbmkgc_models.features.encoders.efficientnet import EfficientNetEncoder
from lbmkgc_models.features.encoders.joined import UnfittedJoined
from lbmkgc_models.features.encoders.openclip import OpenClipImageEncoder, OpenClipTextEncoder
from lbmkgc_models.features.encoders.protocol import Encoder, Unfitted
from lbmkgc_models.features.encoders.sentence import SentenceEncoder
from lbmkgc_models.features.encoders.tfidf import Tfidf
from lbmkgc_models.features.encoders.vit import VitEncoder
from openke.runtime.names import did_you_mean
from openke.runtime.registry import Registry

if TYPE_CHECKING:
    from PIL.Image import Image

Makers = Registry[Callable[..., Any]]

TEXT_ENCODERS: Makers = Registry(
    {
        "minilm": partial(SentenceEncoder, "minilm"),
        "tfidf": Tfidf,
        "spelling": partial(Tfidf, letters=True, dim=384),
        "open_clip": OpenClipTextEncoder,
        "clip": ClipTextEncoder,
    },
    "openke.text_encoders",
)
"""Makers of text encoders by name, with those of other packages."""
IMAGE_ENCODERS: Makers = Registry(
    {
        "efficientnet-lite0": EfficientNetEncoder,
        "colour-histogram": ColourHistogram,
        "open_clip": OpenClipImageEncoder,
        "clip": ClipImageEncoder,
        "vit": VitEncoder,
    },
    "openke.image_encoders",
)
"""Makers of picture encoders by name, with those of other packages."""


def text_encoder(spec: str, **options: Any) -> Encoder[str] | Unfitted[str]:
    """Return the encoder of texts that ``spec`` names.

    Parameters
    ----------
    spec
        A name of :data:`TEXT_ENCODERS`, with ":SOURCE" where it takes one; else the folder or Hub
        id of a sentence encoder. Names with "+" between them, as "minilm+spelling": their vectors
        side by side.
    options
        device, max_length, pooling, normalised, dim; None is the encoder's own default. Where
        there are several encoders, ``device`` alone.

    Raises
    ------
    ValueError
        An unknown name; an option that this encoder does not take, or a bad value of one.
    OSError
        The encoder is not there and cannot be fetched.
    """
    # A source may have a plus sign of its own: what follows it then names no encoder.
    first, *more = spec.split("+")
    if more and (first in TEXT_ENCODERS or all(map(_is_text_encoder, more))):
        return _joined(spec, [first, *more], options)
    name, colon, _ = spec.partition(":")
    is_folder = Path(spec).is_dir()
    # What has no owner is a mistyped name: the Hub would be asked for it, again and again.
    may_be_hub_id = not colon and "/" in spec
    if name not in TEXT_ENCODERS and (is_folder or may_be_hub_id):
        names = ", ".join(TEXT_ENCODERS)
        try:
            sentence: Encoder[str] = _made(spec, partial(SentenceEncoder, spec), options)
        except OSError as error:
            if is_folder:
                raise
            raise OSError(f"{error}. It is none of the names either: {names}") from error
        return sentence
    found: Encoder[str] | Unfitted[str] = _named("text", TEXT_ENCODERS, spec, options)
    return found


def image_encoder(spec: str, **options: Any) -> Encoder[Image] | Unfitted[Image]:
    """Return the encoder of pictures that ``spec`` names; see :func:`text_encoder`."""
    found: Encoder[Image] | Unfitted[Image] = _named("image", IMAGE_ENCODERS, spec, options)
    return found


def _is_text_encoder(spec: str) -> bool:
    return spec.partition(":")[0] in TEXT_ENCODERS


def _joined(spec: str, parts: Sequence[str], options: Mapping[str, Any]) -> UnfittedJoined[str]:
    for option, value in options.items():
        if option != "device" and value is not None:
            raise ValueError(
                f"encoder {spec!r}: {option} cannot be given to several encoders at once"
            )
    for part in parts:
        if not _is_text_encoder(part):
            raise ValueError(
                f"encoder {spec!r}: {part!r} is no encoder{did_you_mean(part, TEXT_ENCODERS)}, "
                f"expected {', '.join(TEXT_ENCODERS)}"
            )
    return UnfittedJoined([text_encoder(part, device=options.get("device")) for part in parts])


def _named(kind: str, makers: Makers, spec: str, options: Mapping[str, Any]) -> Any:
    name, _, source = spec.partition(":")
    if name not in makers:
        own = {name: _form(name, maker) for name, maker in makers.own.items()}
        known = ", ".join(own.get(name, name) for name in makers)  # others may not even load
        more = ", a folder, a Hub id OWNER/NAME" if kind == "text" else ""
        hint = did_you_mean(name, makers)
        raise ValueError(f"unknown {kind} encoder {spec!r}{hint}, expected one of {known}{more}")
    make = makers[name]
    if _takes_source(make) != bool(source):
        raise ValueError(f"{kind} encoder {spec!r}, expected {_form(name, make)}")
    return _made(name, partial(make, source) if source else make, options)


def _made(name: str, make: Callable[..., Any], options: Mapping[str, Any]) -> Any:
    given = {option: value for option, value in options.items() if value is not None}
    if "device" in given and "device" not in inspect.signature(make).parameters:
        del given["device"]  # what computes on the CPU alone
    taken = [option for option in inspect.signature(make).parameters if option != "source"]
    for option in given:
        if option not in taken:
            raise ValueError(
                f"encoder {name!r} has no option {option}, it takes {', '.join(taken)}"
            )
    return make(**given)


def _takes_source(make: Callable[..., Any]) -> bool:
    return "source" in inspect.signature(make).parameters


def _form(name: str, make: Callable[..., Any]) -> str:
    return f"{name}:SOURCE" if _takes_source(make) else name
