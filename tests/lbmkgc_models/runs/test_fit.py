"""From tables to answers: fit, a run that travels, entities that came later."""

import json
import shutil

import numpy as np
import pytest
import torch

import openke
from lbmkgc_models.runs import fit as fit_module
from lbmkgc_models.runs.train_command import command as train_command
from openke import cli
from openke.datasets.importing import Division, import_graph
from openke.module.scoring.all_entities import encode_all
from openke.runs.calibration import calibrate
from openke.runs.evaluate import evaluate
from openke.runs.experiment import Execution, seal_run
from openke.runs.load import load_run
from openke.training.trainer import Trainer
from tests.lbmkgc_models.runs.shop import SETTINGS, facts, texts, write_csv

NEW = {"name": ["n1", "n2"], "text": ["A grey thing, holds hot coffee.", "A wooden seat."]}


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """Return a run on the shop."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("OPENKE_CACHE", str(tmp_path_factory.mktemp("cache")))
        yield openke.fit(facts(), texts=texts(), settings=SETTINGS, device="cpu")


def answers(run, *query, **options):
    return list(run.predict(*query, **options).rows())


def test_a_run_answers_and_reports(run):
    assert run.report["metrics"]["both"]["realistic"]["mrr"] > 0.3
    found = run.predict(["p0", "p1"], "is a", k=2)
    assert found["head"] == ["p0", "p0", "p1", "p1"]
    assert found["rank"] == [1, 2, 1, 2]
    assert [row["tail"] for row in found.rows() if row["rank"] == 1] == ["lamp", "chair"]
    assert "rank" in str(found)
    (whole,) = answers(run, "p0", "is a", "lamp")
    assert whole["score"] == pytest.approx(answers(run, "p0", "is a")[0]["score"], abs=1e-5)
    vectors = run.embeddings()
    assert vectors["name"][0] == "p0"
    assert vectors["vector"][0].shape == (32,)
    assert run.embeddings("relation").height == 3
    for wrong in ([], ["p0"], [[]], ["p0", None], [["p0", "p1"], ["is a"] * 3]):
        with pytest.raises(ValueError, match=r"a query gives two|lists of 2, 3 names"):
            run.predict(*wrong)
    with pytest.raises(ValueError, match="kind is 'x', expected entity or relation"):
        run.embeddings("x")


def test_it_is_the_same_way_as_the_commands(run, tmp_path, monkeypatch):
    monkeypatch.setenv("OPENKE_CACHE", str(tmp_path / "cache"))
    import_graph(facts(), tmp_path / "shop", texts=texts())
    changes = tuple(f"{place}={json.dumps(value)}" for place, value in SETTINGS.items())
    out = tmp_path / "out"
    train_command(str(tmp_path / "shop"), set=changes, execution=Execution(out=out, device="cpu"))
    other = load_run(out, device="cpu")
    assert other.report["metrics"] == run.report["metrics"]
    assert other.predict("p0", "is a", k=9) == run.predict("p0", "is a", k=9)


def test_the_curves_of_a_run_are_a_figure(run, moved):
    for one in (run, moved):
        loss, valid = one.plot().axes
        assert len(loss.lines[0].get_xdata()) > 5
        assert [text.get_text() for text in valid.texts] == ["Hits@1", "MRR", "Hits@10"]
    (moved.folder / "training.csv").write_text("epoch,loss\n")
    with pytest.raises(ValueError, match=r"training.csv: no epoch has ended"):
        moved.plot()
    (moved.folder / "training.csv").write_text("epoch,loss\n1,x\n")
    with pytest.raises(ValueError, match=r"training.csv: not the table of a training: could not"):
        moved.plot()
    (moved.folder / "training.csv").unlink()
    with pytest.raises(FileNotFoundError, match=r"training.csv"):
        moved.plot()


@pytest.fixture
def moved(run, tmp_path, monkeypatch):
    """Return the run from a copy, where neither its data set nor the cache is."""
    run.save(tmp_path / "first")
    shutil.move(tmp_path / "first", tmp_path / "elsewhere")
    monkeypatch.setenv("OPENKE_CACHE", str(tmp_path / "empty"))
    settings = tmp_path / "elsewhere" / "settings.json"
    settings.write_text(settings.read_text().replace(str(run.folder), "/nowhere"))
    seal_run(settings.parent)
    return openke.load(tmp_path / "elsewhere", device="cpu")


def test_a_run_that_was_moved_gives_the_same_answers_to_the_digit(run, moved):
    for query in (("p0", "is a"), (None, "made by", "maker 1"), ("p3", None, "study")):
        assert moved.predict(*query, k=99) == run.predict(*query, k=99)
    assert moved.report == run.report
    assert not list(moved.folder.rglob("*.ckpt"))
    with pytest.raises(FileExistsError, match="elsewhere is there already: name another folder"):
        run.save(moved.folder)


def test_a_changed_or_missing_file_is_named(moved):
    graph = next((moved.folder / "packed").iterdir())
    features = graph / "features" / "text" / "features.safetensors"
    content = features.read_bytes()
    features.write_bytes(content[:-1] + b"x")
    with pytest.raises(ValueError, match=r"features.safetensors: SHA-256 is"):
        openke.load(moved.folder)
    features.write_bytes(content)
    train = graph / "train2id.txt"
    lines = train.read_text().splitlines()
    train.write_text("\n".join([str(len(lines) - 2), *lines[1:-1]]) + "\n")
    with pytest.raises(ValueError, match=r"train2id\.txt: was changed since the run was written"):
        openke.load(moved.folder)
    (graph / "entity2id.txt").unlink()
    with pytest.raises(FileNotFoundError, match=r"entity2id.txt"):
        openke.load(moved.folder)


def test_new_entities_are_answered_for_and_change_no_other_answer(run, moved):
    larger = moved.add_entities(NEW)
    assert answers(larger, "n1", "is a")[0]["tail"] == "mug"
    assert answers(larger, "n2", "belongs in")[0]["tail"] == "dining room"
    assert moved.store.entity_count + 2 == larger.store.entity_count
    for query in (("p0", "is a"), (None, "made by", "maker 1")):
        before = {tuple(r.values())[:3]: r["score"] for r in answers(run, *query, k=999)}
        after = {tuple(r.values())[:3]: r["score"] for r in answers(larger, *query, k=999)}
        assert {"n1", "n2"} >= {
            row[0 if query[0] is None else 2] for row in set(after) - set(before)
        }
        assert len(after) == len(before) + 2
        assert all(after[row] == pytest.approx(before[row], abs=1e-5) for row in before)


def test_entities_may_be_added_again_and_saved(moved, tmp_path):
    larger = moved.add_entities(NEW)
    larger.save(tmp_path / "larger")
    again = openke.load(tmp_path / "larger", device="cpu")
    assert again.predict("n1", "is a", k=9) == larger.predict("n1", "is a", k=9)
    third = again.add_entities([{"id": "n3", "name": "Lamp", "text": "warm light for reading"}])
    best = answers(third, "n3", "is a")[0]
    assert best["tail"] == "lamp"
    assert third.predictor.entities.title(third.predictor.entities.id("n3")) == "Lamp"
    one = {row["tail"]: row["score"] for row in answers(third, "n1", "is a", k=99)}
    assert one["mug"] == pytest.approx(answers(larger, "n1", "is a")[0]["score"], abs=1e-5)


def test_names_of_new_entities_hide_nothing_in_the_texts_of_training(tmp_path, monkeypatch):
    """An encoder that is fitted to masked texts is fitted to the same ones again."""
    monkeypatch.setenv("OPENKE_CACHE", str(tmp_path / "cache"))
    settings = {**SETTINGS, "training.epochs": 1, "features.texts": "masked"}
    made = openke.fit(facts(), texts=texts(), settings=settings, device="cpu", out=tmp_path / "run")
    larger = made.add_entities({"name": ["warm light"], "text": ["A candle."]})
    larger = larger.add_entities({"name": ["n9"], "text": ["A wooden seat."]})
    assert answers(larger, "n9", "is a")


def test_vectors_are_those_that_scores_see_where_penalties_see_structure_alone():
    settings = {**SETTINGS, "model.gate": "sum", "model.penalized": "structure"}
    settings["training.epochs"] = 1
    larger = openke.fit(facts(), texts=texts(), settings=settings, device="cpu").add_entities(NEW)
    vectors = torch.from_numpy(np.stack(larger.embeddings()["vector"]))
    assert not larger.model.factors(torch.arange(len(vectors)))[-2:].any()
    with torch.inference_mode():
        torch.testing.assert_close(vectors, encode_all(larger.model)["entity"])
    assert vectors[-2:].any(dim=1).all()


def test_types_limit_answers_but_new_entities_are_admitted(moved):
    larger = moved.add_entities(NEW)
    found = {row["tail"] for row in answers(larger, "p0", "is a", k=99, type_constrain=True)}
    assert found == {"lamp", "chair", "mug", "n1", "n2"}
    fresh = [r["tail"] for r in answers(larger, "p0", "is a", k=99, type_constrain=True, new=True)]
    assert "lamp" not in fresh
    assert len(fresh) == 4


def test_vectors_may_be_given(moved):
    dim = moved.model.inner.projectors.text.rows.dim
    rows = np.zeros((2, dim), np.float32)
    rows[:, 0] = 1
    larger = moved.add_entities(NEW, vectors={"text": rows})
    kept = larger.model.inner.projectors.text.rows.values[-2:]
    assert torch.equal(kept, torch.from_numpy(rows))
    with pytest.raises(ValueError, match=r"vectors of text are \[2, 3\], expected \[2, "):
        moved.add_entities(NEW, vectors={"text": rows[:, :3]})
    with pytest.raises(ValueError, match="vectors are of image, expected text"):
        moved.add_entities(NEW, vectors={"image": rows})


def test_a_name_is_text_unless_it_is_an_id(moved):
    larger = moved.add_entities({"name": ["hot coffee"], "text": [""]})
    assert answers(larger, "hot coffee", "is a")[0]["tail"] == "mug"
    with pytest.raises(ValueError, match=r"nothing is said of 'hot coffee' that the model uses: e"):
        moved.add_entities({"id": ["hot coffee"], "text": [""]})


@pytest.mark.parametrize(
    ("entities", "message"),
    [
        ({"name": ["p0"], "text": ["x"]}, "row 1: the entity 'p0' is there already: give the new"),
        ({"name": ["a", "a"], "text": ["x", "y"]}, "row 2: 'a' is there already, at .* row 1"),
        ({"id": ["a"], "text": [""]}, "row 1: nothing is said of 'a' that the model uses: exp"),
        ({"name": ["a"], "picture": ["no.png"]}, "row 1: no picture no.png"),
        ({"name": ["a\tb"], "text": ["x"]}, r"row 1: the name 'a\\tb' has characters that do not"),
        ({"what": ["a"]}, "found the columns what, none of which is id or name"),
    ],
)
def test_bad_entities(moved, entities, message):
    with pytest.raises(ValueError, match=message):
        moved.add_entities(entities)


def test_models_that_need_a_row_of_each_entity_say_so(tmp_path, monkeypatch):
    monkeypatch.setenv("OPENKE_CACHE", str(tmp_path / "cache"))
    small = {"training.epochs": 1, "model.dim": 4}
    alone = openke.fit(facts(12), model="DistMult", settings=small, device="cpu")
    with pytest.raises(ValueError, match=r"DistMult of .* knows entities by their facts alone"):
        alone.add_entities(NEW)
    text = {**small, "features.text_encoder": "tfidf"}
    ikrl = openke.fit(facts(12), texts=texts(12), model="IKRL", settings=text, device="cpu")
    with pytest.raises(ValueError, match="IKRL needs a trained row of each entity"):
        ikrl.add_entities(NEW)
    ikrl.save(tmp_path / "ikrl")
    assert openke.load(tmp_path / "ikrl", device="cpu").predict("p0", "is a") == ikrl.predict(
        "p0", "is a"
    )


def test_structure_that_is_always_there_agrees_with_the_modalities_of_new_entities(
    tmp_path, monkeypatch
):
    monkeypatch.setenv("OPENKE_CACHE", str(tmp_path / "cache"))
    for gate, mentions in (("relation", False), ("mean", True), ("sum", False)):
        settings = {
            **SETTINGS, "model.gate": gate, "model.drop_unseen": False,
            "model.score_mentions": mentions,
        }  # fmt: skip
        run = openke.fit(facts(), texts=texts(), settings=settings, device="cpu")
        larger = run.add_entities(NEW)
        old = {row["tail"]: row["score"] for row in answers(run, "p0", "is a", k=99)}
        new = {row["tail"]: row["score"] for row in answers(larger, "p0", "is a", k=99)}
        assert all(new[name] == pytest.approx(old[name], abs=1e-5) for name in old)
        assert answers(larger, "n1", "is a")[0]["tail"] == "mug"


def test_a_lean_run_is_packed_when_it_is_saved(tmp_path, monkeypatch):
    monkeypatch.setenv("OPENKE_CACHE", str(tmp_path / "cache"))
    import_graph(facts(), tmp_path / "shop", texts=texts())
    changes = tuple(f"{place}={json.dumps(value)}" for place, value in SETTINGS.items())
    execution = Execution(out=tmp_path / "lean", device="cpu", lean=True)
    train_command(str(tmp_path / "shop"), set=changes, execution=execution)
    assert not (tmp_path / "lean" / "packed").exists()
    lean = load_run(tmp_path / "lean", device="cpu")
    lean.save(tmp_path / "whole")
    expected = lean.predict("p0", "is a", k=99)
    shutil.rmtree(tmp_path / "shop")
    shutil.rmtree(tmp_path / "cache")
    assert openke.load(tmp_path / "whole", device="cpu").predict("p0", "is a", k=99) == expected


def test_from_csv_to_an_answer_for_a_new_product_by_commands_alone(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("OPENKE_CACHE", str(tmp_path / "cache"))
    write_csv(tmp_path)
    settings = [f"--set={place}={json.dumps(value)}" for place, value in SETTINGS.items()]
    for arguments in (
        ["import", "facts.csv", "--texts", "products.csv", "--out", "shop"],
        ["train", "shop", "--device", "cpu", "--out", "run", *settings],
        ["evaluate", "run"],
    ):
        assert cli.main(arguments) == 0
    capsys.readouterr()
    asked = ["predict", "run", "--head", "novum", "--relation", "is a", "--k", "1"]
    assert cli.main([*asked, "--text", "It holds hot tea."]) == 0
    assert "mug" in capsys.readouterr().out
    assert cli.main([*asked, "--text", "It holds hot tea.", "--why", "--probability"]) == 0
    text = capsys.readouterr().out
    assert "without them the score would lose: structure +0.00, text" in text
    assert "like it in train: p" in text
    assert "%" in text
    (tmp_path / "new.csv").write_text("name,text\nnovum,a wooden seat\n")
    assert cli.main([*asked, "--entities", "new.csv"]) == 0
    assert "chair" in capsys.readouterr().out
    assert cli.main(asked) == 2
    assert "no entity has the name or label 'novum'" in capsys.readouterr().err
    assert cli.main([*asked[:2], "--head", "p0", *asked[4:], "--text", "x"]) == 2
    assert "the entity 'p0' is there already" in capsys.readouterr().err
    assert cli.main([*asked, "--tail", "mug", "--text", "x"]) == 2
    assert "give its name as --head or as --tail, and ask" in capsys.readouterr().err


def test_a_run_is_replaced_by_a_larger_one_where_that_is_asked_for(run, moved, tmp_path):
    place = tmp_path / "place"
    run.save(place)
    moved.add_entities(NEW).save(place, overwrite=True)
    assert openke.load(place, device="cpu").store.entity_count == run.store.entity_count + 2
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "file").write_text("")
    with pytest.raises(FileExistsError, match="mine is there already: name another folder"):
        run.save(tmp_path / "mine", overwrite=True)


def test_small_pictures_travel_with_a_run(tmp_path, monkeypatch):
    image = pytest.importorskip("PIL.Image")
    monkeypatch.setenv("OPENKE_CACHE", str(tmp_path / "cache"))
    photos = tmp_path / "photos" / "p1"
    photos.mkdir(parents=True)
    for i in range(4):
        image.new("RGB", (900, 300), "red").save(photos / f"{i}.png")
    (photos / "0.png").write_bytes(b"GIF8 not a picture")
    import_graph(facts(12), tmp_path / "shop", pictures=tmp_path / "photos")
    changes = ("training.epochs=1", "model.dim=4")
    for name, lean in (("run", False), ("lean", True)):
        execution = Execution(out=tmp_path / name, device="cpu", lean=lean)
        train_command(str(tmp_path / "shop"), model="DistMult", set=changes, execution=execution)
        load_run(tmp_path / name, device="cpu").save(tmp_path / f"{name} moved")
    for folder in ("run", "run moved", "lean moved"):
        found = sorted((tmp_path / folder).glob("packed/*/pictures/p1/*"))
        assert [path.name for path in found] == ["01.jpg", "02.jpg", "03.jpg"]
        assert image.open(found[0]).size == (256, 85)


def test_the_page_of_a_run_shows_pictures_and_what_the_model_looks_at(
    tmp_path, monkeypatch, capsys
):
    image = pytest.importorskip("PIL.Image")
    monkeypatch.setenv("OPENKE_CACHE", str(tmp_path / "cache"))
    (tmp_path / "photos").mkdir()
    for name in ("lamp", "mug", "chair", "study", "nobody"):
        image.new("RGB", (900, 300), "red").save(tmp_path / "photos" / f"{name}.png")
    settings = {**SETTINGS, "features.modalities": "text", "training.epochs": 3}
    run = openke.fit(
        facts(), texts=texts(), pictures=tmp_path / "photos", settings=settings, device="cpu"
    )
    assert "  pictures of no entity: 1\n" in capsys.readouterr().out
    page = (run.folder / "report.html").read_text()
    assert page.count('<img class="small" src="data:image/jpeg;base64,') > 5
    assert run.report["modality_weights"] == {"text": 1.0}
    assert '<td>text</td><td class="number">100.00</td>' in page
    assert run.report["features"]["text"]["encoder"] == "tfidf"


def test_bad_arguments(tmp_path):
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "mine").write_text("")
    with pytest.raises(FileExistsError, match="out is there already: name another folder as out"):
        openke.fit(facts(3), out=tmp_path / "out")
    with pytest.raises(ValueError, match="the recipe names the model: leave model out"):
        openke.fit(facts(9), recipe={"model": "DistMult"}, model="ComplEx")
    with pytest.raises(ValueError, match=r"--tracker is 'wandbb' .did you mean wandb"):
        openke.fit(facts(3), out=tmp_path / "new", trackers=["wandbb"])
    assert not (tmp_path / "new").exists()
    with pytest.raises(AttributeError, match="has no attribute 'fitt'"):
        _ = openke.fitt


SAMPLED = {"objective": "negative sampling", "loss": "MarginLoss", "sampling": {"neg_ent": 999}}


@pytest.mark.parametrize(
    ("wrong", "message", "imported"),
    [
        ({"settings": {"model.dimm": 4}}, "dimm", False),
        ({"settings": {"training.lrr": 4}}, "lrr", False),
        ({"model": "DistMultt"}, "DistMultt", False),
        ({"recipe": {"model": "DistMult", "trainin": {}}}, "trainin", False),
        ({"recipe": "none.toml"}, "none.toml: no such file of a recipe", False),
        ({"triples": [("a", "b")]}, "found", True),
        ({"triples": facts(2)}, "6 facts cannot be divided: .* give more facts", True),
        ({"valid": facts(2)}, "no facts to test on: give some as test, or neither valid", True),
        ({"recipe": {"model": "DistMult", "training": SAMPLED}}, "neg_ent is 999", True),
    ],
)
@pytest.mark.parametrize("there", [False, True])
def test_after_a_mistake_the_same_folder_is_free(
    wrong, message, imported, there, tmp_path, monkeypatch
):
    monkeypatch.setenv("OPENKE_CACHE", str(tmp_path / "cache"))
    calls = []
    monkeypatch.setattr(
        fit_module, "import_graph", lambda *a, **k: calls.append(a) or import_graph(*a, **k)
    )
    out = tmp_path / "above" / "out"
    if there:
        out.mkdir(parents=True)
    with pytest.raises((ValueError, OSError), match=message):
        openke.fit(**{"triples": facts(12), "out": out, "device": "cpu", **wrong})
    assert bool(calls) == imported
    assert out.exists() == (tmp_path / "above").exists() == there
    assert not there or not list(out.iterdir())


def test_a_call_that_is_mended_trains_into_the_same_folder(tmp_path, monkeypatch):
    monkeypatch.setenv("OPENKE_CACHE", str(tmp_path / "cache"))
    small = {"training.epochs": 1, "model.dim": 4}
    for wrong in ({"model.dimm": 4}, {"features.folder": "none"}):
        with pytest.raises((ValueError, OSError)):
            openke.fit(
                facts(12), out=tmp_path / "out", model="DistMult", settings=wrong, device="cpu"
            )
    given = {"out": tmp_path / "out", "model": "DistMult", "settings": small, "device": "cpu"}
    assert openke.fit(facts(12), **given).folder == tmp_path / "out"
    with pytest.raises(FileExistsError, match="out is there already"):
        openke.fit(facts(12), **given)
    assert openke.load(tmp_path / "out", device="cpu").store.entity_count > 12


def test_what_a_training_wrote_before_it_stopped_is_kept(tmp_path, monkeypatch):
    def stopped(self):
        raise KeyboardInterrupt

    monkeypatch.setenv("OPENKE_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(Trainer, "run", stopped)
    with pytest.raises(KeyboardInterrupt):
        openke.fit(facts(12), out=tmp_path / "out", model="DistMult", device="cpu")
    assert (tmp_path / "out" / "settings.json").is_file()
    assert list((tmp_path / "out").glob("packed/graph-*/train2id.txt"))


def test_probabilities_are_of_answers_that_are_new(run):
    pytest.importorskip("sklearn")
    fitted = run.calibration
    assert fitted.answers > 100
    assert 0 <= fitted.error < 0.3
    rows = answers(run, "p0", "made by", k=5, probability=True)
    assert all((row["probability"] is None) == (row["known"] is not None) for row in rows)
    found = [row["probability"] for row in rows if row["known"] is None]
    assert found == sorted(found, reverse=True)
    assert all(0 <= probability <= 1 for probability in found)
    assert "probability" not in run.predict("p0", "made by")


def test_the_report_has_the_probabilities_and_whoever_asks_takes_them_from_there(moved, run):
    pytest.importorskip("sklearn")
    assert moved.report["calibration"]["bins"][-1]["answers"] > 10
    assert calibrate(moved.predictor) == moved.calibration
    path = moved.folder / "report.json"
    report = json.loads(path.read_text())
    page = (moved.folder / "report.html").read_text()
    assert page.count('<tr><td class="number">') == len(report["calibration"]["bins"])
    report["calibration"]["slope"] = 0.5
    path.write_text(json.dumps(report))
    with pytest.raises(ValueError, match=r"report.json: was changed since the run was written"):
        openke.load(moved.folder, device="cpu")
    (moved.folder / "SHA256SUMS").unlink()  # as of an earlier release
    assert openke.load(moved.folder, device="cpu").calibration.slope == 0.5
    report["calibration"]["slope"] = "much"
    path.write_text(json.dumps(report))
    with pytest.raises(ValueError, match=r"report.json: calibration.slope is 'much'"):
        _ = openke.load(moved.folder, device="cpu").calibration
    del report["calibration"]
    path.write_text(json.dumps(report))
    assert openke.load(moved.folder, device="cpu").calibration == run.calibration


def test_a_score_says_what_it_rests_on(run):
    said = run.explain("p0", "is a", "lamp")
    assert set(said["parts"]) == {"structure", "text", "mentions"}
    assert said["weights"]["head"] == {"text": 1.0}
    assert said["gate"] is None
    assert said["score"] == pytest.approx(answers(run, "p0", "is a", k=1)[0]["score"], abs=1e-5)
    assert {fact["tail"] for fact in said["facts"]} == {"lamp"}
    assert all(fact["head"] != "p0" for fact in said["facts"])
    assert 1.001 >= said["facts"][0]["likeness"] >= said["facts"][2]["likeness"] > 0
    larger = run.add_entities(NEW).explain("n1", "is a", "mug")
    assert larger["parts"]["text"] > 0
    assert run.explain("p0", "is a", "lamp", facts=1)["facts"] == said["facts"][:1]


def test_no_queries_have_no_answers_and_ids_may_be_of_numpy(run):
    assert len(run.predict([], "is a")["head"]) == 0
    assert run.predict(np.int64(0), "is a", k=2) == run.predict(0, "is a", k=2)


@pytest.fixture
def bare(run, tmp_path, monkeypatch):
    """Return the run as it is without its facts."""
    monkeypatch.setenv("OPENKE_CACHE", str(tmp_path / "empty"))
    run.save(tmp_path / "bare", facts=False)
    return openke.load(tmp_path / "bare", device="cpu")


def test_a_run_without_its_facts_gives_the_same_answers_and_marks_none(run, bare, tmp_path):
    names = {path.name for path in bare.folder.rglob("*")}
    assert not names & {"train2id.txt", "valid2id.txt", "test2id.txt", "report.html"}
    assert not bare.facts
    for query in (("p0", "is a"), (None, "made by", "maker 1"), ("p3", None, "study")):
        found, expected = bare.predict(*query, k=99), run.predict(*query, k=99)
        assert set(found["known"]) == {None}
        assert {**found, "known": ()} == {**expected, "known": ()}
    assert bare.explain("p0", "is a", "lamp")["facts"] == []
    assert bare.explain("p0", "is a", "lamp")["parts"] == run.explain("p0", "is a", "lamp")["parts"]
    larger = bare.add_entities(NEW).add_entities({"name": ["n3"], "text": ["A wooden seat."]})
    assert answers(larger, "n1", "is a")[0]["tail"] == "mug"
    for one in (larger, bare):
        one.save(tmp_path / "again", overwrite=True)
        assert not openke.load(tmp_path / "again").facts
    (graph,) = (run.folder / "packed").iterdir()
    whole = openke.load(bare.folder, graph, device="cpu")
    assert whole.facts
    assert whole.predict("p0", "is a", k=99) == run.predict("p0", "is a", k=99)


@pytest.mark.parametrize(
    ("option", "message"),
    [
        ("new", "known answers cannot be left out"),
        ("type_constrain", "what a relation admits is not known"),
        ("probability", "probabilities are of answers that are not known"),
    ],
)
def test_what_needs_the_facts_of_a_run_without_them_says_so(bare, option, message):
    with pytest.raises(ValueError, match=f"saved without its facts: {message}; --data"):
        bare.predict("p0", "is a", **{option: True})
    with pytest.raises(ValueError, match="saved without its facts: there is nothing to rank"):
        evaluate(bare)


def test_the_command_says_once_that_facts_are_not_there(bare, capsys):
    assert cli.main(["predict", str(bare.folder), "--head", "p0", "--relation", "is a"]) == 0
    said = capsys.readouterr()
    assert "lamp" in said.out
    assert said.err == "the run was saved without its facts: known answers are not marked\n"


def test_unseen_entities_stay_unseen_without_the_facts(tmp_path, monkeypatch):
    monkeypatch.setenv("OPENKE_CACHE", str(tmp_path / "cache"))
    settings = {**SETTINGS, "model.drop_unseen": True, "training.epochs": 2}
    unseen = Division(unseen=0.2, valid=0.1, test=0.1)
    run = openke.fit(facts(), texts=texts(), division=unseen, settings=settings, device="cpu")
    assert not run.model.inner.mask.seen.all()
    bare = openke.load(run.save(tmp_path / "bare", facts=False), device="cpu")
    assert torch.equal(bare.model.inner.mask.seen, run.model.inner.mask.seen)
    for one in (run, bare):
        larger = one.add_entities(NEW)
        assert torch.equal(larger.model.inner.mask.seen[:-2], run.model.inner.mask.seen)
        assert not larger.model.inner.mask.seen[-2:].any()


def test_a_model_of_the_facts_is_not_saved_without_them(tmp_path, monkeypatch):
    monkeypatch.setenv("OPENKE_CACHE", str(tmp_path / "cache"))
    small = {"training.epochs": 1, "model.dim": 4, "model.group": 2}
    alone = openke.fit(facts(12), model="GCOTE", settings=small, device="cpu")
    with pytest.raises(ValueError, match="GCOTE computes with the facts of train: it cannot be"):
        alone.save(tmp_path / "alone", facts=False)
    assert not (tmp_path / "alone").exists()
