"""The page and the description of the API: whole, and nothing from elsewhere."""

import html
import re
import threading
import time

import pytest

from lbmkgc_models.serving.api import FILES, PAGE, make_app
from lbmkgc_models.serving.command import address, listening
from tests.lbmkgc_models.serving.browser import CHROMIUM, Browser
from tests.lbmkgc_models.serving.test_api import png


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


@pytest.fixture
def browser(tmp_path):
    """Return a browser."""
    made = Browser(tmp_path / "profile")
    yield made
    made.close()


NEEDS_CHROMIUM = pytest.mark.skipif(CHROMIUM is None, reason="needs the program chromium")
ANSWERS = "[...document.querySelectorAll('.answer')].map((e) => e.innerText)"
WIDER = "document.documentElement.scrollWidth > document.documentElement.clientWidth"


def own(address, browser):
    return {a for a in browser.asked if not a.startswith((address, "data:", "about:"))} == set()


@pytest.mark.slow
@NEEDS_CHROMIUM
def test_a_question_is_typed_answered_turned_and_explained(running, browser):
    browser.open(running)
    browser.until("document.title.startsWith('LBMKGC on graph-')")
    browser.type("#head", "p1")
    browser.until("document.querySelectorAll('#head-choices li').length > 1")
    assert browser.js("document.querySelector('#head-choices li').innerText") == "p1"
    browser.press("Enter", 13)
    text = browser.until("document.getElementById('entity').innerText")
    assert "A blue thing, a wooden seat with a back." in text
    browser.until("document.querySelector('.gallery img').naturalWidth === 256")
    browser.type("#relation", "is")
    browser.until("!document.getElementById('relation-choices').hidden")
    browser.press("ArrowDown", 40)
    browser.press("ArrowUp", 38)
    browser.press("Enter", 13)
    answers = browser.until(f"{ANSWERS}.length === 10 && {ANSWERS}")
    assert "chair" in answers[0]
    assert "known (train)" in answers[0]
    assert "%" in answers[1]
    browser.click(".why-button")
    reasons = browser.until(
        "document.querySelector('.why h3') && document.querySelector('.why').innerText"
    )
    assert "structure" in reasons
    assert "is a · chair" in reasons
    browser.click("#turn")
    browser.until("document.getElementById('tail').value === 'p1'")
    browser.until(f"!document.querySelector('.why') && {ANSWERS}.length === 10")
    browser.click("#new")
    browser.until(f"!{ANSWERS}.some((text) => text.includes('known'))")
    assert not browser.complaints
    assert own(running, browser)


@pytest.mark.slow
@NEEDS_CHROMIUM
def test_an_entity_is_added_by_upload_on_a_narrow_screen(running, browser, tmp_path):
    (tmp_path / "photo.png").write_bytes(png())
    browser.open(running, width=360, height=700)
    browser.until("!document.getElementById('adding').hidden")
    browser.click("#adding summary")
    browser.type("#add [name=name]", "<b>new</b>")
    browser.type("#add [name=text]", "It holds hot coffee.")
    browser.choose_file("#add [name=picture]", tmp_path / "photo.png")
    browser.click("#add button")
    browser.until("document.getElementById('add-message').innerText === '<b>new</b> was added.'")
    browser.until("document.querySelector('.gallery img')?.naturalWidth === 40")
    assert browser.js("document.querySelector('#entity h2').innerText") == "<b>new</b>"
    browser.type("#relation", "is a")
    browser.until("document.querySelectorAll('#relation-choices li').length === 1")
    browser.press("Enter", 13)
    assert "mug" in browser.until(f"{ANSWERS}[0]")
    assert not browser.js(WIDER)
    assert not browser.complaints
    browser.type("#add [name=name]", "p0")
    browser.click("#add button")
    browser.until("document.getElementById('add-message').innerText.includes('p0')")
    assert "is there already" in browser.js("document.getElementById('add-message').innerText")
    assert own(running, browser)


@pytest.mark.slow
@NEEDS_CHROMIUM
def test_a_bad_address_is_said_and_pages_fit_every_width(running, browser):
    for width in (320, 700, 1600):
        for place, words in {
            "#entity=99999": "no entity 99999",
            "#entity=1&relation=9999": "relation id is 9999, expected 0 to",
            "#entity=x&relation=-1": "Choose an entity",
            "docs": "POST /api/answers",
        }.items():
            browser.open(f"{running}{place}", width)
            browser.until(f"document.body?.innerText.includes('{words}')")
            assert not browser.js(WIDER), (place, width)
