"""VISTA: its score by a plain formula, what never matters, and what a training makes of it."""

import re
from dataclasses import replace

import pytest
import torch
from torch import nn
from torch.nn.functional import layer_norm

from lbmkgc_models.fusion.relation_rows import pictures_of_facts
from lbmkgc_models.model.vista import VISTA
from lbmkgc_models.runs.make_model import model_maker
from lbmkgc_models.runs.relation_features import relation_features, words_of
from openke.config import Trainer
from openke.data import QueryDataLoader, TripleStore
from openke.module.scoring.all_entities import encode_all, score_all
from openke.module.strategy import OneVsAll
from openke.runs.recipe import Recipe
from tests.contracts.graphs import ENTITIES, RELATIONS, both, features, graph, of_relations, several
from tests.openke.runs.trained import data_folder

EVERYONE = torch.arange(ENTITIES)
SETTINGS = {"dim": 4, "hidden": 6, "entity_layers": 2, "relation_layers": 2, "decoder_layers": 1}


def pictures():
    return {"image": several("image", 5, 1), "text": features("text", 6, 2)}


def made(given=None, relations=None, **settings):
    torch.manual_seed(1)
    given = pictures() if given is None else given
    model = VISTA(ENTITIES, RELATIONS, given, relations, **{**SETTINGS, **settings})
    for parameter in model.parameters():
        nn.init.normal_(parameter, std=0.5)
    return model.double().eval()


def transformer(state, prefix, layers, tokens, there):
    """Return Float["p d"], all outputs of one set, token by token and head by head."""
    x = tokens
    for layer in range(layers):
        at = f"{prefix}.encoder.layers.{layer}."
        w = {key.removeprefix(at): value for key, value in state.items() if key.startswith(at)}
        d, heads = x.shape[1], 2
        q = x @ w["query.weight"].T + w["query.bias"]
        k, v = (x @ w["pair.weight"].T + w["pair.bias"]).split(d, dim=1)
        mixed = torch.zeros_like(x)
        for head in range(heads):
            part = slice(head * d // heads, (head + 1) * d // heads)
            for i in range(len(x)):
                logits = torch.stack([q[i, part] @ k[j, part] for j in range(len(x))])
                logits = logits / (d / heads) ** 0.5
                weights = (logits - logits.max()).exp() * there
                mixed[i, part] = (weights / weights.sum()) @ v[:, part]
        norm = (w["attention_norm.weight"], w["attention_norm.bias"])
        x = layer_norm(x + mixed @ w["out.weight"].T + w["out.bias"], (d,), *norm)
        units = (x @ w["widen.weight"].T + w["widen.bias"]).clamp(min=0)
        norm = (w["norm.weight"], w["norm.bias"])
        x = layer_norm(x + units @ w["narrow.weight"].T + w["narrow.bias"], (d,), *norm)
    return x


def normed(state, name, rows):
    return layer_norm(rows, rows.shape[-1:], state[f"{name}.weight"], state[f"{name}.bias"])


def entity_by_formula(state, given, entity):
    tokens = [state["entities.first"]]
    structure = normed(state, "norm", state["ent_embeddings.weight"][entity])
    tokens.append(structure + state["entities.places"][0])
    for place, (name, found) in enumerate(sorted(given.items()), start=1):
        rows = found.values[entity].double().view(-1, found.dim)
        for row in rows[found.present[entity].view(-1)]:  # what is missing is not even there
            projected = (
                state[f"modal.{name}.layer.weight"] @ row + state[f"modal.{name}.layer.bias"]
            )
            token = normed(state, f"modal.{name}.norm", projected)
            tokens.append(token + state["entities.places"][place])
    tokens = torch.stack(tokens)
    return transformer(state, "entities", 2, tokens, torch.ones(len(tokens)))[0]


def relation_by_formula(state, rows, relation):
    tokens = [state["relations.first"]]
    structure = normed(state, "relation_norm", state["rel_embeddings.weight"][relation])
    tokens.append(structure + state["relations.places"][0])
    layers = {"image": "relation_image", "text": "modal.text.layer"}
    for place, name in enumerate(("image", "text"), start=1):
        for row, there in zip(rows[name].values[relation], rows[name].there[relation], strict=True):
            if there:
                at = layers[name]
                projected = state[f"{at}.weight"] @ row.double() + state[f"{at}.bias"]
                token = normed(state, f"modal.{name}.norm", projected)
                tokens.append(token + state["relations.places"][place])
    tokens = torch.stack(tokens)
    return transformer(state, "relations", 2, tokens, torch.ones(len(tokens)))[0]


@pytest.mark.parametrize("side", ["head", "tail"])
def test_scores_are_those_of_the_formula(side):
    given, rows = pictures(), of_relations()
    model = made(given, rows)
    state = {name: value.detach() for name, value in model.state_dict().items()}
    entities = torch.stack([entity_by_formula(state, given, e) for e in range(ENTITIES)])
    torch.testing.assert_close(encode_all(model)["entity"].detach(), entities)
    for anchor, relation in ((3, 1), (7, 0), (11, 3)):
        known, hole = entities[anchor], state["question.hole"]
        head, tail = (known, hole) if side == "tail" else (hole, known)
        r = relation_by_formula(state, rows, relation)
        triple = torch.stack(
            [
                head + state["question.head"],
                r + state["question.relation"],
                tail + state["question.tail"],
            ]
        )
        z = transformer(state, "question", 1, triple, torch.ones(3))[2 if side == "tail" else 0]
        found = score_all(model, side, torch.tensor([anchor]), torch.tensor([relation]))
        torch.testing.assert_close(found[0].detach(), entities @ z)


def test_what_is_masked_and_the_order_of_pictures_never_matter():
    given = pictures()
    found = encode_all(made(given))["entity"]
    image = given["image"]
    wild = torch.where(image.present[..., None], image.values, 1e5)
    other = encode_all(made({**given, "image": replace(image, values=wild)}))["entity"]
    torch.testing.assert_close(other, found)
    order = torch.tensor([2, 0, 1])
    turned = replace(image, values=image.values[:, order], present=image.present[:, order])
    torch.testing.assert_close(encode_all(made({**given, "image": turned}))["entity"], found)


def test_pictures_of_relations_that_are_not_there_never_matter():
    rows = of_relations()
    lacking = {"image": rows["image"]._replace(there=torch.zeros_like(rows["image"].there))}
    wild = {"image": lacking["image"]._replace(values=lacking["image"].values * 1e4)}
    queries = []
    for given in (lacking, wild, None):
        model = made(relations=given)
        anchor = model.encode(EVERYONE[:RELATIONS])
        queries.append(model.query(anchor, torch.arange(RELATIONS), "tail")["query"])
    torch.testing.assert_close(queries[0], queries[1])
    torch.testing.assert_close(queries[0], queries[2])
    named = made(relations={"text": rows["text"]})
    anchor = named.encode(EVERYONE[:RELATIONS])
    assert not torch.allclose(
        named.query(anchor, torch.arange(RELATIONS), "tail")["query"], queries[0]
    )


@pytest.mark.parametrize("names", [(), ("image",), ("text",), ("image", "text")])
def test_any_subset_of_modalities_trains(names):
    torch.manual_seed(0)
    given = {name: pictures()[name] for name in names}
    settings = {"dim": 8, "hidden": 16, "entity_layers": 1, "decoder_layers": 1, "dropout": 0.0}
    trainer = Trainer(
        OneVsAll(VISTA(ENTITIES, RELATIONS, given, **settings)),
        *(QueryDataLoader(graph(), 16, one_side=True), 20, 0.01),
        **{"opt_method": "adam", "device": "cpu", "progress": False},
    )
    losses = trainer.run().losses
    assert losses[-1] < losses[0] - 0.1


def test_blocks_of_entities_change_neither_loss_nor_gradients():
    def run(block):
        model = made(layer_dropout=0.0).train()
        model.forget.p = 0.0
        for tokens in model.modal.values():
            tokens.dropout.p = 0.0
        model.encode_block = block
        loss = OneVsAll(model)(next(QueryDataLoader(graph(), 16).epoch(0)))
        loss.backward()
        return [loss.detach(), *(p.grad for p in model.parameters() if p.grad is not None)]

    torch.testing.assert_close(run(0), run(5))


def test_dropout_is_the_same_when_a_block_is_computed_again():
    model = made(layer_dropout=0.3).train()
    model.encode_block = 6
    seen = []
    model.forget.register_forward_hook(
        lambda _, given, rows: seen.append((given[0][0, 0].detach(), rows))
    )
    encode_all(model)["entity"].pow(3).sum().backward()
    first = {number.item(): rows for number, rows in seen[:4]}
    again = {number.item(): rows for number, rows in seen[4:]}
    assert first.keys() == again.keys()
    assert len(first) == 4
    for block, rows in first.items():
        assert torch.equal(rows, again[block])
        assert (rows == 0).any()


def test_pictures_of_a_relation_are_of_both_ends_of_its_facts():
    image = features("image", 5, 1)
    head, relation, tail = torch.tensor(graph().triples("train")).unbind(1)
    rows, there = pictures_of_facts(head, relation, tail, image, RELATIONS, 3)
    assert rows.shape == (RELATIONS, 3, 10)
    seen = image.present
    for one in range(RELATIONS):
        facts = [
            torch.cat([image.values[h], image.values[t]])
            for h, r, t in zip(head.tolist(), relation.tolist(), tail.tolist(), strict=True)
            if r == one and seen[h] and seen[t]
        ]
        assert int(there[one].sum()) == min(3, len(facts))
        for row in rows[one][there[one]]:
            assert any(torch.equal(row, fact) for fact in facts)
        assert not rows[one][~there[one]].any()


def test_a_training_makes_features_of_relations_and_weights_bring_them():
    store, given = graph(), both()
    recipe = Recipe.from_dict({"model": {"name": "VISTA", **SETTINGS}, "training": {}})
    model = recipe.build(store, make=model_maker(given)).strategy.model
    expected = relation_features(store, RELATIONS, given, 3)
    assert set(expected) == {"image"}  # no encoder made these texts
    assert torch.equal(model.relation_rows["image"].values, expected["image"].values)
    again = VISTA(ENTITIES, RELATIONS, given, **SETTINGS)
    again.load_state_dict(model.state_dict())
    assert torch.equal(again.relation_rows["image"].present, expected["image"].there)
    twice = relation_features(store, 2 * RELATIONS, given, 3)["image"]
    there = twice.there[RELATIONS:]
    mirrored = torch.cat([twice.values[:RELATIONS, :, 5:], twice.values[:RELATIONS, :, :5]], dim=2)
    assert torch.equal(twice.values[RELATIONS:], mirrored)
    assert torch.equal(there, twice.there[:RELATIONS])


class Lengths:
    """An encoder of texts that notes them."""

    dim = 6

    def __init__(self):
        self.texts = []

    def encode(self, texts):
        self.texts = list(texts)
        return torch.tensor([[float(len(text))] * self.dim for text in texts])


def test_labels_of_relations_are_encoded_as_texts_of_entities_were(tmp_path, monkeypatch):
    store, text = TripleStore.open(data_folder(tmp_path)), features("text", 6, 2)
    seen = Lengths()
    monkeypatch.setattr("lbmkgc_models.runs.relation_features.text_encoder", lambda *_, **__: seen)
    given = {"text": replace(text, manifest=replace(text.manifest, encoder="lengths"))}
    rows, there = relation_features(store, 2 * RELATIONS, given, 3)["text"]
    assert seen.texts == ["knows", "relation 1", "relation 2", "relation 3"]
    assert rows.shape == (2 * RELATIONS, 1, 6)
    assert torch.equal(rows[:RELATIONS], rows[RELATIONS:])
    assert rows[:, 0, 0].tolist() == 2 * [5.0, 10.0, 10.0, 10.0]
    assert there.all()
    seen.dim = 7  # of other texts than those of entities
    assert "text" not in relation_features(store, RELATIONS, given, 3)


def made_by(encoder, dim=6):
    """Return features of texts that say what encoded them."""
    text = features("text", dim, 2)
    return {"text": replace(text, manifest=replace(text.manifest, encoder=encoder))}


def not_there(*_, **__):
    raise OSError("it is not there")


def test_a_packaged_encoder_that_is_not_there_is_an_error(tmp_path, monkeypatch):
    store = TripleStore.open(data_folder(tmp_path))
    monkeypatch.setattr("lbmkgc_models.runs.relation_features.text_encoder", not_there)
    with pytest.raises(OSError, match="it is not there"):
        relation_features(store, RELATIONS, made_by("minilm"), 3)


@pytest.mark.parametrize(
    ("encoder", "reason"),
    [
        ("", "the features of texts do not say what encoded them"),
        ("tfidf", "tfidf would have to be fitted to the texts of entities again"),
        ("tfidf+spelling", "tfidf.spelling would have to be fitted to"),
        ("CMoA of minilm", "unknown text encoder 'CMoA of minilm'"),
    ],
)
def test_relations_without_text_are_said_to_be(tmp_path, capsys, encoder, reason):
    store = TripleStore.open(data_folder(tmp_path))
    assert "text" not in relation_features(store, RELATIONS, made_by(encoder), 3)
    (line,) = capsys.readouterr().out.splitlines()
    assert re.match(f"relations have no text: {reason}", line)


def test_names_of_relations_are_words():
    assert words_of("http://dbpedia.org/ontology/birthPlace") == "birth place"
    assert words_of("<http://yago-knowledge.org/resource/isLocatedIn>") == "is located in"
    assert words_of("dependency_of") == "dependency of"


def test_bad_settings_are_said_before_training():
    with pytest.raises(ValueError, match="dim is 6, which 4 heads cannot share evenly"):
        VISTA(ENTITIES, RELATIONS, both(), dim=6, heads=4)
    with pytest.raises(
        ValueError, match="modal_dropout is 'pictures'; expected one of 'image', 't"
    ):
        VISTA(ENTITIES, RELATIONS, both(), dim=4, modal_dropout={"pictures": 0.1})
    with pytest.raises(ValueError, match=r"modal_dropout.image is 1; expected a number from 0 to"):
        VISTA(ENTITIES, RELATIONS, both(), dim=4, modal_dropout={"image": 1})
    with pytest.raises(ValueError, match=r"relations have the shape \[4, 3, 10\], expected \[4, 2"):
        VISTA(ENTITIES, RELATIONS, both(), of_relations(), dim=4, relation_pictures=2)
