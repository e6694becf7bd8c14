"""Training against all entities: weighted queries, several heads, buffers of an epoch."""

import pytest
import torch
from torch.nn.functional import binary_cross_entropy_with_logits, cross_entropy

from openke.config import Trainer
from openke.data import QueryDataLoader
from openke.module.loss.query_losses import QUERY_LOSSES
from openke.module.model import ComplEx, DistMult, Reciprocal
from openke.module.strategy import KVsAll, OneVsAll, query_blocks
from tests.contracts.graphs import ENTITIES, RELATIONS, build, graph

CPU = {"device": "cpu", "progress": False}


def weighed_batch():
    return next(QueryDataLoader(graph(), 16, answer_weights="frequency").epoch(0))


@pytest.mark.parametrize("block", [query_blocks.LOGITS_BYTES, 3 * 4 * ENTITIES])
@pytest.mark.parametrize("case", ["DistMult", "TransR"])
def test_weighted_queries_have_the_weighted_mean(case, block, monkeypatch):
    monkeypatch.setattr(query_blocks, "LOGITS_BYTES", block)
    model, batch = build(case).double(), weighed_batch()
    each, found = [], OneVsAll(model)(batch)
    for row in range(len(batch)):
        alone = type(batch)(
            batch.anchor[row, None], batch.relation[row, None], int(row < batch.tails),
            batch.answer[row, None],
        )  # fmt: skip
        each.append(OneVsAll(model)(alone))
    weight = batch.weight.double()
    torch.testing.assert_close(found, (weight * torch.stack(each)).sum() / weight.sum())


class TwoHeads(DistMult):
    """DistMult with a second head of a tenth of its scores; ranked by their sum."""

    def heads(self, query, candidates, compare):
        scores = compare("dot", query["query"], candidates["entity"])
        return scores, scores / 10

    def match(self, query, candidates, compare):
        return sum(self.heads(query, candidates, compare))


@pytest.mark.parametrize("around", [lambda model: model, Reciprocal])
def test_each_head_has_a_loss(around):
    torch.manual_seed(0)
    model = around(TwoHeads(ENTITIES, 2 * RELATIONS, dim=6).double())
    batch = next(QueryDataLoader(graph(), 16).epoch(0))
    plain = DistMult(ENTITIES, 2 * RELATIONS, dim=6).double()
    plain.load_state_dict(
        model.state_dict() if around is not Reciprocal else model.inner.state_dict()
    )
    relation = batch.relation.clone()
    if around is Reciprocal:
        relation[batch.tails :] += RELATIONS
    r, e = plain.rel_embeddings.weight[relation], plain.ent_embeddings.weight
    scores = (e[batch.anchor] * r) @ e.T
    expected = cross_entropy(scores, batch.answer) + cross_entropy(scores / 10, batch.answer)
    torch.testing.assert_close(OneVsAll(model)(batch), expected)


@pytest.mark.parametrize("smoothing", [0.0, 0.1])
def test_the_labels_of_conve(smoothing):
    logits = torch.randn(3, 7, dtype=torch.float64, requires_grad=True)
    answer, offsets = torch.tensor([4, 1, 0, 2, 6]), torch.tensor([0, 1, 3, 5])
    labels = torch.zeros(3, 7, dtype=torch.float64)
    labels[torch.tensor([0, 1, 1, 2, 2]), answer] = 1.0
    if smoothing:
        labels = (1 - smoothing) * labels + 1 / 7
    expected = binary_cross_entropy_with_logits(logits, labels, reduction="none").mean(dim=1)
    found = QUERY_LOSSES["bce-conve"](logits, answer, offsets, smoothing)
    torch.testing.assert_close(found, expected)
    gradients = [torch.autograd.grad(x.sum(), logits)[0] for x in (found, expected)]
    torch.testing.assert_close(*gradients)


class Counted(ComplEx):
    """ComplEx that knows the sum of its table as an epoch began."""

    def __init__(self, *sizes, **settings):
        super().__init__(*sizes, **settings)
        self.register_buffer("begun", torch.zeros(2))
        self.epochs = []

    def begin_epoch(self, epoch):
        assert not torch.is_grad_enabled()
        self.epochs.append(epoch)
        self.begun.copy_(
            torch.stack([torch.tensor(float(epoch)), self.ent_re_embeddings.weight.sum()])
        )


@pytest.mark.parametrize("strategy", [OneVsAll, KVsAll])
def test_what_holds_for_an_epoch_is_renewed_before_it(strategy, tmp_path):
    def trainer(epochs):
        torch.manual_seed(0)
        model = Reciprocal(Counted(ENTITIES, 2 * RELATIONS, dim=4))
        loader = QueryDataLoader(graph(), 16, targets=strategy.targets)
        return Trainer(strategy(model), loader, epochs, 0.1, opt_method="adagrad", **CPU)

    whole, begun, resumed = trainer(3), trainer(2), trainer(3)
    whole.run()
    assert whole.strategy.model.inner.epochs == [0, 1, 2]
    begun.run()
    begun.save(tmp_path / "last.ckpt")
    after = begun.strategy.model.inner.ent_re_embeddings.weight.sum()
    resumed.resume(tmp_path / "last.ckpt")
    assert resumed.strategy.model.inner.begun[0] == 1.0
    resumed.run()
    found = resumed.strategy.model.inner
    assert found.epochs == [2]
    assert torch.equal(found.begun, torch.stack([torch.tensor(2.0), after.detach()]))
    assert torch.equal(found.begun, whole.strategy.model.inner.begun)
