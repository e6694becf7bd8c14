"""Answers are the model's best, in its order, and known ones are marked."""

import json
import shutil

import numpy as np
import pytest
import torch
import tyro

from openke.data.store import SPLITS
from openke.data.vocabulary import Vocabulary, entity_names
from openke.module.model import TransE
from openke.module.scoring.triples import score_triples
from openke.runs.load import load_run
from openke.runs.predict import Predictor, _reason, command
from tests.contracts.graphs import ENTITIES, RELATIONS, build, graph
from tests.openke.evaluation.test_tester import Constant
from tests.openke.module.openke_models import Translation
from tests.openke.runs.trained import data_folder, trained


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    folder = tmp_path_factory.mktemp("runs")
    trained(folder / "run", data_folder(folder))
    return folder


@pytest.fixture
def predictor(place):
    loaded = load_run(place / "run")
    return Predictor(loaded.model, loaded.store)


def by_hand(predictor, triples, model=None):
    ids = torch.tensor(triples).unbind(dim=1)
    with torch.no_grad():
        return score_triples(model or predictor.model, *ids).tolist()


def check(predictor, answers, triples, count):
    """Compare with the scores of all triples, given by the id of their answer."""
    scores = by_hand(predictor, triples)
    best = sorted(range(len(triples)), key=lambda i: -scores[i])[:count]
    assert [a.id for a in answers] == best
    np.testing.assert_allclose(
        [a.score for a in answers], [scores[i] for i in best], rtol=1e-5, atol=1e-6
    )
    for a in answers:
        homes = [s for s in SPLITS if triples[a.id] in predictor.store.triples(s).tolist()]
        assert a.known == (homes[0] if homes else None)


def test_the_three_queries(predictor):
    h, r, t = predictor.store.triples("test")[0].tolist()
    everyone = range(ENTITIES)
    check(predictor, predictor.tails(h, r, 5), [[h, r, x] for x in everyone], 5)
    check(predictor, predictor.heads(r, t, 99), [[x, r, t] for x in everyone], ENTITIES)
    check(predictor, predictor.between(h, t, 2), [[h, x, t] for x in range(RELATIONS)], 2)
    judged = predictor.judge(h, r, t)
    assert judged.score == pytest.approx(by_hand(predictor, [[h, r, t]])[0])
    assert judged.known == "test"
    assert judged.id == t


def test_new_leaves_out_what_is_known(predictor):
    h, r, _ = predictor.store.triples("train")[0].tolist()
    everything = predictor.tails(h, r, ENTITIES)
    new = predictor.tails(h, r, ENTITIES, new=True)
    assert [a for a in everything if a.known is None] == new
    assert len(new) < len(everything)


def test_models_written_for_openke_answer_too():
    model = Translation(ENTITIES, RELATIONS)
    predictor = Predictor(model, graph())
    answers = predictor.tails(1, 2, ENTITIES)
    scores = by_hand(predictor, [[1, 2, x] for x in range(ENTITIES)])
    assert [a.id for a in answers] == sorted(range(ENTITIES), key=lambda i: -scores[i])
    assert answers[0].score < 0


def test_names_labels_and_ids_mean_the_same(predictor):
    expected = predictor.tails(1, 0)
    assert predictor.tails("entity 1", "relation 0") == expected
    assert predictor.tails("Bob", "knows") == expected
    labels = {a.id: a.label for a in predictor.tails(5, 1, ENTITIES)}
    assert (labels[0], labels[1], labels[5]) == ("Ann", "Bob", "entity 5")


def test_what_a_name_may_not_be(predictor):
    with pytest.raises(ValueError, match="2 entity names have the label 'Ann': entity 0, entity 2"):
        predictor.tails("Ann", 0)
    with pytest.raises(
        ValueError, match=r"no entity has the name or label 'entty 1'; did you mean"
    ):
        predictor.tails("entty 1", 0)
    with pytest.raises(ValueError, match=r"no relation has the name or label '%'; expected one of"):
        predictor.tails(0, "%")
    for wrong in (-1, RELATIONS):
        with pytest.raises(ValueError, match=f"relation id is {wrong}, expected 0 to 3"):
            predictor.tails(0, wrong)


def test_a_data_set_without_names_takes_ids_as_text():
    names = Vocabulary("entity", 3, None, None)
    assert names.id("2") == 2
    assert names.title(2) == names.name(2) == "2"
    with pytest.raises(ValueError, match="entity id is 3, expected 0 to 2"):
        names.id("3")
    assert entity_names(graph()).id("entity 4") == 4


def test_bad_queries(predictor):
    with pytest.raises(ValueError, match="k is 0, expected at least 1 answer"):
        predictor.tails(0, 0, 0)
    with pytest.raises(ValueError, match="a query gives two of head, relation and tail"):
        predictor.answer("Bob", None, None, 3, False)
    with pytest.raises(ValueError, match="the model has 23 entities and 4 relations, the data 5"):
        Predictor(build("TransE"), graph(entities=5))
    broken = Predictor(Constant(ENTITIES, RELATIONS, float("nan")), graph())
    with pytest.raises(ValueError, match="23 of 23 scores are NaN"):
        broken.tails(0, 0)


def call(*arguments):
    flags = (tyro.conf.FlagCreatePairsOff,)
    return tyro.cli(command, args=[str(argument) for argument in arguments], config=flags)


def test_as_a_command(place, predictor, capsys, tmp_path):
    call(place / "run", "--head", "Bob", "--relation", "knows", "--k", "3", "--device", "cpu")
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "Bob\tknows\t?"
    assert lines[1].split() == ["score", "answer", "name", "known", "in"]
    expected = predictor.tails("Bob", "knows", 3)
    assert len(lines) == 3 + 3
    for line, answer in zip(lines[3:], expected, strict=True):
        assert f"{answer.score:.4f}" in line
        assert answer.label in line
        assert line.rstrip().endswith(answer.known or answer.name)


def test_a_file_of_queries_as_json(place, predictor, tmp_path):
    h, r, t = predictor.store.triples("train")[0].tolist()
    queries = tmp_path / "queries.tsv"
    rows = [("?", "knows", "Bob"), ("Bob", "?", "entity 3"), ("entity 4", "relation 1", "?"),
            (f"entity {h}", f"relation {r}", f"entity {t}")]  # fmt: skip
    queries.write_text("".join("\t".join(row) + "\n" for row in rows))
    out = tmp_path / "answers.json"
    call(place / "run", "--file", queries, "--json", "--new", "--k", "2", "--output", out)
    content = json.loads(out.read_text())
    assert [(q["head"], q["relation"], q["tail"]) for q in content] == [
        tuple(None if part == "?" else part for part in row) for row in rows
    ]
    assert [len(q["answers"]) for q in content] == [2, 2, 2, 1]
    assert content[0]["answers"][0]["id"] == predictor.heads("knows", "Bob", new=True)[0].id
    assert content[3]["answers"][0]["known"] == "train"
    queries.write_text("Bob\tkows\t?\n")
    with pytest.raises(ValueError, match=r"queries\.tsv: no relation has the name or label 'kows'"):
        call(place / "run", "--file", queries)


def asked(run, *options):
    """Return the ids of all answers to (entity 4, relation 1, ?) as a command gives them."""
    query = ["--head", "entity 4", "--relation", "relation 1", "--k", ENTITIES]
    call(run, *query, "--json", "--output", run / "answers.json", *options)
    (found,) = json.loads((run / "answers.json").read_text())
    return {answer["id"] for answer in found["answers"]}


def test_types_are_those_of_the_data_or_those_that_are_given(predictor, tmp_path):
    directory = data_folder(tmp_path)
    trained(tmp_path / "run", directory)
    triples = np.concatenate([predictor.store.triples(split) for split in SPLITS])
    derived = set(triples[triples[:, 1] == 1][:, 2].tolist())
    assert len(derived) < ENTITIES
    without = set(range(ENTITIES)) - set(triples[:, [0, 2]].ravel().tolist())
    assert asked(tmp_path / "run") == set(range(ENTITIES))
    assert asked(tmp_path / "run", "--type-constrain") == derived | without
    lines = [f"{relation} 2 {relation} 7" for relation in range(RELATIONS) for _ in "ht"]
    (directory / "type_constrain.txt").write_text("\n".join([str(RELATIONS), *lines]) + "\n")
    assert asked(tmp_path / "run", "--type-constrain") == {1, 7} | without
    load_run(tmp_path / "run").save(tmp_path / "saved")
    shutil.rmtree(directory)
    assert asked(tmp_path / "saved", "--type-constrain") == {1, 7} | without


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ([], "give two of --head, --relation and --tail, or --file"),
        (["--head", "Bob"], "give two of --head"),
        (["--head", "Bob", "--file", "x"], "--file holds the queries: leave out --head"),
    ],
)
def test_bad_options(place, options, message):
    with pytest.raises(ValueError, match=message):
        call(place / "run", *options)


def test_the_model_may_be_any(predictor):
    model = TransE(ENTITIES, RELATIONS, dim=4)
    assert len(Predictor(model, predictor.store).tails("Bob", "knows")) == 10


def test_a_reason_says_how_much_is_structure():
    reason = {"parts": {}, "weights": {}, "gate": 0.25, "facts": []}
    assert "of an entity this relation sees 25% as structure" in _reason(reason)
    assert not _reason({**reason, "gate": None})
