"""What is known by name is listed in one line each, that of other packages marked."""

from importlib.metadata import EntryPoint

import pytest

from lbmkgc_models.runs import list_command
from lbmkgc_models.runs.list_command import KINDS, command
from openke.runtime import registry
from tests.contracts.graphs import graph
from tests.openke.data.test_train_data_loader import write_openke


def listed(capsys, *kind):
    command(*kind)
    return capsys.readouterr().out


def test_every_kind_is_in_the_help():
    assert all(kind in command.__doc__ for kind in KINDS)


@pytest.mark.parametrize("kind", KINDS)
def test_each_has_a_name_and_a_text(kind):
    found = list(KINDS[kind]())
    assert found
    assert len({(each.name, each.about) for each in found}) == len(found)
    for name, about, package in found:
        assert name
        assert about.strip()
        assert "\n" not in about
        assert package == ""


def test_one_kind_or_all(capsys):
    models = listed(capsys, "models")
    assert models.startswith("Analogy ")
    assert "LBMKGC" in models
    assert "(with pictures and text)" in models
    everything = listed(capsys)
    assert models in everything
    assert all(f"{kind}:\n" in everything for kind in KINDS)
    with pytest.raises(ValueError, match=r"KIND is 'model' \(did you mean models"):
        command("model")


def test_other_packages_are_named_and_broken_ones_break_nothing(capsys, monkeypatch):
    homes = {"HingeLoss": "tests.openke.runtime.plugin:HingeLoss", "Gone": "no_such.part:Gone"}

    def entry_points(group):
        found = homes.items() if group == "openke.losses" else ()
        return [EntryPoint(name, home, group) for name, home in found]

    monkeypatch.setattr(registry, "entry_points", entry_points)
    lines = listed(capsys, "losses").splitlines()
    (hinge,) = [line for line in lines if line.startswith("HingeLoss")]
    assert hinge.endswith("[tests]")
    (gone,) = [line for line in lines if line.startswith("Gone")]
    assert "cannot be loaded: No module named 'no_such'" in gone


def test_data_sets_are_here_or_to_be_downloaded(capsys, monkeypatch, tmp_path):
    monkeypatch.setenv("OPENKE_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("OPENKE_DATA", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    for name in ("MINE", "MKG-Y"):
        (tmp_path / name).mkdir()
        write_openke(graph(), tmp_path / name)
    lines = dict(line.split(None, 1) for line in listed(capsys, "datasets").splitlines())
    assert lines["MINE"] == f"here: {tmp_path / 'MINE'}"
    assert lines["MKG-Y"] == f"here: {tmp_path / 'MKG-Y'}"
    assert lines["WN18"].startswith("downloaded on first use from https://")


def test_without_a_checkout_there_are_no_recipes(capsys, monkeypatch, tmp_path):
    monkeypatch.setattr(list_command, "CHECKOUT", tmp_path)
    assert listed(capsys, "recipes").startswith("none here: recipes are files of a checkout")
