"""A name that is neither a folder here nor a run on the Hub is told with both."""

import sys

import pytest

import openke


@pytest.fixture(autouse=True)
def elsewhere(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def test_a_mistyped_folder_is_named(monkeypatch):
    hub = pytest.importorskip("openke.runs.hub", reason="needs the extra hub")

    def refuse(*args, **options):
        raise OSError("404 Client Error.\n\nRepository Not Found")

    monkeypatch.setattr(hub, "from_pretrained", refuse)
    said = r"^runs/nope: no such folder of a run here; and on the Hub: 404 Client Error\. Repos"
    with pytest.raises(FileNotFoundError, match=said) as caught:
        openke.load("runs/nope")
    assert caught.value.__cause__ is None
    assert caught.value.__suppress_context__


def test_where_the_folder_above_is_there_the_hub_is_not_asked(monkeypatch, tmp_path):
    monkeypatch.setitem(sys.modules, "openke.runs.hub", None)
    (tmp_path / "runs").mkdir()
    said = r"^runs/typo: no such folder; runs has no run; of the Hub: openke.from_pretrained.'runs/"
    with pytest.raises(FileNotFoundError, match=said):
        openke.load("runs/typo")
    for name in ("typos", *"abcdef"):
        (tmp_path / "runs" / name).mkdir()
        (tmp_path / "runs" / name / "settings.json").write_text("{}")
    said = r"^runs/typo: no such folder .did you mean typos..; runs has the runs a, b, c, d, e and "
    with pytest.raises(FileNotFoundError, match=said):
        openke.load("runs/typo")
    with pytest.raises(FileNotFoundError, match=r"runs/typo: no such folder.* 2 more$"):
        openke.load(tmp_path / "runs" / "typo", tmp_path)


def test_so_is_one_that_no_run_of_the_hub_may_have():
    pytest.importorskip("huggingface_hub", reason="needs the extra hub")
    with pytest.raises(FileNotFoundError, match=r"^runs/my run: no such folder .* the Hub: Repo"):
        openke.load("runs/my run")


def test_so_is_it_without_the_package_of_the_hub(monkeypatch):
    monkeypatch.delitem(sys.modules, "openke.runs.hub", raising=False)
    monkeypatch.delattr("openke.runs.hub", raising=False)
    monkeypatch.setitem(sys.modules, "huggingface_hub", None)
    said = r"^runs/nope: no such folder of a run here; and on the Hub: the Hub needs the package"
    with pytest.raises(FileNotFoundError, match=said):
        openke.load("runs/nope")
    with pytest.raises(FileNotFoundError, match=r"settings.json: no such file"):
        openke.load("nope")
