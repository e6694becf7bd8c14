"""Analogy: ComplEx and DistMult side by side."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import torch
from torch import Tensor

from openke.data.batch import Side
from openke.module.interaction import diagonal, hermitian
from openke.module.model.bilinear import Bilinear
from openke.module.model.tables import table
from openke.module.scoring.encodings import Encodings
from openke.runtime.values import Count, Positive


@dataclass(frozen=True, kw_only=True)
class AnalogyConfig:
    """Settings of :class:`Analogy`; names and defaults are OpenKE's."""

    dim: Count = 100
    """Complex coordinates; there are 2 dim real ones besides, 4 dim reals in all."""
    init_scale: Positive | None = None
    """Tables start normal with this standard deviation; None: Xavier uniform.
    Small ones, 1e-3, suit training against all entities (Lacroix et al., ICML 2018)."""


SIGN = "true_is_high"
"""Beside the tables of this package's Analogy: 1, high values are true. OpenKE's has no such."""


class Analogy(Bilinear):
    """Score Re sum_k h_k r_k conj(t_k) + sum_k h'_k r'_k t'_k over complex and real coordinates.

    OpenKE's score is the negative of this one, which only turns the sign of its relations; those
    of its files are turned when they are loaded. Tables of either are told apart by their
    constants: OpenKE's ``zero_const`` and ``pi_const``, or :data:`SIGN`.

    References
    ----------
    Liu et al., Analogical Inference for Multi-relational Embeddings, ICML 2017.
    """

    Config = AnalogyConfig
    citation = "Liu et al., ICML 2017"
    config: AnalogyConfig
    linear_in_relation: ClassVar[bool] = True

    def __init__(self, ent_tot: int, rel_tot: int, *values: Any, **settings: Any) -> None:
        super().__init__(ent_tot, rel_tot, *values, **settings)
        c = self.config
        self.ent_re_embeddings = table(ent_tot, c.dim, scale=c.init_scale)
        self.ent_im_embeddings = table(ent_tot, c.dim, scale=c.init_scale)
        self.rel_re_embeddings = table(rel_tot, c.dim, scale=c.init_scale)
        self.rel_im_embeddings = table(rel_tot, c.dim, scale=c.init_scale)
        self.ent_embeddings = table(ent_tot, 2 * c.dim, scale=c.init_scale)
        self.rel_embeddings = table(rel_tot, 2 * c.dim, scale=c.init_scale)
        if not self.in_openke_form:
            self.register_buffer(SIGN, torch.ones(1))

    def query(self, anchor: Encodings, relation: Tensor, side: Side) -> Encodings:
        """Return "query": Float["q 4d"]."""
        complex_anchor, real_anchor = anchor["entity"].chunk(2, dim=-1)  # [q 2d] each
        complex_r, real_r = self.relation_embeddings(relation).chunk(2, dim=-1)
        parts = [
            hermitian.query(complex_anchor, complex_r, side),
            diagonal.query(real_anchor, real_r),
        ]
        return {"query": torch.cat(parts, dim=-1)}

    def relation_query(self, head: Encodings, tail: Encodings) -> Tensor:
        """Return Float["q 4d"]."""
        (complex_h, real_h), (complex_t, real_t) = (
            rows["entity"].chunk(2, dim=-1) for rows in (head, tail)
        )
        parts = [hermitian.relation_query(complex_h, complex_t), diagonal.query(real_h, real_t)]
        return torch.cat(parts, dim=-1)

    def entity_embeddings(self, entities: Tensor) -> Tensor:
        """Return real parts, imaginary parts and real coordinates side by side, Float["u 4d"]."""
        tables = (self.ent_re_embeddings, self.ent_im_embeddings, self.ent_embeddings)
        return torch.cat([rows(entities) for rows in tables], dim=-1)

    def relation_embeddings(self, relation: Tensor) -> Tensor:
        """Return real parts, imaginary parts and real coordinates side by side, Float["q 4d"]."""
        tables = (self.rel_re_embeddings, self.rel_im_embeddings, self.rel_embeddings)
        return torch.cat([rows(relation) for rows in tables], dim=-1)

    def entity_moduli(self, rows: Tensor) -> Tensor:
        """Return the moduli of complex, then of real coordinates, Float["u 3d"]."""
        complex_part, real_part = rows.chunk(2, dim=-1)
        return torch.cat([hermitian.modulus(complex_part), real_part.abs()], dim=-1)

    def relation_moduli(self, rows: Tensor) -> Tensor:
        """Return the moduli of complex, then of real coordinates, Float["q 3d"]."""
        return self.entity_moduli(rows)

    def entity_part_widths(self) -> tuple[int, ...]:
        """Return the widths of the three parts."""
        return self.config.dim, self.config.dim, 2 * self.config.dim

    def relation_part_widths(self) -> tuple[int, ...]:
        """Return the widths of the three parts."""
        return self.entity_part_widths()

    def from_openke(self, entries: dict[str, Tensor]) -> dict[str, Tensor]:
        """Return OpenKE's ``entries`` with the sign of their relations turned."""
        turned = {
            name: -values if name.startswith("rel_") else values for name, values in entries.items()
        }
        return turned | {SIGN: torch.ones(1)}

    def check_origin(self, entries: dict[str, Tensor], source: str) -> None:
        """Refuse relations that do not say which sign they have; entities are alike in both."""
        if SIGN not in entries and any(name.startswith("rel_") for name in entries):
            raise ValueError(
                f"{source}: relations of OpenKE's Analogy have the other sign, and nothing says "
                "whose these are. Pass the whole get_parameters() of the model, or add "
                f"'zero_const': [0.0] to tables of OpenKE, {SIGN!r}: [1.0] to this package's"
            )
