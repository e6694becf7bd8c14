"""What the formula tests share: tables and scores as float64 arrays."""

import numpy as np
import torch

from openke.module.scoring.triples import score_triples


def numbers(model, name):
    """Return a parameter as an array."""
    return dict(model.named_parameters())[name].detach().numpy()


def score(model, triples):
    """Return the model's scores of (heads, relations, tails)."""
    return score_triples(model, *(torch.from_numpy(ids) for ids in triples)).detach().numpy()


def unit(rows):
    """Return rows of length 1."""
    return rows / np.linalg.norm(rows, axis=-1, keepdims=True)
