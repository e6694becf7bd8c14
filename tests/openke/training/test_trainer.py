"""Training: what is learnt, what callbacks do, and that a resumed run is an unbroken one."""

import csv
import os
import signal
import subprocess
import sys
import time
import warnings

import pytest
import torch

from openke.config import Callback, Checkpoint, EarlyStopping, Log, Tester, Trainer, Validation
from openke.data import TestDataLoader, TrainDataLoader, TripleStore
from openke.module.loss import MarginLoss, SigmoidLoss
from openke.module.model import RotatE, TransE
from openke.module.strategy import KBGAN, MAT, NegativeSampling
from openke.runtime.device import choose_device
from tests.contracts.graphs import ENTITIES, RELATIONS, build, graph

CPU = {"device": "cpu", "progress": False}


def strategy(dim=8, seed=0, **options):
    torch.manual_seed(seed)
    model = RotatE(ENTITIES, RELATIONS, dim=dim)
    return NegativeSampling(model, SigmoidLoss(adv_temperature=1.0), **options)


def loader(store=None, **options):
    options = {"batch_size": 8, "neg_ent": 4, **options}
    return TrainDataLoader(store if store is not None else graph(), **options)


def same(first, second):
    pairs = zip(first.state_dict().values(), second.state_dict().values(), strict=True)
    return all(torch.equal(a, b) for a, b in pairs)


@pytest.mark.parametrize("method", ["sgd", "adagrad", "adadelta", "rmsprop", "adam"])
def test_the_loss_falls(method):
    rate = {"sgd": 0.5, "adagrad": 0.1, "adadelta": 1.0, "rmsprop": 0.01, "adam": 0.02}[method]
    history = Trainer(strategy(), loader(), 15, rate, opt_method=method, **CPU).run()
    assert len(history.losses) == 15
    assert history.losses[-1] < 0.9 * history.losses[0]
    assert history.records[0]["epoch"] == 1
    assert history.records[0]["triples_per_second"] > 0


def test_a_trained_model_ranks_what_it_has_seen_first():
    store = graph()
    trained = strategy(dim=16)
    Trainer(trained, loader(store, neg_ent=8), 150, 0.05, opt_method="adam", **CPU).run()
    tester = Tester(trained.model, TestDataLoader(store), **CPU)
    assert tester.rank("train").metrics()["mrr"] > 0.8


def test_openke_arguments_in_their_order(tmp_path):
    trainer = Trainer(
        model=strategy(),
        data_loader=loader(),
        train_times=4,
        alpha=0.1,
        use_gpu=False,
        opt_method="adagrad",
        save_steps=2,
        checkpoint_dir=str(tmp_path),
    )
    trainer.run()
    assert (tmp_path / "last.ckpt").is_file()


def test_use_gpu_without_one_warns_and_computes_on_the_cpu(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: False)
    with pytest.warns(UserWarning, match="finds no GPU: computing on the CPU"):
        trainer = Trainer(strategy(), loader(), 1, use_gpu=True, progress=False)
    assert trainer.device.type == "cpu"
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert choose_device("auto").type == "cpu"
        assert choose_device(None, use_gpu=False).type == "cpu"
    with pytest.raises(ValueError, match="device 'abacus' is not available here"):
        choose_device("abacus")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"train_times": 0}, "train_times is 0"),
        ({"alpha": 0.0}, "learning rate\\) is 0.0"),
        ({"alpha": 1e30}, "learning rate\\) is 1e\\+30; expected a number above 0, at most 1000"),
        ({"opt_method": "lion"}, "opt_method is 'lion', expected one of sgd, adagrad"),
        ({"save_steps": 1}, "save_steps without checkpoint_dir"),
    ],
)
def test_bad_arguments(options, message):
    with pytest.raises(ValueError, match=message):
        Trainer(strategy(), loader(), **options)


class Poison(Callback):
    def on_epoch_end(self, trainer, record):
        if trainer.epoch == 2:
            with torch.no_grad():
                trainer.strategy.model.rel_embeddings.weight.fill_(float("nan"))


def test_a_loss_that_is_not_finite_names_epoch_and_step():
    broken = strategy()
    trainer = Trainer(broken, loader(), 5, 0.01, callbacks=[Poison()], **CPU)
    with pytest.raises(FloatingPointError, match=r"the loss is nan in epoch 3, step 1 of"):
        trainer.run()


def test_weights_that_the_last_step_of_an_epoch_broke_are_said_to_be_so():
    store = graph(triples=200).hold_out(0.1, 0)
    diverging = strategy()
    tester = Tester(diverging.model, TestDataLoader(store), progress=False)
    callbacks = [Poison(), Validation(lambda: tester.rank("valid").metrics(), store)]
    data = TrainDataLoader(store, nbatches=1, neg_ent=2)
    with pytest.raises(FloatingPointError, match=r"the weights after epoch 2: .*diverged"):
        Trainer(diverging, data, 3, 0.01, callbacks=callbacks, **CPU).run()

    def refuse():
        raise ValueError("another reason")

    trainer = Trainer(strategy(), data, 1, 0.01, callbacks=[Validation(refuse, store)], **CPU)
    with pytest.raises(ValueError, match="another reason"):
        trainer.run()


def test_a_model_of_another_graph_or_no_strategy_is_refused():
    model = RotatE(ENTITIES + 1, RELATIONS, dim=4)
    with pytest.raises(ValueError, match="the model has 24 entities and 4 relations, the data 23"):
        Trainer(NegativeSampling(model, SigmoidLoss()), loader(), 1)
    with pytest.raises(ValueError, match="got a RotatE, expected a strategy such as"):
        Trainer(model, loader(), 1)


def test_a_checkpoint_is_also_written_when_it_is_time(tmp_path):
    path = tmp_path / "last.ckpt"
    seen = []

    class Look(Callback):
        def on_epoch_end(self, trainer, record):
            seen.append(path.exists())

    for minutes, expected in ((0.0, [True, True, True]), (60.0, [False, False, True])):
        seen.clear()
        path.unlink(missing_ok=True)
        saving = Checkpoint(path, every=10, minutes=minutes)
        Trainer(strategy(), loader(), 3, 0.02, callbacks=[saving, Look()], **CPU).run()
        assert seen == expected


def test_resumed_is_unbroken(tmp_path):
    def trainer(epochs, callbacks=()):
        return Trainer(
            strategy(), loader(), epochs, 0.02, opt_method="adam", callbacks=callbacks, **CPU
        )

    whole = trainer(6)
    whole.run()
    first = trainer(3, [Checkpoint(tmp_path / "a.ckpt")])
    first.run()
    second = trainer(6, [Checkpoint(tmp_path / "b.ckpt")])
    second.resume(tmp_path / "a.ckpt")
    assert second.epoch == 3
    second.run()
    assert same(whole.strategy, second.strategy)
    assert second.history.losses == whole.history.losses


KILLED = """
import sys, time
from pathlib import Path
sys.path.insert(0, sys.argv[3])
from tests.openke.training.test_trainer import CPU, OBJECTIVES, loader
from openke.config import Checkpoint, Callback, Trainer
from openke.data import TrainDataLoader
import torch
torch.set_num_threads(1)
folder, resume = Path(sys.argv[1]), sys.argv[2] == "resume"
slow = loader(batch_size=2)
whole_epoch = slow.epoch
def epoch(number):
    for step, batch in enumerate(whole_epoch(number)):
        (folder / "position").write_text(f"{number} {step}")
        time.sleep(0.01)
        yield batch
slow.epoch = epoch
path = folder / "last.ckpt"
trained, saving = OBJECTIVES[sys.argv[4]](), [Checkpoint(path)]
trainer = Trainer(trained, slow, 6, 0.02, opt_method="adam", callbacks=saving, **CPU)
if resume:
    trainer.resume(path)
trainer.run()
torch.save(trainer.strategy.state_dict(), folder / "final.pt")
"""


OBJECTIVES = {
    "negative sampling": strategy,
    "KBGAN": lambda: _two_sided(KBGAN, "RotatE", generator_settings={"dim": 4}),
    "MAT": lambda: _two_sided(MAT, "AdaMF", hidden_dim=16, noise_dim=4, generator_lr=0.01),
}
"""Objectives with one optimiser, and with two."""


def _two_sided(kind, model, **options):
    torch.manual_seed(0)
    return kind(build(model), SigmoidLoss(adv_temperature=1.0), **options)


@pytest.mark.slow
@pytest.mark.parametrize("objective", OBJECTIVES)
def test_a_killed_run_resumed_ends_bit_for_bit_where_an_unbroken_one_does(objective, tmp_path):
    root = os.fspath(__import__("pathlib").Path(__file__).parents[3])

    def start(name, mode):
        folder = tmp_path / name
        folder.mkdir(exist_ok=True)
        command = [sys.executable, "-c", KILLED, os.fspath(folder), mode, root, objective]
        return folder, subprocess.Popen(command)

    folder, whole = start("whole", "new")
    assert whole.wait(timeout=120) == 0
    broken, process = start("broken", "new")
    for _ in range(3000):
        position = broken / "position"
        text = position.read_text().split() if position.exists() else []
        if len(text) == 2 and int(text[0]) == 3 and int(text[1]) >= 3:
            break
        assert process.poll() is None
        time.sleep(0.02)
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert not (broken / "final.pt").exists()
    _, resumed = start("broken", "resume")
    assert resumed.wait(timeout=120) == 0
    expected = torch.load(folder / "final.pt", weights_only=True)
    found = torch.load(broken / "final.pt", weights_only=True)
    assert expected.keys() == found.keys()
    for name, value in expected.items():
        assert torch.equal(found[name], value), name


def test_a_checkpoint_of_another_run_is_refused_and_changes_nothing(tmp_path):
    path = tmp_path / "a.ckpt"
    Trainer(strategy(), loader(), 1, 0.02, callbacks=[Checkpoint(path)], **CPU).run()

    def refused(message, trained=None, data=None, rate=0.02):
        other = Trainer(
            trained or strategy(), data or loader(), 2, rate, callbacks=[Checkpoint(path)], **CPU
        )
        before = {name: value.clone() for name, value in other.strategy.state_dict().items()}
        with pytest.raises(ValueError, match=message):
            other.resume(path)
        assert other.epoch == 0
        for name, value in other.strategy.state_dict().items():
            assert torch.equal(before[name], value)

    refused("model.settings.dim is 8 there and 9 here", trained=strategy(dim=9))
    transe = NegativeSampling(TransE(ENTITIES, RELATIONS, dim=8), SigmoidLoss())
    refused("model.model is 'RotatE' there and 'TransE' here", trained=transe)
    refused("data is '", data=loader(graph(seed=1)))
    refused("loader.seed is 0 there and 3 here", data=loader(seed=3))
    refused("optimizer.lr is 0.02 there and 0.1 here", rate=0.1)
    bare = Trainer(strategy(), loader(), 2, 0.02, **CPU)
    with pytest.raises(ValueError, match="written with Checkpoint, this trainer has none"):
        bare.resume(path)
    other = Trainer(strategy(), loader(), 2, 0.02, callbacks=[Log(tmp_path / "log.csv")], **CPU)
    with pytest.raises(ValueError, match="written with Checkpoint, this trainer has Log"):
        other.resume(path)
    refused("strategy.regul_rate is 0.0 there and 0.5 here", trained=strategy(regul_rate=0.5))
    hotter = NegativeSampling(strategy().model, SigmoidLoss(adv_temperature=3.0))
    refused("strategy.adv_temperature is 1.0 there and 3.0 here", trained=hotter)
    wide = NegativeSampling(strategy().model, MarginLoss(margin=3.0))
    refused("strategy.loss is 'SigmoidLoss' there and 'MarginLoss' here", trained=wide)


def test_files_that_are_no_checkpoints(tmp_path):
    trainer = Trainer(strategy(), loader(), 1, 0.02, **CPU)
    with pytest.raises(FileNotFoundError, match="no such checkpoint"):
        trainer.resume(tmp_path / "none.ckpt")
    (tmp_path / "text.ckpt").write_text("hello")
    with pytest.raises(ValueError, match=r"text\.ckpt: not a readable checkpoint"):
        trainer.resume(tmp_path / "text.ckpt")
    torch.save({"weights": torch.zeros(2)}, tmp_path / "other.ckpt")
    with pytest.raises(ValueError, match=r"other\.ckpt: not a checkpoint of format 1"):
        trainer.resume(tmp_path / "other.ckpt")
    torch.save({"format": 1}, tmp_path / "empty.ckpt")
    with pytest.raises(ValueError, match=r"empty\.ckpt: belongs to another run"):
        trainer.resume(tmp_path / "empty.ckpt")
    torch.save({"format": 1, "identity": print}, tmp_path / "code.ckpt")
    with pytest.raises(ValueError, match=r"code\.ckpt: not a readable checkpoint"):
        trainer.resume(tmp_path / "code.ckpt")


def test_a_failed_write_leaves_the_older_checkpoint_whole(tmp_path, monkeypatch):
    path = tmp_path / "last.ckpt"
    trainer = Trainer(strategy(), loader(), 1, 0.02, **CPU)
    trainer.save(path)
    before = path.read_bytes()

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(torch, "save", full)
    with pytest.raises(OSError, match="No space left"):
        trainer.save(path)
    assert path.read_bytes() == before
    assert [p.name for p in tmp_path.iterdir()] == ["last.ckpt"]


def test_validation_early_stopping_and_log(tmp_path):
    store = graph(triples=200).hold_out(0.1, 0)
    values = iter([0.1, 0.3, 0.2, 0.25, 0.9])
    trained = strategy()
    weights = []

    class Keep(Callback):
        def on_epoch_end(self, trainer, record):
            weights.append({n: v.clone() for n, v in trainer.strategy.state_dict().items()})

    callbacks = [
        Keep(),
        Validation(lambda: {"mrr": next(values)}, store, every=2),
        EarlyStopping(patience=2),
        Log(tmp_path / "log.csv"),
    ]
    trainer = Trainer(trained, loader(store), 20, 0.02, callbacks=callbacks, **CPU)
    history = trainer.run()
    assert len(history.records) == 8
    measured = [record.get("valid_mrr") for record in history.records]
    assert measured == [None, 0.1, None, 0.3, None, 0.2, None, 0.25]
    for name, value in trained.state_dict().items():
        assert torch.equal(value, weights[3][name])
    rows = list(csv.DictReader((tmp_path / "log.csv").open()))
    assert [row["valid_mrr"] for row in rows] == ["", "0.1", "", "0.3", "", "0.2", "", "0.25"]
    assert float(rows[4]["loss"]) == history.losses[4]


def test_early_stopping_is_resumed_with_its_memory(tmp_path):
    store = graph(triples=200).hold_out(0.1, 0)
    series = [0.5, 0.6, 0.4, 0.3, 0.2]

    def trainer(epochs, done):
        values = iter(series[done:])
        callbacks = [
            Validation(lambda: {"mrr": next(values)}, store),
            EarlyStopping(patience=3),
            Checkpoint(tmp_path / "last.ckpt"),
        ]
        return Trainer(
            strategy(), loader(store), epochs, 0.02, callbacks=callbacks, **CPU
        ), callbacks[1]

    trainer(3, 0)[0].run()
    second, stopping = trainer(10, 3)
    second.resume(tmp_path / "last.ckpt")
    second.run()
    assert second.epoch == 5
    assert (stopping.best, stopping.best_epoch) == (0.6, 2)


def test_callbacks_check_their_arguments():
    store = graph()
    with pytest.raises(ValueError, match="every is 0"):
        Validation(dict, store, every=0)
    with pytest.raises(ValueError, match="patience is 0"):
        EarlyStopping(patience=0)
    with pytest.raises(ValueError, match="every is 0"):
        Checkpoint("x", every=0)
    only_train = TripleStore.from_triples(store.triples("train"), entities=23, relations=4)
    with pytest.raises(ValueError, match="valid"):
        Validation(dict, only_train)
    trainer = Trainer(strategy(), loader(), 1, 0.02, callbacks=[EarlyStopping()], **CPU)
    with pytest.raises(ValueError, match="no epoch measured 'valid_mrr'"):
        trainer.run()


def test_selecting_on_a_split_that_repeats_train_warns():
    rows = graph().triples("train")
    leaky = TripleStore.from_triples(rows, rows[:10], entities=ENTITIES, relations=RELATIONS)
    with pytest.warns(UserWarning, match="hold_out") as caught:
        Validation(dict, leaky)
    assert caught[0].filename == __file__


def test_penalties_are_openkes_means():
    batch = next(iter(loader(neg_ent=3, neg_rel=1)))
    plain, squared, cubed = (
        strategy(**options) for options in ({}, {"regul_rate": 1.0}, {"l3_regul_rate": 1.0})
    )
    model = plain.model
    e, r = model.ent_embeddings.weight, model.rel_embeddings.weight
    expected = (
        e[batch.head].square().mean()
        + e[batch.tail].square().mean()
        + r[batch.relation].square().mean()
    ) / 3
    torch.testing.assert_close(squared(batch) - plain(batch), expected)
    torch.testing.assert_close(
        cubed(batch) - plain(batch), e.abs().pow(3).sum() + r.abs().pow(3).sum()
    )


def test_long_gradients_are_scaled_down():
    torch.manual_seed(0)
    batch = next(iter(loader()))
    moved = []
    for clip_norm in (None, 1e-3, 1e6):
        trained = strategy()
        before = [parameter.detach().clone() for parameter in trained.parameters()]
        Trainer(trained, loader(), 1, 1.0, clip_norm=clip_norm, **CPU)._step(batch)
        after = trained.parameters()
        steps = [(b - a).reshape(-1) for a, b in zip(before, after, strict=True)]
        moved.append(torch.cat(steps).detach())
    free, clipped, loose = moved
    assert clipped.norm().item() == pytest.approx(1e-3, rel=1e-3)
    torch.testing.assert_close(clipped / clipped.norm(), free / free.norm(), rtol=1e-3, atol=1e-4)
    torch.testing.assert_close(free, loose)
    with pytest.raises(ValueError, match="clip_norm is -1, expected more than 0, or None"):
        Trainer(strategy(), loader(), clip_norm=-1, **CPU)
