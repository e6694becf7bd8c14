"""Where features are looked for."""

from pathlib import Path

import pytest

from lbmkgc_models.feature_store.search_path import (
    default_features_dir,
    find_features,
    lies_in_cache,
    search_path,
)


def _store(folder: Path) -> Path:
    folder.mkdir(parents=True)
    (folder / "manifest.json").write_text("{}")
    return folder


def test_search_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENKE_CACHE", str(tmp_path / "cache"))
    cached = tmp_path / "cache" / "features" / "DB15K"
    assert default_features_dir("DB15K") == cached
    assert search_path("DB15K", None, None) == [cached]
    given = tmp_path / "given"
    beside = tmp_path / "data" / "features"
    assert search_path("DB15K", tmp_path / "data", str(given)) == [given, beside, cached]


def test_a_folder_the_user_names_is_not_the_cache(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENKE_CACHE", str(tmp_path / "cache"))
    cached = _store(tmp_path / "cache" / "features" / "DB15K" / "text")
    assert lies_in_cache(cached, "DB15K", None)
    assert lies_in_cache(cached, "DB15K", tmp_path / "given")
    assert not lies_in_cache(cached, "DB15K", cached.parent / ".." / "DB15K")
    assert not lies_in_cache(cached, "MKG-W", None)
    assert not lies_in_cache(_store(tmp_path / "given" / "text"), "DB15K", None)
    file = cached.parent / "DB15K-textual.pth"
    file.write_text("")
    assert not lies_in_cache(file, "DB15K", None)


def test_stores_and_lineage_files(tmp_path: Path) -> None:
    assert find_features(tmp_path / "missing") == {}
    assert find_features(tmp_path) == {}
    audio, hidden = _store(tmp_path / "audio"), _store(tmp_path / ".text.123")
    (tmp_path / "notes").mkdir()
    for name in ("DB15K-visual.pth", "DB15K-textual.pth", "MKG-W-textual.pth", "other.pth"):
        (tmp_path / name).write_text("")
    assert hidden.is_dir()
    assert find_features(tmp_path, "DB15K") == {
        "audio": audio,
        "image": tmp_path / "DB15K-visual.pth",
        "text": tmp_path / "DB15K-textual.pth",
    }
    # A file of another data set is never taken, even where it is the only one.
    assert find_features(tmp_path, "MKG-W") == {
        "audio": audio,
        "text": tmp_path / "MKG-W-textual.pth",
    }
    message = "DB15K-textual.pth, MKG-W-textual.pth are all text features; name the data set"
    with pytest.raises(ValueError, match=message):
        find_features(tmp_path)
    text = _store(tmp_path / "text")
    assert find_features(tmp_path, "DB15K")["text"] == text
    (tmp_path / "MKG-W-textual.pth").unlink()
    assert find_features(tmp_path)["image"] == tmp_path / "DB15K-visual.pth"
