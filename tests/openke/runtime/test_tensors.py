"""Files of torch.save are read without executing them, and refused without PyTorch's advice."""

from pathlib import Path

import pytest
import torch

from openke.runtime.tensors import load_tensors, require_numbers


class Attack:
    """Makes a file when it is unpickled."""

    def __reduce__(self):
        return Path.touch, (Path("attacked"),)


def test_tensors_come_back(tmp_path):
    torch.save({"a": torch.arange(3), "b": ["text", 1.5]}, tmp_path / "x.pth")
    read = load_tensors(tmp_path / "x.pth", "tensor")
    assert read["a"].tolist() == [0, 1, 2]
    assert read["b"] == ["text", 1.5]


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04", b"<!DOCTYPE html>", None])
def test_what_is_no_such_file_is_refused_in_our_words(tmp_path, monkeypatch, content):
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "x.pth"
    torch.save({"state": Attack()}, path) if content is None else path.write_bytes(content)
    with pytest.raises(ValueError, match=r"x\.pth: not a readable tensor") as caught:
        load_tensors(path, "tensor")
    assert "weights_only" not in str(caught.value)
    assert not Path("attacked").exists()


def test_nan_is_blamed_on_the_file():
    require_numbers(Path("x.ckpt"), {"a": torch.ones(2), "n": torch.arange(2), "s": "text"})
    with pytest.raises(ValueError, match=r"x\.ckpt: b holds NaN"):
        require_numbers(
            Path("x.ckpt"), {"a": torch.ones(2), "b": torch.tensor([1.0, float("nan")])}
        )
