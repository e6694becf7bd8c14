"""Scores written as their formulas say, triple by triple, in float64 PyTorch."""

import torch
from torch.nn.functional import normalize

from tests.contracts.graphs import ENTITIES

EVERYONE = torch.arange(ENTITIES)


def energy(model, a, r, b, triples):
    """Return ||a_h + r - b_t||, each normalised where the model says so: Float["n"].

    a and b are rows of all entities, r those of all relations.
    """
    head, relation, tail = triples
    h, x, t = a[head], r[relation], b[tail]
    if model.config.norm_flag:
        h, x, t = (normalize(rows, dim=-1) for rows in (h, x, t))
    return torch.linalg.vector_norm(h + x - t, ord=model.config.p_norm, dim=-1)


def gradients(model, scores):
    """Return the gradients of a weighted sum of scores; zeros where there is none."""
    weights = torch.arange(1, 1 + scores.numel(), dtype=torch.double) / scores.numel()
    total = (weights * scores.reshape(-1)).sum()
    return torch.autograd.grad(total, list(model.parameters()), materialize_grads=True)


def structural(model):
    """Return the rows of ComplEx's tables of entities, real parts first: Float["e 2d"]."""
    return torch.cat([model.ent_re_embeddings.weight, model.ent_im_embeddings.weight], dim=1)


def hermitian(h, r, t):
    """Return Re sum_k h_k r_k conj(t_k) of rows with real parts first: Float["n"]."""
    h, r, t = (torch.complex(*rows.chunk(2, dim=1)) for rows in (h, r, t))
    return (h * r * t.conj()).real.sum(dim=1)


def cubes(rows):
    """Return the sums of |x_k|^3 of rows of complex numbers with real parts first: Float["n"]."""
    return torch.complex(*rows.chunk(2, dim=1)).abs().pow(3).sum(dim=1)


def cross_entropies(e, relations, batch):
    """Return the cross entropy of each query's answer, of hermitian scores: Float["q"]."""
    found = []
    for row in range(len(batch)):
        known = e[batch.anchor[row]].expand_as(e)
        head, tail = (known, e) if row < batch.tails else (e, known)
        scores = hermitian(head, relations[batch.relation[row]].expand_as(e), tail)
        found.append(scores.logsumexp(dim=0) - scores[batch.answer[row]])
    return torch.stack(found)


def given_rows(found):
    """Return features and whether they are there: Float["e f"], Bool["e 1"]."""
    return found.values.double(), found.present[:, None]


def behind_tanh(model, rows):
    if not getattr(model.config, "tanh", False):
        return rows
    return torch.tanh(rows @ model.mapping.weight.T + model.mapping.bias)


def structure(model):
    """Return s of all entities and r of all relations."""
    tables = (model.ent_embeddings.weight, model.rel_embeddings.weight)
    return [behind_tanh(model, rows) for rows in tables]


def values_of(model, modality, found):
    rows, there = found.values.double(), found.present[:, None]
    if model.config.missing == "trained":
        rows = torch.where(there, rows, getattr(model.projectors, modality).rows.substitute)
        there = torch.ones_like(there)
    return rows, there


def weight(model, modality):
    return getattr(model.projectors, modality).layers.weight


def summed(model, features):
    """Return m = W [v ; x] + b, or its tanh; s where there is nothing."""
    s, _ = structure(model)
    m, anything = torch.zeros_like(s), torch.zeros(ENTITIES, 1, dtype=torch.bool)
    for modality, found in features.items():
        rows, there = values_of(model, modality, found)
        m = m + there * (rows @ weight(model, modality).T)
        anything = anything | there
    bias = model.projectors.bias
    m = m if bias is None else m + bias
    return torch.where(anything, m.tanh() if getattr(model.config, "tanh", False) else m, s)


def concatenated(model, features):
    """Return m = [W_v v + b_v ; W_x x + b_x], with s in place of what is not there."""
    s, m, at = model.ent_embeddings.weight, [], 0
    for modality in sorted(features):
        rows, there = values_of(model, modality, features[modality])
        made = rows @ weight(model, modality).T + getattr(model.projectors, modality).layers.bias
        m.append(torch.where(there, made, s[:, at : at + made.shape[1]]))
        at += made.shape[1]
    return torch.cat(m, dim=1)


def within_and_across(model, m, r, triples):
    """Return IKRL's energies of s and m."""
    s, _ = structure(model)
    return sum(energy(model, a, r, b, triples) for a in (s, m) for b in (s, m))


def ikrl(model, features, triples):
    r = model.rel_embeddings.weight
    return model.margin - within_and_across(model, summed(model, features), r, triples)


def tbkgc(model, features, triples):
    s, r = structure(model)
    m = summed(model, features) if model.config.tanh else concatenated(model, features)
    total = within_and_across(model, m, r, triples) + energy(model, s + m, r, s + m, triples)
    return model.margin - total


def qeb(model, features, triples):
    (s, own), m, total = structure(model), summed(model, features), 0.0
    for r in (own, model.modal_rel_embeddings.weight):
        total = total + within_and_across(model, m, r, triples)
        total = total + energy(model, s + m, r, s + m, triples)
    return model.margin - total / 10


def mapped(model):
    """Return S x + b of all entities as heads, of all relations, of all entities as tails."""
    s, r, matrix = model.ent_embeddings.weight, model.rel_embeddings.weight, model.mapping.weight
    biases = (model.head_bias, model.relation_bias, model.tail_bias)
    return [x @ matrix.T + bias for x, bias in zip((s, r, s), biases, strict=True)]


def mmkrl(model, features, triples):
    s, m = model.ent_embeddings.weight, summed(model, features)
    head, relation, tail = mapped(model)
    pairs = [(head, tail), (m, m), (m, s), (s, m)]
    total = sum(energy(model, a, relation, b, triples) for a, b in pairs)
    return model.margin - total / 4


def alignment(model, features, triples):
    """Return MMKRL's loss of distances."""
    (h, r, t), s, m = triples, model.ent_embeddings.weight, summed(model, features)
    as_head, as_relation, as_tail = mapped(model)
    moved = s @ model.alignment.weight.T
    return sum(
        (a[ids] - b[ids]).square().mean()
        for a, b, ids in [
            (s, as_head, h),
            (s, as_tail, t),
            (model.rel_embeddings.weight, as_relation, r),
            (moved, m, h),
            (moved, m, t),
        ]
    )


FORMULAS = {"IKRL": ikrl, "TBKGC": tbkgc, "QEB": qeb, "MMKRL": mmkrl}
