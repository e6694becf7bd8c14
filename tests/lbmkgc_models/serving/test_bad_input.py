"""Bad input gets a 4xx and one sentence; nothing leaves the folder of the run."""

import json
import random
import shutil

import pytest
from fastapi.testclient import TestClient

import openke
from lbmkgc_models.serving.api import make_app
from lbmkgc_models.serving.limits import Limits
from lbmkgc_models.serving.served import Served
from tests.lbmkgc_models.serving.test_api import MUG, png


def said(answer, status):
    assert answer.status_code == status, answer.text
    assert answer.headers["content-security-policy"].startswith("default-src 'none'")
    detail = answer.json()["detail"]
    assert isinstance(detail, str)
    assert "\n" not in detail
    assert "Traceback" not in detail
    assert "/tmp" not in detail
    assert len(detail) < 450
    return detail


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ({}, "body.queries: Field required"),
        ({"queries": []}, "at least 1 item"),
        ({"queries": [{"head": "p0"}] * 101}, "at most 100 items"),
        ({"queries": [{"head": "p0"}]}, "gives two of head, relation and tail"),
        ({"queries": [{}]}, "gives two of head, relation and tail"),
        ({"queries": [{"head": "nobody", "relation": "is a"}]}, "the name or label 'nobody'"),
        ({"queries": [{"head": "p00", "relation": "is a"}]}, "did you mean p0"),
        ({"queries": [{"head": -1, "relation": 0}]}, "entity id is -1, expected 0 to"),
        ({"queries": [{"head": 10**30, "relation": 0}]}, "expected 0 to"),
        ({"queries": [{"head": True, "relation": 0}]}, "body.queries.0.head: "),
        ({"queries": [{"head": 1.5, "relation": 0}]}, "body.queries.0.head: "),
        ({"queries": [{"head": "x" * 201, "relation": 0}]}, "at most 200 characters"),
        ({"queries": [{"head": "p0", "tail": "lamp"}], "type_constrain": True}, "relations are"),
        ({"queries": [{"head": "p0", "relation": "is a"}], "k": 0}, "body.k: "),
        ({"queries": [{"head": "p0", "relation": "is a"}], "k": 10**9}, "than or equal to 100"),
        ({"queries": [{"head": "p0", "relation": "is a", "what": 1}]}, "Extra inputs"),
        ([], "body: "),
        ("text", "body: "),
    ],
)  # fmt: skip
def test_bad_queries(client, content, message):
    assert message in said(client.post("/api/answers", json=content), 422)


def test_a_field_of_an_entity_that_nobody_reads(client):
    form = {"name": "p-new", "text": "a mug"}
    answer = client.post("/api/entities", data=form, files={"pictures": png()})
    detail = "body.pictures: no such field, expected name, picture, text"
    assert said(answer, 422) == detail
    assert not client.get("/api/entities", params={"q": "p-new"}).json()


VALUES = (
    *(None, True, -1, 0, 10**30, 1.5, "", "p0", "is a", "\0", "\ud800", "x" * 999, [], [[]], {}),
    *({"name": "p0"}, ["p0"], "nan", "../..", "é" * 99),
)
"""What stands in the place of a value."""


def test_queries_drawn_at_random_have_an_answer_or_a_refusal(client):
    draw = random.Random(0)
    seen = set()
    for _ in range(400):
        names = [name for name in ("head", "relation", "tail", "more") if draw.random() < 0.6]
        query = {name: draw.choice(VALUES) for name in names}
        body = {"queries": [query]} | {
            name: draw.choice(VALUES)
            for name in ("k", "new", "type_constrain", "queries", "")
            if draw.random() < 0.15
        }
        content = json.dumps(body).encode()
        if draw.random() < 0.1:
            content = content[: draw.randrange(len(content))]
        headers = {"content-type": draw.choice(("application/json", "text/plain", "x"))}
        answer = client.post("/api/answers", content=content, headers=headers)
        seen.add(answer.status_code)
        if answer.status_code != 200:
            said(answer, answer.status_code)
    assert seen <= {200, 400, 415, 422}


def test_addresses_drawn_at_random_have_an_answer_or_a_refusal(client):
    draw = random.Random(1)
    words = ("0", "-1", "9" * 30, "1.5", "nan", "", "..", "%00", "%ff", "x" * 999, "é", "p0", "1e3")
    for _ in range(300):
        word, other = draw.choice(words), draw.choice(words)
        path = draw.choice(
            (
                f"/api/entities/{word}",
                f"/api/pictures/{word}/{other}",
                f"/api/entities?q={word}&k={other}",
                f"/api/relations?q={word}&k={other}",
                f"/api/why?head={word}&relation={other}&tail={word}",
                f"/page/{word}",
                f"/{word}/{other}",
            )
        )
        answer = draw.choice((client.get, client.post, client.delete))(path)
        assert answer.status_code in (200, 304, 307, 400, 404, 405, 422), path


def test_what_is_no_json(client):
    headers = {"content-type": "application/json"}
    for content in (b"{", b"\xff\xfe", b"[" * 50_000):
        answer = client.post("/api/answers", content=content, headers=headers)
        assert answer.status_code in (400, 422)
        said(answer, answer.status_code)


@pytest.mark.parametrize(
    ("address", "status"),
    [
        ("/api/entities?k=0", 422),
        ("/api/entities?k=many", 422),
        (f"/api/entities?q={'x' * 201}", 422),
        ("/api/entities/99999", 404),
        ("/api/entities/-1", 404),
        ("/api/entities/p0", 422),
        ("/api/pictures/0/9", 404),
        ("/api/pictures/0/-1", 404),
        ("/api/pictures/99999/0", 404),
        ("/api/why?head=0&relation=0", 422),
        ("/api/why?head=0&relation=99&tail=0", 422),
        ("/api/nothing", 404),
        ("/page/nothing.js", 404),
        ("/page/../command.py", 404),
        ("/page/..%2fcommand.py", 404),
        ("/page/%2e%2e/command.py", 404),
        ("/page/reference.html.j2", 404),
        ("/settings.json", 404),
    ],
)
def test_bad_addresses(client, address, status):
    said(client.get(address), status)


@pytest.mark.parametrize(
    ("data", "picture", "status", "message"),
    [
        ({}, None, 422, "body.name"),
        ({"name": ""}, None, 422, "body.name"),
        ({"name": "   ", "text": MUG}, None, 422, "no name"),
        ({"name": "x" * 201, "text": MUG}, None, 422, "at most 200 characters"),
        ({"name": "a\tb", "text": MUG}, None, 422, "characters that do not print"),
        ({"name": "a\nb", "text": MUG}, None, 422, "characters that do not print"),
        ({"name": "p0", "text": MUG}, None, 409, "'p0' is there already: give the new one another"),
        ({"name": "new"}, None, 422, "nothing is said of 'new' that the model uses: expected text"),
        ({"name": "new", "text": "x" * 10_001}, None, 422, "at most 10000 characters"),
        ({"name": "new", "text": MUG}, b"GIF", 422, "the picture: not a picture, expected one of"),
        ({"name": "new", "text": MUG}, png()[:60], 422, "the picture: truncated or damaged"),
        ({"name": "new", "text": MUG}, png((900, 4)), 422, "the picture: 900 x 4 pixels, expected"),
        ({"name": "new", "text": MUG}, b"<svg onload='x()'/>", 422, "the picture: not a picture"),
    ],
)  # fmt: skip
def test_bad_entities(client, data, picture, status, message):
    files = None if picture is None else {"picture": ("photo.png", picture)}
    assert message in said(client.post("/api/entities", data=data, files=files), status)
    assert client.get("/api/run").json()["added"] == 0


def test_sizes_are_bounded(run):
    limits = Limits(upload=3000, pixels=100, added=1, seconds=0.5)
    client = TestClient(make_app(Served(run, limits=limits, probability=False)))
    data = {"name": "new", "text": MUG}
    found = client.post("/api/entities", data=data, files={"picture": ("x", png())})
    assert "40 x 20 pixels, expected at most 100" in said(found, 422)
    found = client.post("/api/entities", data=data, files={"picture": ("x", bytes(4000))})
    assert "too large: expected at most 3,000 bytes" in said(found, 413)

    def parts():
        for _ in range(9):
            yield bytes(500)

    assert "too large" in said(client.post("/api/answers", content=parts()), 413)
    assert client.post("/api/entities", data=data).status_code == 201
    full = client.post("/api/entities", data={"name": "more", "text": MUG})
    assert "1 entities were added already" in said(full, 409)


def test_foreign_hosts_and_pages_are_refused(served):
    client = TestClient(make_app(served, hosts=frozenset({"localhost", "::1"})))
    assert client.get("/", headers={"host": "localhost:8000"}).status_code == 200
    assert client.get("/", headers={"host": "[::1]:8000"}).status_code == 200
    for host in ("evil.example", "localhost.evil.example:8000", "", "["):
        assert "answers on this machine alone" in said(client.get("/", headers={"host": host}), 400)
    data, here = {"name": "new", "text": MUG}, {"host": "localhost:8000"}
    for origin in ("http://evil.example", "http://localhost:9999", "null", "http://["):
        answer = client.post("/api/entities", data=data, headers={**here, "origin": origin})
        assert "no requests from other pages" in said(answer, 403)
    own = {**here, "origin": "http://localhost:8000"}
    assert client.post("/api/entities", data=data, headers=own).status_code == 201


def test_a_link_out_of_the_folder_is_not_served(run, tmp_path):
    run.save(tmp_path / "run")
    (folder,) = (tmp_path / "run" / "packed").iterdir()
    secret = tmp_path / "secret.png"
    secret.write_bytes(png())
    (folder / "pictures" / "p9").mkdir()
    (folder / "pictures" / "p9" / "01.jpg").symlink_to(secret)
    shutil.rmtree(folder / "pictures" / "p1")
    (folder / "pictures" / "p2" / "01.jpg").write_text("<script>")
    loaded = openke.load(tmp_path / "run", device="cpu")
    client = TestClient(make_app(Served(loaded, probability=False)))
    ids = {name: loaded.predictor.entities.id(name) for name in ("p0", "p1", "p2", "p9")}
    status = {n: client.get(f"/api/pictures/{id}/0").status_code for n, id in ids.items()}
    assert status == {"p0": 200, "p1": 404, "p2": 404, "p9": 404}
    assert client.get(f"/api/entities/{ids['p9']}").json()["pictures"] == []
