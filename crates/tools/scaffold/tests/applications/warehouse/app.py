"""Orders of a warehouse: a factory makes the application."""

import os
import uuid
from collections.abc import Iterator
from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Depends, FastAPI, Header, HTTPException, Path, Security
from fastapi.middleware.gzip import GZipMiddleware
from fastapi.security import APIKeyHeader, OAuth2PasswordBearer, SecurityScopes
from pydantic import BaseModel, ConfigDict, Field, field_validator
from sqlalchemy import create_engine, desc, select
from sqlalchemy.orm import Session, sessionmaker
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.responses import PlainTextResponse

from .models import Order, Product, Site, State

engine = create_engine(
    os.environ.get("DATABASE_URL", "postgresql+psycopg://warehouse@127.0.0.1:1/warehouse")
)
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


class SiteIn(BaseModel):
    code: str = Field(max_length=8)


class SiteOut(SiteIn):
    model_config = ConfigDict(from_attributes=True)
    id: int
    created_at: datetime
    updated_at: datetime | None


class OrderOut(BaseModel):
    model_config = ConfigDict(from_attributes=True)
    number: int
    state: State
    replaced_by: int | None


sites = APIRouter(prefix="/sites")


@sites.get("")
def list_sites(session: Annotated[Session, Depends(get_session)]) -> list[SiteOut]:
    return session.scalars(select(Site).order_by(desc(Site.code))).all()


@sites.get("/{code}", response_model=SiteOut)
def read_site(code: str, session: Annotated[Session, Depends(get_session)]):
    site = session.execute(select(Site).where(Site.code == code)).scalar_one_or_none()
    if site is None:
        raise HTTPException(status_code=410, detail="No site")
    return site


@sites.get("/by-id/{id}", response_model=SiteOut)
def read_site_by_id(id: int, session: Annotated[Session, Depends(get_session)]):
    site = session.execute(select(Site).where(Site.id == id)).scalar_one_or_none()
    if site is None:
        raise HTTPException(status_code=410, detail="No site \"here\"")
    return site


@sites.post("", response_model=SiteOut, status_code=201)
def create_site(body: SiteIn, session: Annotated[Session, Depends(get_session)]):
    site = Site(code=body.code)
    session.add(site)
    session.commit()
    session.refresh(site)
    return site


@sites.get("/{site_id}/orders", response_model=list[OrderOut])
def list_orders(site_id: int, session: Annotated[Session, Depends(get_session)]):
    return session.scalars(select(Order).filter_by(site_id=site_id).limit(5)).all()


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
    app.include_router(sites)

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
