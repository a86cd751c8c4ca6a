"""A service that is none of ours: a clinic, with much that is only for readers of its document."""

from enum import Enum, IntEnum
from typing import Annotated, Any, Generic, Literal, TypeVar
from uuid import UUID

from fastapi import (
    APIRouter,
    Body,
    Depends,
    FastAPI,
    Header,
    HTTPException,
    Path,
    Query,
    Security,
)
from fastapi.responses import FileResponse, PlainTextResponse, RedirectResponse
from fastapi.security import (
    APIKeyCookie,
    APIKeyHeader,
    APIKeyQuery,
    HTTPAuthorizationCredentials,
    HTTPBearer,
    OAuth2PasswordBearer,
)
from pydantic import BaseModel, ConfigDict, EmailStr, Field, RootModel, SecretStr, computed_field

app = FastAPI(title='Clinic "North"')
patients = APIRouter(prefix="/patients", tags=["patients"])
wards = APIRouter(prefix="/wards", tags=["wards"])
T = TypeVar("T")


class Page(BaseModel, Generic[T]):
    items: list[T]
    total: int


class Kind(str, Enum):
    """What a visit is for.

    - first
    - again
    """

    date = "date"
    value = "value"
    none = ""
    self = "self"


class Path_(BaseModel):
    """A model with a name that Rust would not give: `Path_`, [see] <there>."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"json": 'a\n\t"b"'}]})

    json_: str = Field(
        alias="json", title="JSON text", description="Any text.", examples=["{}", 'a"b']
    )
    at: str | None = Field(default=None, deprecated=True, max_length=9, alias="@at")
    kinds: list[Kind] = [Kind.date, Kind.self]
    words: set[Annotated[str, Field(max_length=9)]] = Field(default={"a"}, min_length=1)
    rate: float = 1
    is_a: bool = False
    is_b: bool = True
    is_c: bool = True
    is_d: bool = True


class Date(BaseModel):
    """A day."""

    first: int = Field(
        1, alias="1st", ge=1, le=31, description="A list:\n\n- the day\n    - nested"
    )
    userName: str = ""
    user_name: str = ""


class Rank(IntEnum):
    low = -1
    high = 1_000_000


class S(BaseModel):
    """Of everything that a field can be, what has gone wrong once."""

    secret: SecretStr | None = None
    secrets: list[SecretStr] = []
    said: list[Annotated[int, Field(gt=0, description="One of them", title="It")]] = []
    deep: dict[str, list[Annotated[int, Field(gt=0)]]] = {}
    maybe: list[Annotated[str, Field(min_length=1)]] | None = Field(None, max_length=3)
    ranks: list[Rank] = [Rank.low]
    rank: Rank | None = Rank.high
    choice: Literal["a-b", "a b", ""] = "a b"
    pair: tuple[Annotated[int, Field(ge=0)], str] | None = None
    anything: Any = None
    many: list[EmailStr | UUID] = []
    unions: dict[str, int | list[str]] = {}
    large: int = Field(10**12, le=10**15)
    Self: str = ""
    crate: str = ""
    fn: int = 0
    errors: list[str] = ["a", "b"]

    @computed_field
    @property
    def twice(self) -> int:
        return self.fn * 2


class Empty(BaseModel):
    pass


class Numbers(RootModel[list[int]]):
    """A list with a name."""


class Cat(BaseModel):
    kind: Literal["cat"] = "cat"


class Dog(BaseModel):
    kind: Literal["dog", "wolf"] = "dog"
    owner: "Owner | None" = None


class Owner(BaseModel):
    model_config = ConfigDict(title="Who owns pets")
    pets: list[Annotated[Cat | Dog, Field(discriminator="kind")]] = []
    best: Annotated[Cat | Dog, Field(discriminator="kind")] | None = None


class Relative(BaseModel):
    name: str
    parent: "Relative | None" = None
    children: list["Relative"] = []
    byName: dict[str, "Relative"] = {}


Token = Annotated[HTTPAuthorizationCredentials, Depends(HTTPBearer())]


@patients.get("/", summary="List them", response_description="A page of them")
def read(
    search: Annotated[
        str | None, Query(alias="search-for", description="A part of the name.", max_length=9)
    ] = None,
    kind: Annotated[Kind, Query(deprecated=True, title="What for")] = Kind.date,
) -> Page[Date]:
    """List patients.

    1. those of today
      * and more
    """
    _ = (search, kind)
    return Page(items=[], total=0)


@wards.get("/")
def read(page: Annotated[int, Query(ge=1)] = 1) -> Page[int]:  # noqa: F811
    return Page(items=[page], total=1)


@patients.get("/{patientId}", responses={404: {"description": "none"}})
def readPatient(
    patientId: Annotated[int, Path(ge=1, description="Which", title="Number")], _: Token
) -> Path_:
    raise HTTPException(404, f"no patient {patientId}")


@patients.delete("/{patient_id}", status_code=204, deprecated=True)
def delete(patient_id: int, _: Annotated[str, Security(APIKeyHeader(name="X-Key"))]) -> None:
    _ = patient_id


@patients.put("/{patient_id}/visits/{year}/{kind}", tags=["visits"])
def put_visit(
    patient_id: int, year: Annotated[int, Path(ge=1900)], kind: Kind, visit: Path_
) -> Date:
    _ = (patient_id, year, kind, visit)
    return Date()


@wards.post("/beds", status_code=201)
def beds(
    numbers: Annotated[list[int], Body(min_length=1, description="Which")],
    a: Annotated[str, Security(APIKeyQuery(name="key"))],
    b: Annotated[str, Security(APIKeyCookie(name="key"))],
) -> Annotated[list[Annotated[int, Field(ge=0)]], Field(max_length=9)]:
    _ = (a, b)
    return numbers


@wards.post("/relatives")
def relatives(relative: Relative) -> Relative:
    return relative


@wards.get("/text", response_class=PlainTextResponse)
def text() -> str:
    return "é"


@wards.get("/file", response_class=FileResponse)
def file() -> str:
    return __file__


@wards.get("/elsewhere", response_class=RedirectResponse)
def elsewhere() -> str:
    return "/wards/text"


@wards.get("/scoped", name="With a name")
def scoped(
    _: Annotated[
        str,
        Security(
            OAuth2PasswordBearer(tokenUrl="token", scopes={"me": "Me"}, scheme_name="JWT"),
            scopes=["me"],
        ),
    ],
    note: Annotated[str | None, Body(max_length=4)] = None,
) -> Any:
    return {"note": note}


others = APIRouter(prefix="/others")


@others.post("/s")
def take(s: S) -> S:
    return s


@others.post("/empty", operation_id="doNothing")
def nothing(empty: Empty) -> Empty:
    return empty


@others.post("/numbers")
def numbers(numbers: Numbers) -> Numbers:
    return numbers


@others.post("/owner")
def owner(owner: Owner) -> Owner:
    return owner


@others.get("/headers")
def headers(
    x_y: Annotated[list[str] | None, Header(description="Many")] = None,
    own: Annotated[str, Header(alias="X-Own")] = "z",
    type: Literal["a", "b"] = "b",
    match: Annotated[int, Query(le=10**6)] = 100_000,
) -> dict[str, Any] | None:
    return {"x": x_y, "own": own, "type": type, "match": match}


@others.post("/either")
def either(either: Empty | Cat | list[Numbers]) -> Empty | Cat | list[Numbers]:
    return either


app.include_router(others)
app.include_router(patients)
app.include_router(wards)
