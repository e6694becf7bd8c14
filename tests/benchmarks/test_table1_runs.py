"""Epochs are chosen on dev, test is ranked once, and a run that is stopped loses nothing."""

import json
from dataclasses import replace

import pytest
import torch
from comparison.entries import read_entries
from comparison.runs import Bench, choose, read_result, run_row
from comparison.table_rows import read_row
from table1 import Settings, main

from lbmkgc_models.feature_store.store import ModalFeatures
from openke.config import Tester
from openke.training.trainer import Trainer
from tests.benchmarks.tiny import ENTITIES, Watch, write_dataset, write_row


@pytest.fixture
def bench(tmp_path):
    return Bench(
        results=tmp_path / "results" / "table1",
        checkpoints=tmp_path / "checkpoints",
        data=tmp_path / "data",
        device="cpu",
        progress=False,
        minutes=0,  # a checkpoint after every epoch
    )


@pytest.fixture
def watch(monkeypatch):
    return Watch(monkeypatch)


def start(bench, dataset="MKG-W", mode="tuned", **changes):
    """Write data and settings; return the store and the row."""
    store = write_dataset(bench.data, dataset)
    return store, read_row(write_row(bench.data.parent / "settings", dataset, mode, **changes))


def read(path):
    return json.loads(path.read_text())


def rows(triples):
    return set(map(tuple, triples.tolist()))


def checkpoints(bench):
    return sorted(path.name for path in bench.checkpoints.rglob("*.ckpt"))


def test_the_best_epoch_of_dev_is_chosen(bench, watch):
    _, row = start(bench)
    found = choose(row, bench)
    assert found == read(bench.dev_path(row))
    curve = {record["epoch"]: record["valid_mrr"] for record in found["curve"]}
    assert list(curve) == list(range(1, len(curve) + 1))
    assert found["dev_mrr"] == max(curve.values()) == curve[found["epochs"]]
    assert found["epochs"] < len(curve)  # so that the best weights are not the last
    assert found["dev_mrr"] > 0.2  # guessing gives 0.13
    assert watch.events == ["train", *["valid"] * len(curve), "test"]


def test_the_run_on_dev_is_that_of_its_seed(bench, watch):
    _, row = start(bench)
    run_row(row, [0], bench)
    assert watch.events.count("train") == 1
    path = bench.seed_path(row, 0)
    first = read(path)
    path.unlink()
    run_row(row, [0], bench)
    again = read(path)
    assert watch.events.count("train") == 2
    for name in ("epochs", "metrics", "by_seen", "by_category", "parameters", "seed"):
        assert again[name] == first[name], name
    assert again["epochs"] == read(bench.dev_path(row))["epochs"]
    assert len(first["metrics"]["both"]) == 5


def test_dev_that_is_held_out_is_trained_on_in_the_end(bench, watch):
    store, row = start(bench, "DB15K")
    run_row(row, [0, 1], bench)
    dev, *final = watch.stores
    whole = rows(store.triples("train"))
    held, kept = rows(dev.triples("valid")), rows(dev.triples("train"))
    assert len(held) == len(whole) // 10
    assert held | kept == whole
    assert not held & kept
    assert [rows(other.triples("train")) for other in final] == [whole, whole]
    # Dev while choosing, then one test a seed and nothing in between.
    looks = len(read(bench.dev_path(row))["curve"])
    expected = ["train", *["valid"] * looks, "train", "test", "train", "test"]
    assert watch.events == expected
    chosen = read(bench.dev_path(row))
    assert (chosen["hold_out"], chosen["seed"]) == (0.1, 0)
    first, second = (read(bench.seed_path(row, seed)) for seed in (0, 1))
    assert first["epochs"] == second["epochs"] == chosen["epochs"]
    assert (first["seed"], second["seed"]) == (0, 1)
    assert first["metrics"] != second["metrics"]


MADE_BY = {"encoder": "ours", "revision": "abc", "settings": {"max_length": 9}}
"""What made features, as a manifest says it."""


def test_a_row_sees_its_modalities_alone(bench):
    store = write_dataset(bench.data)
    for modality, dim in (("text", 5), ("image", 7)):
        ModalFeatures.from_rows(
            *(modality, store.entity_names, torch.randn(store.entity_count, dim)),
            store.entity_names,
            **MADE_BY,
        ).save(bench.data / "MKG-W" / "features" / modality)
    settings = bench.data.parent / "settings"
    fused = {"interaction": "ComplEx", "dim": 4, "gate": "sum", "projection": "linear"}
    parameters = {}
    for modalities in ([], ["text"], ["image", "text"]):
        name = " and ".join(["LBMKGC", *modalities])
        changes = {"model": {"name": "LBMKGC", **fused}, "epochs": 1}
        path = write_row(settings, name=name, modalities=modalities, **changes)
        run_row(read_row(path), [0], bench)
        found = read(bench.seed_path(read_row(path), 0))
        assert found["recipe"]["features"]["modalities"] == (modalities or "none")
        assert sorted(found["inputs"]["features"]) == modalities
        assert found["inputs"]["triples"] == store.fingerprint
        assert found["inputs"]["encoders"] == dict.fromkeys(modalities, MADE_BY)
        parameters[len(modalities)] = found["parameters"]
    # A projection to 8 reals, with a bias or without, and at most a weight of it in attention.
    assert 8 * 5 <= parameters[1] - parameters[0] <= 8 * 5 + 8 + 9
    assert 8 * 7 <= parameters[2] - parameters[1] <= 8 * 7 + 8 + 9


def test_a_row_says_what_encodes_its_texts_and_whether_mentions_count(bench, monkeypatch):
    monkeypatch.setenv("OPENKE_CACHE", str(bench.data.parent / "cache"))
    write_dataset(bench.data)
    lines = [f"{i}\tentity {i}\tname{i}\tseen with name{i // 2}" for i in range(ENTITIES)]
    place = bench.data / "MKG-W"
    (place / "labels.tsv").write_text("\n".join(lines), encoding="utf-8")
    found = {}
    for encoder in ("tfidf", "tfidf+spelling"):
        changes = {
            "model": {
                "name": "LBMKGC",
                "interaction": "ComplEx",
                "dim": 4,
                "score_mentions": True,
            },
            "epochs": 1,
        }
        names = {"name": "LBMKGC", "modalities": ["text"], "text_encoder": encoder}
        row = read_row(write_row(bench.data.parent / "settings", **names, **changes))
        assert row.recipe.features.text_encoder == encoder
        results = replace(bench, results=bench.results / encoder)
        run_row(row, [0], results)
        found[encoder] = read(results.seed_path(row, 0))["inputs"]["features"]
        assert sorted(found[encoder]) == ["mentions", "text"]
    assert found["tfidf"]["text"] != found["tfidf+spelling"]["text"]
    assert found["tfidf"]["mentions"] == found["tfidf+spelling"]["mentions"]
    assert not (place / "features").exists()
    again = replace(row, recipe=row.recipe.changed({"features.text_encoder": ""}))
    with pytest.raises(ValueError, match=r"other settings .recipe. than LBMKGC"):
        read_result(results.seed_path(row, 0), again)


def test_what_relations_have_is_written_down(bench, monkeypatch):
    monkeypatch.setenv("OPENKE_CACHE", str(bench.data.parent / "cache"))
    store = write_dataset(bench.data)
    pictures = torch.randn(store.entity_count, 3)
    ModalFeatures.from_rows("image", store.entity_names, pictures, store.entity_names).save(
        bench.data / "MKG-W" / "features" / "image"
    )
    lines = [f"{i}\tentity {i}\tname{i}\tseen with name{i // 2}" for i in range(ENTITIES)]
    (bench.data / "MKG-W" / "labels.tsv").write_text("\n".join(lines), encoding="utf-8")
    changes = {"model": {"name": "VISTA", "dim": 4, "hidden": 4}, "epochs": 1}
    names = {"name": "VISTA", "modalities": ["image", "text"], "text_encoder": "tfidf"}
    row = read_row(write_row(bench.data.parent / "settings", mode="published", **names, **changes))
    run_row(row, [0], bench)
    inputs = read(bench.seed_path(row, 0))["inputs"]
    assert sorted(inputs["features"]) == ["image", "image of relations", "text"]
    assert inputs["encoders"]["text"]["encoder"] == "tfidf"


def test_published_rows_train_all_epochs_and_leave_valid_alone(bench, watch):
    _, row = start(bench, mode="published", epochs=7)
    run_row(row, [0, 3], bench)
    assert watch.events == ["train", "test"] * 2
    assert not bench.dev_path(row).exists()
    assert [read(bench.seed_path(row, seed))["epochs"] for seed in (0, 3)] == [7, 7]


def test_what_is_there_is_not_run_again(bench, watch):
    _, row = start(bench, epochs=3)
    run_row(row, [0, 1], bench)
    assert not checkpoints(bench)
    before = {path: path.read_bytes() for path in bench.results.rglob("*.json")}
    assert len(before) == 3
    watch.events.clear()
    run_row(row, [1, 0], bench)
    assert watch.events == []
    run_row(row, [0, 1, 2], bench)
    assert watch.events == ["train", "test"]
    assert {path: path.read_bytes() for path in before} == before


def test_results_of_other_settings_are_an_error(bench, watch):
    _, row = start(bench, epochs=2)
    run_row(row, [0], bench)
    settings = bench.data.parent / "settings"
    other = read_row(write_row(settings, epochs=2, batch_size=41))
    with pytest.raises(
        ValueError, match=r"dev.json: made with other settings .recipe. than ComplEx on MKG-W has"
    ):
        run_row(other, [0], bench)
    published = read_row(write_row(settings, mode="published", epochs=2))
    bench.seed_path(row, 0).rename(bench.seed_path(published, 0))
    with pytest.raises(ValueError, match=r"published.seed0.json: .*settings .mode"):
        read_result(bench.seed_path(published, 0), published)
    assert watch.events.count("train") == 1


def test_results_from_before_a_setting_have_its_default(bench, watch):
    _, row = start(bench, epochs=2)
    run_row(row, [0, 1], bench)
    for path in (bench.dev_path(row), bench.seed_path(row, 0)):
        content = read(path)
        assert content["recipe"]["training"].pop("precision") == "float32"
        path.write_text(json.dumps(content))
    watch.events.clear()
    run_row(row, [0, 1], bench)
    assert watch.events == []
    (entry,) = read_entries(bench.results, {})
    assert len(entry.runs) == 2
    content["recipe"]["training"]["epoch"] = 3
    path.write_text(json.dumps(content))
    with pytest.raises(ValueError, match=r"seed0.json: .*no setting 'epoch'"):
        run_row(row, [0], bench)


def test_a_seed_of_other_epochs_is_an_error(bench):
    _, row = start(bench)
    run_row(row, [0], bench)
    path = bench.seed_path(row, 0)
    content = read(path)
    path.write_text(json.dumps({**content, "epochs": content["epochs"] + 1}))
    with pytest.raises(ValueError, match=r"seed0.json: made with other settings .epochs."):
        run_row(row, [0], bench)


def test_stale_seeds_are_said_before_anything_is_trained(bench, watch):
    _, row = start(bench, epochs=2)
    run_row(row, [0, 1], bench)
    settings = bench.data.parent / "settings"
    other = read_row(write_row(settings, epochs=2, batch_size=41))
    bench.dev_path(row).unlink()
    bench.seed_path(row, 0).unlink()
    watch.events.clear()
    with pytest.raises(ValueError, match=r"seed1.json: made with other settings .recipe."):
        run_row(other, [0, 1], bench)
    assert watch.events == []


class InterruptedRunError(Exception):
    pass


def interrupt(monkeypatch, *, after):
    """Have training fail once, after so many epochs; returns where each epoch began."""
    real, calls, failed = Trainer._train_epoch, [], []

    def train_epoch(trainer, *arguments):
        calls.append(trainer.epoch)
        if trainer.epoch == after and not failed:
            failed.append(True)
            raise InterruptedRunError
        return real(trainer, *arguments)

    monkeypatch.setattr(Trainer, "_train_epoch", train_epoch)
    return calls


def compare(bench, row, names=("metrics", "epochs", "by_category")):
    """Return what an uninterrupted run gives in place of the results in ``bench``."""
    found = {path: path.read_text() for path in bench.results.rglob("*.json")}
    for path in found:
        path.unlink()
    run_row(row, [0], bench)
    for path, text in found.items():
        first, again = json.loads(text), read(path)
        for name in set(names) & set(first):
            assert first[name] == again[name], (path.name, name)
        curves = [
            [(record["epoch"], record["loss"], record["valid_mrr"]) for record in run["curve"]]
            for run in (first, again)
            if "curve" in run
        ]
        assert curves == [] or curves[0] == curves[1]
    return len(found)


@pytest.mark.parametrize("dataset", ["MKG-W", "DB15K"])
def test_choosing_goes_on_where_it_was(bench, dataset, monkeypatch):
    _, row = start(bench, dataset)
    calls = interrupt(monkeypatch, after=2)
    with pytest.raises(InterruptedRunError):
        run_row(row, [0], bench)
    assert len(checkpoints(bench)) == 1
    assert not list(bench.results.rglob("*.json"))
    calls.clear()
    run_row(row, [0], bench)
    assert calls[0] == 2
    assert not checkpoints(bench)
    monkeypatch.undo()
    assert compare(bench, row) == 2


def test_training_goes_on_where_it_was(bench, monkeypatch):
    _, row = start(bench, mode="published")
    calls = interrupt(monkeypatch, after=5)
    with pytest.raises(InterruptedRunError):
        run_row(row, [0], bench)
    run_row(row, [0], bench)
    assert calls == [0, 1, 2, 3, 4, 5, *range(5, 12)]
    monkeypatch.undo()
    assert compare(bench, row) == 1


@pytest.mark.parametrize("mode", ["tuned", "published"])
def test_a_run_stopped_before_its_test_is_not_trained_again(bench, mode, monkeypatch, capsys):
    _, row = start(bench, mode=mode)
    real = Tester.rank

    def rank(tester, split="test", **options):
        if split == "test":
            raise InterruptedRunError
        return real(tester, split, **options)

    with monkeypatch.context() as patch:
        patch.setattr(Tester, "rank", rank)
        with pytest.raises(InterruptedRunError):
            run_row(row, [0], bench)
    assert len(checkpoints(bench)) == 1
    calls = interrupt(monkeypatch, after=-1)
    run_row(row, [0], bench)
    assert "nothing to train" in capsys.readouterr().err
    assert calls == []
    monkeypatch.undo()
    assert compare(bench, row) == (2 if mode == "tuned" else 1)


def test_other_settings_do_not_go_on_from_a_checkpoint(bench, monkeypatch):
    _, row = start(bench, mode="published", epochs=6)
    calls = interrupt(monkeypatch, after=3)
    with pytest.raises(InterruptedRunError):
        run_row(row, [0], bench)
    other = read_row(
        write_row(bench.data.parent / "settings", mode="published", epochs=6, schedule="cosine")
    )
    calls.clear()
    run_row(other, [0], bench)
    assert calls == [0, 1, 2, 3, 4, 5]


def test_the_script_runs_rows_and_writes_tables(tmp_path, monkeypatch, capsys):
    write_dataset(tmp_path / "data", "MKG-Y")
    watch = Watch(monkeypatch)
    common = {
        **{"rows": ("ComplEx",), "datasets": ("MKG-Y",), "modes": ("tuned",), "seeds": (0, 1)},
        **{"device": "cpu", "data": tmp_path / "data", "checkpoints": tmp_path / "checkpoints"},
    }
    main(Settings(**common, results=tmp_path / "results"))
    assert watch.events.count("test") == 2
    assert "MKG-Y: ComplEx, tuned, seed 1" in capsys.readouterr().out
    found = sorted(path.name for path in (tmp_path / "results").rglob("*") if path.is_file())
    kinds = ("dev.json", *(f"seed{k}.{end}" for k in (0, 1) for end in ("json", "ranks.npz")))
    assert found == [f"ComplEx.tuned.{kind}" for kind in kinds]
    watch.events.clear()
    main(Settings(**common, results=tmp_path / "results", render=True))
    assert watch.events == []
    assert "ComplEx" in (tmp_path / "results" / "table1.md").read_text()


def test_options_are_checked():
    with pytest.raises(ValueError, match="--modes 'best': expected published or tuned"):
        Settings(modes=("best",))
    for seeds in ((), (1, -1)):
        with pytest.raises(ValueError, match=r"--seeds .*expected numbers from 0 on"):
            Settings(seeds=seeds)
