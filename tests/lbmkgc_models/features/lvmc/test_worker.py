"""Shares of the work by the environment that torchrun sets."""

import pytest
import torch

from lbmkgc_models.features.lvmc.worker import Rank


def test_shares_have_all_and_nothing_twice() -> None:
    shares = [Rank(rank, 3).share("abcdefgh") for rank in range(3)]
    assert shares == ["adg", "beh", "cf"]
    assert Rank().share("abc") == "abc"


def test_from_the_environment() -> None:
    assert Rank.from_environment({}) == Rank(0, 1, 0)
    environment = {"RANK": "5", "WORLD_SIZE": "8", "LOCAL_RANK": "1"}
    assert Rank.from_environment(environment) == Rank(5, 8, 1)


@pytest.mark.parametrize(
    "environment",
    [
        {"RANK": "x", "WORLD_SIZE": "2"},
        {"RANK": "2", "WORLD_SIZE": "2"},
        {"RANK": "-1", "WORLD_SIZE": "2"},
        {"LOCAL_RANK": "-1"},
        {"RANK": "1"},
    ],
)
def test_a_broken_environment(environment: dict[str, str]) -> None:
    rank = environment.get("RANK")
    with pytest.raises(ValueError, match=f"environment RANK={rank} WORLD_SIZE=.*, as torchrun"):
        Rank.from_environment(environment)


def test_each_process_has_its_gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    rank = Rank(5, 8, 1)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    assert [rank.device(name) for name in ("auto", "cuda", "cuda:3", "cpu")] == [
        "cuda:1",
        "cuda:1",
        "cuda:3",
        "cpu",
    ]
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    assert rank.device("auto") == "auto"
