"""What a training says on standard error: a bar on a terminal, a line an epoch elsewhere."""

import re

from openke.config import EarlyStopping, Trainer, Validation
from openke.runtime import progress
from tests.contracts.graphs import graph
from tests.openke.training.test_trainer import loader, strategy


def train(epochs, *, show=True, values=None, patience=None):
    store = graph(triples=200).hold_out(0.1, 0)
    values = iter(values or [])
    callbacks = []
    if patience:
        callbacks = [
            Validation(lambda: {"mrr": next(values), "hits@1": 0.0}, store),
            EarlyStopping(patience=patience),
        ]
    trainer = Trainer(
        strategy(), loader(store), epochs, 0.02, callbacks=callbacks, device="cpu", progress=show
    )
    return trainer.run()


def test_off_a_terminal_it_is_one_short_line_an_epoch(capfd):
    history = train(30)
    captured = capfd.readouterr()
    assert captured.out == ""
    lines = captured.err.splitlines()
    assert len(lines) == 30
    assert re.fullmatch(rf"epoch 3/30: loss {history.losses[2]:.4f}, \d+\.\d s", lines[2])
    assert "\r" not in captured.err
    assert len(captured.err) < 4000


def test_what_was_measured_and_how_it_ended_is_said(capfd):
    values = [0.1, 0.25, 0.2, 0.24]
    train(30, values=values, patience=2)
    lines = capfd.readouterr().err.splitlines()
    assert len(lines) == 6
    assert ", valid_mrr 0.2500, " in lines[1]
    assert lines[4].startswith("stopped after epoch 4: valid_mrr has not risen above 0.2500")
    assert lines[5] == "best epoch: 2 of 4, valid_mrr 0.2500; the weights are of epoch 2"


def test_without_progress_it_is_silent(capfd):
    train(30, show=False, values=[0.2, 0.1], patience=1)
    assert capfd.readouterr() == ("", "")


def test_on_a_terminal_it_is_a_bar(monkeypatch, capsys):
    monkeypatch.setattr(progress, "has_bars", lambda: True)
    monkeypatch.setattr("openke.training.progress.has_bars", lambda: True)
    train(2, values=[0.2, 0.1], patience=1)
    shown = capsys.readouterr().err
    assert "epoch 2/2: 100%" in shown
    assert "valid_mrr 0.2000" in shown
    assert re.search(r"^best epoch: 1 of 2", shown, re.MULTILINE)
    assert not re.search(r"^epoch 1/2: loss", shown, re.MULTILINE)
