"""Training in turns: who moves, that checkpoints hold both, and that turns see the clock."""

import pytest
import torch
from torch import nn

from openke.config import Trainer
from openke.module.loss import SigmoidLoss
from openke.module.model import RotatE
from openke.module.strategy import NegativeSampling
from openke.module.strategy.clock import Clock
from openke.module.strategy.turn import Turn
from tests.contracts.graphs import ENTITIES, RELATIONS
from tests.openke.training.test_trainer import CPU, loader, same

CPU_DEVICE = torch.device("cpu")


class Tug(NegativeSampling):
    """The model minimises its loss plus a pull, whose strength a second player raises."""

    def __init__(self, *given, **options):
        super().__init__(*given, **options)
        self.pull = nn.Parameter(torch.ones(3))
        self.seen = []
        self.moved = []

    def forward(self, batch):
        self.seen.append(self.clock)
        self.moved.append([p.requires_grad for p in self.parameters()])
        entities = self.model.ent_embeddings(batch.entities)
        return super().forward(batch) + self.pull.sum() * entities.square().mean()

    def resist(self, batch):
        self.moved.append([p.requires_grad for p in self.parameters()])
        noise = self.clock.uniform(1, (3,), self.pull.device)
        entities = self.model.ent_embeddings(batch.entities)
        return (self.pull * noise).square().sum() + entities.square().mean()

    def turns(self):
        return (
            Turn("model", list(self.model.parameters()), self.forward),
            Turn("pull", [self.pull], self.resist, optimizer="adam", lr=0.1),
        )


def tug():
    torch.manual_seed(0)
    return Tug(RotatE(ENTITIES, RELATIONS, dim=8), SigmoidLoss(adv_temperature=1.0))


def trained(strategy, epochs=3, **options):
    return Trainer(strategy, loader(), epochs, 0.02, opt_method="adagrad", **CPU, **options)


def test_each_turn_moves_its_own_parameters_alone():
    strategy = tug()
    trained(strategy, 1).run()
    model, pull = strategy.moved[0], strategy.moved[1]
    names = [name for name, _ in strategy.named_parameters()]
    assert dict(zip(names, model, strict=True)) == {n: n != "pull" for n in names}
    assert dict(zip(names, pull, strict=True)) == {n: n == "pull" for n in names}
    assert all(p.requires_grad for p in strategy.parameters())
    assert not torch.equal(strategy.pull, torch.ones(3))


def test_turns_are_the_steps_that_one_writes_by_hand():
    strategy, plain = tug(), tug()
    trainer = trained(strategy, 2)
    trainer.run()
    first = torch.optim.Adagrad(plain.model.parameters(), lr=0.02)
    second = torch.optim.Adam([plain.pull], lr=0.1)
    batches = loader()
    for epoch in range(2):
        for step, batch in enumerate(batches.epoch(epoch)):
            plain.clock = Clock(epoch=epoch, epochs=2, step=step, steps=len(batches))
            for optimizer, loss in ((first, plain.forward), (second, plain.resist)):
                plain.zero_grad()
                loss(batch).backward()
                optimizer.step()
    for (name, found), expected in zip(
        strategy.named_parameters(), plain.parameters(), strict=True
    ):
        torch.testing.assert_close(found, expected, msg=name)


def test_a_resumed_training_in_turns_is_an_unbroken_one(tmp_path):
    whole, begun, resumed = tug(), tug(), tug()
    trained(whole, 4).run()
    trained(begun, 2, save_steps=2, checkpoint_dir=tmp_path).run()
    trainer = trained(resumed, 4, save_steps=2, checkpoint_dir=tmp_path)
    trainer.resume(tmp_path / "last.ckpt")
    trainer.run()
    assert same(resumed, whole)
    assert not same(begun, whole)


def test_the_clock_says_where_a_step_is():
    strategy = tug()
    trainer = trained(strategy, 2)
    trainer.run()
    steps = len(trainer.data_loader)
    assert [clock.done for clock in strategy.seen] == list(range(2 * steps))
    assert strategy.seen[0].progress == 0
    assert strategy.seen[steps].progress == 0.5
    assert strategy.seen[-1].progress < 1
    draws = {float(clock.uniform(1, (1,), CPU_DEVICE)) for clock in strategy.seen}
    assert len(draws) == 2 * steps
    one, other = (strategy.seen[3].uniform(p, (1,), CPU_DEVICE) for p in (1, 2))
    assert one != other


def test_a_clock_leaves_the_random_numbers_of_others_alone():
    torch.manual_seed(0)
    expected = torch.rand(1)
    torch.manual_seed(0)
    Clock().normal(0, (1,), CPU_DEVICE)
    assert torch.equal(torch.rand(1), expected)


def test_turns_are_not_compiled():
    with pytest.raises(ValueError, match=r"Tug trains in turns .model, pull., which are not comp"):
        trained(tug(), compile=True)


class Bounded(RotatE):
    def constrain(self):
        self.ent_embeddings.weight.clamp_(-0.01, 0.01)


def test_constraints_hold_before_the_first_step_and_after_each():
    torch.manual_seed(0)
    model = Bounded(ENTITIES, RELATIONS, dim=8)
    assert model.ent_embeddings.weight.abs().max() > 0.01
    largest = []

    class Looking(NegativeSampling):
        def forward(self, batch):
            largest.append(float(self.model.ent_embeddings.weight.detach().abs().max()))
            return super().forward(batch)

    trained(Looking(model, SigmoidLoss()), 2).run()
    assert max(largest) <= 0.01 + 1e-9
    assert model.ent_embeddings.weight.abs().max() <= 0.01 + 1e-9
