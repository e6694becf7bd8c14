"""Training objectives: one small file each; a new one is a Strategy, never a new Trainer."""

from openke.aliases import homes_of, openke_paths
from openke.module.strategy.all_entities import AllEntitiesStrategy
from openke.module.strategy.k_vs_all import KVsAll
from openke.module.strategy.kbgan import KBGAN
from openke.module.strategy.mans import MANS
from openke.module.strategy.mat import MAT
from openke.module.strategy.mmrns import MMRNS
from openke.module.strategy.negative_sampling import NegativeSampling
from openke.module.strategy.noise import AdversarialNoise
from openke.module.strategy.one_vs_all import OneVsAll
from openke.module.strategy.strategy import Strategy
from openke.runtime.registry import Registry

SAMPLING = "negative sampling"

STRATEGIES: dict[str, type[Strategy]] = {
    "AdversarialNoise": AdversarialNoise,
    "KBGAN": KBGAN,
    "KVsAll": KVsAll,
    "MANS": MANS,
    "MAT": MAT,
    "MMRNS": MMRNS,
    "NegativeSampling": NegativeSampling,
    "OneVsAll": OneVsAll,
}
"""Every strategy by name."""

OBJECTIVES: Registry[type[AllEntitiesStrategy] | type[NegativeSampling]] = Registry(
    {
        "1vsall": OneVsAll,
        "kvsall": KVsAll,
        SAMPLING: NegativeSampling,
        "KBGAN": KBGAN,
        "MANS": MANS,
        "MAT": MAT,
        "MMRNS": MMRNS,
        "noise": AdversarialNoise,
    },
    "openke.objectives",
)
"""What a recipe calls them, with those of other packages."""

__all__ = [
    "KBGAN",
    "MANS",
    "MAT",
    "MMRNS",
    "OBJECTIVES",
    "SAMPLING",
    "STRATEGIES",
    "AdversarialNoise",
    "KVsAll",
    "NegativeSampling",
    "OneVsAll",
    "Strategy",
]

openke_paths(__name__, homes_of([Strategy, *STRATEGIES.values()]))
