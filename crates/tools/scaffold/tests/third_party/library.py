"""A service that is none of ours: a library, with nested models, enums and a tagged union."""

from datetime import date, datetime
from enum import Enum, IntEnum
from typing import Annotated, Literal
from uuid import UUID, uuid4

from fastapi import Cookie, Depends, FastAPI, Header, HTTPException, Query
from fastapi.security import OAuth2PasswordBearer
from pydantic import BaseModel, ConfigDict, Field

app = FastAPI(title="Library", version="2.3.0")
Token = Annotated[str, Depends(OAuth2PasswordBearer(tokenUrl="token"))]


class Genre(str, Enum):
    novel = "novel"
    science_fiction = "science fiction"
    poetry = "poetry"


class Shelf(IntEnum):
    ground = 0
    first = 1


class Author(BaseModel):
    """Who wrote a book."""

    name: str = Field(min_length=1, max_length=80)
    born: date | None = None


class Paper(BaseModel):
    kind: Literal["paper"]
    pages: int = Field(gt=0)


class Audio(BaseModel):
    kind: Literal["audio"]
    minutes: float = Field(ge=0.5)
    spoken_by: list[Author] = []


class NewBook(BaseModel):
    model_config = ConfigDict(extra="forbid")

    title: str = Field(min_length=1, max_length=200, pattern=r"^\S")
    authors: list[Author] = Field(min_length=1)
    genre: Genre = Genre.novel
    shelf: Shelf
    medium: Annotated[Paper | Audio, Field(discriminator="kind")]
    isbn: str | None = Field(default=None, alias="ISBN")
    tags: set[str] = Field(default_factory=set)
    notes: dict[str, str] = {}
    lent: bool = False


class Book(NewBook):
    id: UUID
    bought_at: datetime


class Page(BaseModel):
    books: list[Book]
    total: int
    next: int | None


BOOKS: dict[UUID, Book] = {}


@app.get("/books", tags=["books"])
def list_books(
    skip: Annotated[int, Query(ge=0)] = 0,
    limit: Annotated[int, Query(ge=1, le=50)] = 10,
    genre: Genre | None = None,
    x_reader: Annotated[str | None, Header()] = None,
    session: Annotated[str | None, Cookie()] = None,
) -> Page:
    """List books, by page."""
    _ = (x_reader, session)
    books = [book for book in BOOKS.values() if genre in (None, book.genre)]
    page = books[skip : skip + limit]
    return Page(books=page, total=len(books), next=skip + limit if len(books) > skip + limit else None)


@app.post("/books", status_code=201, tags=["books"])
def add_book(book: NewBook, _token: Token) -> Book:
    """Add a book.

    Its id is made here.
    """
    stored = Book(**book.model_dump(by_alias=True), id=uuid4(), bought_at=datetime(2026, 1, 2, 3, 4, 5))
    BOOKS[stored.id] = stored
    return stored


@app.get("/books/{book_id}", tags=["books"])
def show_book(book_id: UUID) -> Book:
    if book_id not in BOOKS:
        raise HTTPException(404, "no such book")
    return BOOKS[book_id]


@app.get("/books/{book_id}/authors/{number}")
def show_author(book_id: UUID, number: int) -> Author | None:
    book = BOOKS.get(book_id)
    return book.authors[number] if book and 0 <= number < len(book.authors) else None
