"""MyGO: its query and its contrast by plain formulas, and what never matters."""

from dataclasses import replace

import pytest
import torch
from torch import nn

from lbmkgc_models.fusion import core_product
from lbmkgc_models.fusion.contrast import info_nce
from lbmkgc_models.model.mygo import MyGO
from openke.config import Trainer
from openke.data import QueryDataLoader
from openke.module.scoring.all_entities import encode_all, score_all
from openke.module.strategy import OneVsAll
from tests.contracts.graphs import ENTITIES, RELATIONS, coded, graph, several, worn
from tests.lbmkgc_models.model.test_vista import entity_by_formula, normed, transformer

SETTINGS = {"dim": 4, "hidden": 6, "entity_layers": 2}
EVERYONE = torch.arange(ENTITIES)


def tokens():
    return {"image": coded("image", 5, 1), "text": coded("text", 6, 2, parts=4, codes=11)}


def made(given=None, **settings):
    torch.manual_seed(1)
    given = tokens() if given is None else given
    model = MyGO(ENTITIES, RELATIONS, given, **{**SETTINGS, **settings})
    for parameter in model.parameters():
        nn.init.normal_(parameter, std=0.5)
    return worn(model).double().eval()


def forget_nothing(model):
    for module in model.modules():
        if isinstance(module, nn.Dropout):
            module.p = 0.0
    return model


def batch_norm(state, name, side, rows):
    at = f"{name}.sides.{side}.running"
    mean, var = state[f"{at}_mean"], state[f"{at}_var"]
    return (rows - mean) / (var + 1e-5).sqrt() * state[f"{name}.weight"] + state[f"{name}.bias"]


@pytest.mark.parametrize("side", ["head", "tail"])
def test_scores_are_those_of_the_formula(side):
    given = tokens()
    model = made(given)
    state = {name: value.detach() for name, value in model.state_dict().items()}
    entities = torch.stack([entity_by_formula(state, given, e) for e in range(ENTITIES)])
    torch.testing.assert_close(encode_all(model)["entity"].detach(), entities)
    core = state["product.core.weight"].view(4, 4, 4)  # [x y k]
    for anchor, relation in ((3, 1), (7, 0), (11, 3)):
        known, hole = entities[anchor], state["question.hole"]
        head, tail = (known, hole) if side == "tail" else (hole, known)
        r = normed(state, "relation_norm", state["rel_embeddings.weight"][relation])
        places = [state[f"question.{place}"] for place in ("head", "relation", "tail")]
        triple = torch.stack([head, r, tail]) + torch.stack(places)
        found = transformer(state, "question", 1, triple, torch.ones(3))
        z, seen = found[2 if side == "tail" else 0], found[1]
        x = batch_norm(state, "product.input_norm", side, z)
        moved = torch.stack(
            [
                sum(x[i] * seen[k] * core[i, j, k] for i in range(4) for k in range(4))
                for j in range(4)
            ]
        )
        q = batch_norm(state, "product.output_norm", side, moved)
        scores = score_all(model, side, torch.tensor([anchor]), torch.tensor([relation]))
        torch.testing.assert_close(scores[0].detach(), entities @ q)


def test_order_and_padding_of_tokens_never_matter():
    given = tokens()
    found = encode_all(made(given))["entity"]
    text = given["text"]
    order = torch.tensor([2, 0, 3, 1])
    turned = replace(
        text,
        values=text.values[:, order],
        present=text.present[:, order],
        codes=replace(text.codes, index=text.codes.index[:, order]),
    )
    torch.testing.assert_close(encode_all(made({**given, "text": turned}))["entity"], found)
    more = torch.zeros(ENTITIES, 2, dtype=torch.long)
    padded = replace(
        text,
        values=torch.cat([text.values, torch.full((ENTITIES, 2, 6), 1e4)], dim=1),
        present=torch.cat([text.present, more.bool()], dim=1),
        codes=replace(text.codes, index=torch.cat([text.codes.index, more], dim=1)),
    )
    torch.testing.assert_close(encode_all(made({**given, "text": padded}))["entity"], found)


def test_contrast_is_the_mean_cross_entropy_of_four_views():
    model = made(contrasted=100)
    rows = model.encode(EVERYONE)
    found = model.auxiliary_loss("contrast", rows, *3 * [EVERYONE])
    outputs = model.entities.outputs(model.tokens(EVERYONE))
    everything = torch.cat([kind.values for kind in outputs.values()], dim=1)
    there = torch.cat([kind.there for kind in outputs.values()], dim=1)
    views = {"first": everything[:, :1], "all": everything}
    views |= {name: outputs[name].values for name in ("image", "text")}
    masks = {"first": there[:, :1], "all": there}
    masks |= {name: outputs[name].there for name in ("image", "text")}
    losses = []
    for name, values in views.items():
        means = [
            row[mask].mean(dim=0) if mask.any() else torch.zeros(4).double()
            for row, mask in zip(values, masks[name], strict=True)
        ]
        for one, row in enumerate(rows["entity"]):
            cosines = torch.stack([torch.cosine_similarity(row, mean, dim=0) for mean in means])
            losses.append(-(cosines / 0.5).log_softmax(dim=0)[one])
    torch.testing.assert_close(found, torch.stack(losses).mean())


def test_only_entities_that_are_drawn_are_encoded_again():
    model = made(contrasted=5)
    rows = model.encode(EVERYONE)
    seen = []
    views = model.contrasted_views
    model.contrasted_views = lambda ids: (seen.append(ids), views(ids))[1]
    for _ in range(2):
        model.auxiliary_loss("contrast", rows, *3 * [EVERYONE])
    assert [len(set(ids.tolist())) for ids in seen] == [5, 5]
    assert not torch.equal(*seen)


def test_a_weight_of_zero_makes_no_second_pass():
    def run(auxiliary):
        model = made()
        model.contrasted_views = None  # whoever calls it fails
        torch.manual_seed(3)
        return OneVsAll(model, auxiliary=auxiliary)(next(QueryDataLoader(graph(), 16).epoch(0)))

    assert run({"contrast": 0.0}) == run(None)
    with pytest.raises(TypeError):
        run({"contrast": 0.1})


def test_blocks_of_queries_and_of_entities_change_neither_loss_nor_gradients(monkeypatch):
    def run(block):
        model = forget_nothing(made().train())
        model.encode_block = block
        batch = next(QueryDataLoader(graph(), 16).epoch(0))
        loss = OneVsAll(model)(batch)
        loss.backward()
        return [loss.detach(), *(p.grad for p in model.parameters() if p.grad is not None)]

    whole = run(0)
    monkeypatch.setattr(core_product, "BLOCK_BYTES", 3 * 4 * 4 * 8)
    torch.testing.assert_close(run(5), whole)


def test_contrast_of_rows_with_themselves_is_least_where_they_differ():
    rows = torch.eye(4)
    own = torch.tensor(1 / 0.5).exp()
    torch.testing.assert_close(info_nce(rows, 3 * rows, 0.5), -(own / (own + 3)).log())
    torch.testing.assert_close(
        info_nce(torch.ones(4, 2), torch.ones(4, 2), 0.5), torch.tensor(4.0).log()
    )


@pytest.mark.parametrize("names", [(), ("image",), ("text",), ("image", "text")])
def test_any_subset_of_modalities_trains(names):
    torch.manual_seed(0)
    given = {"image": several("image", 5, 1), "text": tokens()["text"]}
    model = MyGO(ENTITIES, RELATIONS, {name: given[name] for name in names}, dim=8, hidden=16)
    trainer = Trainer(
        OneVsAll(forget_nothing(model), auxiliary={"contrast": 0.01}),
        *(QueryDataLoader(graph(), 16, one_side=True), 20, 0.01),
        **{"opt_method": "adam", "device": "cpu", "progress": False},
    )
    losses = trainer.run().losses
    assert losses[-1] < losses[0] - 0.1


def test_sides_are_normalised_apart_in_training_as_later():
    model = forget_nothing(made()).train()
    anchor = model.encode(EVERYONE)
    relation = EVERYONE % RELATIONS
    for _ in range(200):  # running means come to those of the only batch there is
        seen = {side: model.query(anchor, relation, side)["query"] for side in ("tail", "head")}
    model.eval()
    for side, queries in seen.items():
        found = model.query(anchor, relation, side)["query"]
        torch.testing.assert_close(found, queries, rtol=0.05, atol=0.05)
