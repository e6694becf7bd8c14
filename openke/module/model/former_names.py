"""Names that a model's methods and flags had in earlier releases; users' models still have them."""

from __future__ import annotations

from typing import Any

from torch import nn

from openke.aliases import warn_of

METHODS = {
    "asked": "effective_relation",
    "between": "relation_query",
    "place": "project",
    "relation_rows": "relation_embeddings",
    "relation_widths": "relation_part_widths",
    "structure": "entity_embeddings",
    "structure_widths": "entity_part_widths",
}
FLAGS = {
    "directed": "asymmetric_queries",
    "inverses": "inverse_offset",
    "linear": "linear_in_relation",
    "over_graph": "needs_triples",
    "relational": "projects_entities",
}


class FormerNames(nn.Module):
    """Takes what a subclass defines under a name of old for what has another name today.

    Each use gives a ``DeprecationWarning`` that names the new one. A name that a subclass gives to
    something else, such as a layer called ``linear``, stays what it is.
    """

    def __init_subclass__(cls, **options: Any) -> None:
        """Define methods and flags of old under their names of today, too."""
        own = vars(cls)
        found = [old for old in METHODS if callable(own.get(old))]
        found += [old for old in FLAGS if isinstance(own.get(old), int)]
        for old in found:
            new = {**METHODS, **FLAGS}[old]
            if new not in own:
                warn_of(f"{cls.__name__}.{old}", f"{cls.__name__}.{new}", stacklevel=2)
                setattr(cls, new, own[old])
        super().__init_subclass__(**options)

    def __getattr__(self, name: str) -> Any:
        """Return what a name of old stands for, where nothing else has it."""
        try:
            return super().__getattr__(name)
        except AttributeError:
            new = METHODS.get(name) or FLAGS.get(name)
            if new is None:
                raise
            kind = type(self).__name__
            warn_of(f"{kind}.{name}", f"{kind}.{new}", stacklevel=2)
            return getattr(self, new)
