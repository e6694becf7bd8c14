"""Texts in a file without a name: a full disk is told by the folder it would be in."""

from pathlib import Path

import pytest

from openke.datasets.spooled_texts import SpooledTexts


def test_what_is_kept_comes_back(tmp_path):
    texts = SpooledTexts(tmp_path)
    texts.add("a", "label", "text")
    texts.add("b", "", "")
    assert dict(texts) == {"a": ("label", "text"), "b": ("", "")}
    texts.close()
    assert not list(tmp_path.iterdir())


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a device that is always full")
def test_a_full_disk_is_told_by_the_folder(tmp_path):
    texts = SpooledTexts(tmp_path)
    texts._file.close()
    texts._file = Path("/dev/full").open("w+b")  # noqa: SIM115 (closed below)
    texts.add("a", "label", "text")
    with pytest.raises(OSError, match="No space left") as caught:
        texts["a"]
    assert caught.value.filename == str(tmp_path)
    texts.close()


def test_a_folder_that_is_none_is_named(tmp_path):
    with pytest.raises(OSError, match="No such file") as caught:
        SpooledTexts(tmp_path / "none")
    assert caught.value.filename == str(tmp_path / "none")
