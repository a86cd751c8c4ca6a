"""A service that is none of ours: a shop, with unions, decimals, forms, files and ids of its own."""

from decimal import Decimal
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Body, FastAPI, File, Form, Security, UploadFile
from fastapi.responses import HTMLResponse
from fastapi.routing import APIRoute
from fastapi.security import APIKeyHeader, HTTPBasic, HTTPBasicCredentials
from pydantic import BaseModel, EmailStr, Field, HttpUrl


def operation_id(route: APIRoute) -> str:
    return f"{route.tags[0]}-{route.name}"


app = FastAPI(title="Shop", generate_unique_id_function=operation_id)
router = APIRouter(prefix="/v2", tags=["shop"])
Key = Annotated[str, Security(APIKeyHeader(name="X-Shop-Key"))]
Basic = Annotated[HTTPBasicCredentials, Security(HTTPBasic())]


class Price(BaseModel):
    amount: Decimal = Field(ge=0, max_digits=8, decimal_places=2)
    currency: Literal["EUR", "USD"] = "EUR"


class Discount(BaseModel):
    percent: int = Field(ge=1, le=99)


class Article(BaseModel):
    number: int
    name: str
    price: Price
    reduced: Discount | Price | None = None
    related: list["Article"] = []
    contact: EmailStr | HttpUrl | None = None
    size: tuple[int, int] | None = None
    level: Literal[1, 2, 3] = 1


class Uploaded(BaseModel):
    name: str
    bytes: int


@router.put("/articles/{number}")
def put_article(number: int, article: Article, key: Key) -> Article:
    """Store an article under its number."""
    _ = key
    return article.model_copy(update={"number": number})


@router.post("/articles/{number}/picture", status_code=202)
async def put_picture(
    number: int, picture: Annotated[UploadFile, File()], note: Annotated[str, Form(max_length=20)] = ""
) -> Uploaded:
    """Take a picture."""
    return Uploaded(name=f"{number} {picture.filename} {note}", bytes=len(await picture.read()))


@router.post("/votes")
def vote(article: Annotated[int, Form(ge=1)], reason: Annotated[str, Form(min_length=3)]) -> str:
    """Take a vote, as a form of a page sends it."""
    return f"{article}: {reason}"


@router.post("/move")
def move(source: Annotated[int, Body(ge=0)], target: Annotated[int, Body()], _who: Basic) -> list[int]:
    """Move stock."""
    return [source, target]


@router.post("/sum")
def add_up(numbers: list[int]) -> int:
    return sum(numbers)


@router.get("/anything")
def anything() -> Any:
    return {"any": ["thing", 1, None]}


@router.get("/unsaid")
def unsaid():  # type: ignore[no-untyped-def]
    return [1, "two"]


@router.get("/page", response_class=HTMLResponse)
def page() -> str:
    """A page for people."""
    return "<p>Shop</p>"


@router.get("/plain")
def plain() -> dict[str, bool | int]:
    return {"a": True, "b": 2}


app.include_router(router)
