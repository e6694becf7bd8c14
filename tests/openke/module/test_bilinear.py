"""Models that multiply, against independent formulas in float64 NumPy, triple by triple."""

import numpy as np
import pytest
import torch

from openke.module.interaction import bilinear, diagonal, hermitian, holographic, simple
from openke.module.model import RESCAL, Analogy, ComplEx, DistMult, HolE, SimplE
from tests.contracts.graphs import ENTITIES, RELATIONS
from tests.openke.module.float64 import numbers, score


def tables(model, *names):
    return [numbers(model, f"{name}.weight") for name in names]


def check(model, triples, expected):
    for h, r, t, found in zip(*triples, score(model, triples), strict=True):
        np.testing.assert_allclose(found, expected(h, r, t), rtol=1e-10, atol=1e-13)


def test_rescal(triples):
    model = RESCAL(ENTITIES, RELATIONS, dim=5).double()
    e, m = tables(model, "ent_embeddings", "rel_matrices")
    check(model, triples, lambda h, r, t: e[h] @ m[r].reshape(5, 5) @ e[t])


def test_distmult(triples):
    model = DistMult(ENTITIES, RELATIONS, dim=6).double()
    e, relations = tables(model, "ent_embeddings", "rel_embeddings")
    check(model, triples, lambda h, r, t: e[h] @ np.diag(relations[r]) @ e[t])


def complex_tables(model):
    e_re, e_im, r_re, r_im = tables(
        model,
        *(f"{kind}_{part}_embeddings" for kind in ("ent", "rel") for part in ("re", "im")),
    )
    return e_re + 1j * e_im, r_re + 1j * r_im


def test_complex(triples):
    model = ComplEx(ENTITIES, RELATIONS, dim=6).double()
    e, relations = complex_tables(model)
    check(model, triples, lambda h, r, t: (e[h] * relations[r] * e[t].conj()).sum().real)


def test_simple_with_one_vector_for_both_roles(triples):
    model = SimplE(ENTITIES, RELATIONS, dim=6).double()
    e, forward, inverse = tables(model, "ent_embeddings", "rel_embeddings", "rel_inv_embeddings")
    check(
        model,
        triples,
        lambda h, r, t: ((e[h] * forward[r] * e[t]).sum() + (e[t] * inverse[r] * e[h]).sum()) / 2,
    )


def test_simple_with_two_roles(triples):
    model = SimplE(ENTITIES, RELATIONS, dim=6, two_roles=True).double()
    e, forward, inverse = tables(model, "ent_embeddings", "rel_embeddings", "rel_inv_embeddings")
    as_head, as_tail = e[:, :6], e[:, 6:]
    check(
        model,
        triples,
        lambda h, r, t: (
            (
                (as_head[h] * forward[r] * as_tail[t]).sum()
                + (as_head[t] * inverse[r] * as_tail[h]).sum()
            )
            / 2
        ),
    )


@pytest.mark.parametrize("d", [1, 6, 7])
def test_hole(triples, d):
    model = HolE(ENTITIES, RELATIONS, dim=d).double()
    e, relations = tables(model, "ent_embeddings", "rel_embeddings")

    def correlated(h, r, t):
        return sum(
            relations[r][k] * e[h][i] * e[t][(i + k) % d] for k in range(d) for i in range(d)
        )

    check(model, triples, correlated)


def test_analogy(triples):
    model = Analogy(ENTITIES, RELATIONS, dim=3).double()
    z, z_r = complex_tables(model)
    e, relations = tables(model, "ent_embeddings", "rel_embeddings")
    assert e.shape == (ENTITIES, 6)
    check(
        model,
        triples,
        lambda h, r, t: (
            (z[h] * z_r[r] * z[t].conj()).sum().real + (e[h] * relations[r] * e[t]).sum()
        ),
    )


@pytest.mark.parametrize("kind", [DistMult, HolE])
def test_tables_start_in_openkes_bounds(kind):
    for sizes, wanted in (
        ({"margin": 3.0, "epsilon": 1.0}, lambda shape: 4.0 / 8),
        ({"margin": 3.0}, lambda shape: (6 / sum(shape)) ** 0.5),
    ):
        for name, parameter in kind(ENTITIES, RELATIONS, dim=8, **sizes).named_parameters():
            bound = wanted(parameter.shape)
            assert 0.8 * bound < parameter.abs().max() <= bound, name


def anchors(width, relation_width=None):
    generator = torch.Generator().manual_seed(1)
    return [
        torch.randn(5, size, generator=generator, dtype=torch.float64)
        for size in (width, width, relation_width or width, relation_width or width)
    ]


@pytest.mark.parametrize(
    ("query", "relation_width", "width"),
    [
        (lambda a, r, _, side: diagonal.query(a, r), 6, 6),
        (lambda a, r, _, side: hermitian.query(a, r, side), 6, 6),
        (lambda a, r, _, side: holographic.query(a, r, side), 6, 6),
        (lambda a, r, _, side: holographic.query(a, r, side), 5, 5),
        (simple.query, 3, 6),
        (
            lambda a, r, _, side: bilinear.query(a, r.view(5, 6, 6), torch.arange(5), side),
            36,
            6,
        ),
    ],
)
def test_both_sides_ask_the_same(query, relation_width, width):
    head, tail, r, other = anchors(width, relation_width)
    from_head = (query(head, r, other, "tail") * tail).sum(dim=1)
    from_tail = (query(tail, r, other, "head") * head).sum(dim=1)
    torch.testing.assert_close(from_head, from_tail)
    query_of = [head.clone().requires_grad_(), r.clone().requires_grad_()]
    assert torch.autograd.gradcheck(lambda a, b: query(a, b, other, "tail"), query_of)
    assert torch.autograd.gradcheck(lambda a, b: query(a, b, other, "head"), query_of)
