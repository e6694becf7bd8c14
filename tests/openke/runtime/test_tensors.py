"""Files of torch.save are read without executing them, and refused without PyTorch's advice."""

import zipfile
from pathlib import Path

import pytest
import torch

from openke.runtime.tensors import load_tensors, require_numbers, save_tensors


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


def test_a_bit_that_flipped_is_found(tmp_path):
    path = tmp_path / "x.pth"
    torch.save(torch.full((64, 8), 0.5), path)
    content = path.read_bytes()
    where = content.index(torch.full((9,), 0.5).numpy().tobytes())
    for place in (where, where + 999):
        changed = bytearray(content)
        changed[place] ^= 4
        path.write_bytes(changed)
        torch.load(path, weights_only=True)  # which sees nothing
        with pytest.raises(ValueError, match=r"x\.pth: not a readable tensor: .*checksum differs"):
            load_tensors(path, "tensor")


def test_a_file_of_the_oldest_form_is_no_archive(tmp_path):
    path = tmp_path / "x.pth"
    torch.save(torch.arange(3), path, _use_new_zipfile_serialization=False)
    assert load_tensors(path, "tensor").tolist() == [0, 1, 2]


def test_nan_is_blamed_on_the_file():
    require_numbers(Path("x.ckpt"), {"a": torch.ones(2), "n": torch.arange(2), "s": "text"})
    with pytest.raises(ValueError, match=r"x\.ckpt: b holds NaN"):
        require_numbers(
            Path("x.ckpt"), {"a": torch.ones(2), "b": torch.tensor([1.0, float("nan")])}
        )


def test_what_is_saved_is_read_also_by_pytorch(tmp_path):
    path = tmp_path / "x.ckpt"
    save_tensors(path, {"a": torch.arange(3), "b": ["text", 1.5]})
    for read in (load_tensors(path, "checkpoint"), torch.load(path, weights_only=True)):
        assert read["a"].tolist() == [0, 1, 2]
        assert read["b"] == ["text", 1.5]
    assert zipfile.ZipFile(path).comment.startswith(b"sha256:")


def test_a_bit_that_flipped_anywhere_in_what_is_saved_is_found(tmp_path):
    path = tmp_path / "x.ckpt"
    save_tensors(path, {"a": torch.arange(3)})
    content = path.read_bytes()
    for place in range(len(content)):
        changed = bytearray(content)
        changed[place] ^= 1 << place % 8
        path.write_bytes(changed)
        with pytest.raises(ValueError, match=r"x\.ckpt: (this|not a readable) checkpoint"):
            load_tensors(path, "checkpoint")
    for changed in (content[:-1], content[: len(content) // 2], content * 2, content + b"\n"):
        path.write_bytes(changed)
        with pytest.raises(ValueError, match=r"x\.ckpt: "):
            load_tensors(path, "checkpoint")
