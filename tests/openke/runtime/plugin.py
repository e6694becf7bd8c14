"""What another package may offer: a model, a multimodal one, a loss, an encoder, a data set."""

from dataclasses import dataclass

import torch

from lbmkgc_models.model.ikrl import IKRL
from openke.datasets.registry import KnownDataSet
from openke.module.interaction import translate
from openke.module.loss import Loss
from openke.module.model import Model
from openke.module.model.tables import table


@dataclass(frozen=True, kw_only=True)
class SquaredConfig:
    dim: int = 8


class Squared(Model):
    """Minus the Euclidean distance of h + r and t."""

    Config = SquaredConfig
    citation = "None"

    def __init__(self, ent_tot, rel_tot, *values, **settings):
        super().__init__(ent_tot, rel_tot, *values, **settings)
        self.ent_embeddings = table(ent_tot, self.config.dim)
        self.rel_embeddings = table(rel_tot, self.config.dim)

    def query(self, anchor, relation, side):
        vector = self.relation_embeddings(relation)
        return {"query": translate.query(anchor["entity"], vector, side)}

    def match(self, query, candidates, compare):
        return compare("l2", query["query"], candidates["entity"])


class Pictured(IKRL):
    one_modality = False


class HingeLoss(Loss):
    def forward(self, positive, negative, mask=None):
        terms = (1 - positive.reshape(-1, 1) + negative).relu()
        return self.average(terms, negative, mask)


class Lengths:
    """A text's number of letters."""

    name, revision, settings, dim, limit = "lengths", "1", {}, 1, None

    def lengths(self, items):
        return [len(item) for item in items]

    def encode(self, items):
        return torch.tensor([[float(len(item))] for item in items])


KNOWN = KnownDataSet(page="a page", files={})
