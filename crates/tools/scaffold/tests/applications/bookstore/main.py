"""Books, authors and reviews: SQLModel with relationships of every direction, one module."""

import os
import uuid
from collections.abc import Iterator
from datetime import UTC, date, datetime
from decimal import Decimal
from enum import Enum
from typing import Annotated

from fastapi import Depends, FastAPI, HTTPException, Query
from sqlalchemy import JSON, Column, DateTime, text
from sqlmodel import Field, Relationship, Session, SQLModel, create_engine, func, select

engine = create_engine(os.environ.get("DATABASE_URL", "sqlite:///bookstore.db"))


class Binding(str, Enum):
    HARDCOVER = "hardcover"
    PAPERBACK = "paperback"
    AUDIO = "audio"


def now() -> datetime:
    return datetime.now(UTC)


class BookTag(SQLModel, table=True):
    __tablename__ = "book_tag"
    book_id: int = Field(foreign_key="book.id", primary_key=True, ondelete="CASCADE")
    tag_id: int = Field(foreign_key="tag.id", primary_key=True, ondelete="CASCADE")


class Tag(SQLModel, table=True):
    id: int | None = Field(default=None, primary_key=True)
    name: str = Field(unique=True, max_length=40)
    books: list["Book"] = Relationship(back_populates="tags", link_model=BookTag)


class AuthorBase(SQLModel):
    name: str = Field(index=True, min_length=1, max_length=120)
    born: date | None = None


class Author(AuthorBase, table=True):
    id: uuid.UUID = Field(default_factory=uuid.uuid4, primary_key=True)
    books: list["Book"] = Relationship(back_populates="author", cascade_delete=True)


class AuthorCreate(AuthorBase):
    pass


class AuthorPublic(AuthorBase):
    id: uuid.UUID


class BookBase(SQLModel):
    title: str = Field(min_length=1, max_length=200)
    isbn: str | None = Field(default=None, max_length=13, regex=r"^[0-9]{13}$")
    price: Decimal = Field(default=Decimal("9.90"), max_digits=8, decimal_places=2)
    binding: Binding = Binding.PAPERBACK
    pages: int | None = Field(default=None, ge=1)


class Book(BookBase, table=True):
    id: int | None = Field(default=None, primary_key=True)
    isbn: str | None = Field(default=None, max_length=13, unique=True)
    author_id: uuid.UUID = Field(foreign_key="author.id", index=True)
    sequel_of: int | None = Field(default=None, foreign_key="book.id")
    extra: dict = Field(default_factory=dict, sa_column=Column(JSON, nullable=False))
    added_at: datetime = Field(
        default_factory=now,
        sa_column=Column(
            DateTime(timezone=True), nullable=False, server_default=text("CURRENT_TIMESTAMP")
        ),
    )
    author: Author = Relationship(back_populates="books")
    tags: list[Tag] = Relationship(back_populates="books", link_model=BookTag)
    reviews: list["Review"] = Relationship(back_populates="book")
    cover: "Cover" = Relationship(back_populates="book")


class Cover(SQLModel, table=True):
    book_id: int = Field(foreign_key="book.id", primary_key=True)
    image: bytes
    book: Book = Relationship(back_populates="cover")


class Review(SQLModel, table=True):
    id: int | None = Field(default=None, primary_key=True)
    book_id: int = Field(foreign_key="book.id", ondelete="CASCADE")
    stars: int = Field(ge=1, le=5)
    type: str = Field(default="reader", max_length=20)
    text: str | None = None
    book: Book = Relationship(back_populates="reviews")


class ShopBase(SQLModel):
    name: str = Field(min_length=1, max_length=60)
    city: str = Field(max_length=40)
    opened: date | None = None
    rating: float | None = Field(default=None, ge=0, le=5)
    is_open: bool = True


class Shop(ShopBase, table=True):
    id: int | None = Field(default=None, primary_key=True)
    name: str = Field(max_length=60, unique=True)
    created_at: datetime = Field(
        default_factory=now, sa_column=Column(DateTime(timezone=True), nullable=False)
    )


class ShopCreate(ShopBase):
    pass


class ShopUpdate(SQLModel):
    name: str | None = Field(default=None, min_length=1, max_length=60)
    city: str | None = Field(default=None, max_length=40)
    opened: date | None = None
    rating: float | None = Field(default=None, ge=0, le=5)
    is_open: bool | None = None


class ShopPublic(ShopBase):
    id: int
    created_at: datetime


class BookCreate(BookBase):
    author_id: uuid.UUID


class BookUpdate(SQLModel):
    title: str | None = Field(default=None, min_length=1, max_length=200)
    price: Decimal | None = Field(default=None, max_digits=8, decimal_places=2)


class BookPublic(BookBase):
    id: int
    author_id: uuid.UUID
    added_at: datetime


def get_session() -> Iterator[Session]:
    with Session(engine) as session:
        yield session


SessionDep = Annotated[Session, Depends(get_session)]

app = FastAPI(title="Bookstore")


@app.on_event("startup")
def create_tables() -> None:
    SQLModel.metadata.create_all(engine)


@app.post("/authors/", response_model=AuthorPublic, status_code=201)
def create_author(author: AuthorCreate, session: SessionDep):
    stored = Author.model_validate(author)
    session.add(stored)
    session.commit()
    session.refresh(stored)
    return stored


@app.get("/authors/{author_id}", response_model=AuthorPublic)
def read_author(author_id: uuid.UUID, session: SessionDep):
    author = session.get(Author, author_id)
    if not author:
        raise HTTPException(status_code=404, detail="Author not found")
    return author


@app.get("/books/", response_model=list[BookPublic])
def read_books(session: SessionDep, offset: int = 0, limit: Annotated[int, Query(le=100)] = 20):
    return session.exec(select(Book).order_by(Book.id).offset(offset).limit(limit)).all()


@app.get("/books/count")
def count_books(session: SessionDep) -> int:
    return session.exec(select(func.count()).select_from(Book)).one()


@app.get("/books/{book_id}", response_model=BookPublic)
def read_book(book_id: int, session: SessionDep):
    book = session.get(Book, book_id)
    if not book:
        raise HTTPException(status_code=404, detail="Book not found")
    return book


@app.post("/books/", response_model=BookPublic, status_code=201)
def create_book(book: BookCreate, session: SessionDep):
    stored = Book.model_validate(book)
    session.add(stored)
    session.commit()
    session.refresh(stored)
    return stored


@app.patch("/books/{book_id}", response_model=BookPublic)
def update_book(book_id: int, book: BookUpdate, session: SessionDep):
    stored = session.get(Book, book_id)
    if not stored:
        raise HTTPException(status_code=404, detail="Book not found")
    stored.sqlmodel_update(book.model_dump(exclude_unset=True))
    session.add(stored)
    session.commit()
    session.refresh(stored)
    return stored


@app.delete("/books/{book_id}", status_code=204)
def delete_book(book_id: int, session: SessionDep) -> None:
    book = session.get(Book, book_id)
    if not book:
        raise HTTPException(status_code=404, detail="Book not found")
    session.delete(book)
    session.commit()


@app.post("/shops/", response_model=ShopPublic, status_code=201)
def create_shop(*, session: SessionDep, shop: ShopCreate):
    """A shop with a name that no other has."""
    stored = Shop.model_validate(shop)
    session.add(stored)
    session.commit()
    session.refresh(stored)
    return stored


@app.get("/shops/", response_model=list[ShopPublic])
def read_shops(session: SessionDep, skip: int = 0, limit: int = 10):
    statement = select(Shop).order_by(Shop.city, Shop.id.desc()).offset(skip).limit(limit)
    return session.exec(statement).all()


@app.get("/shops/of/{city}", response_model=list[ShopPublic])
def read_shops_of_city(city: str, session: SessionDep):
    shops = session.exec(select(Shop).where(Shop.city == city)).all()
    return shops


@app.get("/shops/called/{name}", response_model=ShopPublic)
def read_shop_by_name(name: str, session: SessionDep):
    shop = session.exec(select(Shop).where(Shop.name == name)).first()
    if shop is None:
        raise HTTPException(404)
    return shop


@app.get("/shops/{id}", response_model=ShopPublic)
def read_shop(id: int, session: SessionDep):
    shop = session.get(Shop, id)
    if not shop:
        raise HTTPException(status_code=404, detail="Shop not found")
    return shop


@app.patch("/shops/{id}", response_model=ShopPublic)
def update_shop(id: int, changes: ShopUpdate, session: SessionDep):
    shop = session.get(Shop, id)
    if not shop:
        raise HTTPException(status_code=404, detail="Shop not found")
    data = changes.model_dump(exclude_unset=True)
    for key, value in data.items():
        setattr(shop, key, value)
    session.add(shop)
    session.commit()
    session.refresh(shop)
    return shop


@app.delete("/shops/{id}")
def delete_shop(id: int, session: SessionDep):
    shop = session.get(Shop, id)
    if not shop:
        raise HTTPException(status_code=404, detail="Shop not found")
    session.delete(shop)
    session.commit()
    return {"ok": True}
