"""Seeds of entities and the noise drawn from them."""

import hashlib

import torch

from lbmkgc_models.features.lvmc.seeds import generators, initial_noise, seed_of


def test_a_seed_is_63_bits_of_the_run_and_the_name() -> None:
    assert seed_of("Île", 7) == int(hashlib.sha256("7\nÎle".encode()).hexdigest()[:16], 16) // 2
    seeds = {seed_of(name, run) for name in ("a", "b", "1\na") for run in (0, 1, 11)}
    assert len(seeds) == 9
    assert all(0 <= seed < 2**63 for seed in seeds)
    assert max(seeds) > 2**62


def test_noise_does_not_depend_on_the_batch() -> None:
    seeds = [seed_of(name) for name in "abc"]
    together = initial_noise(generators(seeds), (4, 16, 16))
    assert together.shape == (3, 4, 16, 16)
    turned = initial_noise(generators(seeds[::-1]), (4, 16, 16)).flip(0)
    alone = torch.cat([initial_noise(generators([seed]), (4, 16, 16)) for seed in seeds])
    assert torch.equal(together, turned)
    assert torch.equal(together, alone)
    assert abs(float(together.mean())) < 0.1
    assert abs(float(together.std()) - 1) < 0.1
