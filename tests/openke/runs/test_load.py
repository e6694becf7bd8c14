"""A run folder becomes the model it was, or says why not."""

import json
import shutil
from importlib.metadata import EntryPoint
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

import lbmkgc_models
from lbmkgc_models.feature_store.store import ModalFeatures
from lbmkgc_models.fusion.structure_mask import seen_in_train
from lbmkgc_models.model.adamf import AdaMF
from lbmkgc_models.model.ikrl import IKRL
from lbmkgc_models.model.lbmkgc import LBMKGC
from lbmkgc_models.model.transae import TransAE
from lbmkgc_models.runs import experiment
from lbmkgc_models.runs.choose_features import gather_features
from lbmkgc_models.runs.make_model import make_multimodal
from openke.data.store import TripleStore
from openke.module.model import MODELS, Model, Reciprocal
from openke.runs import rebuilders
from openke.runs.experiment import Experiment, RunOptions
from openke.runs.load import Run, load_run
from openke.runs.recipe import Recipe
from openke.runs.seal import SUMS
from tests.contracts.graphs import CASES, build, reciprocal
from tests.openke.module.openke_models import Margined
from tests.openke.runs.trained import data_folder, trained


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    folder = tmp_path_factory.mktemp("runs")
    directory = data_folder(folder)
    trained(folder / "rotate", directory)
    return folder


def copied(place, tmp_path, change=None):
    """Copy the run, with its settings changed, as a release without checksums wrote it."""
    shutil.copytree(place / "rotate", tmp_path / "run")
    (tmp_path / "run" / SUMS).unlink()
    path = tmp_path / "run" / "settings.json"
    content = json.loads(path.read_text())
    if change:
        change(content)
    path.write_text(json.dumps(content))
    return tmp_path / "run"


def same(first: Model, second: Model) -> bool:
    pairs = zip(first.state_dict().items(), second.state_dict().items(), strict=True)
    return all(a == b and torch.equal(x, y) for (a, x), (b, y) in pairs)


@pytest.mark.parametrize("case", [case for case in CASES if case.split()[0] in MODELS])
def test_every_structural_model_comes_back(case, place, tmp_path):
    model = trained(tmp_path / "run", place / "TOY", build(case))
    loaded = load_run(tmp_path / "run")
    assert same(loaded.model, model)
    assert loaded.model.identity() == model.identity()
    assert not loaded.model.training
    assert loaded.store.name == "TOY"
    assert loaded.saved["recipe"]["training"]["epochs"] == 1


def test_a_run_says_in_one_line_what_it_is(place):
    run = load_run(place / "rotate")
    sizes = f"{run.store.entity_count} entities, {run.store.relation_count} relations"
    assert repr(run) == f"Run(RotatE on 'TOY': {sizes}; in {place / 'rotate'})"


@pytest.mark.parametrize("case", ["ComplEx", "TransR"])
def test_reciprocal_relations_come_back(case, place, tmp_path):
    model = trained(tmp_path / "run", place / "TOY", reciprocal(case))
    loaded = load_run(tmp_path / "run")
    assert isinstance(loaded.model, Reciprocal)
    assert same(loaded.model, model)
    assert loaded.model.identity() == model.identity()
    assert loaded.saved["model"]["relations"] == 2 * loaded.model.rel_tot
    report = json.loads((tmp_path / "run" / "report.json").read_text())
    assert report["model"] == case


def test_a_recipe_is_written_down_and_gone_on_with(place, tmp_path):
    recipe = Recipe.from_dict(
        {
            "model": {"name": "ComplEx", "dim": 4},
            "data": {"hold_out": 0.1},
            "training": {
                "reciprocal": True, "epochs": 2, "batch_size": 32, "schedule": "step",
            },
            "evaluation": {"every": 1, "patience": 5},
        }
    )  # fmt: skip
    store, out = TripleStore.open(place / "TOY"), tmp_path / "run"
    Experiment(recipe, RunOptions(device="cpu"), out).train(store)
    saved = load_run(out).saved
    assert Recipe.from_dict(saved["recipe"]) == recipe
    assert Recipe.read(out / "settings.json") == recipe
    assert saved["loader"] == {"batch_size": 32, "targets": "one", "seed": 0, "hold_out": 0.1}
    longer = recipe.changed({"training.epochs": 3})
    more = Experiment(longer, RunOptions(device="cpu", resume=True), out)
    history = more.train(store).history
    assert len(history.records) == 3
    assert all("valid_mrr" in record for record in history.records)


def test_a_run_that_held_out_a_split_gets_it_again(place, tmp_path):
    trained(tmp_path / "run", place / "TOY", hold_out=0.1)
    assert load_run(tmp_path / "run").store.held_out == (0.1, 0)


def entry_points(group):
    assert group == "openke.rebuilders"
    return [EntryPoint("features", "lbmkgc_models.runs.rebuild:multimodal", group)]


@pytest.mark.parametrize(
    ("kind", "modalities"),
    [(LBMKGC, 2), (LBMKGC, 1), (LBMKGC, 0), (IKRL, 1), (AdaMF, 2), (TransAE, 2)],
)
def test_multimodal_models_find_their_features_again(
    kind, modalities, place, tmp_path, monkeypatch
):
    monkeypatch.setattr(rebuilders, "entry_points", entry_points)
    monkeypatch.setenv("OPENKE_CACHE", str(tmp_path / "cache"))
    store = TripleStore.open(place / "TOY")
    features = {}
    for number, modality in enumerate(("image", "text")[:modalities]):
        rows = torch.randn(20, 3 + number, generator=torch.Generator().manual_seed(number))
        names = list(store.entity_names)
        features[modality] = ModalFeatures.from_rows(modality, names[:20], rows, names)
        features[modality].save(tmp_path / "features" / modality)
    model = kind(store.entity_count, store.relation_count, features, dim=4)
    trained(tmp_path / "run", place / "TOY", model)
    found = load_run(tmp_path / "run", features=tmp_path / "features" if modalities else None)
    assert same(found.model, model)
    assert found.model.identity() == model.identity()
    if modalities:
        with pytest.raises(FileNotFoundError, match="image"):
            load_run(tmp_path / "run")
    if modalities == 1:
        rows = torch.ones(20, 3)
        other = ModalFeatures.from_rows("image", names[:20], rows, names)
        other.save(tmp_path / "other" / "image")
        with pytest.raises(ValueError, match=r"cannot be rebuilt as it was: features.image is '"):
            load_run(tmp_path / "run", features=tmp_path / "other")


def test_what_an_encoder_made_is_found_again(tmp_path, monkeypatch):
    monkeypatch.setattr(rebuilders, "entry_points", entry_points)
    monkeypatch.setenv("OPENKE_CACHE", str(tmp_path / "cache"))
    directory = data_folder(tmp_path)
    store = TripleStore.open(directory)
    lines = [
        f"{number}\t{name}\tname{number}\tsees name{number // 2}"
        for number, name in enumerate(store.entity_names)
    ]
    (directory / "labels.tsv").write_text("\n".join(lines), encoding="utf-8")
    features = gather_features(store, text_encoder="tfidf", progress=False).features
    settings = {"dim": 4, "score_mentions": True}
    model = make_multimodal("LBMKGC", store, store.relation_count, features, settings)
    trained(tmp_path / "run", directory, model, text_encoder="tfidf")
    found = load_run(tmp_path / "run").model
    assert same(found, model)
    assert found.identity() == model.identity()
    features["text"].save(tmp_path / "given" / "text")
    shutil.rmtree(tmp_path / "cache")
    assert same(load_run(tmp_path / "run", features=tmp_path / "given").model, model)


def test_fused_models_keep_their_interaction_and_their_unseen_entities(
    place, tmp_path, monkeypatch
):
    monkeypatch.setattr(rebuilders, "entry_points", entry_points)
    monkeypatch.setenv("OPENKE_CACHE", str(tmp_path / "cache"))
    store = TripleStore.open(place / "TOY")
    names = list(store.entity_names)
    text = ModalFeatures.from_rows("text", names[:20], torch.randn(20, 3), names)
    text.save(tmp_path / "features" / "text")
    model = LBMKGC(
        store.entity_count,
        store.relation_count,
        {"text": text},
        seen=seen_in_train(store),
        dim=4,
        interaction="TuckER",
        interaction_settings={"dim_r": 3},
        gate="sum",
        drop_structure=0.3,
        drop_unseen=True,
    )
    trained(tmp_path / "run", place / "TOY", model)
    found = load_run(tmp_path / "run", features=tmp_path / "features").model
    assert same(found, model)
    assert found.identity() == model.identity()
    assert torch.equal(found.mask.seen, seen_in_train(store))
    assert found.interaction.config == model.interaction.config


def test_settings_that_came_after_a_run_have_their_defaults(place, tmp_path):
    def older(content):
        del content["model"]["settings"]["epsilon"]

    assert load_run(copied(place, tmp_path, older)).model.config.epsilon == 2.0


def test_a_multimodal_model_of_a_package_that_is_not_installed(place, tmp_path):
    def other(content):
        content["model"].update(model="Gone", features={})

    with pytest.raises(ValueError, match=r"^the run's model 'Gone' is of .* 'openke.multimodal_m"):
        load_run(copied(place, tmp_path, other))


def test_a_model_of_the_user_needs_a_function(place, tmp_path):
    store = TripleStore.open(place / "TOY")
    model = Margined(store.entity_count, store.relation_count, dim=4)
    trained(tmp_path / "run", place / "TOY", model)
    with pytest.raises(ValueError, match="'Margined' is of a package that is not inst"):
        load_run(tmp_path / "run")
    loaded = load_run(
        tmp_path / "run", rebuild=lambda s, *_: Margined(s.entity_count, s.relation_count, 4)
    )
    assert same(loaded.model, model)
    with pytest.raises(ValueError, match=r"cannot be rebuilt as it was: settings.ent_embeddings"):
        load_run(
            tmp_path / "run", rebuild=lambda s, *_: Margined(s.entity_count, s.relation_count, 5)
        )


def test_the_data_set_is_looked_for_and_must_be_the_same(place, tmp_path, monkeypatch):
    def gone(content):
        content["data"]["directory"] = str(tmp_path / "gone")

    run = copied(place, tmp_path, gone)
    monkeypatch.setenv("OPENKE_DATA", str(place))
    assert load_run(run).store.directory == place / "TOY"
    monkeypatch.delenv("OPENKE_DATA")
    assert load_run(run, place).store.directory == place / "TOY"
    other = shutil.copytree(place / "TOY", tmp_path / "other" / "TOY")
    (other / "train2id.txt").write_text("1\n0 1 0\n")
    with pytest.raises(ValueError, match="was trained on other triples than"):
        load_run(run, other)


def test_what_is_no_run_is_refused(place, tmp_path):
    with pytest.raises(FileNotFoundError, match=r"settings.json: no such file; expected the outp"):
        load_run(tmp_path)
    run = copied(place, tmp_path)
    (run / "model.safetensors").write_bytes(b"none")
    with pytest.raises(ValueError, match="not the weights of this RotatE"):
        load_run(run)
    (run / "model.safetensors").unlink()
    with pytest.raises(FileNotFoundError, match=r"model.safetensors: no such file"):
        load_run(run)
    shutil.rmtree(run)
    model = '{"model": {"model": 3, "relations": 2, "settings": {}}}'
    for content in ("{", "[]", '{"model": {}}', model):
        run = copied(place, tmp_path)
        (run / "settings.json").write_text(content)
        with pytest.raises(ValueError, match=r"settings.json: not the settings of a run"):
            load_run(run)
        shutil.rmtree(run)


@pytest.mark.parametrize("name", ["..", ".", "", "a/b", "../TOY", "TOY/", "/absolute"])
def test_a_data_set_whose_name_is_a_path_is_refused(name, place, tmp_path):
    if name.startswith("/"):
        name = str(place / "TOY")
    run = copied(place, tmp_path, lambda content: content["data"].update(name=name))
    with pytest.raises(ValueError, match=r"run: data\.name is '.*', expected the name of a folder"):
        load_run(run)


def test_a_data_set_that_is_trained_on_by_its_folder_has_a_plain_name(place, tmp_path, monkeypatch):
    monkeypatch.chdir(place / "TOY")
    for number, given in enumerate((".", "../TOY", str(place / "TOY"))):
        out = tmp_path / str(number)
        content = {"model": {"name": "DistMult", "dim": 4}, "data": {"name": given}}
        experiment.run(
            Recipe.from_dict({**content, "training": {"epochs": 1, "batch_size": 4}}),
            RunOptions(out=out, device="cpu"),
        )
        assert json.loads((out / "settings.json").read_text())["data"]["name"] == "TOY"
        assert (out / "packed" / "TOY").is_dir()
        assert load_run(out).store.name == "TOY"


def test_the_entry_points_are_declared():
    text = (Path(lbmkgc_models.__file__).parents[1] / "pyproject.toml").read_text()
    for line in (
        'features = "lbmkgc_models.runs.rebuild:multimodal"',
        'import = "openke.datasets.importing:command"',
        'evaluate = "openke.runs.evaluate:command"',
        'predict = "openke.runs.predict:command"',
        'export = "openke.runs.export:command"',
    ):
        assert line in text


def flipped(path, share):
    """Turn one bit of a file, so far from its beginning."""
    content = bytearray(path.read_bytes())
    content[int(share * len(content))] ^= 1
    path.write_bytes(content)


@pytest.mark.parametrize("share", [0.1, 0.5, 0.9, 0.999])
def test_a_flipped_bit_of_the_weights_is_found(share, place, tmp_path):
    trained(tmp_path / "run", place / "TOY")
    flipped(tmp_path / "run" / "model.safetensors", share)
    with pytest.raises(
        ValueError, match=r"model.safetensors: (the weights are not what|not the w)"
    ):
        load_run(tmp_path / "run")


@pytest.mark.parametrize("share", [0.3, 0.5, 0.7])
def test_a_flipped_bit_of_a_checkpoint_is_found(share, place, tmp_path):
    recipe = Recipe.from_dict({"model": {"name": "TransE", "dim": 40}, "training": {"epochs": 1}})
    store, out = TripleStore.open(place / "TOY"), tmp_path / "run"
    Experiment(recipe, RunOptions(device="cpu"), out).train(store)
    flipped(out / "last.ckpt", share)
    more = Experiment(recipe, RunOptions(device="cpu", resume=True), out)
    with pytest.raises(ValueError, match=r"last.ckpt: (this checkpoint is not wh|not a readable)"):
        more.train(store)


SEALED = ("settings.json", "report.json", "report.html", "training.csv", "training.png")


@pytest.mark.parametrize("name", SEALED)
def test_a_file_of_a_run_that_is_gone_or_changed_is_named(name, place, tmp_path):
    run = shutil.copytree(place / "rotate", tmp_path / "run")
    load_run(run)
    flipped(run / name, 0.5)
    with pytest.raises(ValueError, match=f"run/{name}: was changed since .* or train again$"):
        load_run(run)
    (run / name).unlink()
    with pytest.raises(FileNotFoundError, match=f"run/{name}: (is gone|no such file)"):
        load_run(run)


def test_a_run_that_is_gone_on_with_is_sealed_when_it_ends(place, tmp_path):
    recipe = Recipe.from_dict({"model": {"name": "TransE", "dim": 4}, "training": {"epochs": 1}})
    store, out = TripleStore.open(place / "TOY"), tmp_path / "run"
    Experiment(recipe, RunOptions(device="cpu"), out).train(store)
    load_run(out)
    longer = recipe.changed({"training.epochs": 2})
    more = Experiment(longer, RunOptions(device="cpu", resume=True), out)
    trainer = more.train(store)
    load_run(out)
    more.test(trainer, store)
    assert load_run(out).report["best_epoch"] is None
    assert "report.json" in (out / SUMS).read_text()


def test_weights_without_a_checksum_are_read(place, tmp_path):
    model = trained(tmp_path / "run", place / "TOY")
    path = tmp_path / "run" / "model.safetensors"
    save_file({name: value.clone() for name, value in model.state_dict().items()}, path)
    assert same(load_run(tmp_path / "run").model, model)


def test_a_folder_that_another_run_writes_is_left_alone(place, tmp_path):
    recipe = Recipe.from_dict({"model": "TransE", "training": {"epochs": 1}})
    first, second = (Experiment(recipe, RunOptions(device="cpu"), tmp_path / "run") for _ in "ab")
    with first.held():
        with pytest.raises(FileExistsError, match="is writing there now"), second.held():
            pass
        first.train(TripleStore.open(place / "TOY"))
    with pytest.raises(FileExistsError, match="holds a run already"), second.held():
        pass


def test_what_a_killed_run_left_is_swept(place, tmp_path):
    out = tmp_path / "run"
    out.mkdir()
    left = [f".{name}.7-0123abcd" for name in ("last.ckpt", "settings.json", "anything")]
    mine = [".last.ckpt.mine", ".other.0123456789abcdef"]
    for name in (*left, *(f"{name}.lock" for name in left), *mine):
        (out / name).touch()
    recipe = Recipe.from_dict({"model": "TransE", "training": {"epochs": 1}})
    with Experiment(recipe, RunOptions(device="cpu"), out).held():
        assert {path.name for path in out.iterdir()} == {".lock", ".lock-holder.json", *mine}


def test_a_report_that_is_none_is_an_error(tmp_path):
    path = tmp_path / "report.json"
    path.write_text("[]")
    run = Run(tmp_path, None, None, {}, None, None)
    with pytest.raises(ValueError, match=r"report\.json: not a report"):
        _ = run.report


def test_a_name_of_the_hub_is_told_apart_from_a_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(FileNotFoundError, match=r"Hugging Face Hub: openke\.from_pretrained"):
        load_run("me/model")
    with pytest.raises(FileNotFoundError, match=r"training run that has ended$"):
        load_run(tmp_path / "me" / "model")
