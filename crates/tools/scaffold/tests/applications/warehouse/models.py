"""Mixins, composite keys, enumerations, arrays and most other things that PostgreSQL has."""

import enum
import uuid
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

from sqlalchemy import (
    ARRAY,
    BigInteger,
    CheckConstraint,
    Computed,
    DateTime,
    Double,
    Enum,
    ForeignKey,
    ForeignKeyConstraint,
    Identity,
    Index,
    Interval,
    LargeBinary,
    MetaData,
    Numeric,
    Sequence,
    SmallInteger,
    String,
    Text,
    UniqueConstraint,
    Uuid,
    func,
    text,
)
from sqlalchemy.dialects.postgresql import INET, JSONB
from sqlalchemy.orm import DeclarativeBase, Mapped, declared_attr, mapped_column, relationship

NAMES = {
    "ix": "ix_%(column_0_label)s",
    "uq": "uq_%(table_name)s_%(column_0_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s",
    "pk": "pk_%(table_name)s",
}


class Base(DeclarativeBase):
    metadata = MetaData(naming_convention=NAMES)
    type_annotation_map = {dict[str, Any]: JSONB}


class Identified:
    id: Mapped[uuid.UUID] = mapped_column(
        Uuid, primary_key=True, server_default=text("gen_random_uuid()")
    )


class Timestamps:
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=func.now())
    updated_at: Mapped[datetime | None] = mapped_column(
        DateTime(timezone=True), onupdate=func.now()
    )


class InSite:
    @declared_attr
    def site_id(cls) -> Mapped[int]:
        return mapped_column(ForeignKey("site.id", ondelete="RESTRICT"), index=True)


class State(enum.Enum):
    OPEN = "open"
    PICKED = "picked"
    SHIPPED = "shipped-out"


class Priority(enum.IntEnum):
    LOW = 1
    HIGH = 2


order_number = Sequence("order_number_seq", start=1000, metadata=Base.metadata)


class Site(Timestamps, Base):
    __tablename__ = "site"
    __table_args__ = {"comment": "Where goods are; it's never deleted"}
    id: Mapped[int] = mapped_column(Identity(always=True), primary_key=True)
    code: Mapped[str] = mapped_column(String(8), unique=True, comment="50% of them are old")
    opens: Mapped[time | None]
    host: Mapped[str | None] = mapped_column(INET)
    shelves: Mapped[list["Shelf"]] = relationship(
        back_populates="site", cascade="all, delete-orphan"
    )


class Shelf(Base):
    __tablename__ = "shelf"
    site_id: Mapped[int] = mapped_column(ForeignKey("site.id"), primary_key=True)
    aisle: Mapped[str] = mapped_column(String(2), primary_key=True)
    position: Mapped[int] = mapped_column(SmallInteger, primary_key=True, autoincrement=False)
    labels: Mapped[list[str]] = mapped_column(ARRAY(String(20)), server_default=text("'{}'"))
    max_load: Mapped[float | None] = mapped_column(Double)
    site: Mapped[Site] = relationship(back_populates="shelves")
    stock: Mapped[list["Stock"]] = relationship(back_populates="shelf")


class Product(Identified, Timestamps, Base):
    __tablename__ = "product"
    __table_args__ = (
        CheckConstraint("price >= 0", name="price"),
        UniqueConstraint("vendor", "sku"),
        Index("ix_product_lower_name", func.lower(text("name"))),
        Index(
            "uq_product_one_featured", "featured", unique=True, postgresql_where=text("featured")
        ),
        Index("ix_product_attributes", "attributes", postgresql_using="gin"),
    )
    vendor: Mapped[str] = mapped_column(String(40))
    sku: Mapped[str] = mapped_column(String(40))
    name: Mapped[str] = mapped_column(Text)
    price: Mapped[Decimal] = mapped_column(Numeric(12, 4))
    gross: Mapped[Decimal] = mapped_column(Numeric(12, 4), Computed("price * 1.19", persisted=True))
    featured: Mapped[bool] = mapped_column(server_default=text("false"))
    attributes: Mapped[dict[str, Any]] = mapped_column(JSONB, server_default=text("'{}'::jsonb"))
    photo: Mapped[bytes | None] = mapped_column(LargeBinary)
    shelf_life: Mapped[timedelta | None] = mapped_column(Interval)


class Stock(InSite, Base):
    __tablename__ = "stock"
    __table_args__ = (
        ForeignKeyConstraint(
            ["shelf_site", "aisle", "position"],
            ["shelf.site_id", "shelf.aisle", "shelf.position"],
            onupdate="CASCADE",
        ),
    )
    product_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("product.id"), primary_key=True)
    shelf_site: Mapped[int] = mapped_column(primary_key=True)
    aisle: Mapped[str] = mapped_column(String(2), primary_key=True)
    position: Mapped[int] = mapped_column(SmallInteger, primary_key=True)
    amount: Mapped[int] = mapped_column(BigInteger, default=0)
    shelf: Mapped[Shelf] = relationship(back_populates="stock")
    product: Mapped[Product] = relationship()


class Order(InSite, Timestamps, Base):
    __tablename__ = "order"
    number: Mapped[int] = mapped_column(
        BigInteger, order_number, server_default=order_number.next_value(), primary_key=True
    )
    state: Mapped[State] = mapped_column(
        Enum(State, name="order_state", values_callable=lambda cls: [one.value for one in cls]),
        server_default="open",
    )
    history: Mapped[list[State]] = mapped_column(
        ARRAY(Enum(State, name="order_state", values_callable=lambda cls: [x.value for x in cls])),
        server_default=text("'{}'"),
    )
    priority: Mapped[Priority] = mapped_column(
        Enum(Priority, native_enum=False, length=10, create_constraint=True, name="priority"),
        default=Priority.LOW,
    )
    due: Mapped[date | None]
    placed_at: Mapped[datetime] = mapped_column(server_default=func.now())
    replaced_by: Mapped[int | None] = mapped_column(ForeignKey("order.number"), unique=True)
    replacement: Mapped["Order | None"] = relationship(remote_side=[number])


class Circle(Base):
    """It refers to what refers to it."""

    __tablename__ = "circle"
    id: Mapped[int] = mapped_column(primary_key=True)
    first_id: Mapped[int | None] = mapped_column(
        ForeignKey("point.id", use_alter=True, name="fk_circle_first")
    )
    first: Mapped["Point | None"] = relationship(foreign_keys=[first_id], post_update=True)
    points: Mapped[list["Point"]] = relationship(foreign_keys="Point.circle_id")


class Point(Base):
    __tablename__ = "point"
    id: Mapped[int] = mapped_column(primary_key=True)
    circle_id: Mapped[int] = mapped_column(ForeignKey("circle.id"))
