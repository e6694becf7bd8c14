"""The page and the description of the API: whole, and nothing from elsewhere."""

import html
import re
import shutil
import subprocess
import threading
import time

import pytest

from lbmkgc_models.serving.api import FILES, PAGE, make_app
from lbmkgc_models.serving.command import address, listening

CHROMIUM = shutil.which("chromium")


def test_pages_load_nothing_from_elsewhere(client):
    addresses = ["/", "/docs", *(f"/page/{name}" for name in FILES)]
    for each in addresses:
        answer = client.get(each)
        assert answer.status_code == 200
        assert not re.search(r"https?://|src=[\"']//|@import", answer.text), each
        for name in re.findall(r"(?:src|href)=\"(/[^\"#]*)\"", answer.text):
            assert client.get(name).status_code == 200, name
    assert {path.name for path in PAGE.iterdir()} == {*FILES, "index.html", "reference.html.j2"}


def test_the_api_describes_itself(client):
    described = client.get("/openapi.json").json()
    assert set(described["paths"]) == {
        *("/api/run", "/api/relations", "/api/entities", "/api/entities/{entity}"),
        *("/api/pictures/{entity}/{number}", "/api/answers", "/api/why"),
    }
    text = html.unescape(client.get("/docs").text)
    for path, methods in described["paths"].items():
        assert path in text
        assert all(said["description"] in text for said in methods.values())


@pytest.fixture
def running(served):
    """Return the address of a server that runs."""
    import uvicorn

    opened = listening("127.0.0.1", 0)
    server = uvicorn.Server(uvicorn.Config(make_app(served), log_level="warning"))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [opened]})
    thread.start()
    while not server.started:
        time.sleep(0.01)
    yield address("127.0.0.1", opened)
    server.should_exit = True
    thread.join(30)


def shown(place):
    """Return the text of a page as a browser has it once its scripts have run."""
    command = [
        CHROMIUM, "--headless", "--no-sandbox", "--disable-gpu", "--virtual-time-budget=10000",
        "--dump-dom", place,
    ]  # fmt: skip
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.slow
@pytest.mark.skipif(CHROMIUM is None, reason="needs the program chromium")
def test_a_browser_shows_question_entity_and_answers(running, run):
    names = run.predictor
    entity, relation = names.entities.id("p1"), names.relations.id("is a")
    page = shown(f"{running}#entity={entity}&relation={relation}&asks=tail")
    text = re.sub(r"<[^>]+>", " ", page)
    assert "LBMKGC on graph" in text
    assert "A blue thing, a wooden seat with a back." in text
    answers = re.findall(r"<li class=\"answer\">.*?</li>", page)
    assert len(answers) == 10
    assert ">chair</a>" in answers[0]
    assert "known (train)" in answers[0]
    assert re.search(r"\d %", re.sub(r"<[^>]+>", "", answers[1]))
    assert f"/api/pictures/{entity}/0" in page
    turned = shown(f"{running}#entity={entity}&relation=9999&asks=head")
    assert "relation id is 9999, expected 0 to" in turned
    assert "no entity 99999" in shown(f"{running}#entity=99999")
