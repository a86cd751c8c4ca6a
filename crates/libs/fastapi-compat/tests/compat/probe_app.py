"""The oracle of what an application chooses as a whole, and of what its operations choose of an answer.
Its Rust port is `app.rs`."""

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from typing import Annotated, Any

from fastapi import (
    APIRouter,
    Body,
    Depends,
    FastAPI,
    HTTPException,
    Path,
    Query,
    Request,
    Response,
)
from fastapi.responses import JSONResponse, PlainTextResponse
from fastapi.routing import APIRoute
from fastapi.security import OAuth2PasswordRequestForm
from ledger import Ledger
from pydantic import BaseModel, field_serializer
from versions import LEFT_OUT, has


def unique_id(route: APIRoute) -> str:
    return "-".join([*map(str, route.tags), route.name])


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncIterator[dict[str, Any]]:
    yield {"started": "started"}


MANUAL = {"description": "The manual", "url": "https://example.com/manual"}

app = FastAPI(
    docs_url=None,
    redoc_url=None,
    title="Catalogue",
    description="All that is sold.",
    version="2.1",
    terms_of_service="https://example.com/terms",
    contact={"name": "Support", "url": "https://example.com/", "email": "support@example.com"},
    license_info={"name": "MIT", "identifier": "MIT"},
    openapi_tags=[
        {"name": "items", "description": "What is sold"},
        {
            "name": "users",
            "externalDocs": {"description": "More", "url": "https://example.com/users"},
        },
    ],
    openapi_external_docs=MANUAL,
    root_path="/prefix",
    generate_unique_id_function=unique_id,
    strict_content_type=False,
    servers=[{"url": "https://api.example.com", "description": "The service"}, {"url": "/v1"}],
    lifespan=lifespan,
)


@app.middleware("http")
async def inner(request: Request, call_next: Any) -> Response:
    response: Response = await call_next(request)
    response.headers["x-order"] = "inner"
    return response


@app.middleware("http")
async def outer(request: Request, call_next: Any) -> Response:
    response: Response = await call_next(request)
    response.headers["x-order"] = response.headers["x-order"] + ", outer"
    return response


class Teapot(Exception):
    def __init__(self, text: str) -> None:
        self.text = text


@app.exception_handler(Teapot)
async def teapot(request: Request, error: Teapot) -> JSONResponse:
    return JSONResponse({"message": error.text}, status_code=418, headers={"x-kind": "teapot"})


@app.get("/left-out", include_in_schema=False)
def left_out() -> list[str]:
    return LEFT_OUT


class Item(BaseModel):
    name: str
    count: int | None = None
    tags: list[str] = []


@app.post("/app/content-type", tags=["items"])
def content_type(item: Item) -> Item:
    return item


class WithoutNone(Item):
    pass


class WithoutDefaults(Item):
    pass


@app.post("/app/exclude-none", response_model_exclude_none=True)
def exclude_none(item: WithoutNone) -> WithoutNone:
    return item


@app.post("/app/exclude-defaults", response_model_exclude_defaults=True)
def exclude_defaults(item: WithoutDefaults) -> WithoutDefaults:
    return item


class Priced(BaseModel):
    cents: int

    @field_serializer("cents")
    def euros(self, cents: int) -> str:
        return f"{cents // 100}.{cents % 100:02} EUR"


@app.get("/app/serialized/{cents}")
def serialized(cents: Annotated[int, Path(ge=0, le=1_000_000)]) -> Priced:
    return Priced(cents=cents)


@app.get("/app/lifespan")
def of_lifespan(request: Request) -> str:
    return str(request.state.started)


def session(v: Annotated[int, Query(ge=-1000, le=1000)]) -> Iterator[int]:
    try:
        yield v * 2
    except Teapot:
        raise HTTPException(409, detail="rolled back") from None


@app.get("/app/yielded")
def yielded(doubled: Annotated[int, Depends(session)], fails: bool = False) -> int:
    if fails:
        raise Teapot("in a session")
    return doubled


@app.get("/app/handled/{v}")
def handled(v: int) -> int:
    if v < 0:
        raise Teapot(f"{v} is negative")
    return v


@app.post("/app/sign-in", tags=["users", "sign-in"])
def sign_in(form: Annotated[OAuth2PasswordRequestForm, Depends()]) -> list[str | None]:
    return [form.username, form.password, form.client_id, *form.scopes]


def other_id(route: APIRoute) -> str:
    return f"other-{route.name}"


router = APIRouter(
    default_response_class=PlainTextResponse, generate_unique_id_function=other_id, tags=["texts"]
)


@router.get("/app/default-class")
def default_class(v: str) -> str:
    return v


hidden = APIRouter(include_in_schema=False)


@hidden.get("/app/hidden-router")
def hidden_router(v: str) -> str:
    return v


app.include_router(router)
app.include_router(hidden)

EXAMPLES = {
    "plain": {"summary": "A plain one", "value": {"name": "chair"}},
    "wrong": {"value": {"name": 1}},
}


@app.post("/app/examples")
def examples(item: Annotated[Item, Body(openapi_examples=EXAMPLES)]) -> Item:  # type: ignore[arg-type]
    return item


documented = app.openapi


def openapi() -> dict[str, Any]:
    """With what releases before 0.120 have no argument for."""
    document = documented()
    document.setdefault("externalDocs", MANUAL)
    return document


app.openapi = openapi  # type: ignore[method-assign]
# Before, the form of a sign-in is documented without formats.
has("app/sign-in", fastapi="0.115.13")

served = Ledger(app)
