"""Finished runs as one: the same contract as that of every run, and weights that are honest."""

import json
import shutil

import pytest
import torch

import openke
from lbmkgc_models.serving.served import Served
from openke import cli
from openke.evaluation import mixing
from openke.runs.evaluate import evaluate
from openke.runs.experiment import seal_run
from openke.runs.export import export
from openke.runs.load import load_run
from tests.lbmkgc_models.runs.shop import SETTINGS, facts, texts
from tests.openke.runs.trained import data_folder, trained

NEW = {"name": ["n1"], "text": ["A green thing, holds hot coffee or tea."]}
QUERIES = (("p0", "is a"), (None, "made by", "maker 1"), ("p3", None, "study"))


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """Train three runs on one graph, two of which read texts."""
    folder = tmp_path_factory.mktemp("mix")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("OPENKE_CACHE", str(folder / "cache"))
        common = {**SETTINGS, "training.epochs": 8}
        for seed in (0, 1):
            settings = {**common, "training.seed": seed}
            openke.fit(
                facts(), texts=texts(), settings=settings, out=folder / f"text{seed}", device="cpu"
            )
        shape = {name: common[name] for name in common if not name.startswith("features")}
        openke.fit(
            facts(), model="RotatE", settings={**shape, "model.margin": 6.0},
            out=folder / "rotate", device="cpu",
        )  # fmt: skip
    return folder


@pytest.fixture(scope="module")
def both(place):
    """Return text and distances as one."""
    return openke.mix([place / "text0", place / "rotate"], out=place / "both", device="cpu")


def test_a_mixture_is_a_run_and_answers_by_all_of_its_parts(both, place):
    assert [type(part.model).__name__ for part in both.parts] == ["Reciprocal", "RotatE"]
    assert both.report["model"] == "Mixture"
    metrics = evaluate(both).to_dict()["metrics"]
    assert metrics == both.report["metrics"]
    alone = [load_run(place / name, device="cpu") for name in ("text0", "rotate")]
    expected = mixing.mix([run.model for run in alone], alone[0].store)
    assert torch.equal(expected.weights, both.model.weights)
    best = both.predict("p0", "is a", k=1)
    scores = [run.predict("p0", "is a", best["tail"][0])["score"][0] for run in alone]
    relation = both.predictor.relations.id("is a")
    mixed = sum(
        w * s for w, s in zip(both.model.weights[1, relation].tolist(), scores, strict=True)
    )
    assert best["score"][0] == pytest.approx(mixed, abs=1e-4)


def test_the_report_says_what_each_part_is_worth_by_relation(both):
    worth = both.report["worth"]
    assert list(worth) == list(both.store.relation_names)
    for sides in worth.values():
        assert list(sides) == ["head", "tail"]
        for shares in sides.values():
            assert list(shares) == ["LBMKGC", "RotatE"]
            assert sum(map(abs, shares.values())) == pytest.approx(1)
    page = (both.folder / "report.html").read_text()
    assert "What each part is worth" in page
    assert "LBMKGC, head" in page
    assert '"worth"' not in page
    assert both.report["calibration"] is not None
    assert [part["model"]["name"] for part in both.saved["recipe"]["parts"]] == ["LBMKGC", "RotatE"]


@pytest.fixture
def moved(both, place, tmp_path, monkeypatch):
    """Return the mixture from another place, where nothing of its making is left."""
    both.save(tmp_path / "first")
    shutil.move(tmp_path / "first", tmp_path / "elsewhere")
    monkeypatch.setenv("OPENKE_CACHE", str(tmp_path / "empty"))
    parts = sorted((tmp_path / "elsewhere" / "parts").iterdir())
    for folder in (*parts, tmp_path / "elsewhere"):
        settings = folder / "settings.json"
        settings.write_text(settings.read_text().replace(str(place), "/nowhere"))
        seal_run(folder)
    return openke.load(tmp_path / "elsewhere", device="cpu")


def test_a_mixture_that_was_moved_gives_the_same_answers_to_the_digit(both, moved):
    for query in QUERIES:
        assert moved.predict(*query, k=99) == both.predict(*query, k=99)
    assert moved.report == both.report
    with pytest.raises(FileNotFoundError, match=r"a mixture has no training of its own"):
        moved.plot()
    assert moved.parts[0].plot().axes


def test_without_facts_it_gives_the_same_answers_and_marks_none(both, tmp_path):
    bare = openke.load(both.save(tmp_path / "bare", facts=False), device="cpu")
    assert not bare.facts
    assert not list(bare.folder.rglob("train2id.txt"))
    for query in QUERIES:
        assert bare.predict(*query, k=99)["score"] == both.predict(*query, k=99)["score"]
    with pytest.raises(ValueError, match=r"weights cannot be fitted with .*bare"):
        openke.mix([bare, bare])


@pytest.mark.parametrize(
    ("file", "message"),
    [
        ("parts/1/model.safetensors", "the weights are not what was written"),
        ("parts/0/settings.json", r"parts/0/settings\.json: was changed since the run was written"),
        ("parts/0/SHA256SUMS", r"parts/0/SHA256SUMS: was changed since the run was written"),
        ("model.safetensors", "the weights are not what was written"),
        ("report.json", r"report\.json: was changed since the run was written"),
    ],
)
def test_a_spoilt_file_is_named(moved, file, message):
    path = moved.folder / file
    content = bytearray(path.read_bytes())
    content[-3] ^= 1
    path.write_bytes(content)
    with pytest.raises(ValueError, match=message):
        openke.load(moved.folder)


def test_a_part_that_is_gone_is_named(moved):
    shutil.rmtree(moved.folder / "parts" / "1")
    with pytest.raises(FileNotFoundError, match=r"parts/1/SHA256SUMS: is gone"):
        openke.load(moved.folder)


def test_entities_are_added_where_all_parts_can(both, place):
    with pytest.raises(ValueError, match=r"RotatE of .*1 knows entities by their facts alone"):
        both.add_entities(NEW)
    texts_twice = openke.mix([place / "text0", place / "text1"], device="cpu")
    assert texts_twice.model.names == ["LBMKGC 1", "LBMKGC 2"]
    larger = texts_twice.add_entities(NEW)
    assert larger.store.entity_count == texts_twice.store.entity_count + 1
    assert larger.predict("n1", "is a")["tail"][0] == "mug"
    before, after = (
        dict(zip(r["tail"], r["score"], strict=True))
        for r in (run.predict("p0", "is a", k=999) for run in (texts_twice, larger))
    )
    assert after.keys() - before.keys() == {"n1"}
    assert all(after[name] == pytest.approx(score, abs=1e-5) for name, score in before.items())
    assert openke.load(larger.save(place / "larger"), device="cpu").predict("n1", "is a") == (
        larger.predict("n1", "is a")
    )
    assert Served(larger, probability=False).taken == ("text",)
    assert Served(both, probability=False).taken == ()


def test_a_score_says_what_each_part_adds(both):
    said = both.explain("p0", "is a", "lamp")
    assert list(said["parts"]) == ["LBMKGC", "RotatE"]
    assert sum(said["parts"].values()) == pytest.approx(said["score"], abs=1e-4)
    assert len(said["facts"]) == 3


def test_vectors_are_those_of_the_parts(both, tmp_path):
    widths = [len(part.embeddings()["vector"][0]) for part in both.parts]
    assert len(both.embeddings()["vector"][0]) == sum(widths)
    assert export(both.model, both.store, tmp_path)


def test_mixtures_may_be_mixed(both, place):
    run = openke.mix([both, place / "text1"], device="cpu")
    assert run.model.names == ["Mixture", "LBMKGC"]
    assert evaluate(run).to_dict()["metrics"] == run.report["metrics"]


def test_the_command_line(both, place, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    folders = [str(place / name) for name in ("text0", "rotate")]
    assert cli.main(["mix", *folders, "--out", "here", "--device", "cpu"]) == 0
    said = capsys.readouterr().out
    assert "Mixture on graph-" in said
    assert "worth of each part, mean of all relations: LBMKGC" in said
    assert said.endswith("written to here\n")
    assert openke.load("here", device="cpu").predict("p0", "is a") == both.predict("p0", "is a")
    assert cli.main(["mix", *folders, "--out", "here", "--device", "cpu"]) == 2
    assert "here is there already" in capsys.readouterr().err
    again = ["mix", *folders, "--out", "here", "--device", "cpu", "--overwrite"]
    assert cli.main(again) == 0
    capsys.readouterr()
    asked = ["--head", "p0", "--relation", "is a", "--why", "--device", "cpu"]
    assert cli.main(["predict", "here", *asked]) == 0
    assert "LBMKGC" in capsys.readouterr().out
    assert cli.main(["mix", folders[0], "--out", "one"]) == 2
    assert "a mixture is of two runs or more, got 1" in capsys.readouterr().err


def test_runs_of_other_graphs_are_refused(both, place, tmp_path):
    other = openke.fit(
        facts(30), model="RotatE", settings={"training.epochs": 1, "model.dim": 4}, device="cpu"
    )
    with pytest.raises(ValueError, match=r"is of graph-\w+, .*text0 of graph-\w+: a mixture is of"):
        openke.mix([place / "text0", other], device="cpu")
    assert not (tmp_path / "out").exists()


def test_weights_are_fitted_to_what_all_parts_held_out(tmp_path, monkeypatch):
    directory = data_folder(tmp_path)
    trained(tmp_path / "held", directory, hold_out=0.2)
    shutil.copytree(tmp_path / "held", tmp_path / "again")
    trained(tmp_path / "all", directory)
    seen = []

    def watched(models, store, **options):
        seen.append(store)
        return mixing.mix(models, store, **options)

    monkeypatch.setattr("openke.runs.mix.fitted", watched)
    run = openke.mix([tmp_path / "held", tmp_path / "again"], device="cpu")
    (store,) = seen
    assert store.triples("valid").tolist() == run.whole.hold_out(0.2, 0).triples("valid").tolist()
    assert len(store.triples("train")) < len(run.whole.triples("train"))
    with pytest.raises(ValueError, match=r"with the same data\.hold_out"):
        openke.mix([tmp_path / "held", tmp_path / "all"], device="cpu")


def test_a_valid_split_that_was_trained_on_is_refused(tmp_path):
    directory = data_folder(tmp_path)
    train = (directory / "train2id.txt").read_text().splitlines()
    (directory / "valid2id.txt").write_text("\n".join(["9", *train[1:10]]) + "\n")
    trained(tmp_path / "run", directory)
    with pytest.raises(ValueError, match=r"TOY: 9 of its 9 rows .*--set data\.hold_out=0\.1"):
        openke.mix([tmp_path / "run", tmp_path / "run"], device="cpu")


def test_settings_without_parts_are_named(moved):
    path = moved.folder / "settings.json"
    content = json.loads(path.read_text())
    del content["model"]["parts"]
    path.write_text(json.dumps(content))
    seal_run(moved.folder)
    with pytest.raises(ValueError, match=r"settings\.json: model\.parts"):
        openke.load(moved.folder)
