"""TransH, TransR and TransD against independent formulas in float64 NumPy, triple by triple."""

from dataclasses import dataclass, fields

import numpy as np
import pytest
import torch

from openke.module.interaction import matrix
from openke.module.model import TransD, TransH, Translational, TranslationalConfig, TransR, table
from openke.module.scoring.all_entities import encode_all, score_all
from openke.module.scoring.triples import score_triples
from tests.contracts.graphs import ENTITIES, RELATIONS, build
from tests.openke.module.float64 import numbers, score, unit

norms = pytest.mark.parametrize("p", [1, 2])
flags = pytest.mark.parametrize("norm", [True, False])
margins = pytest.mark.parametrize("margin", [None, 4.0])


def translated(h, r, t, p, norm, margin):
    if norm:
        h, r, t = unit(h), unit(r), unit(t)
    return (margin or 0.0) - np.linalg.norm(h + r - t, ord=p)


@norms
@flags
@margins
def test_transh(triples, p, norm, margin):
    model = TransH(
        ENTITIES, RELATIONS, dim=7, p_norm=p, norm_flag=norm, margin=margin, epsilon=2.0
    ).double()
    e, relations, normals = (
        numbers(model, f"{name}.weight")
        for name in ("ent_embeddings", "rel_embeddings", "norm_vector")
    )
    for h, r, t, found in zip(*triples, score(model, triples), strict=True):
        n = unit(normals[r])
        plane = np.eye(7) - np.outer(n, n)
        expected = translated(plane @ e[h], relations[r], plane @ e[t], p, norm, margin)
        np.testing.assert_allclose(found, expected, rtol=1e-10)


@norms
@flags
@margins
def test_transr(triples, p, norm, margin):
    model = TransR(
        *(ENTITIES, RELATIONS),
        **{"dim_e": 4, "dim_r": 6, "p_norm": p, "norm_flag": norm, "rand_init": True},
        margin=margin,
    ).double()
    e, relations, matrices = (
        numbers(model, f"{name}.weight")
        for name in ("ent_embeddings", "rel_embeddings", "transfer_matrix")
    )
    for h, r, t, found in zip(*triples, score(model, triples), strict=True):
        m = matrices[r].reshape(4, 6)
        expected = translated(e[h] @ m, relations[r], e[t] @ m, p, norm, margin)
        np.testing.assert_allclose(found, expected, rtol=1e-10)


@norms
@flags
@margins
@pytest.mark.parametrize("dims", [(5, 5), (6, 4), (4, 6)])
def test_transd(triples, p, norm, margin, dims):
    dim_e, dim_r = dims
    model = TransD(
        *(ENTITIES, RELATIONS),
        **{"dim_e": dim_e, "dim_r": dim_r, "p_norm": p, "norm_flag": norm},
        margin=margin,
        epsilon=2.0,
    ).double()
    e, relations, e_p, r_p = (
        numbers(model, f"{name}.weight")
        for name in ("ent_embeddings", "rel_embeddings", "ent_transfer", "rel_transfer")
    )
    for h, r, t, found in zip(*triples, score(model, triples), strict=True):
        head, tail = (
            unit((np.outer(r_p[r], e_p[x]) + np.eye(dim_r, dim_e)) @ e[x]) for x in (h, t)
        )
        expected = translated(head, relations[r], tail, p, norm, margin)
        np.testing.assert_allclose(found, expected, rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("dims", [(3, 3), (4, 2), (2, 4)])
def test_transr_starts_as_the_identity(dims):
    model = TransR(ENTITIES, RELATIONS, dim_e=dims[0], dim_r=dims[1])
    for row in numbers(model, "transfer_matrix.weight"):
        np.testing.assert_array_equal(row.reshape(dims), np.eye(*dims))


@pytest.mark.parametrize("kind", [TransH, TransD])
def test_tables_start_in_openkes_bounds(kind):
    torch.manual_seed(0)
    sizes = {"dim": 4} if kind is TransH else {"dim_e": 4, "dim_r": 8}
    model = kind(ENTITIES, RELATIONS, **sizes, margin=3.0, epsilon=1.0)
    for name, parameter in model.named_parameters():
        bound = 4.0 / parameter.shape[1]
        assert 0.8 * bound < parameter.abs().max() <= bound, name
    model = kind(ENTITIES, RELATIONS, **sizes)
    for name, parameter in model.named_parameters():
        bound = (6 / sum(parameter.shape)) ** 0.5
        assert 0.8 * bound < parameter.abs().max() <= bound, name


@pytest.mark.parametrize("kind", [TransH, TransR, TransD])
def test_wrong_settings_are_refused(kind):
    with pytest.raises(ValueError, match=f"{kind.__name__}.p_norm is 3; expected one of 1, 2"):
        kind(ENTITIES, RELATIONS, p_norm=3)


@pytest.mark.parametrize("kind", [TransR, TransD])
def test_relations_need_a_dimension(kind):
    with pytest.raises(ValueError, match=f"{kind.__name__}.dim_r is 0; expected a whole number, 1"):
        kind(ENTITIES, RELATIONS, dim_r=0)


def test_tables_cannot_start_in_a_negative_bound():
    with pytest.raises(
        ValueError, match=r"TransH: margin \+ epsilon is -1.0; expected a number, 0"
    ):
        TransH(ENTITIES, RELATIONS, margin=-3.0, epsilon=2.0)


def test_queries_in_any_order_of_relations_get_their_own_answers():
    model = build("TransR L2 random margin")
    anchor = torch.tensor([1, 2, 3, 4, 5])
    relation = torch.tensor([3, 0, 3, 1, 0])
    together = score_all(model, "head", anchor, relation, encode_all(model))
    for row in range(len(anchor)):
        alone = score_all(model, "head", anchor[row : row + 1], relation[row : row + 1])
        torch.testing.assert_close(together[row], alone[0])


def test_only_some_models_project_entities():
    model = build("TransE")
    with pytest.raises(NotImplementedError, match="TransE does not project entities"):
        model.project(encode_all(model), torch.zeros(ENTITIES, dtype=torch.int64))


def test_matrices_meet_their_vectors_whatever_the_order():
    generator = torch.Generator().manual_seed(0)
    vectors = torch.randn(6, 3, generator=generator, dtype=torch.float64)
    matrices = torch.randn(4, 3, 2, generator=generator, dtype=torch.float64)
    index = torch.tensor([2, 0, 2, 3, 0, 2])  # matrix 1 meets none
    expected = torch.stack([v @ matrices[i] for v, i in zip(vectors, index, strict=True)])
    torch.testing.assert_close(matrix.project(vectors, matrices, index), expected)
    assert matrix.project(vectors[:0], matrices, index[:0]).shape == (0, 2)


class Moved(Translational):
    def __init__(self, ent_tot, rel_tot, **settings):
        super().__init__(ent_tot, rel_tot, **settings)
        self.ent_embeddings = table(ent_tot, self.config.dim)
        self.rel_embeddings = table(rel_tot, self.config.dim)


def test_the_base_has_the_settings_of_a_distance():
    model = Moved(ENTITIES, RELATIONS, dim=4, p_norm=2, norm_flag=False, margin=3.0).double()
    h, r, t = (torch.tensor([number]) for number in (1, 2, 3))
    moved = model.ent_embeddings(h) + model.rel_embeddings(r) - model.ent_embeddings(t)
    torch.testing.assert_close(score_triples(model, h, r, t), 3.0 - moved.norm(dim=1))


def test_a_config_without_the_settings_of_a_distance_is_told_where_they_are():
    @dataclass(frozen=True, kw_only=True)
    class Few:
        dim: int = 4
        margin: float = 3.0

    class Short(Moved):
        Config = Few

    with pytest.raises(TypeError, match=r"Short\.Config has no p_norm, norm_flag: der"):
        Short(ENTITIES, RELATIONS)
    assert [field.name for field in fields(TransH.Config)] == [
        *(field.name for field in fields(TranslationalConfig)),
        "epsilon",
    ]
