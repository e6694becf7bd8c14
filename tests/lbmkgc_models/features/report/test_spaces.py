"""What is compared across modalities, and with what."""

from dataclasses import replace

import torch

from lbmkgc_models.feature_store.store import ModalFeatures
from lbmkgc_models.features.cmoa.settings import AlignmentSettings
from lbmkgc_models.features.cmoa.split import held_out
from lbmkgc_models.features.report.spaces import (
    Space,
    compared,
    in_order,
    nearest,
    shared_space,
    space_before,
)
from tests.lbmkgc_models.features.cmoa.pairs import NAMES, features

WITHOUT = {"image": NAMES[:30], "text": NAMES[20:50]}


def _noted(**notes: object) -> dict[str, ModalFeatures]:
    named = {name.replace("_", " "): value for name, value in notes.items()}
    return features(WITHOUT, notes=named)


def test_held_out_entities_are_compared_where_the_manifest_names_them() -> None:
    entities, unseen = compared(_noted(alignment_seed=3, alignment_held_out=0.3))
    expected = held_out(NAMES, 0.3, 3)[50:].nonzero().flatten() + 50
    assert torch.equal(entities, expected)
    assert unseen
    entities, unseen = compared(_noted())
    assert (entities.tolist(), unseen) == (list(range(50, 160)), False)
    both = features(WITHOUT)
    zero = replace(both["text"], values=both["text"].values.clone())
    zero.values[60] = 0
    assert 60 not in compared({**both, "text": zero})[0].tolist()


def test_features_as_they_are_or_untrained_heads_come_before() -> None:
    both = features()
    entities = torch.arange(0, 160, 4)
    assert shared_space(both, entities, "x") is None
    drawn = space_before(both, entities)
    assert drawn is not None
    assert drawn.image.shape == (40, AlignmentSettings().dim)
    same = space_before({**both, "image": replace(both["text"])}, entities)
    assert same is not None
    assert same.figures.image_to_text.recall_1 == 1.0
    assert space_before(both, torch.arange(159)) is None


def test_neighbours_and_the_place_of_the_right_one() -> None:
    answers = torch.tensor([[1.0, 0.0], [0.8, 0.6], [0.0, 1.0]])
    queries = torch.tensor([[0.0, 1.0], [0.8, 0.6], [0.0, 1.0]])
    assert nearest(queries, answers, 0, 2) == ([2, 1], 3)
    assert nearest(queries, answers, 1, 3) == ([1, 0, 2], 1)


def test_a_matrix_is_of_pictures_by_texts_with_like_texts_together() -> None:
    text = torch.tensor([[1.0, 0.0], [-1.0, 0.0], [0.9, 0.1], [-0.9, 0.1]])
    image = torch.eye(2).repeat(2, 1)
    space = Space("x", image, text)
    order = in_order(space, torch.arange(4)).tolist()
    assert {frozenset(order[:2]), frozenset(order[2:])} == {frozenset({0, 2}), frozenset({1, 3})}
    assert space.matrix(torch.tensor([0, 3])).tolist() == (image[[0, 3]] @ text[[0, 3]].T).tolist()
