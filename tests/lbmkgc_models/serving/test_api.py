"""The API says what the run says, and takes new entities."""

import hashlib
import io

import pytest
from PIL import Image

import openke
from lbmkgc_models.serving.served import Served
from tests.lbmkgc_models.runs.shop import facts

MUG = "A grey thing, holds hot coffee."


def ask(client, **query):
    options = {name: query.pop(name) for name in ("k", "new", "type_constrain") if name in query}
    answer = client.post("/api/answers", json={"queries": [query], **options})
    assert answer.status_code == 200, answer.text
    return answer.json()[0]


def png(size=(40, 20), colour="orange"):
    stream = io.BytesIO()
    Image.new("RGB", size, colour).save(stream, "PNG")
    return stream.getvalue()


def test_it_says_what_is_served(client, run):
    about = client.get("/api/run").json()
    assert (about["model"], about["entities"]) == ("LBMKGC", run.store.entity_count)
    assert about["metrics"] == run.report["metrics"]["both"]["realistic"]
    assert about["takes"] == ["text"]
    assert about["probability"]
    assert about["limits"]["answers"] == 100


def test_entities_are_found_and_shown_with_text_and_pictures(client):
    (found,) = client.get("/api/entities", params={"q": "P1", "k": 1}).json()
    page = client.get(f"/api/entities/{found['id']}").json()
    assert page["name"] == "p1"
    assert page["text"] == "A blue thing, a wooden seat with a back."
    assert [one["name"] for one in page["head_of"]] == ["is a", "belongs in", "made by"]
    assert page["tail_of"] == []
    assert page["pictures"] == [found["picture"]]
    picture = client.get(found["picture"])
    shown = Image.open(io.BytesIO(picture.content))
    assert shown.format == "JPEG"
    assert shown.size == (256, 128)
    assert shown.getpixel((9, 9))[2] > 200
    again = client.get(found["picture"], headers={"If-None-Match": picture.headers["etag"]})
    assert again.status_code == 304
    assert [r["name"] for r in client.get("/api/relations", params={"q": "is"}).json()] == ["is a"]


@pytest.mark.parametrize(
    "query",
    [
        {"head": "p0", "relation": "is a"},
        {"relation": "made by", "tail": "maker 1", "k": 7, "new": True},
        {"head": "p0", "tail": "lamp"},
        {"head": "p0", "relation": "is a", "tail": "chair"},
        {"head": 0, "relation": 0, "type_constrain": True},
    ],
)
def test_answers_are_those_of_the_run(client, run, query):
    expected = list(run.predict(**{"probability": True, **query}).rows())
    found = ask(client, **query)
    (open_end,) = {"head", "relation", "tail"} - set(query) or {"tail"}
    assert [a["name"] for a in found["answers"]] == [row[open_end] for row in expected]
    for name in ("score", "known", "probability"):
        assert [a[name] for a in found["answers"]] == [row[name] for row in expected]
    assert all((found[part] is None) == (part not in query) for part in ("head", "relation"))


def test_of_a_run_without_its_facts_no_answer_is_known(run, tmp_path):
    from fastapi.testclient import TestClient

    from lbmkgc_models.serving.api import make_app

    served = Served(openke.load(run.save(tmp_path / "bare", facts=False), device="cpu"))
    bare = TestClient(make_app(served))
    about = bare.get("/api/run").json()
    assert not about["facts"]
    assert not about["probability"]
    assert "the run was saved without its facts" in about["no_probability"]
    found = ask(bare, head="p0", relation="is a")["answers"]
    expected = list(run.predict("p0", "is a").rows())
    assert [(a["name"], a["score"]) for a in found] == [(r["tail"], r["score"]) for r in expected]
    assert {a["known"] for a in found} == {None}
    assert bare.get("/api/entities/0").json()["head_of"] == []
    asked = {"queries": [{"head": "p0", "relation": "is a"}], "new": True}
    refused = bare.post("/api/answers", json=asked)
    assert refused.status_code == 422
    assert "known answers cannot be left out" in refused.json()["detail"]


def test_many_queries_are_answered_together(client, run):
    queries = [{"head": f"p{i}", "relation": "is a"} for i in range(9)]
    answers = client.post("/api/answers", json={"queries": queries, "k": 1}).json()
    best = list(run.predict([f"p{i}" for i in range(9)], "is a", k=1).rows())
    assert [one["answers"][0]["name"] for one in answers] == [row["tail"] for row in best]


def test_answers_that_are_entities_come_with_text_and_picture(client):
    found = ask(client, relation="is a", tail="lamp", k=50)["answers"]
    first = next(one for one in found if one["name"] == "p0")
    assert first["text"].startswith("A red thing")
    assert client.get(first["picture"]).headers["content-type"] == "image/jpeg"
    relations = ask(client, head="p0", tail="lamp")["answers"]
    assert all(one["picture"] is None and one["text"] == "" for one in relations)


def test_why_is_what_the_run_explains(client, run):
    names = run.predictor
    ids = {
        "head": names.entities.id("p0"),
        "relation": names.relations.id("is a"),
        "tail": names.entities.id("lamp"),
    }
    found, expected = client.get("/api/why", params=ids).json(), run.explain("p0", "is a", "lamp")
    for name in ("score", "known", "parts", "weights", "gate"):
        assert found[name] == expected[name]
    assert [f["head"]["name"] for f in found["facts"]] == [f["head"] for f in expected["facts"]]


def digests(folder):
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return {str(path): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def test_an_entity_is_added_asked_and_shown_and_the_run_stays_as_it_was(client, run):
    before, old = digests(run.folder), ask(client, head="p0", relation="is a", k=100)
    data = {"name": "  novum ", "text": MUG}
    made = client.post("/api/entities", data=data, files={"picture": ("../../x.png", png())})
    assert made.status_code == 201, made.text
    page = made.json()
    assert (page["name"], page["added"], page["text"]) == ("novum", True, MUG)
    assert client.get(f"/api/entities/{page['id']}").json() == page
    shown = Image.open(io.BytesIO(client.get(page["pictures"][0]).content))
    assert shown.size == (40, 20)
    assert ask(client, head="novum", relation="is a")["answers"][0]["name"] == "mug"
    assert client.get("/api/run").json()["added"] == 1
    scores = {
        one["id"]: one["score"] for one in ask(client, head="p0", relation="is a", k=100)["answers"]
    }
    for one in old["answers"]:
        assert scores[one["id"]] == pytest.approx(one["score"], abs=1e-5)
    assert digests(run.folder) == before
    assert client.post("/api/entities", data={"name": "second", "text": "A wooden seat"}).is_success


def test_what_is_added_is_kept_where_that_is_asked_for(run, tmp_path):
    keep = tmp_path / "kept"
    served = Served(run, keep=keep, probability=False)
    assert not keep.exists()
    for name in ("n1", "n2"):
        served.add(name, MUG, png())
    kept = openke.load(keep, device="cpu")
    expected = served.view.run.predict("n2", "is a", k=50)
    assert kept.predict("n2", "is a", k=50) == expected
    assert len(list(keep.rglob("pictures/n?/01.jpg"))) == 2
    with pytest.raises(FileExistsError, match="kept is there already: name another folder"):
        Served(run, keep=keep)


def test_what_cannot_be_kept_is_not_added(run, tmp_path):
    from fastapi.testclient import TestClient

    from lbmkgc_models.serving.api import make_app

    (tmp_path / "file").write_text("")
    served = Served(run, keep=tmp_path / "file" / "kept", probability=False)
    client = TestClient(make_app(served))
    answer = client.post("/api/entities", data={"name": "n1", "text": MUG})
    assert answer.status_code == 503
    assert answer.json()["detail"].startswith("the server cannot do it: ")
    assert client.get("/api/run").json()["added"] == 0


def test_answers_while_entities_are_added_are_each_of_one_state(served):
    from concurrent.futures import ThreadPoolExecutor

    from fastapi.testclient import TestClient

    from lbmkgc_models.serving.api import make_app

    client = TestClient(make_app(served))

    def asking(_):
        found = ask(client, relation="is a", tail="mug", k=100)["answers"]
        return sorted(one["name"] for one in found if one["name"].startswith("n"))

    def adding(i):
        return client.post("/api/entities", data={"name": f"n{i}", "text": MUG}).status_code

    with ThreadPoolExecutor(6) as pool:
        added = pool.map(adding, range(3))
        found = list(pool.map(asking, range(60)))
        assert list(added) == [201] * 3
    states = [[], *(sorted(client_names) for client_names in _grown(served))]
    assert all(names in states for names in found)
    assert asking(0) == ["n0", "n1", "n2"]


def _grown(served):
    """Return the names added, after each addition."""
    names = served.view.entities.names[served.old :]
    return [names[: i + 1] for i in range(len(names))]


def test_a_model_over_structure_answers_and_takes_no_entities(tmp_path, monkeypatch):
    from fastapi.testclient import TestClient

    from lbmkgc_models.serving.api import make_app

    monkeypatch.setenv("OPENKE_CACHE", str(tmp_path / "cache"))
    settings = {"training.epochs": 1, "model.dim": 4}
    run = openke.fit(facts(12), model="DistMult", settings=settings, device="cpu")
    client = TestClient(make_app(Served(run)))
    about = client.get("/api/run").json()
    assert about["takes"] == []
    assert not about["probability"]
    assert "right: expected 20 or more" in about["no_probability"]
    assert ask(client, head="p0", relation="is a")["answers"][0]["probability"] is None
    assert client.get("/api/entities/0").json()["text"] == ""
    refused = client.post("/api/entities", data={"name": "a", "text": "b"})
    assert refused.status_code == 409
    assert "DistMult needs a trained row of each entity" in refused.json()["detail"]
