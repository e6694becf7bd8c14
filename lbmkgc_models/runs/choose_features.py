"""Which modalities a training run uses: those whose features are there, or those asked for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from lbmkgc_models.feature_store.labels import LABELS
from lbmkgc_models.feature_store.load import load_features
from lbmkgc_models.feature_store.search_path import (
    TOKENS,
    find_features,
    lies_in_cache,
    search_path,
)
from lbmkgc_models.feature_store.store import ModalFeatures
from lbmkgc_models.feature_store.texts import CHOICE_NOTE, TextChoice, check_choice, read_texts
from lbmkgc_models.features.describe import describe
from lbmkgc_models.features.image import SKIPPED, build_image_features
from lbmkgc_models.features.text import TEXTS, build_text_features
from lbmkgc_models.runs.features_to_make import (
    FeatureSource,
    made_by,
    pictures_to_encode,
    texts_to_encode,
)
from lbmkgc_models.runs.missing_features import (
    IMAGE,
    KNOWN,
    none_found,
    require_some,
    ways_to_get,
)
from openke.data.store import TripleStore
from openke.datasets.graph_folder import PICTURES
from openke.runtime.files import is_there


@dataclass(frozen=True)
class FeatureSet:
    """Features by modality, and one line that says what is used and what is missing."""

    features: dict[str, ModalFeatures]
    summary: str


@dataclass(frozen=True)
class FeaturePlan:
    """Which features a training uses and where they come from; looking for them changes nothing."""

    store: TripleStore
    directory: Path | None
    sources: Mapping[str, FeatureSource]
    """By modality, in the order asked for."""
    texts: TextChoice = "all"
    """Which texts are to be encoded."""
    unused: tuple[str, ...] = ()
    """Lines on modalities that are not used."""
    reason: str = ""
    """Why nothing is used, where nothing was looked for."""

    def only(self, order: Sequence[str]) -> FeaturePlan:
        """Return the plan for a model of one modality: the first in ``order`` that is there."""
        chosen = [name for name in (*order, *self.sources) if name in self.sources][:1]
        others = [name for name in self.sources if name not in chosen]
        left = tuple(f"{name}: not used, this model takes one modality" for name in others)
        sources = {name: self.sources[name] for name in chosen}
        return replace(self, sources=sources, unused=(*left, *self.unused))

    def encode(self, device: str = "cpu", progress: bool = True) -> None:
        """Encode what has to be; it is written into the user's cache."""
        for modality, source in self.sources.items():
            if not source.encoder:
                continue
            assert self.directory is not None
            out = source.path.parent
            how: dict[str, Any] = {"device": device, "progress": progress}
            how["encoder"] = source.encoder
            if modality == IMAGE:
                build_image_features(self.directory, out, [self.directory / PICTURES], **how)
                if progress and (source.path / SKIPPED).is_file():
                    print(f"what was skipped, and why: {source.path / SKIPPED}")
            else:
                build_text_features(self.directory, out, texts=self.texts, **how)

    def load(self) -> FeatureSet:
        """Load the features, all of which must be there by now.

        Raises
        ------
        ValueError
            Some texts were asked for, and the features were made of another choice.
        """
        if self.reason:
            return FeatureSet({}, f"{self.store.name}: {self.reason}")
        loaded, lines = {}, []
        for modality, source in self.sources.items():
            loaded[modality] = load_features(modality, source.path, self.store)
            remark = source.remark + _stale(loaded[modality], self.directory, self.texts)
            lines.append(describe(loaded[modality], source.path) + remark)
        used = "; ".join([*lines, *self.unused])
        alone = "" if loaded else "; structure only"
        return FeatureSet(loaded, f"{self.store.name}: {used}{alone}")


def gather_features(
    store: TripleStore,
    directory: str | Path | None = None,
    *,
    modalities: str | Sequence[str] = "auto",
    features: str | Path | None = None,
    text_encoder: str = "",
    texts: TextChoice = "all",
    tokens: bool = False,
    device: str = "cpu",
    progress: bool = True,
) -> FeatureSet:
    """Plan, encode and load the features of a graph's entities, one after the other.

    Arguments and errors are those of :func:`plan_features` and :meth:`FeaturePlan.encode`.
    """
    plan = plan_features(
        store,
        directory,
        modalities=modalities,
        features=features,
        text_encoder=text_encoder,
        texts=texts,
        tokens=tokens,
    )
    plan.encode(device, progress)
    return plan.load()


def plan_features(
    store: TripleStore,
    directory: str | Path | None = None,
    *,
    modalities: str | Sequence[str] = "auto",
    features: str | Path | None = None,
    text_encoder: str = "",
    texts: TextChoice = "all",
    tokens: bool = False,
) -> FeaturePlan:
    """Find the features of a graph's entities, and say which texts have to be encoded for them.

    Looked for in ``features``, in ``features`` below the data set's folder, and in the user's
    cache. Features that are in none of these are to be made in the cache: of text, where the data
    set has a ``labels.tsv`` and a sentence encoder is installed; of pictures, where it has a folder
    ``pictures`` and an encoder of pictures is installed. So are those in the cache that are
    another data set's of the same name, or of other texts than the data set has now; what
    ``features`` names is never changed.

    Parameters
    ----------
    store
        The graph.
    directory
        The data set's folder; ``store.directory`` by default.
    modalities
        "auto": all that are there or can be made; names ("text", "image,text"); "none".
    features
        Folder of feature stores or of AdaMF-MAT's ``.pth`` files.
    text_encoder
        What makes the text features, by name as of 'openke features text'; they are made into a
        folder of this encoder in the cache, once. "": whatever is there, else MiniLM's.
    texts
        Which texts are encoded, see :data:`.TextChoice`. Others than "all" have folders of their
        own in the cache; features that are there already are taken as they are.
    tokens
        Tokens go before vectors: of each folder the stores in ``tokens`` below it, which 'openke
        features tokens' writes, are found first. Not where a ``text_encoder`` is named.

    Raises
    ------
    FileNotFoundError
        A modality asked for by name is not there, or there is nothing in ``features``; the message
        has the places looked in and the ways to get it.
    ValueError
        ``modalities`` that mix names with "auto" or "none", or are commas only; a ``text_encoder``
        where ``features`` has text features or no text is asked for; ``texts`` of no such name.
    """
    directory = store.directory if directory is None else Path(directory)
    chosen = check_choice(texts)
    asked = _asked(modalities)
    if asked == []:
        return FeaturePlan(store, directory, {}, reason="no modalities asked for, structure only")
    nameless = store.entity_names is None and not text_encoder
    if asked is None and features is None and nameless:
        reason = "entity2id.txt has no names, so no features can be matched; structure only"
        return FeaturePlan(store, directory, {}, reason=reason)
    places = search_path(store.name, directory, features)
    if tokens and not text_encoder:
        places = [found for place in places for found in (place / TOKENS, place)]
    if features is not None:
        require_some(Path(features), store.name)
    found = {modality: FeatureSource(path) for modality, path in _find(store.name, places).items()}
    wanted = asked is None or "text" in asked
    if text_encoder:
        _check_encoder(text_encoder, wanted, features, store.name)
        found["text"] = made_by(text_encoder, chosen, store.name, directory)
    elif wanted:
        there = found["text"].path if "text" in found else None
        if there is None or lies_in_cache(there, store.name, features):
            made = texts_to_encode(directory, chosen, there, store.name)
            found |= {} if made is None else {"text": made}
    if (asked is None or IMAGE in asked) and features is None:
        there = found[IMAGE].path if IMAGE in found else None
        if there is None or lies_in_cache(there, store.name, None):
            made = pictures_to_encode(directory, there, store)
            found |= {} if made is None else {IMAGE: made}
    names = sorted(found) if asked is None else asked
    for modality in names:
        if modality not in found:
            raise FileNotFoundError(ways_to_get(modality, store.name, places, directory, found))
    unused = tuple(
        f"{modality}: not used" if modality in found else none_found(modality, directory)
        for modality in KNOWN
        if modality not in names
    )
    return FeaturePlan(store, directory, {name: found[name] for name in names}, chosen, unused)


def _asked(modalities: str | Sequence[str]) -> list[str] | None:
    """Return the names asked for, each once; None for "auto"."""
    parts = modalities.split(",") if isinstance(modalities, str) else modalities
    names = list(dict.fromkeys(part.strip() for part in parts if part.strip()))
    if parts and parts != [""] and not names:
        raise ValueError(
            f"modalities {modalities!r} name none, expected 'auto', 'none', or names such as "
            "'image,text'"
        )
    if names == ["auto"]:
        return None
    if names == ["none"]:
        return []
    if {"auto", "none"} & set(names):
        raise ValueError(
            f"modalities {','.join(names)!r}, expected 'auto', 'none', or names such as "
            "'image,text'"
        )
    return names


def _find(dataset: str, places: Sequence[Path]) -> dict[str, Path]:
    """Return modality -> store; the first place that has a modality gives it."""
    found: dict[str, Path] = {}
    for place in places:
        found = find_features(place, dataset) | found
    return found


def _check_encoder(
    text_encoder: str, wanted: bool, features: str | Path | None, dataset: str
) -> None:
    if not wanted:
        raise ValueError(
            f"features.text_encoder is {text_encoder!r}, but text is not among "
            "features.modalities; add it there, or leave out the encoder"
        )
    if features is not None and "text" in find_features(features, dataset):
        raise ValueError(
            f"features.text_encoder is {text_encoder!r}, but {features}, features.folder, has "
            "text features already; leave out the one or the other"
        )


def _stale(features: ModalFeatures, directory: Path | None, choice: TextChoice) -> str:
    """Return a remark where text features were made of other texts than the data set has now.

    Raises
    ------
    ValueError
        Some texts were asked for, and the features were made of another choice.
    """
    notes = features.manifest.notes
    if TEXTS not in notes or directory is None or not is_there(directory / LABELS):
        return ""
    if notes[TEXTS] == read_texts(directory, choice).checksum():
        return ""
    again = f"run 'openke features text {directory} --texts {choice}' again"
    made = notes.get(CHOICE_NOTE, choice)
    if choice not in ("all", made):  # a result would say that it had texts which it had not
        raise ValueError(
            f"features.texts is {choice!r}, but the text features were made of {made!r}: make them "
            f"again with --texts {choice}, or set features.texts to {made!r}"
        )
    return f", of other texts than those asked for: {again}"
