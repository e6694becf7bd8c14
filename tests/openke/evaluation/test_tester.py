"""Ranks and metrics against an independent evaluation in plain NumPy."""

import json
import math
import re

import numpy as np
import pytest
import torch

from openke.config import RankingReport, Tester, Trainer
from openke.data import TestDataLoader, TrainDataLoader, TripleStore
from openke.data.relation_types import categories
from openke.evaluation.report import adjusted_metrics, ranks
from openke.module.loss import MarginLoss
from openke.module.model import TransE
from openke.module.model.model import Model
from openke.module.scoring.triples import score_triples
from openke.module.strategy import NegativeSampling
from tests.contracts.combinations import EXHAUSTIVE
from tests.contracts.graphs import CASES, ENTITIES, RELATIONS, build, graph

POLICY_SHARE = {"optimistic": 0.0, "realistic": 0.5, "pessimistic": 1.0}


def independent_metrics(scores, triples, known, slot, allowed=None):
    """Rank every triple by hand: scores(known entity, relation) -> one score per candidate."""
    rank = {policy: [] for policy in POLICY_SHARE}
    for head, relation, tail in triples.tolist():
        anchor, answer = (head, tail) if slot == "tail" else (tail, head)
        row = scores(anchor, relation)
        keep = np.ones(len(row), bool)
        if allowed is not None:
            keep[:] = False
            keep[allowed[relation]] = True
        keep[list(known.get((anchor, relation), ()))] = False
        keep[answer] = False
        greater, equal = (row[keep] > row[answer]).sum(), (row[keep] == row[answer]).sum()
        for policy, share in POLICY_SHARE.items():
            rank[policy].append(1 + greater + share * equal)
    return {policy: np.array(values) for policy, values in rank.items()}


def summary(values):
    return {
        "mrr": (1 / values).mean(),
        "mr": values.mean(),
        **{f"hits@{k}": (values <= k).mean() for k in (1, 3, 10)},
    }


def known_answers(triples, slot):
    known = {}
    for head, relation, tail in triples.tolist():
        anchor, answer = (head, tail) if slot == "tail" else (tail, head)
        known.setdefault((anchor, relation), set()).add(answer)
    return known


def everything(store):
    return np.concatenate([store.triples(split) for split in ("train", "valid", "test")])


def seen_with(store, slot):
    column = 2 if slot == "tail" else 0
    rows = everything(store)
    return {r: np.unique(rows[rows[:, 1] == r, column]) for r in range(store.relation_count)}


def with_fewer_tests(store, every):
    """Return a store whose test split has one triple of so many."""
    train, valid, test = (store.triples(split) for split in ("train", "valid", "test"))
    names = {"entities": store.entity_names, "relations": store.relation_names}
    return TripleStore.from_triples(train, valid, test[::every], **names)


def test_trained_transe_on_db15k_equals_a_plain_numpy_evaluation(datasets):
    """Tables on a grid of 2^-10 make every sum exact, so both sides must agree to the last bit.

    NumPy takes half a minute for the whole test split, which an exhaustive run has.
    """
    store = with_fewer_tests(TripleStore.open(datasets / "DB15K"), 1 if EXHAUSTIVE else 6)
    torch.manual_seed(0)
    model = TransE(store.entity_count, store.relation_count, dim=8, norm_flag=False)
    strategy = NegativeSampling(model, MarginLoss(margin=2.0))
    loader = TrainDataLoader(store, batch_size=1024, neg_ent=8)
    Trainer(strategy, loader, 1, 0.01, opt_method="adam", device="cpu", progress=False).run()
    grid = 2.0**10
    with torch.no_grad():
        for table in (model.ent_embeddings.weight, model.rel_embeddings.weight):
            table.copy_((table * grid).round() / grid)
    e, r = (t.weight.detach().numpy() for t in (model.ent_embeddings, model.rel_embeddings))

    tester = Tester(model, TestDataLoader(store), device="cpu", progress=False)
    reports = {
        "filtered": tester.rank("test"),
        "raw": tester.rank("test", filter_splits=()),
        "constrained": tester.rank("test", type_constrain=True),
    }
    triples = store.triples("test")
    expected = {name: {} for name in reports}
    for slot, sign in (("tail", 1), ("head", -1)):
        cache = {}

        def scores(anchor, relation, cache=cache, sign=sign):
            if (anchor, relation) not in cache:
                cache.clear() if len(cache) > 64 else None
                query = e[anchor] + sign * r[relation]
                cache[anchor, relation] = -np.abs(query - e).sum(axis=1)
            return cache[anchor, relation]

        known = known_answers(everything(store), slot)
        allowed = seen_with(store, slot)
        expected["filtered"][slot] = independent_metrics(scores, triples, known, slot)
        expected["raw"][slot] = independent_metrics(scores, triples, {}, slot)
        expected["constrained"][slot] = independent_metrics(scores, triples, known, slot, allowed)

    for name, report in reports.items():
        sides = expected[name]
        for policy in POLICY_SHARE:
            values = {side: sides[side][policy] for side in ("head", "tail")}
            values["both"] = np.concatenate([values["head"], values["tail"]])
            for side, ranked in values.items():
                found = report.metrics(side, policy)
                for metric, value in summary(ranked).items():
                    assert abs(found[metric] - value) < 1e-9, (name, policy, side, metric)
    found = reports["filtered"].metrics()
    assert found["mrr"] > 5 * 12842**-1 * math.log(12842)  # training has done something


class Constant(Model):
    """Scores everything alike, or as told."""

    Config = TransE.Config
    citation = "none"

    def __init__(self, ent_tot, rel_tot, value=0.0):
        super().__init__(ent_tot, rel_tot)
        self.value = torch.nn.Parameter(torch.tensor(value))

    def encode(self, entities):
        return {"entity": torch.zeros(len(entities), 1)}

    def query(self, anchor, relation, side):
        return {"query": torch.zeros(len(relation), 1)}

    def match(self, query, candidates, compare):
        return compare("l1", query["query"], candidates["entity"]) + self.value

    def entity_embeddings(self, entities):
        return torch.zeros(len(entities), 1)

    relation_embeddings = entity_embeddings


def test_a_constant_score_ranks_as_guessing_does():
    store = graph()
    tester = Tester(Constant(ENTITIES, RELATIONS), TestDataLoader(store), progress=False)
    report = tester.rank("test", filter_splits=())
    assert report.metrics()["mr"] == (ENTITIES + 1) / 2
    assert report.metrics(policy="optimistic")["mrr"] == 1.0
    assert report.metrics(policy="pessimistic")["mr"] == ENTITIES


def test_a_score_that_is_nan_is_an_error_not_a_rank():
    tester = Tester(
        Constant(ENTITIES, RELATIONS, math.nan), TestDataLoader(graph()), progress=False
    )
    with pytest.raises(ValueError, match="NaN"):
        tester.rank("test")


@pytest.mark.parametrize("case", CASES)
def test_every_model_is_ranked_as_by_hand(case):
    store, model = graph(triples=120), build(case)
    report = Tester(model, TestDataLoader(store), progress=False).rank("test")
    from openke.module.scoring.all_entities import score_all

    for slot in ("head", "tail"):

        def scores(anchor, relation, slot=slot):
            asked = torch.tensor([anchor]), torch.tensor([relation])
            return score_all(model, slot, *asked)[0].detach().numpy()

        known = known_answers(everything(store), slot)
        expected = independent_metrics(scores, store.triples("test"), known, slot)
        chosen = report.side == slot
        found = ranks(report.greater[chosen], report.equal[chosen])
        # Scores of a block and of a single query may differ in the last bit.
        assert np.abs(found - expected["realistic"]).max() <= 1


def test_link_prediction_returns_openkes_tuple_and_prints_a_table(capsys):
    tester = Tester(model=build("TransE"), data_loader=TestDataLoader(graph()), use_gpu=False)
    found = tester.run_link_prediction(type_constrain=False)
    report = tester.report.metrics()
    assert found == tuple(report[name] for name in ("mrr", "mr", "hits@10", "hits@3", "hits@1"))
    assert tester.run_link_prediction() == found  # asking twice changes nothing
    printed = capsys.readouterr().out
    assert "TransE on memory test (filtered, realistic ranks)" in printed
    assert f"{100 * report['mrr']:.2f}" in printed
    constrained = tester.run_link_prediction(type_constrain=True)
    assert constrained[0] >= found[0]


def test_link_prediction_has_names_and_unpacks_to_five_numbers():
    found = Tester(build("TransE"), TestDataLoader(graph()), progress=False).run_link_prediction()
    mrr, mr, hits10, hits3, hits1 = found
    assert (found.mrr, found.mr) == (mrr, mr)
    assert (found.hits10, found.hits3, found.hits1) == (hits10, hits3, hits1)
    assert hits10 >= hits3 >= hits1
    assert str(found) == (
        f"LinkPrediction(mrr={mrr}, mr={mr}, hits10={hits10}, hits3={hits3}, hits1={hits1})"
    )


def test_off_a_terminal_ranking_says_one_line_at_its_end(capfd):
    tester = Tester(build("TransE"), TestDataLoader(graph()), device="cpu")
    tester.rank("test")
    said = capfd.readouterr().err
    assert re.fullmatch(r"ranking test: \d+ queries in \d+\.\d s\n", said)
    tester.progress = False
    tester.rank("test")
    assert capfd.readouterr().err == ""


def named_graph(folder, names=("in", "of", "at")):
    """Return a data set on disk whose relation 1 is the most frequent one and has a label."""
    rows = {
        "train": [(0, 0, 1), (1, 1, 2), (2, 2, 3), (3, 1, 0), (0, 1, 2)],
        "valid": [(0, 2, 1)],
        "test": [(1, 0, 3), (2, 1, 0), (3, 1, 1), (2, 2, 1)],
    }
    for split, triples in rows.items():
        lines = [str(len(triples)), *(f"{h} {t} {r}" for h, r, t in triples)]
        (folder / f"{split}2id.txt").write_text("\n".join(lines) + "\n")
    entities = [f"e{i}\t{i}" for i in range(4)]
    (folder / "entity2id.txt").write_text("\n".join(["4", *entities]) + "\n")
    relations = [f"{name}\t{i}" for i, name in enumerate(names)]
    (folder / "relation2id.txt").write_text("\n".join(["3", *relations]) + "\n")
    (folder / "relation_labels.tsv").write_text("1\tof\tpart of\t\n")
    return TripleStore.open(folder)


def test_relations_of_the_report_have_names_and_labels_the_most_frequent_first(tmp_path):
    store = named_graph(tmp_path)
    model = TransE(store.entity_count, store.relation_count, dim=4)
    report = Tester(model, TestDataLoader(store, type_constrain=False), progress=False).rank("test")
    found = report.to_dict()["by_relation"]
    assert list(found) == ["of", "in", "at"]
    assert [entry["count"] for entry in found.values()] == [4, 2, 2]
    assert next(iter(found["of"])) == "label"
    assert [entry.get("label") for entry in found.values()] == ["part of", None, None]
    assert found["of"]["mrr"] == report.by_relation()[1]["mrr"]
    json.dumps(found, allow_nan=False)


def test_relations_without_names_go_by_their_ids():
    store = TripleStore.from_triples(
        [[0, 0, 1], [1, 1, 2]], [], [[0, 1, 1]], entities=3, relations=2
    )
    report = Tester(TransE(3, 2, dim=4), TestDataLoader(store), progress=False).rank("test")
    assert list(report.to_dict()["by_relation"]) == ["1"]


def test_a_model_that_was_moved_to_be_ranked_can_be_trained(monkeypatch):
    """Parameters that are moved in inference mode cannot."""
    model = TransE(ENTITIES, RELATIONS, dim=4)
    monkeypatch.setattr(model, "to", lambda device: model.double())
    Tester(model, TestDataLoader(graph()), progress=False).rank("test")
    assert model.ent_embeddings.weight.dtype == torch.float64
    assert not any(part.is_inference() for part in model.parameters())


def test_the_report_is_json_and_has_every_policy_and_side(tmp_path):
    report = Tester(build("RotatE"), TestDataLoader(graph()), progress=False).rank(
        "test", seed=3, settings={"dim": 5}
    )
    report.write_json(tmp_path / "report.json")
    read = json.loads((tmp_path / "report.json").read_text())
    assert (read["model"], read["split"], read["seed"]) == ("RotatE", "test", 3)
    n = len(graph().triples("test"))
    assert [read["metrics"][side]["count"] for side in ("both", "head", "tail")] == [2 * n, n, n]
    for side in ("both", "head", "tail"):
        found = read["metrics"][side]
        assert found["optimistic"]["mrr"] >= found["realistic"]["mrr"]
        assert found["realistic"]["mrr"] >= found["pessimistic"]["mrr"]
        assert set(found["realistic"]) == {
            *("mrr", "mr", "hits@1", "hits@3", "hits@10", "amr", "amri")
        }
    assert sum(found["count"] for found in read["by_relation"].values()) == 2 * n
    assert sum(found["count"] for found in read["by_category"]["both"].values()) == 2 * n
    assert "MRR" in report.to_markdown()
    assert report.to_markdown().count("|") > 20


def test_adjusted_metrics_by_hand():
    values, candidates = np.array([1.0, 2.0, 4.5]), np.array([5, 3, 8])
    # Guessing: ranks 3, 2 and 4.5, in the mean 19 / 6; here they are 7.5 / 3 in the mean.
    found = adjusted_metrics(values, candidates)
    assert found["amr"] == pytest.approx(2.5 / (19 / 6))
    assert found["amri"] == pytest.approx(1 - 1.5 / (13 / 6))
    guessed = adjusted_metrics((candidates + 1) / 2, candidates)
    assert (guessed["amr"], guessed["amri"]) == (1.0, 0.0)
    assert adjusted_metrics(np.ones(3), candidates)["amri"] == 1.0
    assert adjusted_metrics(candidates.astype(float), candidates)["amri"] == -1.0
    assert adjusted_metrics(np.ones(2), np.ones(2, np.int64)) == {"amr": 1.0, "amri": 0.0}


def test_adjusted_metrics_are_pykeen_s():
    # By AdjustedArithmeticMeanRank and AdjustedArithmeticMeanRankIndex of PyKEEN 1.11.1.
    values = np.array([1, 31, 33.5, 25.5, 11.5, 13.5, 13.5, 7, 3, 10.5, 17, 42])
    candidates = np.array([56, 37, 41, 53, 35, 46, 50, 14, 4, 18, 17, 52])
    found = adjusted_metrics(values, candidates)
    assert found["amr"] == pytest.approx(0.9609195402298851, abs=1e-6)
    assert found["amri"] == pytest.approx(0.04136253041362514, abs=1e-6)


@pytest.mark.parametrize("splits", [(), ("train",), ("train", "valid", "test")])
@pytest.mark.parametrize("constrain", [False, True])
def test_candidates_are_those_left_by_filter_and_constraint(splits, constrain):
    store = graph()
    tester = Tester(build("TransE"), TestDataLoader(store), progress=False)
    report = tester.rank("test", filter_splits=splits, type_constrain=constrain)
    facts = {tuple(row) for split in splits for row in store.triples(split).tolist()}
    expected = []
    for slot in ("head", "tail"):
        allowed = seen_with(store, slot)
        for h, r, t in store.triples("test").tolist():
            answer = h if slot == "head" else t
            others = [e for e in range(ENTITIES) if e != answer]
            others = [e for e in others if not constrain or e in allowed[r]]
            made = [((e, r, t) if slot == "head" else (h, r, e)) for e in others]
            expected.append(1 + sum(triple not in facts for triple in made))
    assert report.candidates.tolist() == expected
    for side in ("both", "head", "tail"):
        chosen = np.full(len(expected), True) if side == "both" else report.side == side
        mean = report.metrics(side)["mr"]
        guessed = np.mean([(n + 1) / 2 for n, one in zip(expected, chosen, strict=True) if one])
        found = report.adjusted(side)
        assert found["amr"] == pytest.approx(mean / guessed, abs=1e-12)
        assert found["amri"] == pytest.approx(1 - (mean - 1) / (guessed - 1), abs=1e-12)
    some = report.where(report.side == "tail")
    assert some.adjusted("both") == report.adjusted("tail")


def test_relations_have_candidates_too():
    store = graph()
    report = Tester(build("TransE"), TestDataLoader(store), progress=False).rank_relations(
        "test", filter_splits=()
    )
    assert report.candidates.tolist() == [RELATIONS] * len(store.triples("test"))


def test_relation_categories_follow_the_rule_of_one_and_a_half():
    # 0: one head has three tails; 1: three heads share a tail; 2: both; 3: one to one.
    triples = [[0, 0, 1], [0, 0, 2], [0, 0, 3], [1, 1, 0], [2, 1, 0], [3, 1, 0]]
    triples += [[a, 2, b] for a in (0, 1) for b in (2, 3)] + [[0, 3, 1], [2, 3, 3]]
    store = TripleStore.from_triples(triples, entities=4, relations=4)
    assert categories(store).tolist() == ["1-n", "n-1", "n-n", "1-1"]


def test_errors_before_any_work():
    store = graph()
    with pytest.raises(ValueError, match="the model has 24 entities and 4 relations, the data 23"):
        Tester(TransE(24, RELATIONS), TestDataLoader(store))
    bare = TestDataLoader(store, type_constrain=False)
    with pytest.raises(ValueError, match="type_constrain=True needs"):
        Tester(build("TransE"), bare).run_link_prediction(type_constrain=True)
    only_train = TripleStore.from_triples(
        store.triples("train"), entities=ENTITIES, relations=RELATIONS
    )
    with pytest.raises(ValueError, match="test"):
        Tester(build("TransE"), TestDataLoader(only_train)).run_link_prediction()


def test_an_empty_report_is_refused():
    empty = np.empty(0, np.int64)
    with pytest.raises(ValueError, match="no triple of x test was ranked"):
        RankingReport(
            model="m",
            dataset="x",
            split="test",
            filtered=True,
            type_constrained=False,
            side=np.empty(0, str),
            relation=empty,
            greater=empty,
            equal=empty,
            relation_category=np.array(["1-1"]),
        )


def test_a_report_without_candidates_has_no_adjusted_metrics():
    one = np.array([1, 1])
    report = RankingReport(
        model="m",
        dataset="x",
        split="test",
        filtered=True,
        type_constrained=False,
        side=np.array(["head", "tail"]),
        relation=one - 1,
        greater=one,
        equal=one,
        relation_category=np.array(["1-1"]),
    )
    with pytest.raises(ValueError, match="need the number of candidates"):
        report.adjusted()
    assert "amri" not in report.to_dict()["metrics"]["both"]["realistic"]


@pytest.mark.parametrize("constrained", [False, True])
def test_adjusted_metrics_equal_their_published_definition(constrained):
    """From every candidate of every query: the mean rank against that of shuffled candidates."""
    store = graph()
    model = build("RotatE")
    loader = TestDataLoader(store, type_constrain=constrained)
    report = Tester(model, loader, progress=False).rank("test", type_constrain=constrained)
    facts = {tuple(row) for row in everything(store).tolist()}
    allowed = {slot: seen_with(store, slot) for slot in ("head", "tail")}
    found = {"head": [], "tail": []}
    for head, relation, tail in store.triples("test").tolist():
        for slot, answer in (("head", head), ("tail", tail)):
            candidates = [
                entity
                for entity in range(store.entity_count)
                if entity == answer
                or (
                    (not constrained or entity in allowed[slot][relation])
                    and ((entity, relation, tail) if slot == "head" else (head, relation, entity))
                    not in facts
                )
            ]
            rows = [
                (e, relation, tail) if slot == "head" else (head, relation, e) for e in candidates
            ]
            with torch.no_grad():
                h, r, t = torch.tensor(rows).T
                scores = score_triples(model, h, r, t).double().tolist()
            own = scores[candidates.index(answer)]
            best, last = 1 + sum(s > own for s in scores), sum(s >= own for s in scores)
            found[slot].append(((best + last) / 2, np.mean(range(1, len(candidates) + 1))))
    found["both"] = found["head"] + found["tail"]
    for side, pairs in found.items():
        rank, chance = np.mean(pairs, axis=0)
        expected = {"amr": rank / chance, "amri": 1 - (rank - 1) / (chance - 1)}
        assert report.adjusted(side) == pytest.approx(expected, abs=1e-6)
