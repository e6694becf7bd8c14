"""Transformers over sets, against PyTorch's own, and what tokens mean."""

from dataclasses import replace

import pytest
import torch
from torch import nn

from lbmkgc_models.feature_store.store import ModalFeatures
from lbmkgc_models.fusion.modal_tokens import ModalTokens, TokenEncoder, mean_of, only
from lbmkgc_models.fusion.question_encoder import QuestionEncoder
from lbmkgc_models.fusion.set_encoder import SetEncoder, SetLayer

DIM, HEADS, HIDDEN = 12, 3, 7


def theirs(layer: SetLayer) -> nn.TransformerEncoderLayer:
    """Return PyTorch's layer with the same weights."""
    found = nn.TransformerEncoderLayer(
        DIM, HEADS, HIDDEN, dropout=0.0, batch_first=True, dtype=torch.float64
    )
    weights = {
        "self_attn.in_proj_weight": torch.cat([layer.query.weight, layer.pair.weight]),
        "self_attn.in_proj_bias": torch.cat([layer.query.bias, layer.pair.bias]),
        **{f"self_attn.out_proj.{k}": v for k, v in layer.out.named_parameters()},
        **{f"linear1.{k}": v for k, v in layer.widen.named_parameters()},
        **{f"linear2.{k}": v for k, v in layer.narrow.named_parameters()},
        **{f"norm1.{k}": v for k, v in layer.attention_norm.named_parameters()},
        **{f"norm2.{k}": v for k, v in layer.norm.named_parameters()},
    }
    found.load_state_dict(weights)
    return found.train()  # in eval mode without gradients PyTorch takes another way


def encoder(layers):
    torch.manual_seed(0)
    made = SetEncoder(DIM, layers=layers, heads=HEADS, hidden=HIDDEN).double()
    for parameter in made.parameters():  # biases and norms, too, start elsewhere than at 0 and 1
        nn.init.normal_(parameter, std=0.5)
    return made


def sets(n=5, p=6):
    tokens = torch.randn(n, p, DIM, generator=torch.Generator().manual_seed(1)).double()
    there = torch.rand(n, p, generator=torch.Generator().manual_seed(2)) < 0.6
    there[:, 0] = True
    return tokens, there


@pytest.mark.parametrize("layers", [1, 3])
@pytest.mark.parametrize("masked", [True, False])
def test_it_is_the_transformer_of_pytorch(layers, masked):
    ours, (tokens, there) = encoder(layers), sets()
    expected = tokens
    for layer in ours.layers:
        mask = ~there if masked else None
        expected = theirs(layer)(expected, src_key_padding_mask=mask)
    found = ours(tokens, there if masked else None, outputs=tokens.shape[1])
    torch.testing.assert_close(found, expected)


@pytest.mark.parametrize("layers", [1, 2])
@pytest.mark.parametrize("outputs", [1, 2])
def test_the_first_tokens_alone_are_those_of_all(layers, outputs):
    ours, (tokens, there) = encoder(layers), sets()
    everything = ours(tokens, there, outputs=tokens.shape[1])
    torch.testing.assert_close(ours(tokens, there, outputs), everything[:, :outputs])


def test_gradients_are_those_of_all_tokens_too():
    ours, (tokens, there) = encoder(2), sets()
    grads = []
    for outputs in (1, tokens.shape[1]):
        ours.zero_grad()
        ours(tokens, there, outputs)[:, 0].square().sum().backward()
        grads.append([parameter.grad.clone() for parameter in ours.parameters()])
    torch.testing.assert_close(*grads)


def test_a_masked_token_never_matters_nor_does_order_nor_padding():
    ours, (tokens, there) = encoder(2), sets()
    found = ours(tokens, there)
    other = torch.where(there[..., None], tokens, 1e6)
    torch.testing.assert_close(ours(other, there), found)
    order = torch.tensor([0, 4, 2, 5, 1, 3])
    torch.testing.assert_close(ours(tokens[:, order], there[:, order]), found)
    more = torch.cat([tokens, torch.randn(5, 3, DIM).double()], dim=1)
    nothing = torch.zeros(5, 3, dtype=torch.bool)
    torch.testing.assert_close(ours(more, torch.cat([there, nothing], dim=1)), found)


def test_heads_share_the_reals_evenly():
    with pytest.raises(ValueError, match="dim is 12, which 5 heads cannot share evenly"):
        SetEncoder(12, layers=1, heads=5, hidden=3)


NAMES = [f"entity {i}" for i in range(8)]


def coded():
    """Return features of codes, of which entities have up to three, and the same as rows."""
    generator = torch.Generator().manual_seed(0)
    book = torch.randn(5, 4, generator=generator)
    names = [NAMES[i] for i in (0, 0, 2, 3, 3, 3, 5, 7, 7)]
    codes = torch.tensor([4, 1, 1, 0, 2, 4, 2, 0, 1])
    rows = ModalFeatures.from_rows("image", names, book[codes], NAMES, several=True)
    return ModalFeatures.from_codes("image", names, codes, book, NAMES), rows


@pytest.mark.parametrize("entities", [[3], [7, 0, 1, 2, 3, 5]])
def test_codes_are_projected_as_their_rows_are(entities):
    made = []
    for features in coded():
        torch.manual_seed(0)
        tokens = ModalTokens(features, 6, dropout=0.0)(torch.tensor(entities))
        assert tokens.values.shape == (len(entities), 3, 6)
        made.append(torch.where(tokens.there[..., None], tokens.values, 0.0))
    torch.testing.assert_close(*made)
    assert made[0][:, 2].any()


def test_a_place_tells_kinds_apart_and_outputs_know_their_kind():
    torch.manual_seed(0)
    ours = TokenEncoder(("structure", "image"), 6, layers=1, heads=2, hidden=5, dropout=0.0)
    image = ModalTokens(coded()[1], 6, dropout=0.0)(torch.arange(8))
    tokens = {"structure": only(torch.randn(8, 6)), "image": image}
    outputs = ours.outputs(tokens)
    assert [kind.values.shape[1] for kind in outputs.values()] == [1, 1, 3]
    torch.testing.assert_close(outputs["first"].values[:, 0], ours(tokens))
    assert torch.equal(outputs["image"].there, image.there)
    both = mean_of(outputs["structure"], outputs["image"])
    row = outputs["image"].values[3].sum(dim=0) + outputs["structure"].values[3, 0]
    torch.testing.assert_close(both[3], row / 4)
    assert not mean_of(outputs["image"])[1].any()  # it has no picture
    before = ours(tokens)
    with torch.no_grad():
        ours.places[1] += 1.0
    changed = (ours(tokens) != before).any(dim=1)
    assert torch.equal(changed, image.there.any(dim=1))


@pytest.mark.parametrize("side", ["head", "tail"])
def test_a_query_is_a_triple_with_a_hole(side):
    torch.manual_seed(0)
    ours = QuestionEncoder(6, layers=2, heads=2, hidden=5, dropout=0.0).double()
    anchor, relation = torch.randn(2, 4, 6).double().unbind(0)
    hole = ours.hole.expand(4, 6)
    head, tail = (anchor, hole) if side == "tail" else (hole, anchor)
    triple = torch.stack([head + ours.head, relation + ours.relation, tail + ours.tail], dim=1)
    everything = ours.encoder(triple, None, 3)  # in the paper's order
    at = 2 if side == "tail" else 0
    z, r = ours(anchor, relation, side, with_relation=True)
    torch.testing.assert_close(z, everything[:, at])
    torch.testing.assert_close(r, everything[:, 1])
    (alone,) = ours(anchor, relation, side)
    torch.testing.assert_close(alone, z)


def test_features_with_codes_save_and_load(tmp_path):
    features, _ = coded()
    folder = features.save(tmp_path / "image")
    loaded = ModalFeatures.load(folder, NAMES)
    assert torch.equal(loaded.values, features.values)
    assert torch.equal(loaded.codes.index, features.codes.index)
    assert torch.equal(loaded.codes.book, features.codes.book)
    assert (loaded.manifest.codes, loaded.manifest.rows, loaded.parts) == (4, 9, 3)
    fewer = ModalFeatures.load(folder, NAMES[:4])
    assert torch.equal(fewer.values, features.values[:4])
    assert replace(features, codes=None).values is features.values


def test_codes_that_the_codebook_lacks_are_refused():
    with pytest.raises(ValueError, match="codes from 0 to 5, but the codebook has 5 rows"):
        ModalFeatures.from_codes("text", NAMES[:2], torch.tensor([0, 5]), torch.ones(5, 2), NAMES)
