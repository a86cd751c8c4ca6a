"""More operations of the oracle: other names for what the rest has, such as `PositiveInt`, and what a
`ConfigDict` or a parameter says. Their Rust port is `port/names.rs`."""

import datetime as dt
from decimal import Decimal
from typing import Annotated, Any

from fastapi import Body, File, Header, Query
from probe import Cat, Dog, app
from probe_types import body
from pydantic import (
    AliasGenerator,
    AllowInfNan,
    AnyUrl,
    BaseModel,
    ConfigDict,
    Extra,
    Field,
    FiniteFloat,
    NegativeFloat,
    NegativeInt,
    NonNegativeFloat,
    NonNegativeInt,
    NonPositiveFloat,
    NonPositiveInt,
    PositiveFloat,
    PositiveInt,
    PrivateAttr,
    Strict,
    StrictBool,
    StrictFloat,
    StrictInt,
    StrictStr,
    StringConstraints,
    UrlConstraints,
    conbytes,
    condate,
    condecimal,
    confloat,
    confrozenset,
    conint,
    conlist,
    conset,
    constr,
)
from pydantic import dataclasses as pydantic_dataclasses
from pydantic.alias_generators import to_camel, to_pascal, to_snake
from versions import has


class Constrained(BaseModel):
    i: conint(ge=1, lt=100, multiple_of=2) = 2  # type: ignore[valid-type]
    f: confloat(gt=0, le=10, allow_inf_nan=False) = 1.5  # type: ignore[valid-type]
    d: condecimal(max_digits=5, decimal_places=2, ge=Decimal(0)) | None = None  # type: ignore[valid-type]
    day: condate(gt=dt.date(2000, 1, 1)) | None = None  # type: ignore[valid-type]
    items: conlist(int, min_length=1, max_length=2) = [1]  # type: ignore[valid-type]
    one: conset(int, min_length=1, max_length=1) | None = None  # type: ignore[valid-type]
    same: confrozenset(int, min_length=1, max_length=1) | None = None  # type: ignore[valid-type]
    b: conbytes(min_length=1, max_length=3) | None = None  # type: ignore[valid-type]
    s: constr(  # type: ignore[valid-type]
        strip_whitespace=True, to_upper=True, min_length=1, max_length=4, pattern="^[A-Z]+$"
    ) = "A"
    t: constr(to_lower=True, strict=True) = "a"  # type: ignore[valid-type]


class Signs(BaseModel):
    a: PositiveInt = 1
    b: NegativeInt = -1
    c: NonNegativeInt = 0
    d: NonPositiveInt = 0
    e: PositiveFloat = 0.5
    f: NegativeFloat = -0.5
    g: NonNegativeFloat = 0.5
    h: NonPositiveFloat = -0.5
    i: FiniteFloat = 0.5
    j: Annotated[float, AllowInfNan(False)] = 0.5


class StrictNames(BaseModel):
    a: StrictInt = 1
    b: StrictFloat = 0.5
    c: StrictBool = True
    d: StrictStr = "d"
    e: Annotated[int, Strict()] = 1
    f: Annotated[str, StringConstraints(strict=True, pattern="^a")] = "a"


class Configured(BaseModel):
    model_config = ConfigDict(
        title="Configured title",
        str_strip_whitespace=True,
        str_to_lower=True,
        str_min_length=1,
        str_max_length=3,
        allow_inf_nan=False,
        use_attribute_docstrings=True,
    )
    s: str
    """What `s` is."""
    f: float = Field(0.5, json_schema_extra={"x-unit": "m"})
    many: list[str] = []


class Loud(BaseModel):
    model_config = ConfigDict(str_to_upper=True, extra=Extra.ignore)
    v: str


class Pascal(BaseModel):
    model_config = ConfigDict(alias_generator=AliasGenerator(alias=to_pascal))
    full_name: str
    is_on: bool = False


class Snake(BaseModel):
    model_config = ConfigDict(alias_generator=to_snake, validate_by_name=True)
    fullName: str  # noqa: N815
    n: int = 0


class Generated(BaseModel):
    model_config = ConfigDict(
        alias_generator=AliasGenerator(validation_alias=to_camel, serialization_alias=to_pascal),
        serialize_by_alias=True,
    )
    full_name: str
    is_on: bool = False
    _seen: int = PrivateAttr(default=0)


class UrlLength(BaseModel):
    v: Annotated[AnyUrl, UrlConstraints(max_length=20)]


@pydantic_dataclasses.dataclass
class Dataclass:
    n: int
    s: Annotated[str, Field(max_length=2)] = "x"


MODELS: dict[str, Any] = {
    "constrained": Constrained,
    "signs": Signs,
    "strict-names": StrictNames,
    "configured": Configured,
    "loud": Loud,
    "pascal": Pascal,
    "snake": Snake,
    "generated": Generated,
    "url-length": UrlLength,
    "pydantic-dataclass": Dataclass,
}

# Before, a model is read by names as `populate_by_name` says.
if not has("body/snake", pydantic="2.11"):
    del MODELS["snake"]
# Before, the document does not show what a `ConfigDict` says of texts.
has("body/configured", pydantic="2.14")
# Before, the bounds of a date have no document.
if not has("body/constrained", pydantic="2.9"):
    del MODELS["constrained"]
for name, model in MODELS.items():
    body(name, model)


@app.post("/form/bytes")
def operation(
    file: Annotated[bytes, File(max_length=20)],
    more: Annotated[list[bytes] | None, File()] = None,
    note: Annotated[bytes, File()] = b"none",
) -> list[int]:
    return [len(file), *[len(other) for other in more or []], len(note)]


@app.get("/query/arguments")
def operation(  # noqa: F811
    d: Annotated[Decimal, Query(max_digits=4, decimal_places=2, ge=0, lt=50)],
    f: Annotated[
        float, Query(allow_inf_nan=False, gt=0, le=100, multiple_of=0.5, examples=[1.5])
    ] = 1.0,
    s: Annotated[
        str, Query(min_length=1, pattern="^a", json_schema_extra={"x-kind": "text"})
    ] = "a",
    i: Annotated[int, Query(strict=True, serialization_alias="ii")] = 1,
    h: Annotated[
        str | None, Header(title="A header", description="Given.", deprecated=True)
    ] = None,
) -> list[Any]:
    return [f, s, d, i, h]


Pet = Annotated[Cat | Dog, Field(discriminator="kind")]


@app.post("/body/discriminated-body", response_model=Pet)
def operation(given: Annotated[Cat | Dog, Body(discriminator="kind")]) -> Any:  # noqa: F811
    return given


@app.post("/body/embedded")
def operation(given: Annotated[Generated, Body(embed=True, title="The body")]) -> Generated:  # noqa: F811
    return given
