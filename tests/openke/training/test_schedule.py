"""Learning rates by epoch and by step."""

import math
import signal

import pytest

from openke.config import Callback, Trainer
from openke.training.callbacks import Checkpoint
from openke.training.schedule import SCHEDULES, Schedule
from tests.openke.training.stopping import StopAt
from tests.openke.training.test_trainer import CPU, loader, strategy

RATE = 0.08


class Measured(Callback):
    """Adds what a validation would."""

    def __init__(self, values):
        self.values = values

    def on_epoch_end(self, trainer, record):
        if trainer.epoch <= len(self.values):
            record["valid_mrr"] = self.values[trainer.epoch - 1]


def trainer(schedule, epochs, measured=()):
    return Trainer(
        strategy(), loader(), epochs, RATE, opt_method="adam",
        callbacks=[Measured(measured), schedule], **CPU,
    )  # fmt: skip


def rates(schedule, epochs, measured=()):
    """Return the learning rate of each epoch."""
    return [record["lr"] for record in trainer(schedule, epochs, measured).run().records]


def test_cosine():
    expected = [RATE * (1 + math.cos(math.pi * epoch / 4)) / 2 for epoch in range(4)]
    assert rates(Schedule("cosine"), 4) == pytest.approx(expected)
    expected = [0.01 + (RATE - 0.01) * (1 + math.cos(math.pi * e / 4)) / 2 for e in range(4)]
    assert rates(Schedule("cosine", least=0.01), 4) == pytest.approx(expected)


def test_cosine_restarts():
    once = [RATE * (1 + math.cos(math.pi * epoch / 2)) / 2 for epoch in range(2)]
    again = [RATE * (1 + math.cos(math.pi * epoch / 6)) / 2 for epoch in range(6)]
    found = rates(Schedule("cosine restarts", first=2, factor=3), 9)
    assert found == pytest.approx([*once, *again, RATE])
    with pytest.raises(ValueError, match=r"schedule.first is 0; expected a whole number, 1 or mo"):
        Schedule("cosine restarts", first=0)


def test_step_and_exponential():
    found = rates(Schedule("step", every=2, factor=0.5), 5)
    assert found == pytest.approx([RATE, RATE, RATE / 2, RATE / 2, RATE / 4])
    assert rates(Schedule("exponential", factor=0.5), 3) == pytest.approx(
        [RATE, RATE / 2, RATE / 4]
    )


def test_plateau_looks_at_a_metric():
    schedule = Schedule("plateau", factor=0.5, patience=1)
    found = rates(schedule, 6, [0.1, 0.2, 0.2, 0.1, 0.3, 0.3])
    assert found == pytest.approx([RATE] * 4 + [RATE / 2] * 2)
    schedule = Schedule("plateau", factor=0.1, patience=0, least=RATE / 2, min_delta=0.05)
    assert rates(schedule, 3, [0.1, 0.14, 0.1])[1:] == pytest.approx([RATE, RATE / 2])
    with pytest.raises(ValueError, match="no epoch measured 'valid_mrr'; the record has epoch, lo"):
        rates(Schedule("plateau"), 2)


def test_the_rate_warms_up():
    assert rates(Schedule("constant", warm_up=3), 5) == pytest.approx(
        [RATE / 4, RATE / 2, 3 * RATE / 4, RATE, RATE]
    )
    found = rates(Schedule("cosine", warm_up=1), 4)
    expected = [RATE * (1 + math.cos(math.pi * epoch / 3)) / 2 for epoch in range(3)]
    assert found == pytest.approx([RATE / 2, *expected])


class OfSteps(Callback):
    """Notes the learning rate that each step is taken with, and stops after some."""

    def __init__(self, stop=10**9):
        self.rates, self.stop = [], stop

    def on_start(self, trainer):
        if not self.rates:
            self.rates.append(trainer.optimizer.param_groups[0]["lr"])

    def on_step_end(self, trainer):
        self.rates.append(trainer.optimizer.param_groups[0]["lr"])
        if len(self.rates) == self.stop:
            signal.raise_signal(signal.SIGTERM)

    def state(self):
        return {"rates": self.rates}

    def restore(self, state):
        self.rates = state["rates"]


def by_steps(epochs, stop=10**9, **settings):
    """Return a training whose rates change by steps, and what notes them."""
    made = trainer(Schedule(unit="steps", **settings), epochs)
    made.callbacks.append(noted := OfSteps(stop))
    return made, noted


def test_a_rate_may_be_of_steps():
    steps = len(loader())
    assert steps > 3
    made, noted = by_steps(3, name="step", every=2, factor=0.5)
    made.run()
    assert noted.rates[:-1] == pytest.approx([RATE / 2 ** (s // 2) for s in range(3 * steps)])
    made, noted = by_steps(2, name="cosine", warm_up=3)
    made.run()
    rest = 2 * steps - 3
    fall = [RATE * (1 + math.cos(math.pi * step / rest)) / 2 for step in range(rest)]
    expected = [RATE / 4, RATE / 2, 3 * RATE / 4, *fall]
    assert noted.rates[:-1] == pytest.approx(expected, rel=1e-6, abs=1e-9)
    with pytest.raises(ValueError, match=r"unit is 'steps', but 'plateau' looks at what is measu"):
        Schedule("plateau", unit="steps")
    with pytest.raises(ValueError, match=r"schedule.unit is 'days'; expected one of 'epochs', 'st"):
        Schedule("step", unit="days")


@pytest.mark.parametrize("name", ["step", "cosine"])
def test_steps_of_an_interrupted_epoch_count(name, tmp_path):
    settings = {"name": name, "warm_up": 2, **({"every": 2} if name == "step" else {})}
    whole, expected = by_steps(3, **settings)
    whole.run()
    begun, _ = by_steps(3, stop=len(loader()) + 2, **settings)
    begun.callbacks.append(Checkpoint(tmp_path / "last.ckpt", every=100))
    with pytest.raises(SystemExit):
        begun.run()
    resumed, noted = by_steps(3, **settings)
    resumed.callbacks.append(Checkpoint(tmp_path / "last.ckpt", every=100))
    resumed.resume(tmp_path / "last.ckpt")
    resumed.run()
    assert noted.rates == expected.rates


@pytest.mark.slow
@pytest.mark.parametrize("name", SCHEDULES)
@pytest.mark.parametrize("warm_up", [0, 1, 3])
def test_a_resumed_schedule_is_an_unbroken_one(name, warm_up, tmp_path):
    measured = [0.5, 0.4, 0.3, 0.2, 0.1, 0.1]
    whole = rates(Schedule(name, warm_up=warm_up), 6, measured)
    begun = trainer(Schedule(name, warm_up=warm_up), 6, measured)
    begun.callbacks.append(stopping := StopAt(2))
    begun.run()
    begun.callbacks.remove(stopping)
    begun._stopped = None
    begun.save(tmp_path / "last.ckpt")
    resumed = trainer(Schedule(name, warm_up=warm_up), 6, measured)
    resumed.resume(tmp_path / "last.ckpt")
    assert [record["lr"] for record in resumed.run().records] == whole
    assert [record["lr"] for record in begun.run().records] == whole  # the same trainer, too


def test_bad_values_are_named():
    with pytest.raises(
        ValueError, match="schedule is 'linear'; expected one of 'constant', 'cosine"
    ):
        Schedule("linear")
    with pytest.raises(
        ValueError,
        match="'cosine', beside warm_up, unit and metric, has no setting 'gamma'; it knows least",
    ):
        Schedule("cosine", gamma=0.1)
    with pytest.raises(ValueError, match=r"schedule\.warm_up is -1; expected a whole number, 0 or"):
        Schedule("cosine", warm_up=-1)


@pytest.mark.parametrize(
    ("other", "epochs", "difference"),
    [
        (Schedule("exponential", factor=0.9), 4, r"callbacks is .*'factor': 0.5.*'factor': 0.9"),
        (Schedule("step"), 4, r"callbacks is .*'exponential'.* and .*'step'"),
        (Schedule("exponential", factor=0.5, warm_up=1), 4, "callbacks is .*'warm_up': 0"),
    ],
)
def test_another_schedule_is_refused(other, epochs, difference, tmp_path):
    begun = trainer(Schedule("exponential", factor=0.5), 2)
    begun.run()
    begun.save(tmp_path / "last.ckpt")
    with pytest.raises(ValueError, match=difference):
        trainer(other, epochs).resume(tmp_path / "last.ckpt")
    trainer(Schedule("exponential", factor=0.5), epochs).resume(tmp_path / "last.ckpt")


def test_half_a_cosine_is_as_long_as_it_was(tmp_path):
    begun = trainer(Schedule("cosine"), 2)
    begun.run()
    begun.save(tmp_path / "last.ckpt")
    with pytest.raises(ValueError, match="epochs is 2 there and 4 here"):
        trainer(Schedule("cosine"), 4).resume(tmp_path / "last.ckpt")
