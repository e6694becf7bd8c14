"""Trackers are told the recipe, each epoch and the test metrics; the services here are not real."""

import sys
from dataclasses import replace
from types import ModuleType, SimpleNamespace

import pytest

from openke.data import TripleStore
from openke.runs.experiment import Experiment, RunOptions
from openke.runs.recipe import Recipe
from openke.runs.trackers import TRACKERS, Tracked, Tracker
from openke.training.callbacks import Checkpoint
from tests.openke.runs.trained import data_folder

RECIPE = {
    "model": {"name": "DistMult", "dim": 4},
    "training": {"objective": "1vsall", "epochs": 2, "batch_size": 32},
    "evaluation": {"every": 1},
}


class Service(ModuleType):
    """Stands in for a service's package, and writes down what it is told."""

    def __init__(self, name):
        super().__init__(name)
        self.told = []

    def tell(self, name, *values, **options):
        self.told.append((name, *values, *options.items()))


@pytest.fixture
def services(monkeypatch):
    """Return the packages of all trackers, none of which is the real one."""
    made = {name: Service(name) for name in ("tensorboard", "wandb", "mlflow")}
    wandb, mlflow = made["wandb"], made["mlflow"]

    def init(**options):
        wandb.tell("init", *options.items())
        return SimpleNamespace(
            id=options["id"] or "w1",
            log=lambda values: wandb.tell("log", values),
            finish=lambda: wandb.tell("finish"),
        )

    def start_run(**options):
        mlflow.tell("start", *options.items())
        return SimpleNamespace(info=SimpleNamespace(run_id="m1"))

    wandb.init = init
    mlflow.start_run = start_run
    mlflow.log_params = lambda values: mlflow.tell("params", values)
    mlflow.log_metrics = lambda values, step: mlflow.tell("log", {**values, "epoch": step})
    mlflow.end_run = lambda: mlflow.tell("end")
    board = made["tensorboard"]

    class SummaryWriter:
        def __init__(self, folder, purge_step):
            board.tell("open", folder, purge_step)

        add_text = staticmethod(lambda name, text: board.tell("text", name, text))
        add_scalar = staticmethod(lambda name, value, step: board.tell("log", name, value, step))
        close = staticmethod(lambda: board.tell("close"))

    writer = ModuleType("torch.utils.tensorboard")
    writer.SummaryWriter = SummaryWriter
    monkeypatch.setitem(sys.modules, "torch.utils.tensorboard", writer)
    for name, service in made.items():
        monkeypatch.setitem(sys.modules, name, service)
    return made


@pytest.fixture
def train(tmp_path):
    """Return what trains into a folder."""
    folder = data_folder(tmp_path)
    store = TripleStore.open(folder)

    def run(*trackers, epochs=2, **options):
        recipe = Recipe.from_dict(RECIPE).changed({"training.epochs": epochs, "training.seed": 3})
        chosen = RunOptions(device="cpu", tracker=trackers, **options)
        experiment = Experiment(recipe, chosen, tmp_path / "out")
        trainer = experiment.train(store)
        return experiment.test(trainer, store)

    return run


def test_wandb_is_told_all(services, train, tmp_path):
    report = train("wandb")
    told = services["wandb"].told
    begun = dict(told[0][1:])
    assert begun["project"] == "openke"
    assert (begun["name"], begun["dir"]) == ("out", str(tmp_path / "out"))
    assert begun["config"]["training.epochs"] == 2
    assert begun["config"]["model.dim"] == 4
    logged = [entry[1] for entry in told if entry[0] == "log"]
    assert [values["epoch"] for values in logged] == [1, 2, 2]
    assert {"loss", "valid_mrr"} <= set(logged[0])
    assert logged[2]["test_mrr"] == report.metrics()["mrr"]
    assert told[-1] == ("finish",)


def test_mlflow_is_told_all(services, train):
    report = train("mlflow")
    told = services["mlflow"].told
    assert told[0] == ("start", ("run_name", "out"))
    assert told[1][1]["training.objective"] == "1vsall"
    assert all(isinstance(value, str) and len(value) <= 250 for value in told[1][1].values())
    logged = [entry[1] for entry in told if entry[0] == "log"]
    assert logged[2]["test_hits_at_10"] == report.metrics()["hits@10"]
    assert not [name for name in logged[0] if "@" in name]
    assert told[-1] == ("end",)


def test_tensorboard_writes_into_the_run(services, train, tmp_path):
    report = train("tensorboard")
    told = services["tensorboard"].told
    assert told[0] == ("open", str(tmp_path / "out" / "tensorboard"), None)
    assert "training.epochs = 2" in told[1][2]
    assert ("log", "test_mrr", report.metrics()["mrr"], 2) in told
    assert {entry[3] for entry in told if entry[:2] == ("log", "loss")} == {1, 2}
    assert told[-1] == ("close",)


def test_several_follow_a_run_and_change_nothing(services, train, tmp_path):
    alone = train()
    together = train("wandb", "mlflow", "tensorboard", overwrite=True)
    assert together.metrics() == alone.metrics()
    assert all(service.told for service in services.values())


def test_a_resumed_training_goes_on_with_the_same_run(services, train, tmp_path, monkeypatch):
    write = Checkpoint.on_epoch_end

    def interrupted(self, trainer, record):
        write(self, trainer, record)
        raise KeyboardInterrupt

    monkeypatch.setattr(Checkpoint, "on_epoch_end", interrupted)
    trackers = ("wandb", "mlflow", "tensorboard")
    with pytest.raises(KeyboardInterrupt):
        train(*trackers, checkpoint_every=1)
    ends = {"wandb": ("finish",), "mlflow": ("end",), "tensorboard": ("close",)}
    assert {name: service.told[-1] for name, service in services.items()} == ends
    monkeypatch.setattr(Checkpoint, "on_epoch_end", write)
    for service in services.values():
        service.told.clear()
    train(*trackers, checkpoint_every=1, resume=True)
    assert ("id", "w1") in services["wandb"].told[0]
    assert services["mlflow"].told[0] == ("start", ("run_id", "m1"))
    assert services["tensorboard"].told[0][2] == 2


def test_bad_names_and_missing_packages(train, monkeypatch, tmp_path):
    with pytest.raises(ValueError, match=r"--tracker is 'wandbb' .did you mean wandb.*'mlflow'"):
        RunOptions(tracker=("wandbb",))
    for name in TRACKERS:
        monkeypatch.setitem(sys.modules, TRACKERS[name].PACKAGE, None)
        with pytest.raises(
            ImportError, match=f"--tracker needs the package {name} .*install {name}"
        ):
            train(name)
    assert not (tmp_path / "out").exists()


def test_a_tracker_of_another_package_is_found_by_its_entry_point(monkeypatch, train):
    told = []

    class Printed(Tracker):
        PACKAGE = "json"

        def begin(self, epoch):
            told.append(self.run.name)

        def log(self, values, epoch):
            told.append(epoch)

        def close(self):
            told.append("closed")

    entry = SimpleNamespace(name="printed", load=lambda: Printed)
    monkeypatch.setattr(TRACKERS, "_others", lambda: {"printed": entry})
    train("printed")
    assert told == ["out", 1, 2, 2, "closed"]


def test_a_recipe_is_flat_where_it_is_sent():
    run = Tracked(name="a", folder=None, recipe={"x": {"y": 1, "z": [1, 2]}, "w": None})
    assert run.flat() == {"x.y": 1, "x.z": "[1, 2]", "w": "None"}
    assert replace(run, recipe={}).flat() == {}
