"""The oracle: an operation for each construct, on the pinned FastAPI. Its Rust port is `port.rs`."""

import datetime as dt
from decimal import Decimal
from enum import Enum, IntEnum
from typing import Annotated, Any, Generic, Literal, TypeVar
from uuid import UUID

from fastapi import Body, Cookie, Depends, FastAPI, File, Form, Header, Path, Query, UploadFile
from fastapi.responses import PlainTextResponse, RedirectResponse
from fastapi.security import (
    APIKeyCookie,
    APIKeyHeader,
    APIKeyQuery,
    HTTPAuthorizationCredentials,
    HTTPBasic,
    HTTPBasicCredentials,
    HTTPBearer,
    OAuth2PasswordBearer,
)
from pydantic import (
    AnyUrl,
    BaseModel,
    ConfigDict,
    EmailStr,
    Field,
    HttpUrl,
    RootModel,
    StringConstraints,
)
from pydantic.alias_generators import to_camel
from versions import LEFT_OUT, has

app = FastAPI(docs_url=None, redoc_url=None)


@app.get("/left-out", include_in_schema=False)
def left_out() -> list[str]:
    return LEFT_OUT


class Color(str, Enum):
    red = "red"
    green = "green"
    dark_blue = "dark blue"


class Solo(str, Enum):
    only = "only"


class Level(IntEnum):
    low = 1
    high = 10


class Tag(BaseModel):
    v: Annotated[str, Field(min_length=1, max_length=3)]


class Str(BaseModel):
    v: str


class StrLength(BaseModel):
    v: Annotated[str, Field(min_length=2, max_length=5)]


class StrPattern(BaseModel):
    v: Annotated[str, Field(pattern=r"^[a-z]+\d*$")]


class StrStrip(BaseModel):
    v: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=4)]


class StrUpper(BaseModel):
    v: Annotated[str, StringConstraints(to_upper=True)]


class StrLower(BaseModel):
    v: Annotated[str, StringConstraints(to_lower=True, strip_whitespace=True)]


class Int(BaseModel):
    v: int


class IntBounds(BaseModel):
    v: Annotated[int, Field(ge=0, le=100)]


class IntOpen(BaseModel):
    v: Annotated[int, Field(gt=-5, lt=10)]


class IntMultiple(BaseModel):
    v: Annotated[int, Field(multiple_of=5)]


class Int32(BaseModel):
    v: Annotated[int, Field(ge=-2147483648, le=2147483647)]


class Float(BaseModel):
    v: float


class FloatBounds(BaseModel):
    v: Annotated[float, Field(ge=0.5, lt=9.5)]


class FloatOpen(BaseModel):
    v: Annotated[float, Field(gt=-1, le=10)]


class FloatMultiple(BaseModel):
    v: Annotated[float, Field(multiple_of=0.5)]


class FloatFinite(BaseModel):
    v: Annotated[float, Field(allow_inf_nan=False)]


class Bool(BaseModel):
    v: bool


class Dec(BaseModel):
    v: Decimal


class DecDigits(BaseModel):
    v: Annotated[Decimal, Field(max_digits=5, decimal_places=2)]


class DecPlaces(BaseModel):
    v: Annotated[Decimal, Field(decimal_places=1)]


class DecBounds(BaseModel):
    v: Annotated[Decimal, Field(gt=Decimal("0.1"), le=Decimal("100"))]


class DecMultiple(BaseModel):
    v: Annotated[Decimal, Field(multiple_of=Decimal("0.05"))]


class Datetime(BaseModel):
    v: dt.datetime


class DateModel(BaseModel):
    v: dt.date


class DateBounds(BaseModel):
    v: Annotated[dt.date, Field(ge=dt.date(2000, 1, 1), lt=dt.date(2030, 1, 1))]


class TimeModel(BaseModel):
    v: dt.time


class Timedelta(BaseModel):
    v: dt.timedelta


class UuidModel(BaseModel):
    v: UUID


class Email(BaseModel):
    v: EmailStr


class UrlAny(BaseModel):
    v: AnyUrl


class UrlHttp(BaseModel):
    v: HttpUrl


class EnumStr(BaseModel):
    v: Color


class EnumInt(BaseModel):
    v: Level


class EnumOne(BaseModel):
    v: Solo


class LiteralStr(BaseModel):
    v: Literal["a", "b", "it's"]


class LiteralOne(BaseModel):
    v: Literal["only"]


class LiteralInt(BaseModel):
    v: Literal[1, 2]


class AnyModel(BaseModel):
    v: Any


class OptionalInt(BaseModel):
    v: int | None = None


class Nullable(BaseModel):
    v: Annotated[str, Field(max_length=3)] | None


class Defaults(BaseModel):
    v: int = 7
    w: str = "text"


class Named(BaseModel):
    """Fields that are called like what code around them may use."""

    at: int
    errors: str
    fields: bool = False
    type: str | None = None
    input: int = 1
    self: int = Field(1, alias="self")


class ListInt(BaseModel):
    v: list[int]


class ListBounds(BaseModel):
    v: Annotated[list[str], Field(min_length=1, max_length=3)]


class ListConstrained(BaseModel):
    v: list[Annotated[str, Field(max_length=2)]]


class ListNested(BaseModel):
    v: list[list[bool]]


class SetInt(BaseModel):
    v: set[int]


class SetBounds(BaseModel):
    v: Annotated[set[int], Field(min_length=2, max_length=3)]


class DictInt(BaseModel):
    v: dict[str, int]


class DictKeys(BaseModel):
    v: dict[int, float]


class DictUuid(BaseModel):
    v: dict[UUID, int]


class DictEnum(BaseModel):
    v: dict[Color, int]


class DictShort(BaseModel):
    v: dict[Annotated[str, Field(min_length=2)], int]


class DictPattern(BaseModel):
    v: dict[Annotated[str, Field(pattern="^a")], int]


class DictBounds(BaseModel):
    v: Annotated[dict[str, str], Field(min_length=1, max_length=2)]


class TupleModel(BaseModel):
    v: tuple[int, str, bool]


class Inner(BaseModel):
    name: Annotated[str, Field(min_length=1)]
    count: int = 0


class Nested(BaseModel):
    inner: Inner
    others: list[Inner] = Field(default_factory=list)
    maybe: Inner | None = None


class Recursive(BaseModel):
    name: Annotated[str, Field(min_length=1)]
    parent: "Recursive | None" = None
    children: list["Recursive"] = Field(default_factory=list)


class Alias(BaseModel):
    user_name: str = Field(alias="userName")
    item_count: int = Field(alias="item-count", default=1)


class Camel(BaseModel):
    model_config = ConfigDict(alias_generator=to_camel)
    full_name: str
    is_on: bool = False


class Forbid(BaseModel):
    model_config = ConfigDict(extra="forbid")
    v: int
    w: str | None = None


class Update(BaseModel):
    title: Annotated[str, Field(min_length=1)] | None = None
    price: float | None = None


class UnionScalar(BaseModel):
    v: int | str


class UnionNumber(BaseModel):
    v: bool | int | float


class UnionConstrained(BaseModel):
    v: Annotated[int, Field(ge=10)] | Annotated[str, Field(max_length=2)]


class UnionList(BaseModel):
    v: Annotated[list[int], Field(min_length=1, max_length=3)] | int | None


class UnionDate(BaseModel):
    v: dt.date | int | Color


class Small(BaseModel):
    a: int


class Large(BaseModel):
    a: int
    b: str = ""


class Other(BaseModel):
    c: float


class UnionModel(BaseModel):
    v: Small | Large | Other


class Cat(BaseModel):
    kind: Literal["cat"]
    lives: int = 9


class Dog(BaseModel):
    kind: Literal["dog"]
    name: str


class UnionTagged(BaseModel):
    v: Annotated[Cat | Dog, Field(discriminator="kind")]


T = TypeVar("T")


class Page(BaseModel, Generic[T]):
    items: list[T]
    total: int


class Numbers(RootModel[Annotated[list[int], Field(max_length=2)]]):
    """Not more than two."""


class RootModels(BaseModel):
    v: Numbers
    w: Numbers | bool | None = None


class GenericModel(BaseModel):
    v: Page[Inner] | Page[int] | bool


class Described(BaseModel):
    """What the document says besides."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"v": 1}]})
    v: int = Field(ge=1, title="The number", description="Any.\n\nBut positive.", examples=[1, 2])
    w: str | None = Field(None, max_length=3, deprecated=True)
    color: Color = Field(Color.red, description="Its color")


class Bird(BaseModel):
    kind: Literal["owl", "duck"]
    wings: int = 2


class UnionTags(BaseModel):
    v: Annotated[Bird | Cat, Field(discriminator="kind")]


BODIES: dict[str, type[BaseModel]] = {
    "str": Str,
    "str-length": StrLength,
    "str-pattern": StrPattern,
    "str-strip": StrStrip,
    "str-upper": StrUpper,
    "str-lower": StrLower,
    "int": Int,
    "int-bounds": IntBounds,
    "int-open": IntOpen,
    "int-multiple": IntMultiple,
    "int-32": Int32,
    "float": Float,
    "float-bounds": FloatBounds,
    "float-open": FloatOpen,
    "float-multiple": FloatMultiple,
    "float-finite": FloatFinite,
    "bool": Bool,
    "decimal": Dec,
    "decimal-digits": DecDigits,
    "decimal-places": DecPlaces,
    "decimal-bounds": DecBounds,
    "decimal-multiple": DecMultiple,
    "datetime": Datetime,
    "date": DateModel,
    "time": TimeModel,
    "timedelta": Timedelta,
    "uuid": UuidModel,
    "email": Email,
    "url-any": UrlAny,
    "url-http": UrlHttp,
    "enum-str": EnumStr,
    "enum-int": EnumInt,
    "enum-one": EnumOne,
    "literal-str": LiteralStr,
    "literal-one": LiteralOne,
    "literal-int": LiteralInt,
    "any": AnyModel,
    "optional": OptionalInt,
    "nullable": Nullable,
    "defaults": Defaults,
    "named": Named,
    "list": ListInt,
    "list-bounds": ListBounds,
    "list-constrained": ListConstrained,
    "list-nested": ListNested,
    "set": SetInt,
    "set-bounds": SetBounds,
    "dict": DictInt,
    "dict-keys": DictKeys,
    "dict-uuid": DictUuid,
    "dict-enum": DictEnum,
    "dict-short": DictShort,
    "dict-pattern": DictPattern,
    "dict-bounds": DictBounds,
    "tuple": TupleModel,
    "nested": Nested,
    "recursive": Recursive,
    "alias": Alias,
    "camel": Camel,
    "forbid": Forbid,
    "union-scalar": UnionScalar,
    "union-number": UnionNumber,
    "union-constrained": UnionConstrained,
    "union-list": UnionList,
    "union-date": UnionDate,
    "union-model": UnionModel,
    "union-tagged": UnionTagged,
    "union-tags": UnionTags,
    "generic": GenericModel,
    "root": RootModels,
    "described": Described,
}

# Before, the document cannot be written.
if has("body/date-bounds", pydantic="2.9"):
    BODIES["date-bounds"] = DateBounds

# Those that a parameter or a form field can be.
SCALARS = [
    "str",
    "str-length",
    "str-pattern",
    "str-strip",
    "int",
    "int-bounds",
    "float",
    "float-multiple",
    "bool",
    "decimal",
    "decimal-digits",
    "datetime",
    "date",
    "time",
    "timedelta",
    "uuid",
    "email",
    "url-http",
    "enum-str",
    "enum-int",
    "literal-str",
    "union-scalar",
]
LISTS = ["list", "list-bounds", "set"]
OPTIONALS = ["optional", "nullable", "defaults"]


def answer(name: str) -> dict[str, Any]:
    """How an operation answers: with the model, or with a set in order, which it has not by itself."""
    return {"response_model": list[int] if name.startswith("set") else BODIES[name]}


def shown(model: type[BaseModel], **fields: Any) -> Any:
    if isinstance(fields["v"], set):
        return sorted(fields["v"])
    return model.model_construct(**fields)


def body(name: str, model: type[BaseModel]) -> None:
    @app.post(f"/body/{name}", **answer(name))
    def operation(given: model) -> Any:  # type: ignore[valid-type]
        return sorted(given.v) if isinstance(getattr(given, "v", 0), set) else given


def parameter(kind: str, name: str, marker: Any) -> None:
    """An operation with the fields of a model as parameters of one kind."""
    model = BODIES[name]
    fields = model.model_fields

    def annotation(field: str) -> Any:
        info = fields[field]
        kind_of = info.annotation
        for constraint in info.metadata:
            kind_of = Annotated[kind_of, constraint]
        return kind_of

    if len(fields) == 1:
        kind_of = annotation("v")
        info = fields["v"]
        if info.is_required():

            def operation(v: Annotated[kind_of, marker()]) -> Any:  # type: ignore[valid-type]
                return shown(model, v=v)
        else:

            def operation(v: Annotated[kind_of, marker()] = info.default) -> Any:  # type: ignore[valid-type, no-redef]
                return shown(model, v=v)
    else:
        kind_v, kind_w = annotation("v"), annotation("w")

        def operation(  # type: ignore[no-redef]
            v: Annotated[kind_v, marker()] = fields["v"].default,  # type: ignore[valid-type]
            w: Annotated[kind_w, marker()] = fields["w"].default,  # type: ignore[valid-type]
        ) -> Any:
            return shown(model, v=v, w=w)

    path = f"/{kind}/{name}/{{v}}" if kind == "path" else f"/{kind}/{name}"
    register = app.post if kind == "form" else app.get
    register(path, **answer(name))(operation)


# Before, it has two schemas that are the same.
if not has("body/generic", pydantic="2.13"):
    del BODIES["generic"]

for name, model in BODIES.items():
    body(name, model)
for name in SCALARS:
    parameter("path", name, Path)
for name in SCALARS + LISTS + OPTIONALS:
    parameter("query", name, Query)
    parameter("header", name, Header)
for name in SCALARS + OPTIONALS:
    parameter("cookie", name, Cookie)
for name in SCALARS + LISTS + OPTIONALS:
    parameter("form", name, Form)


@app.get("/query/described", summary="In short", deprecated=True, response_description="The same")
def described(
    v: Annotated[int, Query(ge=1, title="The number", description="Any.")],
    w: Annotated[str | None, Query(deprecated=True, max_length=3)] = None,
    color: Annotated[Color, Query(description="Its color", alias="the-color")] = Color.red,
) -> Described:
    return Described(v=v, w=w, color=color)


@app.get("/path/three/{v}/{w}/{x}")
def three(
    v: Annotated[int, Path(ge=2, description="The first")], w: float, x: Annotated[str, Path(max_length=4)]
) -> list[int | float | str]:
    return [v, w, x]


@app.get("/path/four/{v}/{w}/{x}/{y}")
def four(v: int, w: float, x: str, y: bool) -> list[bool | int | float | str]:
    return [v, w, x, y]


@app.get("/path/rest/{v:path}")
def rest(v: str) -> str:
    return v


@app.get("/path/part/{v}.json")
def part(v: str) -> str:
    return v


@app.get("/path/int-convertor/{v:int}")
def int_convertor(v: int) -> int:
    return v


@app.get("/path/float-convertor/{v:float}")
def float_convertor(v: float) -> float:
    return v


@app.get("/path/uuid-convertor/{v:uuid}")
def uuid_convertor(v: UUID) -> UUID:
    return v


@app.get("/path/int-text/{v:int}")
def int_text(v: str) -> str:
    return v


@app.delete("/path/no-content/{v}", status_code=204)
def no_content(v: int) -> None:
    _ = v


@app.get("/path/text/{v}", response_class=PlainTextResponse, operation_id="sayIt")
def text(v: int) -> str:
    return f"é {v}"


@app.get("/path/elsewhere/{v}", response_class=RedirectResponse, status_code=303)
def elsewhere(v: int) -> Any:
    return f"/path/text/{v}"


@app.post("/body/list-of-models")
def list_of_models(given: list[Inner]) -> list[Inner]:
    return given


@app.post("/body/scalar")
def scalar(given: Annotated[int, Body()]) -> int:
    return given


@app.post("/body/optional-scalar")
def optional_scalar(given: Annotated[str | None, Body(max_length=4)] = None) -> str | None:
    return given


@app.post("/body/nothing")
def nothing(given: Inner) -> None:
    _ = given


@app.post("/body/optional-model")
def optional_model(given: Inner | None = None) -> Inner | None:
    return given


@app.post("/body/patch", response_model=Update, response_model_exclude_unset=True)
def patch(given: Update) -> Any:
    return given


class Several(BaseModel):
    inner: Inner
    importance: int
    note: str | None = None


@app.post("/body/several", response_model=Several)
def several(
    inner: Inner,
    importance: Annotated[int, Body(gt=0)],
    note: Annotated[str | None, Body()] = None,
) -> Any:
    return {"inner": inner, "importance": importance, "note": note}


class Everything(BaseModel):
    v: int
    q: float
    x_token: str
    session: str
    body: Inner


@app.put("/everything/{v}", response_model=Everything)
def everything(
    v: Annotated[int, Path(ge=1)],
    q: Annotated[float, Query(lt=10)],
    x_token: Annotated[str, Header(min_length=3)],
    session: Annotated[str, Cookie()],
    body: Inner,
) -> Any:
    return {"v": v, "q": q, "x_token": x_token, "session": session, "body": body}


class Uploaded(BaseModel):
    note: str
    filename: str | None
    content_type: str | None
    size: int | None
    more: list[str | None]


# Before, a single value of a form is no list.
has("form/file", fastapi="0.112.4")


@app.post("/form/file", response_model=Uploaded)
def upload(
    file: UploadFile,
    note: Annotated[str, Form(min_length=2)],
    more: Annotated[list[UploadFile] | None, File()] = None,
) -> Any:
    """Take a file.

    And perhaps more.
    """
    return {
        "note": note,
        "filename": file.filename,
        "content_type": file.content_type,
        "size": file.size,
        "more": [other.filename for other in more or []],
    }


@app.get("/security/bearer", tags=["security"])
def bearer(token: Annotated[str, Depends(OAuth2PasswordBearer(tokenUrl="/token"))]) -> str:
    return token


@app.get("/security/http-bearer", tags=["security"])
def http_bearer(given: Annotated[HTTPAuthorizationCredentials, Depends(HTTPBearer())]) -> str:
    return given.credentials


@app.get("/security/api-key-query", tags=["security"])
def api_key_query(key: Annotated[str, Depends(APIKeyQuery(name="number"))]) -> str:
    return key


@app.get("/security/api-key-cookie", tags=["security"])
def api_key_cookie(key: Annotated[str, Depends(APIKeyCookie(name="k"))]) -> str:
    return key


@app.get("/security/two", tags=["security"])
def two(
    token: Annotated[str, Depends(OAuth2PasswordBearer(tokenUrl="/token"))],
    key: Annotated[str, Depends(APIKeyHeader(name="x-key"))],
    number: int,
) -> list[str]:
    return [token, key, str(number)]


@app.get("/security/basic", tags=["security"])
def basic(given: Annotated[HTTPBasicCredentials, Depends(HTTPBasic())]) -> list[str]:
    return [given.username, given.password]


@app.post("/security/api-key", tags=["security"], status_code=201)
def api_key(
    key: Annotated[str, Depends(APIKeyHeader(name="x-key"))], number: Annotated[int, Query(ge=3)]
) -> list[str]:
    """Answer with the key."""
    return [key, str(number)]


import probe_types  # noqa: E402, F401, I001
import probe_shapes  # noqa: E402, F401
import probe_names  # noqa: E402, F401
from ledger import Ledger  # noqa: E402

served = Ledger(app)
