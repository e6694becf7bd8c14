"""The joins of the registry by name: from a data set's folder and files to named texts."""

from __future__ import annotations

from collections.abc import Callable

from openke.datasets.labels import join_freebase, join_wikidata, join_wikipedia
from openke.datasets.texts import join_texts

JOINS: dict[str, Callable[..., dict[str, str]]] = {
    "freebase": join_freebase,
    "wikidata": join_wikidata,
    "wikipedia": join_wikipedia,
    "texts": join_texts,
}
