"""Ctrl-C and SIGTERM: what is said and written, and that a resumed run is an unbroken one."""

import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
import torch

from openke.config import Callback, Checkpoint, EarlyStopping, Trainer, Validation
from openke.data import TrainDataLoader
from openke.runtime.interruption import Interruption
from tests.contracts.graphs import graph
from tests.openke.training.test_trainer import CPU, loader, same, strategy

ROOT = Path(__file__).parents[3]
PROGRAM = """
import sys, time
from pathlib import Path
sys.path.insert(0, sys.argv[1])
from tests.openke.training.test_trainer import CPU, loader, strategy
from openke.module.strategy import KBGAN
from openke.config import Checkpoint, EarlyStopping, Log, Trainer, Validation
from openke.runtime.script import exit_status
from tests.contracts.graphs import graph
import torch
torch.set_num_threads(1)
folder, mode, pause, case = Path(sys.argv[2]), sys.argv[3], float(sys.argv[4]), sys.argv[5]
store = graph().hold_out(0.1, 0)
slow = loader(store, batch_size=2)
whole_epoch = slow.epoch
def epoch(number):
    for step, batch in enumerate(whole_epoch(number)):
        (folder / "position").write_text(f"{number} {step} .")
        time.sleep(pause)
        yield batch
slow.epoch = epoch
path = folder / "last.ckpt"
trained = strategy(anchor_dropout=0.3)
if case == "two optimisers":
    trained = KBGAN(trained.model, trained.loss, pretrain=0.2, anchor_dropout=0.3)
value = lambda: {"mrr": trained.model.ent_embeddings.weight.abs().mean().item()}
callbacks = [
    Validation(value, store), EarlyStopping(), Log(folder / "log.csv"), Checkpoint(path, every=10)
]
trainer = Trainer(trained, slow, 5, 0.02, opt_method="adam", callbacks=callbacks, **CPU)
def main():
    if mode == "resume":
        trainer.resume(path)
    trainer.run()
    losses = torch.tensor(trainer.history.losses, dtype=torch.float64)
    torch.save({"losses": losses, **trained.state_dict()}, folder / "final.pt")
sys.exit(exit_status("program", main))
"""
posix = pytest.mark.skipif(os.name == "nt", reason="signals of POSIX")


def start(folder, mode, case, pause=0.02):
    folder.mkdir(exist_ok=True)
    command = [sys.executable, "-c", PROGRAM, ROOT, folder, mode, str(pause), case]
    return subprocess.Popen(command, stderr=subprocess.PIPE, text=True)


def wait_for(process, folder, epoch, step):
    for _ in range(3000):
        place = folder / "position"
        text = place.read_text().split() if place.exists() else []
        if len(text) == 3 and (int(text[0]), int(text[1])) >= (epoch, step):
            return
        assert process.poll() is None
        time.sleep(0.01)
    pytest.fail("the training did not come so far")


@pytest.fixture(scope="module", autouse=True)
def heeded():
    """Heed Ctrl-C also where a shell started the tests in the background, which ignore it."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.fixture(scope="module", params=["one optimiser", "two optimisers"])
def unbroken(request, tmp_path_factory):
    """Return a case, and what its run without a signal ends with."""
    folder = tmp_path_factory.mktemp("whole")
    whole = start(folder, "new", request.param, pause=0)
    assert whole.communicate(timeout=120)[1] == ""
    assert whole.returncode == 0
    return request.param, torch.load(folder / "final.pt", weights_only=True)


@posix
@pytest.mark.slow
@pytest.mark.parametrize(
    ("number", "status", "places"),
    [(signal.SIGINT, 130, [(2, 5), (2, 9)]), (signal.SIGTERM, 143, [(0, 3)])],
    ids=["Ctrl-C", "SIGTERM"],
)
def test_interrupted_and_resumed_it_ends_where_an_unbroken_run_does(
    tmp_path, unbroken, number, status, places
):
    folder, mode = tmp_path / "broken", "new"
    case, expected = unbroken
    for epoch, step in places:
        process = start(folder, mode, case)
        wait_for(process, folder, epoch, step)
        process.send_signal(number)
        said = process.communicate(timeout=60)[1].splitlines()
        assert process.returncode == status
        found = said[0].removeprefix(f"interrupted in epoch {epoch + 1}/5, after ").split()
        assert int(found[0]) >= step
        assert f"{folder / 'last.ckpt'} has all of it; go on from it with --resume" in said[0]
        assert said[1:] == (["program: interrupted"] if number == signal.SIGINT else [])
        assert sorted(p.name for p in folder.iterdir() if p.name != "log.csv") == [
            "last.ckpt",
            "position",
        ]
        mode = "resume"
    process = start(folder, mode, case, pause=0)
    assert process.communicate(timeout=120)[1] == ""
    assert process.returncode == 0
    found = torch.load(folder / "final.pt", weights_only=True)
    assert found.keys() == expected.keys()
    for name, value in expected.items():
        assert torch.equal(found[name], value), name


class Signal(Callback):
    """Sends the process a signal after an epoch."""

    def __init__(self, epoch, times=1, number=signal.SIGINT):
        self.epoch, self.times, self.number = epoch, times, number

    def on_epoch_end(self, trainer, record):
        if trainer.epoch == self.epoch:
            for _ in range(self.times):
                signal.raise_signal(self.number)


def trainer(epochs=4, callbacks=(), **options):
    return Trainer(
        strategy(query_dropout=0.3), loader(), epochs, 0.02, opt_method="adam", **CPU | options,
        callbacks=callbacks,
    )  # fmt: skip


def test_between_epochs_callbacks_are_finished_and_the_checkpoint_is_of_a_whole_epoch(
    tmp_path, capsys
):
    path = tmp_path / "last.ckpt"
    store = graph().hold_out(0.1, 0)

    def callbacks(epoch):
        return [
            Signal(epoch),
            Validation(lambda: {"mrr": 0.5}, store),
            EarlyStopping(),
            Checkpoint(path, every=10),
        ]

    broken = trainer(callbacks=callbacks(2))
    with pytest.raises(KeyboardInterrupt):
        broken.run()
    assert capsys.readouterr().err.startswith(f"interrupted after epoch 2/4: {path} has all of it")
    assert broken.history.records[-1]["valid_mrr"] == 0.5
    resumed = trainer(callbacks=callbacks(99))
    resumed.resume(path)
    assert resumed.epoch == 2
    resumed.run()
    whole = trainer()
    whole.run()
    assert resumed.history.losses == whole.history.losses


def test_in_the_last_epoch_it_stops_before_the_run_ends(tmp_path, capsys):
    path = tmp_path / "last.ckpt"
    ended = []

    class End(Callback):
        def on_end(self, trainer):
            ended.append(trainer.epoch)

    with pytest.raises(KeyboardInterrupt):
        trainer(callbacks=[Signal(4), Checkpoint(path), End()]).run()
    assert not ended
    again = trainer(callbacks=[Signal(99), Checkpoint(path), End()])
    again.resume(path)
    again.run()
    assert "nothing to train: all 4 epochs are done; ask for more" in capsys.readouterr().err
    assert ended == [4]


def test_without_a_checkpoint_it_says_that_nothing_is_kept(capsys):
    with pytest.raises(KeyboardInterrupt):
        trainer(callbacks=[Signal(1)]).run()
    assert capsys.readouterr().err == (
        "interrupted after epoch 1/4: nothing is written, as there is no Checkpoint among the "
        "callbacks\n"
    )


def interrupt_at(loader, epoch, step):
    """Let a loader send Ctrl-C when it hands out a batch."""
    whole = loader.epoch

    def batches(number):
        for index, batch in enumerate(whole(number)):
            if (number, index) == (epoch, step):
                signal.raise_signal(signal.SIGINT)
            yield batch

    loader.epoch = batches
    return loader


def test_the_same_trainer_goes_on_in_the_middle_of_its_epoch():
    whole = trainer()
    whole.run()
    broken = trainer()
    interrupt_at(broken.data_loader, 1, 2)
    with pytest.raises(KeyboardInterrupt):
        broken.run()
    assert (broken.epoch, broken._begun.step) == (1, 3)
    with pytest.raises(ValueError, match="set_alpha after 1 epoch:"):
        broken.set_alpha(0.5)
    broken.data_loader.epoch = type(broken.data_loader).epoch.__get__(broken.data_loader)
    broken.run()
    assert same(whole.strategy, broken.strategy)
    assert broken.history.losses == whole.history.losses


def test_a_loader_that_draws_from_pytorchs_random_numbers_gives_the_same_batches(tmp_path):
    """Their order is drawn when an epoch begins."""

    class Shuffled(TrainDataLoader):
        def epoch(self, number):
            batches = list(super().epoch(number))
            for index in torch.randperm(len(batches)).tolist():
                yield batches[index]

    def made(callbacks):
        torch.manual_seed(0)
        data = Shuffled(graph(), batch_size=8, neg_ent=4)
        return Trainer(strategy(query_dropout=0.3), data, 3, 0.02, callbacks=callbacks, **CPU)

    path = tmp_path / "last.ckpt"
    whole = made([Checkpoint(path)])
    whole.run()
    broken = made([Checkpoint(path)])
    interrupt_at(broken.data_loader, 1, 2)
    with pytest.raises(KeyboardInterrupt):
        broken.run()
    resumed = made([Checkpoint(path)])
    torch.manual_seed(99)
    resumed.resume(path)
    resumed.run()
    assert same(whole.strategy, resumed.strategy)
    assert resumed.history.losses == whole.history.losses


def test_a_signal_that_comes_twice_at_once_counts_once_and_later_stops_at_once(
    monkeypatch, tmp_path
):
    path = tmp_path / "last.ckpt"
    with pytest.raises(KeyboardInterrupt):
        trainer(callbacks=[Signal(2, times=2), Checkpoint(path, every=10)]).run()
    assert path.is_file()
    path.unlink()
    monkeypatch.setattr("openke.runtime.interruption.ONCE_SECONDS", -1.0)
    with pytest.raises(KeyboardInterrupt):
        trainer(callbacks=[Signal(2, times=2), Checkpoint(path, every=10)]).run()
    assert not path.is_file()


HANDLERS = (signal.SIGINT, signal.SIGTERM)


def handlers():
    return [signal.getsignal(number) for number in HANDLERS]


def test_handlers_are_put_back_whatever_happens():
    before = handlers()
    seen = []

    class Look(Callback):
        def on_epoch_end(self, trainer, record):
            seen.append(handlers())
            raise RuntimeError("something else")

    with pytest.raises(RuntimeError, match="something else"):
        trainer(callbacks=[Look()]).run()
    assert all(now != then for now, then in zip(seen[0], before, strict=True))
    assert handlers() == before
    with pytest.raises(KeyboardInterrupt):
        trainer(callbacks=[Signal(1)]).run()
    assert handlers() == before


@pytest.mark.parametrize("own", [signal.SIG_IGN, lambda number, frame: None])
def test_a_programs_own_handler_stays(own):
    before = signal.signal(signal.SIGINT, own)
    try:
        with Interruption() as interruption:
            assert signal.getsignal(signal.SIGINT) is own
            signal.raise_signal(signal.SIGINT)
            assert interruption.signal is None
        assert signal.getsignal(signal.SIGINT) is own
    finally:
        signal.signal(signal.SIGINT, before)


def test_outside_the_main_thread_and_where_it_is_not_wanted_nothing_is_handled():
    before, seen = handlers(), []

    def look(active=True):
        with Interruption(active):
            seen.append(handlers())

    thread = threading.Thread(target=look)
    thread.start()
    thread.join()
    look(active=False)
    assert seen == [before, before]
    thread = threading.Thread(target=trainer(epochs=1).run)
    thread.start()
    thread.join()


@pytest.mark.skipif(os.name == "nt", reason="sends signals as POSIX does")
@pytest.mark.parametrize(
    ("number", "status", "said"),
    [(signal.SIGINT, 130, "interrupted"), (signal.SIGTERM, 143, "terminated")],
)
def test_a_signal_while_modules_are_loaded_ends_with_one_line(number, status, said):
    code = """
import os, signal, sys
from openke.runtime.interruption import ended_at_once
assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
with ended_at_once("program"):
    pass
assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
with ended_at_once("program"):
    os.kill(os.getpid(), int(sys.argv[1]))
    print("went on")
"""
    done = subprocess.run(
        [sys.executable, "-c", code, str(int(number))], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout, done.stderr) == (status, "", f"program: {said}\n")
