"""Models as a user of OpenKE writes them: forward and predict on a dict, nothing else."""

import torch
from torch import nn

from openke.module.model import Model


class Translation(Model):
    """TransE in OpenKE's form, a distance: for MarginLoss."""

    def __init__(self, ent_tot, rel_tot, dim=6, p_norm=1):
        super(Translation, self).__init__(ent_tot, rel_tot)  # noqa: UP008 - as users write it
        self.dim, self.p_norm = dim, p_norm
        self.ent_embeddings = nn.Embedding(ent_tot, dim)
        self.rel_embeddings = nn.Embedding(rel_tot, dim)

    def distance(self, data):
        h = self.ent_embeddings(data["batch_h"])
        r = self.rel_embeddings(data["batch_r"])
        t = self.ent_embeddings(data["batch_t"])
        if data["mode"] != "normal":
            h = h.view(-1, r.shape[0], self.dim)
            t = t.view(-1, r.shape[0], self.dim)
            r = r.view(-1, r.shape[0], self.dim)
        return torch.norm(h + r - t, self.p_norm, -1).flatten()

    def forward(self, data):
        return self.distance(data)

    def predict(self, data):
        return self.forward(data).cpu().data.numpy()

    def regularization(self, data):
        h = self.ent_embeddings(data["batch_h"])
        t = self.ent_embeddings(data["batch_t"])
        r = self.rel_embeddings(data["batch_r"])
        return (torch.mean(h**2) + torch.mean(t**2) + torch.mean(r**2)) / 3


class Margined(Translation):
    """The same with a margin, a score: for SigmoidLoss and SoftplusLoss."""

    margin = 4.0

    def forward(self, data):
        return self.margin - self.distance(data)

    def predict(self, data):
        return self.margin - self.forward(data).cpu().data.numpy()

    def l3_regularization(self):
        return self.ent_embeddings.weight.norm(p=3) ** 3 + self.rel_embeddings.weight.norm(p=3) ** 3
