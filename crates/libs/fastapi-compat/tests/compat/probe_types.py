"""More operations of the oracle: types, models and validators. Their Rust port is `port/types.rs`."""

import datetime as dt
import ipaddress
from dataclasses import dataclass
from decimal import Decimal
from enum import Enum
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import Body, Cookie, Form, Header, Query
from probe import Inner, app
from pydantic import (
    UUID1,
    UUID3,
    UUID4,
    UUID5,
    AfterValidator,
    AliasChoices,
    AnyHttpUrl,
    AnyWebsocketUrl,
    AwareDatetime,
    Base64Bytes,
    Base64Str,
    Base64UrlBytes,
    Base64UrlStr,
    BaseModel,
    BeforeValidator,
    ByteSize,
    ConfigDict,
    Field,
    FileUrl,
    FtpUrl,
    FutureDate,
    FutureDatetime,
    IPvAnyAddress,
    IPvAnyInterface,
    IPvAnyNetwork,
    Json,
    NaiveDatetime,
    PastDate,
    PastDatetime,
    SecretBytes,
    SecretStr,
    WebsocketUrl,
    create_model,
    field_validator,
    model_validator,
)
from pydantic_core import PydanticCustomError
from typing_extensions import NotRequired, TypedDict
from versions import has


class Names(BaseModel):
    n: int = Field(validation_alias=AliasChoices("a", "b"))
    m: int = Field(1, validation_alias="mm", serialization_alias="MM")
    k: int = Field(2, alias="kk")


class NamesForbid(BaseModel):
    model_config = ConfigDict(extra="forbid", populate_by_name=True)
    n: int = Field(alias="a")
    user_name: str = Field("x", alias="userName")


class ExtraAllow(BaseModel):
    model_config = ConfigDict(extra="allow")
    v: int
    w: str = "w"


class ExtraTyped(BaseModel):
    model_config = ConfigDict(extra="allow")
    __pydantic_extra__: dict[str, int]
    v: int


class NotNull(BaseModel):
    v: int = None  # type: ignore[assignment]
    w: Annotated[str, Field(max_length=3)] = None  # type: ignore[assignment]
    f: int = Field(default_factory=lambda: 7)


class DefaultModel(BaseModel):
    v: Inner = Inner(name="default")
    w: dict[str, int] = {"a": 1}


class Strict(BaseModel):
    model_config = ConfigDict(strict=True)
    i: int
    f: float = 1.5
    s: str = "s"
    b: bool = True
    items: list[int] = []
    d: dict[str, int] = {}
    o: int | None = None
    inner: Inner | None = None
    t: Literal["a", 1] = "a"


class StrictFields(BaseModel):
    v: Annotated[int, Field(strict=True)]
    w: Annotated[bool, Field(strict=True)] = True
    x: Annotated[float, Field(strict=True, ge=0)] = 0.5
    y: list[int] = []


class LiteralBool(BaseModel):
    v: Literal[True]
    w: Literal[1, "a", True] = "a"
    x: Literal[False, True] = False


class Plain(Enum):
    one = 1
    two = 2


class Mixed(Enum):
    one = 1
    x = "x"


class Enums(BaseModel):
    v: Plain
    w: Mixed = Mixed.x
    x: Plain | str = "x"


class One(BaseModel):
    t: Literal[1]
    n: int


class Two(BaseModel):
    t: Literal[2]
    n: str


class TagsInt(BaseModel):
    v: Annotated[One | Two, Field(discriminator="t")]


class Validated(BaseModel):
    n: int
    s: Annotated[str, Field(max_length=3)]
    p: str = "x"

    @field_validator("n")
    @classmethod
    def check_number(cls, number: int) -> int:
        if number == 1:
            raise ValueError("no one")
        assert number != 2, "no two"
        if number == 7:
            raise PydanticCustomError("no_seven", "no {what}", {"what": "seven"})
        return number + 1

    @field_validator("s", mode="before")
    @classmethod
    def check_text(cls, text: Any) -> Any:
        if isinstance(text, int) and not isinstance(text, bool):
            raise ValueError("a number")
        return text.strip() if isinstance(text, str) else text

    @model_validator(mode="before")
    @classmethod
    def check_before(cls, given: Any) -> Any:
        if isinstance(given, dict) and "bad" in given:
            raise ValueError("bad")
        return given

    @model_validator(mode="after")
    def check_after(self) -> "Validated":
        if self.n == 11:
            raise ValueError("the model")
        return self


def even(number: int) -> int:
    if number % 2:
        raise ValueError("odd")
    return number


def trimmed(given: Any) -> Any:
    return given.strip() if isinstance(given, str) else given


class Annotations(BaseModel):
    v: list[Annotated[int, AfterValidator(even)]]
    w: Annotated[int, AfterValidator(even)] | None = None
    x: Annotated[str, Field(max_length=2), BeforeValidator(trimmed)] | bool = True
    y: Validated | int = 1


@dataclass
class Data:
    n: int
    s: str = "x"


class Typed(TypedDict):
    n: int
    s: NotRequired[str]


class Classes(BaseModel):
    v: Data
    w: Typed


MODELS: dict[str, Any] = {
    "names": Names,
    "names-forbid": NamesForbid,
    "extra-allow": ExtraAllow,
    "extra-typed": ExtraTyped,
    "not-null": NotNull,
    "default-model": DefaultModel,
    "strict": Strict,
    "strict-fields": StrictFields,
    "literal-bool": LiteralBool,
    "enums": Enums,
    "tags-int": TagsInt,
    "validated": Validated,
    "annotations": Annotations,
    "classes": Classes,
    "data-class": Data,
}

VALUES: dict[str, Any] = {
    "uuid-1": UUID1,
    "uuid-3": UUID3,
    "uuid-5": UUID5,
    "uuid-4": UUID4,
    "ip-4": ipaddress.IPv4Address,
    "ip-6": ipaddress.IPv6Address,
    "ip-any": IPvAnyAddress,
    "network-4": ipaddress.IPv4Network,
    "network-6": ipaddress.IPv6Network,
    "network-any": IPvAnyNetwork,
    "interface-4": ipaddress.IPv4Interface,
    "interface-6": ipaddress.IPv6Interface,
    "interface-any": IPvAnyInterface,
    "secret-str": Annotated[SecretStr, Field(min_length=2)],
    "secret-bytes": Annotated[SecretBytes, Field(max_length=3)],
    "bytes": bytes,
    "bytes-length": Annotated[bytes, Field(min_length=2, max_length=3)],
    "datetime-aware": AwareDatetime,
    "datetime-naive": NaiveDatetime,
    "datetime-past": PastDatetime,
    "datetime-future": FutureDatetime,
    "date-past": PastDate,
    "date-future": FutureDate,
    "byte-size": ByteSize,
    "base-64": Base64Bytes,
    "base-64-str": Base64Str,
    "base-64-url": Base64UrlBytes,
    "base-64-url-str": Base64UrlStr,
    "json-int": Json[int],
    "json-list": Json[list[Inner | int]],
    "json-any": Json[Any],
    "url-any-http": AnyHttpUrl,
    "url-file": FileUrl,
    "url-ftp": FtpUrl,
    "url-websocket": WebsocketUrl,
    "url-any-websocket": AnyWebsocketUrl,
    "dict-dates": dict[dt.date, int],
    "dict-datetimes": dict[dt.datetime, int],
    "dict-times": dict[dt.time, int],
    "dict-durations": dict[dt.timedelta, int],
    "dict-uuid-4": dict[UUID4, int],
    "union-ip": ipaddress.IPv4Address | SecretStr | bytes,
    "union-ids": UUID | int,
}


def title(name: str) -> str:
    """What the model is called in Rust, where some names are those of its types."""
    title = "".join(word.capitalize() for word in name.split("-"))
    taken = [
        "Base64Str",
        "Base64UrlStr",
        "Uuid1",
        "Uuid3",
        "Uuid4",
        "Uuid5",
        "Uuid6",
        "Uuid7",
        "Uuid8",
        "SecretStr",
        "SecretBytes",
        "ByteSize",
    ]
    return f"{title}Model" if title in taken else title


def body(name: str, model: Any) -> None:
    @app.post(f"/body/{name}", response_model=model)
    def operation(given: model) -> Any:  # type: ignore[valid-type]
        return given


if has("body/uuid-6", "body/uuid-7", "body/uuid-8", pydantic="2.11"):
    from pydantic import UUID6, UUID7, UUID8

    VALUES |= {"uuid-6": UUID6, "uuid-7": UUID7, "uuid-8": UUID8}
for name, value in VALUES.items():
    MODELS[name] = create_model(title(name), v=(value, ...))
for name, model in MODELS.items():
    body(name, model)


class Params(BaseModel):
    v: int
    w: list[str] = []
    x_y: str = Field("d", max_length=3)
    z: int = Field(1, alias="Z_z")
    c: int = Field(2, validation_alias=AliasChoices("a", "b"))


class ParamsForbid(Params):
    model_config = ConfigDict(extra="forbid")


class ParamsAllow(Params):
    model_config = ConfigDict(extra="allow")


class Cookies(BaseModel):
    v: int
    x_y: str = Field("d", max_length=3)


class CookiesForbid(Cookies):
    model_config = ConfigDict(extra="forbid")


class CookiesAllow(Cookies):
    model_config = ConfigDict(extra="allow")


class ParamsValidated(BaseModel):
    v: int

    @model_validator(mode="after")
    def check(self) -> "ParamsValidated":
        if self.v == 5:
            raise ValueError("five")
        return self


def parameters(kind: str, name: str, model: type[BaseModel], marker: Any) -> None:
    if not has(f"{kind}/{name}", fastapi="0.113" if kind == "form" else "0.115"):
        return

    def operation(given: Annotated[model, marker]) -> Any:  # type: ignore[valid-type]
        return given

    register = app.post if kind == "form" else app.get
    register(f"/{kind}/{name}", response_model=model)(operation)


for name, model in {
    "model": Params,
    "model-forbid": ParamsForbid,
    "model-allow": ParamsAllow,
    "model-validated": ParamsValidated,
}.items():
    parameters("query", name, model, Query())
    parameters("header", name, model, Header())
    parameters("form", name, model, Form())
for name, model in {
    "model-cookies": Cookies,
    "model-cookies-forbid": CookiesForbid,
    "model-cookies-allow": CookiesAllow,
}.items():
    parameters("cookie", name, model, Cookie())
parameters("header", "model-underscores", Params, Header(convert_underscores=False))


@app.get("/query/model-names")
def operation(
    v: Annotated[int, Query(validation_alias=AliasChoices("a", "b"))],
    x_y: Annotated[str, Query(alias="Z_z")] = "z",
) -> list[int | str]:
    return [v, x_y]


@app.get("/header/model-names")
def operation(  # noqa: F811
    v: Annotated[int, Header(validation_alias=AliasChoices("a", "x_y"))],
    z: Annotated[str, Header(alias="Z_z")] = "z",
    w: Annotated[str, Header(convert_underscores=False)] = "w",
) -> list[int | str]:
    return [v, z, w]


@app.get("/query/model-hidden")
def operation(  # noqa: F811
    v: int = None,  # type: ignore[assignment]
    w: Annotated[list[str], Query()] = None,  # type: ignore[assignment]
    c: Annotated[int, Query(default_factory=lambda: 3)] = ...,  # type: ignore[assignment]
) -> list[Any]:
    return [v, w, c]


@app.post("/form/model-hidden")
def operation(  # noqa: F811
    v: Annotated[int, Form()] = None,  # type: ignore[assignment]
    x_y: Annotated[str, Form()] = None,  # type: ignore[assignment]
) -> list[Any]:
    return [v, x_y]


class JsonModel(BaseModel):
    v: Json[Inner]


@app.post("/body/json-model")
def operation(given: JsonModel) -> Inner:  # noqa: F811
    return given.v


@app.post("/form/json")
def operation(v: Annotated[Json[list[int]], Form()]) -> list[int]:  # noqa: F811
    return v


@app.post("/body/default-body")
def operation(given: Inner = Inner(name="default")) -> Inner:  # noqa: F811
    return given


@app.post("/body/default-list")
def operation(given: Annotated[list[int], Body()] = [1, 2]) -> list[int]:  # noqa: F811
    return given


@app.post("/body/hidden-body")
def operation(given: Inner = None) -> Inner | None:  # type: ignore[assignment]  # noqa: F811
    return given


class Dumped(BaseModel):
    f: float
    d: Decimal
    t: dt.timedelta
    at: dt.datetime
    time: dt.time
    day: dt.date = dt.date(2020, 1, 1)
    items: list[Decimal] = []
    big: int = 10**30


@app.post("/body/encoded-dump")
def operation(given: Dumped):  # type: ignore[no-untyped-def]  # noqa: F811
    return given.model_dump()


@app.post("/body/encoded-model")
def operation(given: Dumped):  # type: ignore[no-untyped-def]  # noqa: F811
    return given


@app.post("/body/encoded-dict")
def operation(given: Dumped):  # type: ignore[no-untyped-def]  # noqa: F811
    return {
        "given": given,
        "d": given.d,
        "t": [given.t, given.at],
        given.t: given.time,
        given.day: given.f,
    }
