"""More operations of the oracle: collections, addresses, aliases, choices and validators around the
rules. Their Rust port is `port/shapes.rs`."""

from collections import deque
from collections.abc import Mapping, MutableMapping, MutableSequence, MutableSet, Sequence
from collections.abc import Set as AbstractSet
from typing import Annotated, Any, Literal, NamedTuple

from fastapi import Form, Header, Query
from probe import Inner, app
from probe_types import body
from pydantic import (
    AliasChoices,
    AliasPath,
    AmqpDsn,
    AnyUrl,
    BaseModel,
    ClickHouseDsn,
    CockroachDsn,
    ConfigDict,
    Discriminator,
    Field,
    KafkaDsn,
    MariaDBDsn,
    MongoDsn,
    MySQLDsn,
    NatsDsn,
    PostgresDsn,
    RedisDsn,
    RootModel,
    Tag,
    ValidationError,
    WrapValidator,
    create_model,
    field_validator,
    model_validator,
)
from pydantic_core import PydanticCustomError
from typing_extensions import TypedDict
from versions import has


class Point(NamedTuple):
    x: int
    name: Annotated[str, Field(max_length=3)] = "x"
    inner: Inner | None = None


class Size(NamedTuple):
    width: Annotated[float, Field(ge=0)]
    height_cm: Annotated[float, Field(alias="heightCm", description="How high.")] = 1.5


class NamedTuples(BaseModel):
    v: Point
    w: list[Size] = []


class Choices(BaseModel):
    v: Point | Inner | bool
    w: Inner | Point | None = None
    x: dict[str, float] | Size | None = None


class Row(TypedDict):
    a: int


class Record(BaseModel):
    a: int


class Natural(RootModel[Annotated[int, Field(ge=0)]]):
    pass


class Exact(BaseModel):
    v: dict[str, float] | Record
    w: dict[str, float] | Row | None = None
    x: list[dict[str, float]] | list[Record] | None = None
    y: Record | dict[str, int] | None = None
    z: float | Natural | bool | None = None


class AliasPaths(BaseModel):
    v: int = Field(validation_alias=AliasPath("x", "y", 1))
    w: str = Field("d", validation_alias=AliasChoices("b", AliasPath("names", 0)))
    z: int = Field(1, validation_alias=AliasChoices(AliasPath("names", 1), "c"))
    only: int = Field(2, validation_alias=AliasPath("o"))
    user_name: str = Field(
        "u", validation_alias=AliasPath("user", "name"), serialization_alias="userName"
    )


class AliasPathsForbid(AliasPaths):
    model_config = ConfigDict(extra="forbid")


class AliasPathsAllow(AliasPaths):
    model_config = ConfigDict(extra="allow")


class Kitten(BaseModel):
    kind: Literal["cat"]
    lives: int = 9


class Puppy(BaseModel):
    kind: Literal["dog"]
    name: str


def pet_kind(given: Any) -> Any:
    if isinstance(given, dict):
        return "cat" if "lives" in given else given.get("kind")
    if isinstance(given, str):
        return "text"
    if isinstance(given, bool):
        return None
    return given if isinstance(given, int) else getattr(given, "kind", None)


class Discriminated(BaseModel):
    v: Annotated[
        Annotated[Kitten, Tag("cat")] | Annotated[Puppy, Tag("dog")] | Annotated[str, Tag("text")],
        Discriminator(pet_kind),
    ]
    w: list[
        Annotated[
            Annotated[Kitten, Tag("cat")]
            | Annotated[Annotated[str, Field(max_length=2)], Tag("text")],
            Discriminator(pet_kind),
        ]
        | int
    ] = []


class Black(BaseModel):
    kind: Literal["cat"]
    color: Literal["black"]
    name: str


class White(BaseModel):
    kind: Literal["cat"]
    color: Literal["white"]
    n: int


class Nested(BaseModel):
    v: Annotated[
        Annotated[Black | White, Field(discriminator="color")] | Puppy, Field(discriminator="kind")
    ]


def wrapped(given: Any, handler: Any) -> Any:
    return handler(given)


def first(given: Any, handler: Any) -> Any:
    try:
        return handler(given)
    except ValidationError:
        return handler(given[:2] if isinstance(given, str) else given)


class Wrapped(BaseModel):
    n: int
    s: Annotated[str, Field(max_length=2), WrapValidator(first)] = "x"
    items: list[int] = []
    x: Annotated[int, WrapValidator(wrapped)] | bool = True

    @field_validator("n", mode="wrap")
    @classmethod
    def check_number(cls, given: Any, handler: Any) -> int:
        if given == "skip":
            return 0
        number = handler(given)
        if number == 3:
            raise ValueError("three")
        if number == 7:
            raise PydanticCustomError("no_seven", "no seven")
        return number + 1

    @field_validator("items", mode="wrap")
    @classmethod
    def check_items(cls, given: Any, handler: Any) -> Any:
        return handler([given] if isinstance(given, int) else given)


class Whole(BaseModel):
    n: int

    @model_validator(mode="wrap")
    @classmethod
    def check(cls, given: Any, handler: Any) -> "Whole":
        if given == "a":
            return cls.model_construct(n=5)
        if isinstance(given, dict) and "bad" in given:
            raise ValueError("bad")
        model = handler(given)
        assert model.n != 10, "ten"
        return model


class Wholes(BaseModel):
    v: Whole
    w: Whole | int = 1


class StrictUrl(BaseModel):
    model_config = ConfigDict(strict=True)
    v: AnyUrl
    w: PostgresDsn | None = None


MODELS: dict[str, Any] = {
    "named-tuples": NamedTuples,
    "union-named-tuples": Choices,
    "union-exact": Exact,
    "alias-paths": AliasPaths,
    "alias-paths-forbid": AliasPathsForbid,
    "alias-paths-allow": AliasPathsAllow,
    "discriminated": Discriminated,
    "wrapped": Wrapped,
    "wrapped-models": Wholes,
    "url-strict": StrictUrl,
}

VALUES: dict[str, Any] = {
    "deque": deque[int],
    "deque-bounds": Annotated[deque[int], Field(min_length=1, max_length=2)],
    "variadic-tuple": tuple[int, ...],
    "variadic-tuple-bounds": Annotated[tuple[int, ...], Field(min_length=2, max_length=3)],
    "sequence": Sequence[int],
    "sequence-bounds": Annotated[Sequence[int], Field(min_length=1, max_length=2)],
    "mutable-sequence": MutableSequence[int],
    "mapping": Mapping[str, int],
    "mutable-mapping": MutableMapping[str, int],
    "union-sequences": tuple[float, ...] | Sequence[int] | deque[str] | bool,
    "union-deque": deque[Annotated[int, Field(ge=1)]] | list[int],
    "dsn-postgres": PostgresDsn,
    "dsn-cockroach": CockroachDsn,
    "dsn-amqp": AmqpDsn,
    "dsn-redis": RedisDsn,
    "dsn-mongo": MongoDsn,
    "dsn-kafka": KafkaDsn,
    "dsn-nats": NatsDsn,
    "dsn-mysql": MySQLDsn,
    "dsn-maria-db": MariaDBDsn,
    "dsn-click-house": ClickHouseDsn,
    "dsn-any": PostgresDsn | RedisDsn | bool,
}

if has("body/dsn-snowflake", pydantic="2.9"):
    from pydantic import SnowflakeDsn

    VALUES["dsn-snowflake"] = SnowflakeDsn

SETS: dict[str, Any] = {
    "abstract-set": AbstractSet[int],
    "mutable-set": MutableSet[int],
    "frozen-set": frozenset[int],
    "frozen-set-bounds": Annotated[frozenset[int], Field(min_length=1, max_length=2)],
}


def title(name: str) -> str:
    """What the model is called in Rust, where some names are those of its types."""
    title = "".join(word.capitalize() for word in name.split("-"))
    return (
        f"{title}Model" if title in {"Deque", "FrozenSet", "VariadicTuple", "Sequence"} else title
    )


def set_body(name: str, model: Any) -> None:
    @app.post(f"/body/{name}", response_model=list[int])
    def operation(given: model) -> Any:  # type: ignore[valid-type]
        return sorted(given.v)


def parameters(name: str, kind_of: Any, model: Any) -> None:
    """The value as a parameter of each kind that may be repeated."""

    def register(kind: str, marker: Any, method: Any) -> None:
        def operation(v: Annotated[kind_of, marker]) -> Any:  # type: ignore[valid-type]
            return sorted(v) if isinstance(v, frozenset) else model.model_construct(v=v)

        answer = list[int] if name in SETS else model
        method(f"/{kind}/{name}", response_model=answer)(operation)

    register("query", Query(), app.get)
    register("header", Header(), app.get)
    register("form", Form(), app.post)


# Before, the document shows these otherwise.
has("body/deque-bounds", pydantic="2.14")
has("body/sequence-bounds", pydantic="2.8")
has("body/named-tuple", "body/named-tuples", "body/union-named-tuples", pydantic="2.13")

for name, value in VALUES.items():
    MODELS[name] = create_model(title(name), v=(value, ...))
for name, model in MODELS.items():
    body(name, model)
for name, value in SETS.items():
    set_body(name, create_model(title(name), v=(value, ...)))
for name in ["frozen-set", "frozen-set-bounds"]:
    parameters(name, SETS[name], None)
for name in ["deque", "variadic-tuple-bounds", "sequence"]:
    parameters(name, VALUES[name], MODELS[name])


@app.post("/body/named-tuple", response_model=Point)
def operation(given: NamedTuples) -> Any:
    return given.v


@app.post("/body/nested-discriminators", response_model=Nested, include_in_schema=False)
def operation(given: Nested) -> Any:  # noqa: F811
    return given


# Before, models are no parameters.
if has("query/model-paths", fastapi="0.115"):

    @app.get("/query/model-paths", response_model=AliasPaths)
    def operation(given: Annotated[AliasPaths, Query()]) -> Any:  # noqa: F811
        return given


if has("form/model-paths", fastapi="0.115"):

    @app.post("/form/model-paths", response_model=AliasPathsForbid)
    def operation(given: Annotated[AliasPathsForbid, Form()]) -> Any:  # noqa: F811
        return given
