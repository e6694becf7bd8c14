"""Features of relations for a training: of their names and of the pictures of what they relate."""

from __future__ import annotations

import re
from collections.abc import Mapping

import torch

from lbmkgc_models.feature_store.store import ModalFeatures
from lbmkgc_models.features.encoders.protocol import Encoder, Unfitted
from lbmkgc_models.features.encoders.registry import TEXT_ENCODERS, text_encoder
from lbmkgc_models.fusion.modal_tokens import Tokens
from lbmkgc_models.fusion.relation_rows import pictures_of_facts
from openke.data.batch import HEAD, RELATION, TAIL
from openke.data.store import TripleStore
from openke.data.vocabulary import relation_names

HUMP = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
"""Where a word begins in the middle of a name, as in birthPlace."""


def relation_features(
    store: TripleStore, relations: int, features: Mapping[str, ModalFeatures], pictures: int
) -> dict[str, Tokens]:
    """Return what can be made of relations, by modality.

    Parameters
    ----------
    store
        Names and labels of relations, and the facts of train.
    relations
        How many there are; with reciprocal ones twice those of the triples.
    features
        Those of entities. Names are encoded as their texts were, if by an encoder with weights of
        its own; where they cannot be, a line is printed.
    pictures
        The most of a relation, see :func:`.pictures_of_facts`.

    Raises
    ------
    OSError, ValueError
        A packaged encoder made the texts of entities, and cannot be loaded.
    """
    times = relations // store.relation_count
    found = {}
    if "image" in features:
        facts = torch.tensor(store.triples("train"))
        head, relation, tail = facts[:, HEAD], facts[:, RELATION], facts[:, TAIL]
        if times == 2:
            head, tail = torch.cat([head, tail]), torch.cat([tail, head])
            relation = torch.cat([relation, relation + store.relation_count])
        found["image"] = pictures_of_facts(
            head, relation, tail, features["image"], relations, pictures
        )
    if "text" in features and (rows := _encoded(store, features["text"])) is not None:
        there = torch.ones(relations, 1, dtype=torch.bool)
        found["text"] = Tokens(rows.repeat(times, 1)[:, None], there)
    return found


def words_of(name: str) -> str:
    """Return the words of a relation's name: "birth place" of http://x.org/birthPlace."""
    last = name.rstrip("/>").replace("#", "/").rpartition("/")[2]
    return " ".join(HUMP.sub(" ", last).replace("_", " ").split()).lower()


def _encoded(store: TripleStore, text: ModalFeatures) -> torch.Tensor | None:
    """Return Float["r f"] of all names; None where nothing encodes them, which is printed."""
    encoder = _encoder_of_names(store, text)
    if isinstance(encoder, str):
        print(f"relations have no text: {encoder}")
        return None
    names = relation_names(store)
    titles = [names.label(one) or words_of(names.name(one)) for one in range(store.relation_count)]
    return encoder.encode(titles)


def _encoder_of_names(store: TripleStore, text: ModalFeatures) -> Encoder[str] | str:
    """Return what encoded the texts of entities, or why it encodes no names.

    What has to be fitted encodes none, and neither does what it is joined with.
    """
    made_by = text.manifest.encoder
    if store.relation_names is None:
        return "they have no names"
    if not made_by:
        return "the features of texts do not say what encoded them"
    options = {
        name: value
        for name, value in text.manifest.settings.items()
        if name in ("max_length", "pooling", "normalised")
    }
    try:
        encoder = text_encoder(made_by, **options)
    except (OSError, ValueError) as error:
        if made_by in TEXT_ENCODERS:  # packaged: whoever installs it gets the same model as others
            raise
        return str(error)
    if isinstance(encoder, Unfitted):
        return f"{made_by} would have to be fitted to the texts of entities again"
    if encoder.dim != text.dim:
        return f"{made_by} makes {encoder.dim} reals, and those of entities have {text.dim}"
    return encoder
