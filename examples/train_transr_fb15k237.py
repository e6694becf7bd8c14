"""TransR on FB15K237 from TransE's tables, with the settings of OpenKE's example.

python examples/train_transr_fb15k237.py --epochs 10
"""

import sys

from openke_recipes import RECIPES, Settings, run_recipe

from openke.config import Trainer
from openke.data import TrainDataLoader, TripleStore
from openke.datasets.search import find_dataset
from openke.module.loss import MarginLoss
from openke.module.model import Model, TransE
from openke.module.strategy import NegativeSampling


def from_transe(settings: Settings, entities: int, relations: int) -> Model:
    """Return TransR with the tables of TransE, trained for one epoch."""
    recipe = RECIPES["transr_fb15k237"]
    loader = TrainDataLoader(
        TripleStore.open(find_dataset(recipe.dataset, settings.data)),
        batch_size=settings.batch_size,
        bern_flag=settings.bern_flag,
        neg_ent=settings.negatives,
        seed=settings.seed,
        hold_out=settings.hold_out,
    )
    transe = TransE(entities, relations, dim=settings.dim, p_norm=1, norm_flag=True)
    strategy = NegativeSampling(transe, MarginLoss(margin=5.0))
    Trainer(strategy, loader, train_times=1, alpha=0.5, device=settings.device).run()
    transr = recipe.build(settings, entities, relations)
    transr.set_parameters(transe.get_parameters())
    return transr


if __name__ == "__main__":
    sys.exit(run_recipe("transr_fb15k237", sys.argv[1:], from_transe))
