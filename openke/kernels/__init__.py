"""Scores and losses in C++ on the CPU, in Triton or PyTorch elsewhere, all differentiable."""

from openke.kernels.compare import compare_all, compare_pairs
from openke.kernels.compare_reference import KINDS, Kind
from openke.kernels.lookup import lookup
from openke.kernels.losses import binary_cross_entropy, softmax_cross_entropy

__all__ = [
    "KINDS",
    "Kind",
    "binary_cross_entropy",
    "compare_all",
    "compare_pairs",
    "lookup",
    "softmax_cross_entropy",
]
