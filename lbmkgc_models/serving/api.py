"""The application: an API of JSON over a run, its description, and the page."""

from __future__ import annotations

from functools import lru_cache
from hashlib import sha256
from pathlib import Path
from typing import Annotated

from fastapi import (
    Depends,
    FastAPI,
    File,
    Form,
    HTTPException,
    Query,
    Request,
    Response,
    UploadFile,
)
from fastapi.responses import FileResponse, HTMLResponse

import openke
from lbmkgc_models.features.read_image import BadPicture
from lbmkgc_models.features.small_pictures import small_jpeg
from lbmkgc_models.serving import shown
from lbmkgc_models.serving.errors import refusing, say_in_one_sentence
from lbmkgc_models.serving.guard import Guard
from lbmkgc_models.serving.limits import LIMITS
from lbmkgc_models.serving.schemas import (
    About,
    Answers,
    Entity,
    EntityPage,
    Fact,
    Many,
    Named,
    Question,
    Questions,
    Why,
)
from lbmkgc_models.serving.served import Served
from lbmkgc_models.serving.view import View
from openke.runtime.pages import render

PAGE = Path(__file__).with_name("page")
FILES = {"page.css": "text/css", "page.js": "text/javascript", "parts.js": "text/javascript"}
"""What the page loads, and the kind of each."""
DESCRIPTION = (
    "Answers of a trained model of knowledge graph completion. Entities and relations are given by "
    "id, name or label. Bad input gets a 4xx and one sentence, as `detail`."
)
ADDED = {"name", "text", "picture"}
"""Fields of the form of an entity that is added."""
Typed = Annotated[str, Query(max_length=LIMITS.name, description="A part of a name or label.")]


def make_app(served: Served, *, hosts: frozenset[str] | None = None) -> FastAPI:
    """Return the application.

    Parameters
    ----------
    served
        What is asked.
    hosts
        See :class:`.Guard`.
    """
    # FastAPI's own pages of the API load their scripts from another server.
    app = FastAPI(
        title="openke serve",
        version=openke.__version__,
        description=DESCRIPTION,
        docs_url=None,
        redoc_url=None,
        generate_unique_id_function=lambda route: route.name,
    )
    say_in_one_sentence(app)
    _add_pages(app)
    _add_run(app, served)
    _add_entities(app, served)
    _add_answers(app, served)
    app.add_middleware(Guard, limits=served.limits, hosts=hosts)
    return app


def _add_pages(app: FastAPI) -> None:
    @app.get("/", include_in_schema=False)
    def page() -> FileResponse:
        return FileResponse(PAGE / "index.html")

    @app.get("/page/{name}", include_in_schema=False)
    def part(name: str) -> FileResponse:
        if name not in FILES:
            raise HTTPException(404, "no such file")
        return FileResponse(PAGE / name, media_type=FILES[name])

    @app.get("/docs", include_in_schema=False)
    def docs() -> HTMLResponse:
        return HTMLResponse(render(PAGE / "reference.html.j2", api=app.openapi()))


def _add_run(app: FastAPI, served: Served) -> None:
    @app.get("/api/run")
    def run() -> About:
        """Say what is served, and its limits."""
        view = served.view
        return _about(served, view)

    @app.get("/api/relations")
    def relations(q: Typed = "", k: Many = 20) -> list[Named]:
        """Find relations by a part of their names."""
        view = served.view
        return [shown.named(view.relations, id) for id in view.relation_search.find(q, k)]


def _add_entities(app: FastAPI, served: Served) -> None:
    @app.get("/api/entities")
    def entities(q: Typed = "", k: Many = 20) -> list[Entity]:
        """Find entities by a part of their names."""
        view = served.view
        return [shown.entity(view, id) for id in view.entity_search.find(q, k)]

    @app.get("/api/entities/{entity}")
    def entity(entity: int) -> EntityPage:
        """Return an entity's text, the addresses of its pictures, and its relations."""
        view = served.view
        return shown.entity_page(view, _id(view, entity), served.old)

    @app.get("/api/pictures/{entity}/{number}", response_class=Response)
    def picture(entity: int, number: int, request: Request) -> Response:
        """Return a small copy of a picture, as JPEG."""
        view = served.view
        files = view.pictures(_id(view, entity))
        if not 0 <= number < len(files):
            raise HTTPException(404, f"entity {entity} has {len(files)} pictures, from 0 on")
        try:
            content = _small(files[number], served.limits.pixels)
        except BadPicture as error:
            raise HTTPException(404, f"the picture: {error.reason}") from error
        tag = f'"{sha256(content).hexdigest()[:32]}"'
        if request.headers.get("if-none-match") == tag:
            return Response(status_code=304, headers={"ETag": tag})
        return Response(content, media_type="image/jpeg", headers={"ETag": tag})

    @app.post("/api/entities", status_code=201, dependencies=[Depends(_only_known_fields)])
    def add(
        name: Annotated[str, Form(min_length=1, max_length=LIMITS.name)],
        text: Annotated[str, Form(max_length=LIMITS.text)] = "",
        picture: Annotated[UploadFile | None, File()] = None,
    ) -> EntityPage:
        """Add an entity by what its name, text and picture say; it is gone when the server ends."""
        content = b"" if picture is None else picture.file.read()
        with refusing():
            id = served.add(name.strip(), text, content)
        return shown.entity_page(served.view, id, served.old)


async def _only_known_fields(request: Request) -> None:
    """Refuse a form with a field that would be passed over, such as "pictures"."""
    unknown = sorted({*await request.form()} - ADDED)
    if unknown:
        named = unknown[0][: LIMITS.name]
        raise HTTPException(
            422, f"body.{named}: no such field, expected {', '.join(sorted(ADDED))}"
        )


def _add_answers(app: FastAPI, served: Served) -> None:
    @app.post("/api/answers")
    def answers(asked: Questions) -> list[Answers]:
        """Answer queries: each gives two of head, relation and tail."""
        view = served.view
        with refusing():
            queries = [_ids(view, query) for query in asked.queries]
            found = served.answers(view, queries, asked.k, asked.new, asked.type_constrain)
        return [
            Answers(
                head=None if h is None else shown.named(view.entities, h),
                relation=None if r is None else shown.named(view.relations, r),
                tail=None if t is None else shown.named(view.entities, t),
                answers=[shown.answered(view, a, of_entities=r is not None) for a in some],
            )
            for (h, r, t), some in zip(queries, found, strict=True)
        ]

    @app.get("/api/why")
    def why(head: int, relation: int, tail: int) -> Why:
        """Say what the score of a triple, given by ids, rests on."""
        view = served.view
        with refusing():
            said = served.why(view, head, relation, tail)
        facts = [
            Fact(
                head=_by_name(view, fact["head"]),
                relation=shown.named(view.relations, relation),
                tail=_by_name(view, fact["tail"]),
                likeness=fact["likeness"],
            )
            for fact in said.pop("facts")
        ]
        return Why(facts=facts, **said)


@lru_cache(maxsize=2000)
def _small(path: Path, pixels: int) -> bytes:
    return small_jpeg(path, max_pixels=pixels)


def _about(served: Served, view: View) -> About:
    try:
        metrics = view.run.report["metrics"]["both"]["realistic"]
    except (OSError, ValueError, KeyError):
        metrics = None
    calibration = served.calibration
    return About(
        model=view.run.saved["model"]["model"],
        dataset=view.run.saved["data"]["name"],
        entities=view.entities.count,
        relations=view.relations.count,
        added=view.entities.count - served.old,
        facts=view.run.facts,
        metrics=metrics,
        probability=calibration is not None,
        no_probability=served.no_probability,
        calibration_error=None if calibration is None else calibration.error,
        takes=list(served.taken),
        limits=vars(served.limits),
    )


def _id(view: View, entity: int) -> int:
    if not 0 <= entity < view.entities.count:
        raise HTTPException(404, f"no entity {entity}: expected 0 to {view.entities.count - 1}")
    return entity


def _ids(view: View, query: Question) -> tuple[int | None, int | None, int | None]:
    """Return a query by ids."""
    entities, relations = view.entities, view.relations
    return (
        None if query.head is None else entities.id(query.head),
        None if query.relation is None else relations.id(query.relation),
        None if query.tail is None else entities.id(query.tail),
    )


def _by_name(view: View, name: str) -> Named:
    return shown.named(view.entities, view.entities.id(name))
