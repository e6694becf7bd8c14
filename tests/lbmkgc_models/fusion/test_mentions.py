"""Names of entities in the texts of others, and what they add to scores."""

import math

import pytest
import torch

from lbmkgc_models.feature_store.labels import EntityLabel
from lbmkgc_models.feature_store.mentions import find_mentions
from lbmkgc_models.fusion.mention_score import MentionScore
from lbmkgc_models.model.lbmkgc import LBMKGC
from lbmkgc_models.runs.make_model import make_multimodal
from openke.data.store import TripleStore
from openke.module.scoring.all_entities import score_all
from openke.module.scoring.compare import ALL_PAIRS, Pairwise
from tests.contracts.graphs import ENTITIES, RELATIONS, both, graph, mentions

LABELS = [
    EntityLabel("Q1", "Busta Rhymes", "rapper from New York"),
    EntityLabel("Q2", "It's a Party (Busta Rhymes song)", ""),
    EntityLabel("Q3", "New York (state)", ""),
    EntityLabel("Q4", "York", "city"),
    EntityLabel("Q5", "NEW YORK", "song by Busta"),
    EntityLabel("Q6", "It", "novel; a party in New Yorkshire"),
    EntityLabel("Q7", "", ""),
]
HERE = {0: [2, 3, 4], 1: [0], 2: [3, 4], 4: [2, 3]}
"""Whose text names whom: "York" stands in "New York", "It" is too short, "Yorkshire" another word;
"New York" stands in three texts, those of the two entities it names among them."""


def of(found, known, other):
    """Return the values of a pair, None where there is none."""
    place = (found.pairs == known * found.entities + other).nonzero().flatten().tolist()
    return found.values[place[0]].tolist() if place else None


def test_what_is_hidden_names_nobody():
    texts = ["by the [MASK]", "[MASK]", "mask", "the mask"]
    labels = [EntityLabel("Q1", "The Mask", ""), EntityLabel("Q2", "Mask", "")]
    labels += [EntityLabel(f"Q{3 + n}", "", text) for n, text in enumerate(texts)]
    found = find_mentions(labels)
    naming = {
        known for known in range(6) for named in (0, 1) if (of(found, known, named) or [0])[0]
    }
    assert naming == {0, 4, 5}  # "The Mask" has the name of "Mask" in it


def test_names_are_found_as_whole_words_in_any_case():
    found = find_mentions(LABELS)
    expected = {(known, other) for known, others in HERE.items() for other in others}
    either = {*expected, *((other, known) for known, other in expected)}
    at = found.pairs
    assert {(p // 7, p % 7) for p in at.tolist()} == either
    assert torch.equal(at, at.sort().values)
    for known, other in either:
        values = of(found, known, other)
        assert values[0] == ((known, other) in expected)
        assert values[2:] == of(found, other, known)[:2]


def test_rare_names_count_more():
    found = find_mentions(LABELS)
    # "Busta Rhymes" stands in two texts, its own among them; "New York" and "York" in three.
    assert of(found, 1, 0)[1] == pytest.approx(math.log(7 / 2) / math.log(7))
    assert of(found, 0, 2)[1] == pytest.approx(math.log(7 / 3) / math.log(7))
    assert of(found, 0, 3)[1] == pytest.approx(math.log(7 / 4) / math.log(7))


@pytest.mark.parametrize("labels", [[], [EntityLabel("a", "alone", "alone")]])
def test_where_nobody_is_named_nothing_is_added(labels):
    found = find_mentions(labels)
    assert (found.pairs.shape, found.values.shape) == ((0,), (0, 4))
    score = MentionScore(found, 2)
    if labels:
        each = torch.zeros(1, dtype=torch.long)
        for compare in (ALL_PAIRS, Pairwise(each, each)):
            given = torch.ones(1, 1) if compare is ALL_PAIRS else torch.ones(1)
            assert torch.equal(score(given, each, each, each, compare), given)
        two = torch.tensor([0, 0])
        assert torch.equal(score(torch.ones(1, 2), each, each, two, ALL_PAIRS), torch.ones(1, 2))


def model(**settings):
    made = LBMKGC(
        *(ENTITIES, RELATIONS, both()),
        **{"mentions": mentions(), "score_mentions": True, "dim": 4, **settings},
    )
    with torch.no_grad():
        made.mentioned.weight.normal_()
    return made.eval()


@pytest.mark.parametrize("side", ["head", "tail"])
@pytest.mark.parametrize("settings", [{}, {"interaction": "ComplEx", "gate": "sum"}])
def test_what_is_added_is_the_weighted_sum_of_what_is_there(side, settings):
    with_mentions = model(**settings)
    mentioned, with_mentions.mentioned = with_mentions.mentioned, None
    anchor, relation = torch.arange(ENTITIES), torch.arange(ENTITIES) % RELATIONS
    without = score_all(with_mentions, side, anchor, relation)
    with_mentions.mentioned = mentioned
    added = score_all(with_mentions, side, anchor, relation) - without
    expected = torch.zeros_like(added)
    weight = mentioned.weight if side == "tail" else mentioned.weight[:, [2, 3, 0, 1]]
    found = mentions()
    for pair, values in zip(found.pairs.tolist(), found.values, strict=True):
        known, other = divmod(pair, ENTITIES)
        expected[known, other] = weight[relation[known]] @ values
    torch.testing.assert_close(added, expected, atol=1e-5, rtol=1e-5)
    assert 0 < (added != 0).float().mean() < 0.5


def test_any_candidates_in_any_order_get_the_same():
    score = model().mentioned
    known, asked = torch.arange(ENTITIES), torch.arange(ENTITIES) % (2 * RELATIONS)
    everyone = torch.arange(ENTITIES)
    whole = score(torch.zeros(ENTITIES, ENTITIES), known, asked, everyone, ALL_PAIRS)
    for other in (everyone.flip(0), everyone[3:9], everyone[[4, 4, 1]]):
        some = score(torch.zeros(ENTITIES, len(other)), known, asked, other, ALL_PAIRS)
        torch.testing.assert_close(some, whole[:, other])


def test_weights_learn_from_every_route():
    score = model().mentioned
    known, asked = torch.arange(ENTITIES), torch.zeros(ENTITIES, dtype=torch.long)
    everyone = torch.arange(ENTITIES)
    grid = torch.cartesian_prod(everyone, everyone).unbind(dim=1)
    gradients = []
    for other, compare, shape in (
        (everyone, ALL_PAIRS, (ENTITIES, ENTITIES)),
        (everyone.flip(0), ALL_PAIRS, (ENTITIES, ENTITIES)),
        (everyone, Pairwise(*grid), (ENTITIES**2,)),
    ):
        score.zero_grad()
        score(torch.zeros(shape), known, asked, other, compare).sum().backward()
        gradients.append(score.weight.grad.clone())
        assert score.weight.grad[0].abs().min() > 0
        assert not score.weight.grad[1:].any()
    for gradient in gradients[1:]:
        torch.testing.assert_close(gradient, gradients[0])


def test_setting_and_argument_belong_together():
    for settings, message in (
        ({"score_mentions": True}, "score_mentions is True and mentions is missing"),
        ({"mentions": mentions()}, "score_mentions is False and mentions is given"),
        (
            {"score_mentions": True, "mentions": find_mentions(LABELS)},
            f"mentions are of 7 entities, expected {ENTITIES}",
        ),
    ):
        with pytest.raises(ValueError, match=message):
            LBMKGC(ENTITIES, RELATIONS, both(), dim=4, **settings)


def test_mentions_are_frozen_and_part_of_the_identity():
    made = model()
    digest = made.identity()["mentions"]
    assert digest == made.mentioned.digest()
    assert digest != MentionScore(find_mentions(LABELS), 2).digest()
    assert "mentions" not in LBMKGC(ENTITIES, RELATIONS, both(), dim=4).identity()
    names = {name for name in made.state_dict() if name.startswith("mentioned")}
    assert names == {"mentioned.weight"}
    assert not model(interaction="ComplEx", gate="sum").linear_in_relation


def test_a_model_is_made_with_the_labels_beside_the_triples(tmp_path):
    with pytest.raises(ValueError, match="score_mentions needs the texts in a data set's folder"):
        make_multimodal("LBMKGC", graph(), RELATIONS, both(), {"score_mentions": True})
    files = {
        "entity2id.txt": "3\nQ1\t0\nQ2\t1\nQ3\t2\n",
        "relation2id.txt": "1\nr\t0\n",
        "train2id.txt": "1\n0 1 0\n",
        "labels.tsv": "0\tQ1\tAccra\t\n1\tQ2\tGhana\tcapital: Accra\n2\tQ3\t\t\n",
    }
    for name, content in files.items():
        (tmp_path / name).write_text(content, encoding="utf-8")
    store = TripleStore.open(tmp_path)
    made = make_multimodal("LBMKGC", store, 2, {}, {"score_mentions": True, "dim": 4})
    assert made.mentioned.pairs.tolist() == [1, 3]
    assert made.mentioned.values[1, 0] == 1  # Ghana's text names Accra
    assert made.mentioned.values[0, 0] == 0
