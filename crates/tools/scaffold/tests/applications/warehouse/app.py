"""Orders of a warehouse: a factory makes the application."""

import uuid
from collections.abc import Iterator
from typing import Annotated

from fastapi import APIRouter, Depends, FastAPI, Header, HTTPException, Path, Security
from fastapi.middleware.gzip import GZipMiddleware
from fastapi.security import APIKeyHeader, OAuth2PasswordBearer, SecurityScopes
from pydantic import BaseModel, ConfigDict, Field, field_validator
from sqlalchemy import create_engine
from sqlalchemy.orm import Session, sessionmaker
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.responses import PlainTextResponse

from .models import Order, Product, State

engine = create_engine("postgresql+psycopg://warehouse@127.0.0.1:1/warehouse")
SessionLocal = sessionmaker(engine)
key = APIKeyHeader(name="X-Key", auto_error=False)
oauth2 = OAuth2PasswordBearer("token", scopes={"orders": "Orders"}, auto_error=False)


def get_session() -> Iterator[Session]:
    with SessionLocal() as session:
        yield session


def allowed(scopes: SecurityScopes, token: Annotated[str | None, Depends(oauth2)]) -> list[str]:
    return scopes.scopes if token else []


class ProductIn(BaseModel):
    model_config = ConfigDict(strict=True, extra="forbid", str_strip_whitespace=True)
    vendor: str
    sku: str = Field(validation_alias="articleNumber")
    tags: list[str] = Field(default_factory=list)

    @field_validator("sku")
    @classmethod
    def upper(cls, value: str) -> str:
        return value.upper()


class ProductOut(BaseModel):
    model_config = ConfigDict(from_attributes=True)
    id: uuid.UUID
    vendor: str
    sku: str


router = APIRouter(prefix="/products", tags=["products"], dependencies=[Depends(key)])


@router.get("/{product_id:uuid}", response_model=ProductOut, response_model_exclude_none=True)
def read_product(product_id: uuid.UUID, session: Annotated[Session, Depends(get_session)]):
    product = session.get(Product, product_id)
    if product is None:
        raise HTTPException(404, "Product not found")
    return product


@router.get("/{vendor}/{sku}.txt", response_class=PlainTextResponse)
def label(sku: str, vendor: Annotated[str, Path(max_length=40)], copies: int = None) -> str:
    return f"{vendor}/{sku} " * (copies or 1)


@router.post("/", response_model=ProductOut, status_code=201)
def create_product(
    product: ProductIn,
    session: Annotated[Session, Depends(get_session)],
    trace_id: Annotated[str | None, Header(convert_underscores=False)] = None,
    scopes: Annotated[list[str], Security(allowed, scopes=["orders"])] = [],
):
    stored = Product(**product.model_dump(exclude={"tags"}), name="", price=0)
    session.add(stored)
    session.commit()
    return stored


def create_app() -> FastAPI:
    print("noise on the standard output")
    app = FastAPI(title="Warehouse", docs_url=None)
    app.add_middleware(GZipMiddleware, minimum_size=500)
    app.add_middleware(TrustedHostMiddleware, allowed_hosts=["*.example.com", "localhost"])
    app.include_router(router)

    @app.get("/orders/{number}/state")
    def state(number: int, session: Annotated[Session, Depends(get_session)]) -> State:
        order = session.get(Order, number)
        if order is None:
            raise HTTPException(404)
        return order.state

    @app.exception_handler(LookupError)
    async def missing(request, error):
        return PlainTextResponse(str(error), 404)

    return app
