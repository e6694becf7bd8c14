"""Retrieval across modalities, against ranks counted by hand."""

import pytest
import torch
from torch.nn.functional import normalize

from lbmkgc_models.features.cmoa.retrieval import chance, mean_of, retrieval


def test_the_same_rows_find_themselves() -> None:
    rows = torch.randn(30, 5, generator=torch.Generator().manual_seed(0))
    found = retrieval(rows, 3 * rows)
    for each in (found.image_to_text, found.text_to_image):
        assert (each.candidates, each.recall_1, each.recall_10) == (30, 1.0, 1.0)
        assert (each.mrr, each.median_rank) == (1.0, 1.0)


def test_ranks_are_those_counted_one_by_one() -> None:
    generator = torch.Generator().manual_seed(1)
    image, text = (torch.randn(1500, 3, generator=generator) for _ in range(2))
    cosines = normalize(image.double(), dim=1) @ normalize(text.double(), dim=1).T
    for table, found in (
        (cosines, retrieval(image, text).image_to_text),
        (cosines.T, retrieval(image, text).text_to_image),
    ):
        ranks = [1 + int((row > row[i]).sum()) for i, row in enumerate(table)]
        assert found.mrr == pytest.approx(sum(1 / rank for rank in ranks) / 1500)
        assert found.recall_10 == pytest.approx(sum(rank <= 10 for rank in ranks) / 1500)
        assert found.median_rank == pytest.approx(torch.tensor(ranks).double().quantile(0.5).item())


def test_both_directions_are_told_apart() -> None:
    image = torch.tensor([[1.0, 0.0], [1.0, 0.1], [0.0, 1.0]])
    text = torch.tensor([[1.0, 0.1], [0.1, 1.0], [0.0, 1.0]])
    found = retrieval(image, text)
    # Image 1 is like text 0, its own comes second; text 1 is like image 2, then like image 1.
    assert found.image_to_text.recall_1 == pytest.approx(2 / 3)
    assert found.image_to_text.mrr == pytest.approx((1 + 1 / 2 + 1) / 3)
    assert found.text_to_image.recall_1 == pytest.approx(1 / 3)
    assert found.text_to_image.mrr == pytest.approx((1 / 2 + 1 / 2 + 1) / 3)


def test_ties_share_their_places() -> None:
    flat = retrieval(torch.ones(9, 2), torch.ones(9, 2)).image_to_text
    assert (flat.recall_1, flat.median_rank) == (0.0, 5.0)
    nothing = retrieval(torch.zeros(9, 2), torch.ones(9, 2)).image_to_text
    assert nothing.median_rank == 5.0
    twins = torch.tensor([[1.0, 0.0], [1.0, 0.0], [0.0, 1.0]])
    assert retrieval(twins, twins).image_to_text.mrr == pytest.approx((2 / 3 + 2 / 3 + 1) / 3)


def test_chance_is_what_random_rows_get() -> None:
    generator = torch.Generator().manual_seed(2)
    drawn = [
        retrieval(*(torch.randn(50, 4, generator=generator) for _ in range(2))) for _ in range(40)
    ]
    random, expected = mean_of(drawn).text_to_image, chance(50).text_to_image
    assert (expected.recall_1, expected.recall_10, expected.median_rank) == (0.02, 0.2, 25.5)
    assert random.recall_10 == pytest.approx(expected.recall_10, abs=0.03)
    assert random.mrr == pytest.approx(expected.mrr, abs=0.02)


@pytest.mark.parametrize(("image", "text"), [((2, 3), (3, 3)), ((2, 3), (2, 4)), ((0, 3), (0, 3))])
def test_rows_that_do_not_pair_are_refused(image: tuple[int, int], text: tuple[int, int]) -> None:
    with pytest.raises(ValueError, match=r"expected as many of the same width, and at least one"):
        retrieval(torch.ones(image), torch.ones(text))
