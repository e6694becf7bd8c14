"""OpenKE's setters of the Trainer give what its constructor gives."""

import warnings

import pytest
import torch

from openke.config import Trainer
from openke.module.model import RotatE
from tests.contracts.graphs import ENTITIES, RELATIONS
from tests.openke.training.test_trainer import CPU, loader, same, strategy


def trained(options, setters=(), epochs=3):
    trainer = Trainer(strategy(), loader(), epochs, **options, **CPU)
    for name, value in setters:
        getattr(trainer, name)(value)
    trainer.run()
    return trainer


@pytest.mark.parametrize(
    ("setters", "options"),
    [
        ([("set_alpha", 0.1)], {"alpha": 0.1}),
        ([("set_opt_method", "Adam"), ("set_alpha", 0.1)], {"alpha": 0.1, "opt_method": "adam"}),
        ([("set_weight_decay", 0.1)], {"weight_decay": 0.1}),
        (
            [("set_lr_decay", 0.2), ("set_opt_method", "adagrad")],
            {"opt_method": "adagrad", "lr_decay": 0.2},
        ),
        ([("set_use_gpu", False)], {}),
    ],
)
def test_a_setter_is_the_argument(setters, options):
    by_setter, by_argument = trained({}, setters), trained(options)
    assert same(by_setter.strategy, by_argument.strategy)
    assert by_setter.identity() == by_argument.identity()
    if setters[0][0] != "set_use_gpu":
        assert not same(by_setter.strategy, trained({}).strategy)


def test_another_strategy_and_more_epochs():
    trainer = Trainer(strategy(dim=5), loader(), 2, 0.1, **CPU)
    other = strategy(dim=4)
    before = {name: value.clone() for name, value in other.state_dict().items()}
    trainer.set_model(other)
    trainer.set_train_times(1)
    assert len(trainer.run().losses) == 1
    assert any(not torch.equal(value, before[n]) for n, value in other.state_dict().items())
    trainer.set_train_times(3)  # go on
    assert len(trainer.run().losses) == 3
    with pytest.raises(ValueError, match="train_times is 0"):
        trainer.set_train_times(0)


def test_what_is_settled_by_training():
    trainer = trained({})
    changes = (
        ("set_alpha", 0.1), ("set_opt_method", "adam"), ("set_weight_decay", 0.1),
        ("set_lr_decay", 0.1), ("set_model", strategy()), ("set_use_gpu", False),
    )  # fmt: skip
    for setter, value in changes:
        with pytest.raises(ValueError, match=f"{setter} after 3 epochs: what is trained, how"):
            getattr(trainer, setter)(value)


def test_bad_values_change_nothing():
    trainer = Trainer(strategy(), loader(), 1, 0.1, **CPU)
    with pytest.raises(ValueError, match="opt_method is 'lion'"):
        trainer.set_opt_method("lion")
    with pytest.raises(ValueError, match="learning rate\\) is -1"):
        trainer.set_alpha(-1)
    assert (trainer.opt_method, trainer.alpha) == ("sgd", 0.1)


def test_lr_decay_is_adagrads(recwarn):
    with pytest.warns(UserWarning, match="lr_decay is 0.5, which sgd ignores: it is Adagrad's"):
        trained({"lr_decay": 0.5})
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        trained({"lr_decay": 0.5, "opt_method": "adagrad"})


def test_checkpoints_by_setter(tmp_path):
    trainer = Trainer(strategy(), loader(), 2, 0.1, **CPU)
    trainer.set_save_steps(1)
    with pytest.raises(ValueError, match="save_steps without checkpoint_dir"):
        trainer.run()
    trainer.set_checkpoint_dir(tmp_path / "first")
    trainer.set_save_steps(1)
    trainer.set_checkpoint_dir(str(tmp_path / "second"))
    trainer.run()
    assert not (tmp_path / "first").exists()
    model = RotatE(ENTITIES, RELATIONS, dim=8)
    model.load_checkpoint(tmp_path / "second" / "last.ckpt")
    assert torch.equal(model.ent_embeddings.weight, trainer.strategy.model.ent_embeddings.weight)
    trainer.set_save_steps(None)
    assert trainer.callbacks == []


def test_a_second_run_says_that_nothing_is_left(capsys):
    trainer = trained({}, epochs=2)
    capsys.readouterr()
    trainer.run()
    said = "".join(capsys.readouterr())
    assert "nothing to train: all 2 epochs are done" in said
    assert len(trainer.history.records) == 2
