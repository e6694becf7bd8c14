"""Random numbers of a step: uniform, independent of each other, and of this step alone."""

import math
from dataclasses import replace

import torch

from openke.module.strategy.clock import Clock
from openke.module.strategy.random_numbers import uniform

CPU = torch.device("cpu")


def splitmix(state):
    """Return the hash of 64 bits, in whole numbers."""
    state = ((state ^ (state >> 30)) * 0xBF58476D1CE4E5B9) % 2**64
    state = ((state ^ (state >> 27)) * 0x94D049BB133111EB) % 2**64
    return state ^ (state >> 31)


def test_numbers_are_those_of_splitmix():
    step = 0x9E3779B97F4A7C15
    for seed in (0, 1, 2**63 + 5, -7):
        start = splitmix((seed * step + 0xBF58476D1CE4E5B9) % 2**64)
        expected = [((splitmix((start + n * step) % 2**64) >> 41) + 0.5) / 2**23 for n in range(50)]
        assert uniform(seed, (5, 10), CPU).view(-1).tolist() == expected


def test_numbers_are_uniform_and_never_at_the_ends():
    drawn = uniform(3, (1_000_000,), CPU)
    assert 0 < drawn.min() < 1e-5
    assert 1 - 1e-5 < drawn.max() < 1
    counts = torch.histc(drawn, 100, 0, 1)
    assert ((counts - 10_000) ** 2 / 10_000).sum() < 160  # 99 degrees of freedom, p 1e-4
    ahead = torch.corrcoef(torch.stack([drawn[1:], drawn[:-1]]))[0, 1]
    assert abs(ahead) < 4 / math.sqrt(len(drawn))


def test_each_step_process_seed_and_purpose_has_its_own():
    clock = Clock(epoch=2, epochs=9, step=3, steps=7, seed=5, rank=1)
    assert torch.equal(clock.uniform(1, (4,), CPU), replace(clock).uniform(1, (4,), CPU))
    # The same step reckoned from another length of training.
    assert torch.equal(clock.uniform(1, (4,), CPU), replace(clock, epochs=20).uniform(1, (4,), CPU))
    others = [
        clock.uniform(2, (4,), CPU),
        *(
            replace(clock, **{name: 4}).uniform(1, (4,), CPU)
            for name in ("epoch", "step", "seed", "rank")
        ),
    ]
    for other in others:
        assert not (other == clock.uniform(1, (4,), CPU)).any()


def test_numbers_are_drawn_where_they_are_needed():
    assert Clock().uniform(1, (3, 2), torch.device("meta")).shape == (3, 2)


def test_normal_numbers_are_normal():
    drawn = Clock().normal(1, (1_000_000,), CPU).double()
    assert drawn.isfinite().all()
    for power, moment in ((1, 0), (2, 1), (3, 0), (4, 3)):
        assert abs((drawn**power).mean() - moment) < 0.03
    assert abs((drawn.abs() < 1).double().mean() - 0.6827) < 0.003
    assert drawn.max() > 4
