"""Scores of queries against candidates: C++, Triton or PyTorch, differentiable.

With query vectors q, candidate vectors c and d reals per vector, higher is closer:

- ``"dot"``: q · c
- ``"l1"``: -Σ |q - c|
- ``"l2"``: -sqrt(Σ (q - c)²)
- ``"complex"``: -Σ_k |q_k - c_k| over d/2 complex coordinates, real parts first, then imaginary

With a gate in 0…1 for each query, c = gate · table + (1 - gate) · modal (LBMKGC Eq. 11), which is
never written out. At distance zero, where a distance has no gradient, it is taken as zero.

float32 and float64 tensors on the CPU go through the C++ core (``base/kernels.h``) with
``torch.get_num_threads()`` threads, whose number does not change results; those of a GPU through
:mod:`openke.kernels.gpu`, where Triton is installed; all others through
:mod:`openke.kernels.compare_reference`. Half-precision tensors are widened to float32 under
autocast, as PyTorch does for its own distances. The scores are custom operators, opaque to
``torch.compile``.

Shapes: q queries, u candidates, d reals per vector, p pairs.
"""

from torch import Tensor

from openke.kernels import compare_operators as operators
from openke.kernels.arguments import check_index, checked_sides
from openke.kernels.compare_reference import Kind
from openke.kernels.product import product


def compare_pairs(
    kind: Kind,
    query: Tensor,
    table: Tensor,
    query_index: Tensor,
    candidate_index: Tensor,
    *,
    modal: Tensor | None = None,
    gate: Tensor | None = None,
    vectors: int = 1,
) -> Tensor:
    """Return the score of each listed pair of a query and a candidate.

    Parameters
    ----------
    kind : "dot", "l1", "l2" or "complex"
        The similarity; see the module.
    query : Float["q d"]
        Query vectors.
    table : Float["u d"]
        Candidate vectors.
    query_index, candidate_index : Int["p"]
        The pairs. Fastest where a query's pairs stand together.
    modal : Float["u d"], optional
        Second candidate vectors, blended with ``table`` by ``gate``.
    gate : Float["q"], optional
        Weight of ``table`` for each query.
    vectors : int
        How many vectors each query has: the rows of ``query`` and ``gate`` are those of [v q], one
        vector of all queries after the other, and a score is the sum over v. It costs less than v
        scores: candidates are read, and their gradients written, once.

    Returns
    -------
    Float["p"]

    Raises
    ------
    ValueError
        Unknown kind, shapes that do not fit, or an index out of range (on the CPU; other devices
        report it in their own way).
    """
    sides = checked_sides(kind, query, table, modal, gate)
    if vectors < 1 or len(query) % vectors:
        raise ValueError(
            f"vectors is {vectors} and query has {len(query)} rows; expected 1 or more vectors, "
            "the same number for each query"
        )
    for name, index in (("query_index", query_index), ("candidate_index", candidate_index)):
        check_index(name, index)
    if query_index.shape != candidate_index.shape:
        raise ValueError(
            f"query_index has {query_index.shape[0]} entries and candidate_index "
            f"{candidate_index.shape[0]}; expected one of each per pair"
        )
    pairs = query_index.long(), candidate_index.long()
    scores: Tensor = operators.pairs(kind, *sides, *pairs, vectors)
    return scores


def compare_all(
    kind: Kind,
    query: Tensor,
    table: Tensor,
    *,
    modal: Tensor | None = None,
    gate: Tensor | None = None,
) -> Tensor:
    """Return the score of every query against every candidate.

    Parameters
    ----------
    kind : "dot", "l1", "l2" or "complex"
        The similarity; see the module. ``"dot"`` is a matrix product.
    query : Float["q d"]
        Query vectors.
    table : Float["u d"]
        Candidate vectors.
    modal : Float["u d"], optional
        Second candidate vectors, blended with ``table`` by ``gate``.
    gate : Float["q"], optional
        Weight of ``table`` for each query.

    Returns
    -------
    Float["q u"]

    Raises
    ------
    ValueError
        Unknown kind or shapes that do not fit.
    """
    query, table, modal, gate = checked_sides(kind, query, table, modal, gate)
    if kind != "dot":
        scores: Tensor = operators.every(kind, query, table, modal, gate)
        return scores
    if modal is None or gate is None:
        return product(query, table)
    weight = gate[:, None]
    return product(query * weight, table) + product(query * (1 - weight), modal)
