"""Encoding in blocks: order, batches, and what a later run finds done."""

from pathlib import Path

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from safetensors.torch import load_file, save_file

from lbmkgc_models.features import encode as blocks
from lbmkgc_models.features.encode import build_key, encode_in_blocks
from tests.lbmkgc_models.features.small import CountingEncoder

TEXTS = ["ccc", "a", "bb", "dddd", "e", "ff", "ggg"]


def _encode(
    folder: Path, encoder: CountingEncoder, texts: list[str] = TEXTS, size: int = 1
) -> torch.Tensor:
    return encode_in_blocks(
        encoder, texts, encoder.lengths(texts), folder, batch_size=size, unit="x", progress=False
    )


def _expected(texts: list[str]) -> torch.Tensor:
    return torch.tensor([[float(len(text)), float(ord(text[0]))] for text in texts])


@given(st.lists(st.text(min_size=1, max_size=5), min_size=1, max_size=40), st.integers(1, 5))
def test_rows_come_in_the_order_of_the_items(
    tmp_path_factory: pytest.TempPathFactory, texts: list[str], size: int
) -> None:
    encoder = CountingEncoder()
    folder = tmp_path_factory.mktemp("blocks")
    assert torch.equal(_encode(folder, encoder, texts, size), _expected(texts))
    asked = [text for batch in encoder.batches for text in batch]
    assert sorted(asked) == sorted(texts)
    assert [len(text) for text in asked] == sorted(map(len, texts), reverse=True)
    assert all(len(batch) <= size for batch in encoder.batches)


def test_finished_blocks_are_not_encoded_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(blocks, "BATCHES_PER_BLOCK", 2)
    _encode(tmp_path, CountingEncoder(), size=1)
    assert len(list(tmp_path.iterdir())) == 4
    (tmp_path / "block-000001.safetensors").unlink()
    encoder = CountingEncoder()
    assert torch.equal(_encode(tmp_path, encoder, size=1), _expected(TEXTS))
    assert encoder.batches == [["ggg"], ["bb"]]


@pytest.mark.parametrize("damage", ["cut", "shape", "name"])
def test_damaged_blocks_are_encoded_again(tmp_path: Path, damage: str) -> None:
    _encode(tmp_path, CountingEncoder(), size=8)
    (path,) = tmp_path.iterdir()
    if damage == "cut":
        path.write_bytes(path.read_bytes()[:-4])
    else:
        key, count = ("rows", 3) if damage == "shape" else ("other", 7)
        save_file({key: torch.zeros(count, 2)}, path)
    encoder = CountingEncoder()
    assert torch.equal(_encode(tmp_path, encoder, size=8), _expected(TEXTS))
    assert len(encoder.batches) == 1
    assert load_file(path)["rows"].shape == (7, 2)


def test_the_bar_counts_what_was_done_before(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(blocks, "BATCHES_PER_BLOCK", 1)
    _encode(tmp_path, CountingEncoder(), size=4)
    (tmp_path / "block-000001.safetensors").unlink()
    monkeypatch.setattr("openke.runtime.progress.has_bars", lambda: True)
    capsys.readouterr()
    encoder = CountingEncoder()
    encode_in_blocks(encoder, TEXTS, encoder.lengths(TEXTS), tmp_path, batch_size=4, unit="texts")
    shown = capsys.readouterr().err
    assert " 4/7 " in shown.split("\r")[1]
    assert " 7/7 " in shown
    assert "texts/s" in shown


def test_off_a_terminal_it_is_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    encoder = CountingEncoder()
    encode_in_blocks(encoder, TEXTS, encoder.lengths(TEXTS), tmp_path, batch_size=4, unit="texts")
    shown = capsys.readouterr().err
    assert shown.startswith("encoding texts: 7 texts in ")
    assert shown.count("\n") == 1
    assert "\r" not in shown


def test_the_recipe_changes_with_all_that_shapes_the_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    def recipe(**changes: object) -> str:
        encoder = CountingEncoder()
        for name, value in changes.items():
            setattr(encoder, name, value)
        return build_key(encoder, TEXTS, {"batch_size": 2})

    same = recipe()
    assert recipe() == same
    others = {
        recipe(name="x"),
        recipe(revision="2"),
        recipe(settings={"scale": 2.0}),
        build_key(CountingEncoder(), TEXTS[1:], {"batch_size": 2}),
        build_key(CountingEncoder(), TEXTS, {"batch_size": 3}),
    }
    monkeypatch.setattr(blocks, "library_versions", lambda: {"torch": "0"})
    assert len({same, recipe(), *others}) == 7
