"""The oracle of routes, answers, security and documents, on the pinned FastAPI. Its Rust port is
`http/port.rs`."""

import mimetypes
import os
from collections.abc import AsyncIterable, Iterator
from datetime import datetime, timezone
from typing import Annotated, Any
from uuid import UUID

from fastapi import (
    APIRouter,
    BackgroundTasks,
    Body,
    Cookie,
    Depends,
    FastAPI,
    Header,
    HTTPException,
    Path,
    Query,
    Request,
    Response,
    Security,
    WebSocket,
)
from fastapi.responses import (
    FileResponse,
    HTMLResponse,
    PlainTextResponse,
    RedirectResponse,
    StreamingResponse,
)
from fastapi.security import (
    APIKeyCookie,
    APIKeyHeader,
    APIKeyQuery,
    HTTPAuthorizationCredentials,
    HTTPBasic,
    HTTPBasicCredentials,
    HTTPBearer,
    HTTPDigest,
    OAuth2AuthorizationCodeBearer,
    OAuth2PasswordBearer,
    OpenIdConnect,
    SecurityScopes,
)
from fastapi.staticfiles import StaticFiles
from ledger import Ledger
from pydantic import BaseModel, Field, computed_field
from starlette.middleware.gzip import GZipMiddleware
from starlette.middleware.httpsredirect import HTTPSRedirectMiddleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from versions import LEFT_OUT, has

# Without the tables of this machine: they are read whatever files are given.
mimetypes.knownfiles.clear()
mimetypes.init()
FILES = os.environ["FILES"]

app = FastAPI(docs_url=None, redoc_url=None)


@app.get("/left-out", include_in_schema=False)
def left_out() -> list[str]:
    return LEFT_OUT


class Item(BaseModel):
    name: str
    price: float = 1.5


class Message(BaseModel):
    message: str


# Paths


@app.get("/path/tile/{z:int}/{x},{y}@{scale}x")
def tile(z: int, x: int, y: str, scale: float) -> list[int | float | str]:
    return [z, x, y, scale]


@app.get("/path/pair/{lon},{lat}")
def pair(lon: float, lat: float) -> list[float]:
    return [lon, lat]


@app.get("/path/dotted/{name}.{ending}")
def dotted(name: str, ending: str) -> list[str]:
    return [name, ending]


@app.get("/path/six/{a}/{b}/{c}/{d}/{e}/{f}")
def six(a: int, b: int, c: int, d: int, e: int, f: int) -> int:
    return a + b + c + d + e + f


@app.get("/path/tail/{p:path}/tail")
def tail(p: str) -> str:
    return p


@app.get("/path/prefixed/v{major:int}.{minor:int}/{rest:path}")
def prefixed(major: int, minor: int, rest: str) -> list[int | str]:
    return [major, minor, rest]


@app.get("/path/ordered/{number:int}")
def ordered_int(number: int) -> int:
    return number


@app.get("/path/ordered/me")
def ordered_me() -> str:
    return "me"


@app.get("/path/ordered/{rest:path}")
def ordered_rest(rest: str) -> str:
    return rest


@app.get("/path/slash/{f:float}/{u:uuid}/")
def slash(f: float, u: UUID) -> list[float | UUID]:
    return [f, u]


# Methods


@app.head("/method/head/{v}")
def head(v: int) -> int:
    return v


@app.options("/method/options")
def options(given: Item) -> Item:
    return given


@app.trace("/method/trace")
def trace(q: int) -> int:
    return q


@app.patch("/method/patch/{v}")
def patch(v: int, given: Item) -> Item:
    return given


@app.api_route("/method/several/{v}", methods=["GET", "POST", "DELETE"], operation_id="several")
def several(v: int) -> int:
    return v


@app.get("/method/split")
def split_get() -> str:
    return "get"


@app.post("/method/split")
def split_post() -> str:
    return "post"


# Security

users = OAuth2PasswordBearer(
    tokenUrl="token",
    scopes={"me": "Read yourself.", "items": "Read items."},
    scheme_name="Users",
    description="Of users",
)
# An argument of its own since 0.115.13.
users.model.flows.password.refreshUrl = "refresh"  # type: ignore[union-attr]
code = OAuth2AuthorizationCodeBearer(
    authorizationUrl="https://example.com/authorize", tokenUrl="https://example.com/token"
)


@app.get("/security/password")
def password(token: Annotated[str, Depends(users)]) -> str:
    return token


@app.get("/security/code")
def authorization_code(token: Annotated[str, Depends(code)]) -> str:
    return token


@app.get("/security/open-id")
def open_id(
    given: Annotated[
        str, Depends(OpenIdConnect(openIdConnectUrl="https://example.com/openid", description="Open"))
    ],
) -> str:
    return given


@app.get("/security/digest")
def digest(given: Annotated[HTTPAuthorizationCredentials, Depends(HTTPDigest())]) -> list[str]:
    return [given.scheme, given.credentials]


@app.get("/security/jwt")
def jwt(
    given: Annotated[
        HTTPAuthorizationCredentials,
        Depends(HTTPBearer(bearerFormat="JWT", scheme_name="Token", description="A JWT")),
    ],
) -> list[str]:
    return [given.scheme, given.credentials]


@app.get("/security/realm")
def realm(
    given: Annotated[HTTPBasicCredentials, Depends(HTTPBasic(realm="simple", scheme_name="Admin"))],
) -> list[str]:
    return [given.username, given.password]


class Optionals(BaseModel):
    bearer: str | None
    basic: str | None
    digest: str | None
    token: str | None
    open_id: str | None
    header: str | None
    query: str | None
    cookie: str | None


@app.get("/security/optional")
def optional(
    bearer: Annotated[HTTPAuthorizationCredentials | None, Depends(HTTPBearer(auto_error=False))],
    basic: Annotated[HTTPBasicCredentials | None, Depends(HTTPBasic(auto_error=False))],
    digest: Annotated[HTTPAuthorizationCredentials | None, Depends(HTTPDigest(auto_error=False))],
    token: Annotated[
        str | None, Depends(OAuth2PasswordBearer(tokenUrl="/token", auto_error=False))
    ],
    open_id: Annotated[
        str | None, Depends(OpenIdConnect(openIdConnectUrl="/openid", auto_error=False))
    ],
    header: Annotated[str | None, Depends(APIKeyHeader(name="x-key", auto_error=False))],
    query: Annotated[str | None, Depends(APIKeyQuery(name="number", auto_error=False))],
    cookie: Annotated[
        str | None,
        Depends(APIKeyCookie(name="k", auto_error=False, scheme_name="K", description="A cookie")),
    ],
) -> Optionals:
    return Optionals(
        bearer=bearer and bearer.credentials,
        basic=basic and basic.username,
        digest=digest and digest.credentials,
        token=token,
        open_id=open_id,
        header=header,
        query=query,
        cookie=cookie,
    )


class User(BaseModel):
    token: str
    scopes: list[str]


def current_user(scopes: SecurityScopes, token: Annotated[str, Depends(users)]) -> User:
    if token == "abc":
        raise HTTPException(
            401,
            detail="Not enough permissions",
            headers={"WWW-Authenticate": f'Bearer scope="{scopes.scope_str}"'},
        )
    return User(token=token, scopes=scopes.scopes)


def active_user(user: Annotated[User, Security(current_user, scopes=["me"])]) -> User:
    return user


@app.get("/security/scoped")
def scoped(user: Annotated[User, Security(active_user, scopes=["items", "me"])]) -> User:
    return user


# Dependencies


class Page(BaseModel):
    page: int
    size: int


def page(
    page: Annotated[int, Query(ge=1)] = 1,
    size: Annotated[int, Query(le=100)] = 10,
    x_size: Annotated[int | None, Header()] = None,
) -> Page:
    return Page(page=page, size=x_size or size)


def checked(page: Annotated[Page, Depends(page)], x_token: Annotated[str, Header()]) -> str:
    if x_token == "abc":
        raise HTTPException(400, detail={"page": page.page, "why": ["abc"], "f": 1e-7})
    return x_token


@app.get("/depends/nested/{v}")
def nested(
    token: Annotated[str, Depends(checked)],
    page: Annotated[Page, Depends(page)],
    v: int,
    q: Annotated[str | None, Query(max_length=3)] = None,
) -> list[Any]:
    return [token, page.page, page.size, v, q]


def item_of(v: Annotated[int, Path(ge=0)]) -> int:
    if v == 5:
        raise HTTPException(404, detail="No such item")
    return v * 2


@app.get("/depends/path/{v}")
def depends_path(item: Annotated[int, Depends(item_of)], q: int) -> list[int]:
    return [item, q]


@app.post("/depends/both/{v}")
def depends_both(item: Annotated[int, Depends(item_of)], v: int, given: Item) -> list[Any]:
    return [item, v, given.name]


def count(request: Request) -> int:
    request.state.count = getattr(request.state, "count", 0) + 1
    return int(request.state.count)


def counted(request: Request, n: Annotated[int, Query(ge=1)]) -> int:
    return count(request) * n


def again(request: Request, q: Annotated[int | None, Query(le=9)] = None) -> int:
    return count(request) + (q or 0)


@app.get("/depends/uncached")
def depends_uncached(
    first: Annotated[int, Depends(again, use_cache=False)],
    second: Annotated[int, Depends(again, use_cache=False)],
    third: Annotated[int, Security(again, use_cache=False)],
    fourth: Annotated[int, Depends(counted)],
    fifth: Annotated[int, Depends(counted)],
) -> list[int]:
    return [first, second, third, fourth, fifth]


# Answers


@app.get("/answer/error/{v}")
def error(v: int) -> None:
    details: list[Any] = [
        "text é",
        {"a": [1, 2.5, 1e22, None, True], "é": "\u2028\x7f"},
        [],
        None,
        3,
        1e-7,
    ]
    raise HTTPException(
        418, detail=details[v % 6], headers={"X-One": "1", "X-Two": "2"} if v % 2 else None
    )


@app.get("/answer/status/{v}")
def error_status(v: Annotated[int, Path(ge=200, le=599)]) -> None:
    raise HTTPException(v, headers={"X-Status": str(v)})


@app.get("/answer/redirect", response_class=RedirectResponse)
def redirect(to: str) -> str:
    return to


@app.get("/answer/redirect-303", response_class=RedirectResponse, status_code=303)
def redirect_303(to: str) -> str:
    return to


@app.get("/answer/redirect-own")
def redirect_own(to: str) -> RedirectResponse:
    return RedirectResponse(to, status_code=308)


@app.get("/answer/cookie")
def cookie(response: Response, key: str, value: str, kind: int) -> str:
    match kind % 6:
        case 0:
            response.set_cookie(key, value)
        case 1:
            response.set_cookie(
                key, value, max_age=kind, path="/a", domain="example.com", secure=True, httponly=True
            )
        case 2:
            response.set_cookie(key, value, expires=kind, samesite="strict")
        case 3:
            at = datetime(2031, 5, 6, 7, 8, 9, tzinfo=timezone.utc)
            response.set_cookie(key, value, expires=at, samesite="none", path=None)
        case 4:
            response.delete_cookie(
                key, path="/b", domain="example.com", secure=True, httponly=True, samesite="none"
            )
        case _:
            response.set_cookie(key, value, samesite=None)
            response.set_cookie("other", "1", max_age=0)
    return value


@app.get("/answer/unmodified", status_code=304)
def unmodified() -> None:
    return None


@app.get("/answer/html", response_class=HTMLResponse)
def html(v: str) -> str:
    return f"<p>{v}</p>"


@app.get("/answer/plain", response_class=PlainTextResponse)
def plain(v: str) -> str:
    return v


class Xml(Response):
    media_type = "application/xml"


class Csv(Response):
    media_type = "text/csv"


@app.get("/answer/xml", response_class=Xml)
def xml(v: str) -> str:
    return f"<v>{v}</v>"


@app.get("/answer/csv", response_class=Csv, responses={404: {"model": Message}})
def csv(v: str) -> str:
    return f"v\n{v}"


@app.get("/answer/any")
def any_response(v: str) -> Response:
    return Response(v, media_type="image/svg+xml", headers={"X-V": "1"})


@app.get("/answer/stream", response_class=StreamingResponse)
def stream(n: Annotated[int, Query(ge=0, le=20)]) -> Any:
    return StreamingResponse(
        (f"{i}," for i in range(n)),
        status_code=203,
        headers={"X-Stream": str(n)},
        media_type="text/plain",
    )


if has("answer/events", "answer/events-many", "answer/events-own", fastapi="0.135"):
    from fastapi.sse import EventSourceResponse, ServerSentEvent

    @app.get("/answer/events", response_class=EventSourceResponse)
    async def events(n: Annotated[int, Query(ge=0, le=9)], text: str) -> AsyncIterable[Item]:
        for i in range(n):
            yield Item(name=text, price=i / 2)


    @app.get("/answer/events-many", response_class=EventSourceResponse)
    async def events_many(n: Annotated[int, Query(ge=0, le=9)]) -> AsyncIterable[list[Item] | None]:
        for i in range(n):
            yield [Item(name=str(i))] if i else None


    @app.get("/answer/events-own", response_class=EventSourceResponse)
    async def events_own(text: str) -> AsyncIterable[ServerSentEvent]:
        yield ServerSentEvent(data=text, event="named", id="1", retry=5)
        yield ServerSentEvent(raw_data=text, comment=text)
        yield ServerSentEvent(data={"text": text, "list": [1, 1e-7, None]})
        yield ServerSentEvent(data=Item(name=text))
        yield ServerSentEvent(data=[{"a": 1}])
        yield ServerSentEvent()


if has("answer/lines", "answer/lines-untyped", fastapi="0.134"):

    @app.get("/answer/lines")
    async def lines(n: Annotated[int, Query(ge=0, le=9)], text: str) -> AsyncIterable[Item]:
        for i in range(n):
            yield Item(name=text, price=i)


    @app.get("/answer/lines-untyped")
    def lines_untyped(n: Annotated[int, Query(ge=0, le=9)], text: str):  # type: ignore[no-untyped-def]
        for i in range(n):
            yield {"text": text, "i": [i, i / 4]}


@app.get("/answer/file", response_class=FileResponse)
def file() -> Any:
    return FileResponse(f"{FILES}/text.txt")


@app.get("/answer/file-named", response_class=FileResponse)
def file_named(name: str) -> Any:
    return FileResponse(f"{FILES}/large.bin", filename=name, content_disposition_type="inline")


@app.head("/answer/file-head", response_class=FileResponse)
def file_head() -> Any:
    return FileResponse(f"{FILES}/text.txt", media_type="text/x-other")


@app.get("/answer/file-missing", response_class=FileResponse, status_code=202)
def file_missing() -> Any:
    return FileResponse(f"{FILES}/page.html", status_code=404)


def nothing() -> None:
    return None


@app.post("/answer/background", status_code=202)
def background(tasks: BackgroundTasks, v: int) -> int:
    tasks.add_task(nothing)
    return v


class Profile(BaseModel):
    user_name: str = Field(alias="userName")
    v: int = 0
    inner: dict[str, int] = {"a": 1}

    @computed_field(
        alias="doubleV",
        title="Twice",
        description="Two of it.",
        examples=[2],
        deprecated=True,
        json_schema_extra={"x-kind": "double"},
    )
    @property
    def double(self) -> int:
        return 2 * self.v


@app.get("/answer/selected", response_model=Profile, response_model_include={"user_name", "double"})
def selected(v: Annotated[int, Query(ge=-1_000_000, le=1_000_000)]) -> Any:
    return Profile(userName="a", v=v)


@app.get(
    "/answer/left-out",
    response_model=list[Profile],
    response_model_exclude={"__all__": {"inner", "userName"}},
)
def left_out(v: Annotated[int, Query(ge=-1_000_000, le=1_000_000)]) -> Any:
    return [Profile(userName="a", v=v)] * 2


@app.get("/answer/chosen", status_code=201)
def chosen(response: Response, v: int) -> int:
    response.status_code = 200 + v % 3
    response.headers["X-Chosen"] = str(v)
    return v


# Documents


@app.get(
    "/document/responses/{v}",
    tags=["own", "document"],
    responses={
        404: {"model": Message, "description": "Not there"},
        "4XX": {"description": "Wrong"},
        413: {},
        418: {"model": list[Message]},
        "default": {"model": Message},
        200: {
            "description": "An item or its picture",
            "content": {"image/png": {"schema": {"type": "string", "format": "binary"}}},
            "headers": {"X-Rate": {"description": "A rate", "schema": {"type": "integer"}}},
        },
        302: {"description": "Elsewhere", "links": {"next": {"operationId": "plain_answer"}}},
    },
)
def document_responses(v: int) -> Item:
    return Item(name=str(v))


@app.get("/document/explained", responses={422: {"description": "Own"}})
def document_explained(v: int) -> int:
    return v


@app.post(
    "/document/extra",
    openapi_extra={
        "x-vendor": {"a": [1]},
        "security": [],
        "tags": ["extra"],
        "externalDocs": {"url": "https://example.com/"},
        "servers": [{"url": "https://other.example.com"}],
        "parameters": [{"name": "X-More", "in": "header", "schema": {"type": "string"}}],
        "requestBody": {"content": {"application/yaml": {"schema": {"type": "object"}}}},
        "responses": {"200": {"description": "Merged"}, "503": {"description": "Busy"}},
    },
    tags=["own"],
    summary="Own summary",
    deprecated=True,
)
def document_extra(given: Item, q: int = 1) -> int:
    return q


@app.get("/document/hidden/{v}", include_in_schema=False)
def document_hidden(v: int) -> int:
    return v


class Event(BaseModel):
    id: UUID
    paid: bool


callbacks = APIRouter()


@callbacks.post("{$callback_url}/invoices/{$request.body.id}", response_model=Message)
def invoice_notification(body: Event) -> Any:
    """Tell that an invoice is paid."""


@app.post("/document/callbacks", callbacks=callbacks.routes)
def document_callbacks(callback_url: str, given: Item) -> Message:
    return Message(message=callback_url)


@app.webhooks.post("new-subscription", tags=["webhooks"])
def new_subscription(body: Event) -> None:
    """When a new user subscribes."""


# WebSockets


@app.websocket("/ws/echo/{v}")
async def ws_echo(
    websocket: WebSocket,
    v: int,
    q: Annotated[int, Query(ge=2)] = 2,
    session: Annotated[str | None, Cookie()] = None,
) -> None:
    await websocket.accept()
    text = await websocket.receive_text()
    await websocket.send_text(f"{v} {q} {session} {text}")
    await websocket.close(code=1001)


@app.websocket("/ws/token")
async def ws_token(websocket: WebSocket, token: Annotated[str, Depends(users)]) -> None:
    await websocket.accept()
    await websocket.send_text(token)
    await websocket.close()


@app.get("/ws/token")
def ws_beside() -> str:
    return "no socket"


# Starlette's routes and sub-applications


def plain_page(request: Request) -> PlainTextResponse:
    return PlainTextResponse(f"a page for {request.method}")


app.add_route("/route/page", plain_page)




def sub_app(redirect_slashes: bool) -> FastAPI:
    sub = FastAPI(openapi_url=None, redirect_slashes=redirect_slashes)

    @sub.get("/items/{v}")
    def sub_item(v: int) -> int:
        return v

    @sub.get("/slash/")
    def sub_slash() -> str:
        return "slash"

    @sub.get("/")
    def sub_root() -> str:
        return "root"

    return sub


app.mount("/mount/sub", sub_app(redirect_slashes=True))
app.mount("/mount/no-redirects", sub_app(redirect_slashes=False))
app.mount("/mount/static", StaticFiles(directory=FILES))
app.mount("/mount/html", StaticFiles(directory=FILES, html=True, follow_symlink=True))

# They answer where no other operation does, so that their paths may be anywhere.
FRONTENDS = [f"frontend/{name}/{{path}}" for name in ("auto", "pages", "index", "none")]
if hasattr(app, "frontend"):
    app.frontend("/frontend/auto", directory=FILES)
    app.frontend("/frontend/pages", directory=os.path.join(FILES, "below"))
    app.frontend("/frontend/index", directory=FILES, fallback="index.html")
    app.frontend("/frontend/none/", directory=os.path.join(FILES, "below"), fallback=None)
else:
    LEFT_OUT.extend(FRONTENDS)


def text_app() -> FastAPI:
    inner = FastAPI(openapi_url=None)

    @inner.get("/text/{n}")
    def text(n: Annotated[int, Path(le=100000)], response: Response) -> str:
        if n % 2:
            response.headers["Vary"] = "Accept"
        return "ab" * n

    @inner.get("/stream/{n}")
    def stream(n: Annotated[int, Path(le=100)], kind: str = "text/plain") -> StreamingResponse:
        def parts() -> Iterator[str]:
            for i in range(n):
                yield f"{i} " * 10

        return StreamingResponse(parts(), media_type=kind)

    inner.mount("/files", StaticFiles(directory=FILES))
    return inner


gzip = text_app()
gzip.add_middleware(GZipMiddleware, minimum_size=50, compresslevel=5)
app.mount("/layer/gzip", gzip)
trusted = text_app()
trusted.add_middleware(
    TrustedHostMiddleware, allowed_hosts=["test", "www.example.com", "*.Example.org"]
)
app.mount("/layer/trusted", trusted)
excluded = text_app()
excluded.add_middleware(
    GZipMiddleware, minimum_size=50, exclude_content_types=("text/csv", "audio/*", "image/png")
)
app.mount("/layer/gzip-excluded", excluded)
exactly = text_app()
exactly.add_middleware(TrustedHostMiddleware, allowed_hosts=["www.test"], www_redirect=False)
app.mount("/layer/trusted-exactly", exactly)
https = text_app()
https.add_middleware(HTTPSRedirectMiddleware)
app.mount("/layer/https", https)

router = APIRouter(
    prefix="/included/{owner}",
    tags=["included"],
    dependencies=[Depends(APIKeyHeader(name="x-key"))],
    responses={403: {"description": "Not yours"}},
    deprecated=True,
)


@router.get("/items/{v}", tags=["items"])
def included_item(owner: str, v: int) -> list[str | int]:
    return [owner, v]


@router.post("/given")
def included_body(owner: str, given: Annotated[list[int], Body()]) -> list[int]:
    return given


app.include_router(router, prefix="/v1")

# They serve files and ranges as an older Starlette does, which is not reproduced.
FILE_OPERATIONS = ["answer/file", "answer/file-named", "answer/file-head", "answer/file-missing"]
LAYERS = ["gzip", "gzip-excluded", "trusted", "trusted-exactly", "https"]
FOLDERS = ["mount/static", "mount/html", *[f"layer/{name}" for name in LAYERS]]
has(*FILE_OPERATIONS, *[f"{folder}/{{path}}" for folder in FOLDERS], fastapi="0.133")
# They fail for statuses without a phrase, and for WebSockets that depend on a scheme of sign-in.
has("answer/status/{v}", fastapi="0.133")
has("ws/token", fastapi="0.165")

served = Ledger(app)
