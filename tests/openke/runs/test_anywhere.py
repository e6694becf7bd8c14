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
    with pytest.raises(FileNotFoundError, match=said):
        openke.load("runs/nope")


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
