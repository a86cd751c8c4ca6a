"""A small shop with switchable defects, of the kinds that a migration brings.

It keeps everything in memory. It prints `Shop on URL`, then makes itself anew for each line of its
input: `right`, or the name of a defect. The answer to a line is `ready`. With `--defects` it prints
their names, with `--document` its OpenAPI document.
"""

import asyncio
import json
import re
import secrets
import sys
import threading
import unicodedata
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from enum import StrEnum
from html import escape
from typing import Annotated, Any, Literal
from uuid import UUID, uuid4

import jwt
import uvicorn
from fastapi import (
    Cookie,
    Depends,
    FastAPI,
    Form,
    Header,
    HTTPException,
    Query,
    Request,
    Response,
    status,
)
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, PlainTextResponse
from fastapi.security import OAuth2PasswordBearer
from pydantic import AwareDatetime, BaseModel, ConfigDict, EmailStr, Field, StringConstraints

SECRET = secrets.token_hex(32)


class Category(StrEnum):
    BOOK = "book"
    FOOD = "food"
    TOOL = "tool"
    TOY = "toy"


class Sort(StrEnum):
    CREATED = "created"
    NAME = "name"
    NAME_DOWN = "-name"
    PRICE = "price"
    PRICE_DOWN = "-price"


class Theme(StrEnum):
    LIGHT = "light"
    DARK = "dark"


class AsciiJSONResponse(JSONResponse):
    def render(self, content: Any) -> bytes:
        return json.dumps(content, separators=(",", ":")).encode()


def create_app(defect: str) -> FastAPI:
    """The shop, with one of its defects or as it should be."""

    def has(name: str) -> bool:
        return defect == name

    def either(name: str, wrong: Any, right: Any) -> Any:
        return wrong if has(name) else right

    app = FastAPI(
        title="Shop",
        version="1",
        redirect_slashes=either("slash-not-redirected", False, True),
        default_response_class=either("json-in-ascii", AsciiJSONResponse, JSONResponse),
    )
    bearer = OAuth2PasswordBearer("/login", auto_error=False)
    users: dict[UUID, dict[str, Any]] = {}
    products: dict[int, dict[str, Any]] = {}
    comments: dict[int, dict[str, Any]] = {}
    orders: dict[UUID, dict[str, Any]] = {}
    answered: dict[tuple[UUID, str], UUID] = {}
    listed: dict[str, Any] = {}
    numbers = {"product": 0, "comment": 0}

    def number(of: str) -> int:
        numbers[of] += 1
        return numbers[of]

    def now() -> datetime:
        return datetime.now(UTC)

    # Models

    class Profile(BaseModel):
        full_name: Annotated[str, Field(min_length=1, max_length=80)]
        phone: Annotated[str, Field(pattern=r"^\+?[0-9]{6,14}$")] | None = None
        locale: Literal["en", "de", "pt-BR"] = "en"
        newsletter: bool = False

    class SignUp(Profile):
        email: EmailStr
        password: Annotated[str, Field(min_length=either("password-limit", 7, 8), max_length=64)]

    class ProfileUpdate(BaseModel):
        full_name: Annotated[str, Field(min_length=1, max_length=80)] | None = None
        phone: Annotated[str, Field(pattern=r"^\+?[0-9]{6,14}$")] | None = None
        locale: Literal["en", "de", "pt-BR"] | None = None
        newsletter: bool | None = None

    class User(BaseModel):
        id: UUID
        email: str
        full_name: str
        phone: str | None
        locale: str | None
        newsletter: bool
        is_admin: bool
        created_at: datetime

    if has("password-returned"):

        class User(User):  # type: ignore[no-redef]
            password: str

    size = Field(ge=0, le=500) if has("nested-limit") else Field(gt=0, le=500)
    units = Literal["cm", "mm"] if has("nested-member-missing") else Literal["cm", "mm", "in"]

    class Dimensions(BaseModel):
        width: Annotated[float, size]
        height: Annotated[float, Field(gt=0, le=500)]
        unit: units = "cm"  # type: ignore[valid-type]

    class NewProduct(BaseModel):
        name: Annotated[str, Field(min_length=1, max_length=either("name-limit", 61, 60))]
        sku: Annotated[
            str,
            Field(
                pattern=either(
                    "pattern-without-end",
                    r"^[A-Z]{3}-\d{4}",
                    either("pattern-in-any-case", r"^[A-Za-z]{3}-\d{4}$", r"^[A-Z]{3}-\d{4}$"),
                )
            ),
        ]
        category: Category
        price: Annotated[float, Field(gt=0, le=100_000)]
        stock: Annotated[
            int,
            Field(ge=either("stock-minimum", 1, 0), le=either("stock-maximum", 9_999, 10_000)),
        ] = either("default-number", 0, 1)
        tags: Annotated[
            list[
                Annotated[
                    str,
                    StringConstraints(min_length=1, max_length=either("item-limit", 21, 20)),
                ]
            ],
            Field(max_length=either("list-limit", 6, 5)),
        ] = []
        dimensions: Dimensions | None = None
        active: bool = either("default-flag", False, True)
        description: Annotated[str, Field(max_length=300)] | None = None
        available_from: date | None = None
        expires_at: AwareDatetime | None = None
        serial: int | None = None

    class ProductUpdate(BaseModel):
        name: Annotated[str, Field(min_length=1, max_length=60)] | None = None
        category: Category | None = None
        price: Annotated[float, Field(gt=0, le=100_000)] | None = None
        stock: Annotated[int, Field(ge=0, le=10_000)] | None = None
        tags: Annotated[list[str], Field(max_length=5)] | None = None
        dimensions: Dimensions | None = None
        active: bool | None = None
        description: Annotated[str, Field(max_length=300)] | None = None
        version: int | None = None

    class Product(BaseModel):
        id: int
        owner_id: UUID
        name: str
        sku: str
        category: Category
        price: float | int
        stock: int
        tags: list[str]
        dimensions: Dimensions | None
        active: bool
        description: str | None
        available_from: date | str | None
        expires_at: datetime | None
        serial: int | float | None
        rating: float | None
        version: int
        created_at: datetime
        updated_at: datetime

    class Products(BaseModel):
        items: list[Product]
        total: int
        next: str | None

    class NewComment(BaseModel):
        model_config = ConfigDict(extra=either("unknown-field-accepted", "ignore", "forbid"))
        text: Annotated[str, Field(min_length=1, max_length=200)]
        rating: Annotated[
            int, Field(ge=either("rating-minimum", 0, 1), le=either("rating-maximum", 4, 5))
        ]

    class Comment(BaseModel):
        id: int
        product_id: int
        author_id: UUID
        text: str
        rating: int
        created_at: datetime

    class Address(BaseModel):
        street: Annotated[str, Field(min_length=1, max_length=100)]
        zip: Annotated[str, Field(pattern=either("nested-pattern", r"^\d{4,5}$", r"^\d{5}$"))]
        city: Annotated[str, Field(min_length=1, max_length=60)]

    class Pickup(BaseModel):
        kind: Literal["pickup"]
        shop: Annotated[int, Field(ge=1, le=either("branch-limit", 98, 99))]

    class Courier(BaseModel):
        kind: Literal["courier"]
        address: Address
        express: bool = False

    class Line(BaseModel):
        product_id: int
        quantity: Annotated[int, Field(ge=1, le=either("quantity-limit", 101, 100))]

    class NewOrder(BaseModel):
        lines: Annotated[
            list[Line], Field(min_length=either("empty-list-accepted", 0, 1), max_length=10)
        ]
        delivery: Annotated[Pickup | Courier, Field(discriminator="kind")]
        coupon: Annotated[str, Field(pattern=r"^(TEN|HALF)-[0-9]{2}$")] | None = None
        note: str | None = None

    class Order(BaseModel):
        id: UUID
        customer_id: UUID
        lines: list[Line]
        delivery: Pickup | Courier
        coupon: str | None
        note: str | None
        total: float
        status: Literal["open", "cancelled", "canceled"]
        created_at: datetime

    class Statistics(BaseModel):
        products: int
        comments: int
        orders: int
        spent: float

    # Who calls

    def current_user(token: Annotated[str | None, Depends(bearer)]) -> dict[str, Any]:
        headers = {} if has("challenge-missing") else {"WWW-Authenticate": "Bearer"}
        if token is None:
            code = either("status-not-signed-in", 403, 401)
            raise HTTPException(code, "Not authenticated", headers=headers)
        try:
            claims = jwt.decode(token, SECRET, algorithms=["HS256"])
            return users[UUID(claims["sub"])]
        except (jwt.InvalidTokenError, KeyError, ValueError):
            if has("token-not-checked") and users:
                return next(iter(users.values()))
            raise HTTPException(401, "Invalid token", headers=headers) from None

    CurrentUser = Annotated[dict[str, Any], Depends(current_user)]

    def may_change(user: dict[str, Any], owner: UUID) -> bool:
        return user["is_admin"] or user["id"] == owner

    # Users

    def text_of(text: str) -> str:
        if has("text-trimmed"):
            text = text.strip()
        if has("text-normalised"):
            text = unicodedata.normalize("NFC", text)
        if has("text-truncated"):
            text = text[:50]
        return text

    @app.post("/users", status_code=201)
    def sign_up(new: SignUp) -> User:
        email = new.email if has("email-case-kept") else new.email.lower()
        known = {user["email"] for user in users.values()}
        compared = new.email if has("email-conflict-by-case") else email
        if compared in known and not has("email-conflict"):
            raise HTTPException(409, "The e-mail address is registered")
        user = new.model_dump() | {
            "id": uuid4(),
            "email": email,
            "full_name": text_of(new.full_name),
            "is_admin": not users,
            "created_at": now(),
        }
        if has("default-dropped") and "locale" not in new.model_fields_set:
            user["locale"] = None
        users[user["id"]] = user
        return User.model_validate(user)

    @app.post("/login")
    def sign_in(
        response: Response,
        username: Annotated[str, Form()],
        password: Annotated[str, Form()],
    ) -> dict[str, str]:
        email = username.lower()
        for user in users.values():
            if user["email"] == email and user["password"] == password:
                claims = {"sub": str(user["id"]), "exp": now() + timedelta(hours=1)}
                response.set_cookie(
                    "signed_in",
                    "yes",
                    max_age=3600,
                    httponly=not has("cookie-flag-at-sign-in"),
                    samesite="lax",
                )
                response.headers["Cache-Control"] = "no-store"
                token = jwt.encode(claims, SECRET, algorithm="HS256")
                return {"access_token": token, "token_type": "bearer"}
        raise HTTPException(either("status-of-sign-in", 401, 400), "Incorrect e-mail or password")

    @app.get("/users")
    def read_users(
        user: CurrentUser,
        email: str | None = None,
        limit: Annotated[int, Query(ge=1, le=100)] = 100,
        skip: Annotated[int, Query(ge=0)] = 0,
    ) -> list[User]:
        if not user["is_admin"] and not has("list-for-everyone"):
            raise HTTPException(403, "Not enough permissions")
        rows = [row for row in users.values() if email is None or row["email"] == email.lower()]
        if has("skip-ignored"):
            skip = 0
        return [User.model_validate(row) for row in rows[skip : skip + limit]]

    @app.get("/users/me", response_model_exclude_none=has("null-left-out"))
    def read_me(user: CurrentUser) -> User:
        return User.model_validate(user)

    @app.patch("/users/me")
    def update_me(user: CurrentUser, update: ProfileUpdate) -> User:
        changed = user | update.model_dump(exclude_unset=True)
        for field in ("full_name", "locale", "newsletter"):
            if changed[field] is None:
                raise HTTPException(422, f"{field} cannot be null")
        changed["full_name"] = text_of(changed["full_name"])
        if not has("profile-not-persisted"):
            users[user["id"]] = changed
        return User.model_validate(changed)

    @app.get("/users/me/statistics")
    def statistics(user: CurrentUser) -> Statistics:
        own = [order for order in orders.values() if order["customer_id"] == user["id"]]
        if not has("cancelled-counted"):
            own = [order for order in own if order["status"] == "open"]
        return Statistics(
            products=sum(product["owner_id"] == user["id"] for product in products.values()),
            comments=sum(
                comment["author_id"] == user["id"] or has("wrong-owner-counted")
                for comment in comments.values()
            ),
            orders=len(own),
            spent=round(sum(order["total"] for order in own), 2),
        )

    # Products

    def cents(price: float) -> float | int:
        if has("rounding-cut"):
            return int(price * 100) / 100
        if has("rounding-half-up"):
            return float(Decimal(str(price)).quantize(Decimal("0.01"), ROUND_HALF_UP))
        rounded = round(price, 2)
        return int(rounded) if has("whole-numbers-as-integers") and rounded % 1 == 0 else rounded

    def moment(value: datetime | None) -> datetime | None:
        if value is None:
            return None
        if has("zone-dropped"):
            return value.replace(tzinfo=None)
        if has("zone-converted"):
            return value.astimezone(UTC)
        if has("fraction-dropped"):
            return value.replace(microsecond=0)
        return value

    def check_name(name: str, owner: UUID, but: int | None = None) -> None:
        if has("name-conflict"):
            return
        if has("name-conflict-on-update") and but is not None:
            return

        def key(text: str) -> str:
            return text if has("name-conflict-by-case") else text.casefold()

        for product in products.values():
            is_owners = has("name-conflict-of-others") or product["owner_id"] == owner
            if is_owners and product["id"] != but and key(product["name"]) == key(name):
                raise HTTPException(409, "A product with this name exists")

    def shown(product: dict[str, Any]) -> Product:
        ratings = [c["rating"] for c in comments.values() if c["product_id"] == product["id"]]
        rating = sum(ratings) / len(ratings) if ratings else either("null-as-zero", 0, None)
        if rating is not None:
            rating = round(rating, 1)
        if has("stale-aggregate"):
            rating = product.setdefault("first_rating", rating)
        return Product.model_validate(product | {"rating": rating})

    def visible(user: dict[str, Any], product: dict[str, Any]) -> bool:
        return product["active"] or may_change(user, product["owner_id"])

    def find(user: dict[str, Any], product_id: int) -> dict[str, Any]:
        if has("integer-overflow") and not -(2**63) <= product_id < 2**63:
            raise OverflowError("Python int too large to convert to SQLite INTEGER")
        product = products.get(product_id)
        if product is None or not (visible(user, product) or has("hidden-row-readable")):
            code = either("status-of-missing", 410, 404)
            raise HTTPException(code, either("text-of-error", "Not found", "Product not found"))
        return product

    @app.post("/products", status_code=201)
    def create_product(response: Response, user: CurrentUser, new: NewProduct) -> Product:
        check_name(new.name, user["id"])
        product = new.model_dump()
        if has("tags-sorted"):
            product["tags"] = sorted(product["tags"])
        if has("tags-deduplicated"):
            product["tags"] = list(dict.fromkeys(product["tags"]))
        if has("empty-as-null"):
            product["description"] = product["description"] or None
        if has("text-field-truncated") and product["description"]:
            product["description"] = product["description"][:255]
        if has("precision-lost") and product["serial"] is not None:
            product["serial"] = int(float(product["serial"]))
        if has("integer-32-bit") and abs(product["serial"] or 0) >= 2**31:
            raise HTTPException(500, "integer out of range")
        if has("fields-swapped") and product["dimensions"]:
            size = product["dimensions"]
            size["width"], size["height"] = size["height"], size["width"]
        if has("date-in-local-form") and product["available_from"]:
            product["available_from"] = product["available_from"].strftime("%d.%m.%Y")
        time = now()
        product |= {
            "id": number("product"),
            "owner_id": next(iter(users)) if has("wrong-owner") else user["id"],
            "price": cents(new.price),
            "expires_at": moment(new.expires_at),
            "version": 1,
            "created_at": time,
            "updated_at": time,
        }
        products[product["id"]] = product
        if not has("location-missing"):
            response.headers["Location"] = f"/products/{product['id']}"
        return shown(product)

    @app.get("/products")
    def read_products(
        request: Request,
        user: CurrentUser,
        q: Annotated[str | None, Query(max_length=50)] = None,
        category: Category | None = None,
        min_price: Annotated[float | None, Query(ge=0)] = None,
        max_price: Annotated[float | None, Query(ge=0)] = None,
        active: bool | None = None,
        tag: Annotated[list[str] | None, Query()] = None,
        available_before: date | None = None,
        sort: Sort = Sort.CREATED,
        limit: Annotated[int, Query(ge=1, le=either("page-limit", 51, 50))] = either(
            "page-default", 20, 10
        ),
        offset: Annotated[int, Query(ge=0)] = 0,
    ) -> Products:
        key = str(request.url.query) + str(user["id"])
        if has("stale-list") and key in listed:
            return listed[key]
        rows = list(products.values())
        if not has("hidden-rows-listed"):
            rows = [row for row in rows if visible(user, row)]
        if category and has("first-of-two-values"):
            category = Category(request.query_params.getlist("category")[0])
        if category and not has("filter-ignored"):
            if has("one-value-of-filter") and category == Category.FOOD:
                rows = []
            rows = [row for row in rows if row["category"] == category]
        if q and not (has("filters-not-combined") and category):
            found = q
            if has("search-by-case"):
                rows = [row for row in rows if found in row["name"]]
            elif has("search-with-wildcards") and ("%" in found or "_" in found):
                pass
            elif has("search-by-prefix"):
                rows = [row for row in rows if row["name"].lower().startswith(found.lower())]
            else:
                rows = [row for row in rows if found.lower() in row["name"].lower()]
        if min_price is not None:
            exclusive = has("bound-exclusive")
            rows = [
                r
                for r in rows
                if r["price"] > min_price or (r["price"] == min_price and not exclusive)
            ]
        if max_price is not None and not (has("second-bound-ignored") and min_price is not None):
            rows = [row for row in rows if row["price"] <= max_price]
        if active or (active is not None and not has("false-as-absent")):
            rows = [row for row in rows if row["active"] == active]
        if tag:
            every = any if has("any-of-list") else all
            rows = [row for row in rows if every(text in row["tags"] for text in tag)]
        if available_before is not None:
            without = has("null-in-comparison")
            rows = [
                row
                for row in rows
                if (row["available_from"] is None and without)
                or (row["available_from"] and row["available_from"] < available_before)
            ]
        total = len(rows)
        by_name: Callable[[dict[str, Any]], Any] = lambda row: (  # noqa: E731
            row["name"].lower() if has("order-without-case") else row["name"]
        )
        if sort in (Sort.NAME, Sort.NAME_DOWN):
            rows.sort(key=by_name, reverse=sort == Sort.NAME_DOWN and not has("order-descending"))
        if sort in (Sort.PRICE, Sort.PRICE_DOWN):
            if has("order-of-equals"):
                rows.reverse()
            if has("order-as-text"):
                rows.sort(key=lambda row: str(row["price"]), reverse=sort == Sort.PRICE_DOWN)
            else:
                rows.sort(key=lambda row: row["price"], reverse=sort == Sort.PRICE_DOWN)
        if sort == Sort.CREATED and has("order-default"):
            rows.reverse()
        if has("page-past-end") and offset > total:
            raise HTTPException(404, "No such page")
        start = offset - 1 if has("page-overlap") and offset else offset
        end = offset + limit - (1 if has("page-too-short") and limit > 2 else 0)
        more = offset + limit <= total if has("next-at-end") else offset + limit < total
        page = Products(
            items=[shown(row) for row in rows[start:end]],
            total=len(rows[start:end]) if has("total-of-page") else total,
            next=f"/products?limit={limit}&offset={offset + limit}" if more else None,
        )
        listed[key] = page
        return page

    @app.get("/products/{product_id}")
    def read_product(response: Response, user: CurrentUser, product_id: int) -> Product:
        product = find(user, product_id)
        if not has("cache-header"):
            response.headers["Cache-Control"] = "private, max-age=60"
        if not has("etag-missing"):
            response.headers["ETag"] = f'"{product["version"]}"'
        return shown(product)

    @app.patch("/products/{product_id}")
    def update_product(user: CurrentUser, product_id: int, update: ProductUpdate) -> Product:
        product = find(user, product_id)
        if not (may_change(user, product["owner_id"]) or has("update-by-others")):
            raise HTTPException(403, "Not enough permissions")
        changes = update.model_dump(exclude_unset=not has("absent-fields-reset"))
        version = changes.pop("version", None)
        if version is not None and version != product["version"] and not has("lost-update"):
            raise HTTPException(409, "The product was changed")
        for field in ("name", "category", "price", "stock", "tags", "active"):
            if field in changes and changes[field] is None:
                if has("null-accepted") or has("absent-fields-reset"):
                    del changes[field]
                else:
                    raise HTTPException(422, f"{field} cannot be null")
        if "name" in changes:
            check_name(changes["name"], product["owner_id"], product_id)
        if "price" in changes:
            changes["price"] = cents(changes["price"])
        if has("null-ignored"):
            changes = {field: value for field, value in changes.items() if value is not None}
        changed = product | changes
        if not has("version-not-counted"):
            changed["version"] += 1
        if not has("time-of-update"):
            changed["updated_at"] = now()
        if has("nested-merged") and product["dimensions"] and changed["dimensions"]:
            changed["dimensions"] = changed["dimensions"] | {"unit": product["dimensions"]["unit"]}
        stored = changed.copy()
        if has("field-not-persisted"):
            stored["stock"] = product["stock"]
        if not has("update-not-persisted"):
            products[product_id] = stored
        return shown(changed)

    @app.delete(
        "/products/{product_id}",
        status_code=either("status-of-deletion", 200, 204),
        response_model=None,
    )
    def delete_product(user: CurrentUser, product_id: int) -> None:
        product = find(user, product_id)
        if not (may_change(user, product["owner_id"]) or has("deletion-by-others")):
            raise HTTPException(403, "Not enough permissions")
        if not has("deletion-without-effect"):
            del products[product_id]
        if not has("orphans-kept"):
            for comment in [c for c in comments.values() if c["product_id"] == product_id]:
                del comments[comment["id"]]

    @app.get("/products/{product_id}/label", response_class=PlainTextResponse)
    def label(user: CurrentUser, product_id: int) -> Response:
        product = find(user, product_id)
        price = f"{product['price']:.2f}" if not has("number-format") else f"{product['price']}"
        media_type = either("content-type", "text/html", "text/plain")
        return PlainTextResponse(f"{product['name']}: {price}\n", media_type=media_type)

    # Comments

    def find_comment(product_id: int, comment_id: int) -> dict[str, Any]:
        comment = comments.get(comment_id)
        is_of_it = comment and (comment["product_id"] == product_id or has("row-of-other-parent"))
        if not comment or not is_of_it:
            raise HTTPException(404, "Comment not found")
        return comment

    @app.post("/products/{product_id}/comments", status_code=201)
    def create_comment(user: CurrentUser, product_id: int, new: NewComment) -> Comment:
        find(user, product_id)
        comment = new.model_dump() | {
            "id": number("comment"),
            "product_id": product_id,
            "author_id": user["id"],
            "text": escape(new.text) if has("text-escaped") else new.text,
            "created_at": now(),
        }
        comments[comment["id"]] = comment
        return Comment.model_validate(comment)

    @app.get("/products/{product_id}/comments")
    def read_comments(
        user: CurrentUser,
        product_id: int,
        rating: Annotated[int | None, Query(ge=1, le=5)] = None,
        newest_first: bool = either("default-of-parameter", True, False),
    ) -> list[Comment]:
        find(user, product_id)
        rows = list(comments.values())
        if not has("rows-of-other-parents"):
            rows = [row for row in rows if row["product_id"] == product_id]
        if rating is not None:
            at_least = has("filter-at-least")
            rows = [r for r in rows if r["rating"] == rating or (at_least and r["rating"] > rating)]
        if newest_first:
            rows.reverse()
        return [Comment.model_validate(row) for row in rows]

    @app.get("/products/{product_id}/comments/{comment_id}")
    def read_comment(user: CurrentUser, product_id: int, comment_id: int) -> Comment:
        find(user, product_id)
        return Comment.model_validate(find_comment(product_id, comment_id))

    @app.put("/products/{product_id}/comments/{comment_id}")
    def replace_comment(
        user: CurrentUser, product_id: int, comment_id: int, new: NewComment
    ) -> Comment:
        find(user, product_id)
        comment = find_comment(product_id, comment_id)
        if comment["author_id"] != user["id"] and not has("replaced-by-others"):
            raise HTTPException(403, "Not the author")
        changed = comment | new.model_dump()
        if has("author-replaced"):
            changed["author_id"] = next(iter(users))
        comments[comment_id] = changed | (
            {"rating": comment["rating"]} if has("nested-update-lost") else {}
        )
        if has("moved-to-end"):
            comments[comment_id] = comments.pop(comment_id)
        return Comment.model_validate(changed)

    @app.delete("/products/{product_id}/comments/{comment_id}", status_code=204)
    def delete_comment(user: CurrentUser, product_id: int, comment_id: int) -> None:
        product = find(user, product_id)
        comment = find_comment(product_id, comment_id)
        is_owner = product["owner_id"] == user["id"] and not has("deletion-by-owner")
        if not (comment["author_id"] == user["id"] or user["is_admin"] or is_owner):
            raise HTTPException(403, "Not enough permissions")
        del comments[max(comments) if has("wrong-row-deleted") else comment_id]

    # Orders

    @app.post("/orders", status_code=201)
    def create_order(
        user: CurrentUser,
        new: NewOrder,
        idempotency_key: Annotated[str | None, Header(max_length=40)] = None,
    ) -> Order:
        known = answered.get((user["id"], idempotency_key or ""))
        if known in orders and idempotency_key and not has("idempotency-ignored"):
            return Order.model_validate(orders[known])
        total = Decimal(0)
        for line in new.lines:
            product = find(user, line.product_id)
            if product["stock"] < line.quantity and not has("stock-not-checked"):
                raise HTTPException(409, f"Only {product['stock']} left of {product['name']}")
            price = Decimal(str(product["price"])) * line.quantity
            if has("rounded-by-line"):
                price = price.quantize(Decimal("1"))
            total += price
        if not has("stock-not-reduced"):
            for line in new.lines:
                products[line.product_id]["stock"] -= line.quantity
        if new.coupon and not has("coupon-ignored"):
            left = Decimal("0.5") if new.coupon.startswith("HALF") else Decimal("0.9")
            total *= Decimal("0.9") if has("one-coupon-wrong") else left
        if isinstance(new.delivery, Courier):
            if new.delivery.express and not has("flag-ignored"):
                total += Decimal("9.99")
            if has("nested-fields-swapped"):
                address = new.delivery.address
                address.street, address.city = address.city, address.street
        order = new.model_dump() | {
            "id": uuid4(),
            "customer_id": user["id"],
            "total": float(round(total, 2)),
            "status": "open",
            "created_at": now(),
        }
        if has("list-order-lost"):
            order["lines"] = sorted(order["lines"], key=lambda line: line["quantity"])
        orders[order["id"]] = order
        if idempotency_key:
            answered[user["id"], idempotency_key] = order["id"]
        return Order.model_validate(order)

    @app.get("/orders")
    def read_orders(
        user: CurrentUser,
        state: Literal["open", "cancelled"] | None = None,
        page: Annotated[int, Query(ge=1)] = 1,
        size: Annotated[int, Query(ge=1, le=20)] = 5,
    ) -> list[Order]:
        sees_all = user["is_admin"] or has("rows-of-other-users")
        rows = [row for row in orders.values() if sees_all or row["customer_id"] == user["id"]]
        if state:
            rows = [row for row in rows if row["status"].startswith(state[:6])]
        if not has("order-reversed"):
            rows.reverse()
        start = page * size if has("page-from-zero") else (page - 1) * size
        return [Order.model_validate(row) for row in rows[start : start + size]]

    def find_order(user: dict[str, Any], order_id: UUID) -> dict[str, Any]:
        order = orders.get(order_id)
        if order is None or not (
            may_change(user, order["customer_id"]) or has("order-of-other-user")
        ):
            raise HTTPException(404, "Order not found")
        return order

    @app.get("/orders/{order_id}")
    def read_order(user: CurrentUser, order_id: UUID) -> Order:
        return Order.model_validate(find_order(user, order_id))

    @app.post("/orders/{order_id}/cancel")
    def cancel_order(user: CurrentUser, order_id: UUID) -> Order:
        order = find_order(user, order_id)
        if order["status"] != "open" and not has("twice-accepted"):
            raise HTTPException(409, "The order is not open")
        order["status"] = either("enum-spelling", "canceled", "cancelled")
        for line in order["lines"]:
            if line["product_id"] in products and not has("stock-not-returned"):
                products[line["product_id"]]["stock"] += line["quantity"]
        return Order.model_validate(order)

    # Preferences and the rest

    @app.get("/preferences")
    def preferences(
        theme: Annotated[Theme, Cookie()] = Theme.LIGHT,
        x_locale: Annotated[Literal["en", "de"], Header()] = either(
            "default-of-header", "de", "en"
        ),
    ) -> dict[str, str]:
        if has("cookie-ignored"):
            theme = Theme.LIGHT
        if has("header-ignored"):
            x_locale = "en"
        return {"theme": theme, "locale": x_locale}

    @app.put("/preferences", status_code=204)
    def set_preferences(theme: Theme) -> Response:
        response = Response(status_code=204)
        response.set_cookie(
            "theme",
            theme,
            max_age=either("cookie-age", 86_400, 604_800),
            secure=not has("cookie-flag"),
            samesite="strict",
            path=either("cookie-path", "/preferences", "/"),
        )
        return response

    version = either("header-became-optional", 1, ...)

    @app.get("/export")
    def export(
        response: Response,
        user: CurrentUser,
        x_version: Annotated[int, Header(ge=1, le=either("header-limit", 3, 2))] = version,
        accept_language: Annotated[
            str, Header() if not has("header-became-required") else Header(min_length=1)
        ] = either("header-became-required", ..., "en"),
    ) -> dict[str, Any]:
        if not has("vary-missing"):
            response.headers["Vary"] = "Accept-Language"
        rows = [row for row in products.values() if row["owner_id"] == user["id"]]
        names = [row["name"] for row in rows]
        answer = {"count": len(rows), "names": names} if x_version == 1 else {"items": names}
        if has("extra-field"):
            answer["version"] = x_version
        return answer | {"language": accept_language.split(",")[0]}

    @app.exception_handler(RequestValidationError)
    async def invalid(_: Request, error: RequestValidationError) -> JSONResponse:
        errors = [
            {"loc": list(e["loc"]), "msg": e["msg"], "type": e["type"]} for e in error.errors()
        ]
        if has("order-of-errors"):
            errors.reverse()
        if has("first-error-only"):
            errors = errors[:1]
        if has("path-of-error"):
            errors = [e | {"loc": e["loc"][-1:]} for e in errors]
        code = either("status-of-invalid", 400, status.HTTP_422_UNPROCESSABLE_CONTENT)
        return app.router.default_response_class({"detail": errors}, code)

    return app


def main() -> None:
    current = create_app("right")
    with open(__file__, encoding="utf-8") as source:
        names = set(re.findall(r'(?:has|either)\(\s*"([a-z0-9-]+)"', source.read()))
    if "--defects" in sys.argv:
        sys.stdout.write("\n".join(sorted(names)) + "\n")
        return
    if "--document" in sys.argv:
        sys.stdout.write(json.dumps(current.openapi()))
        return

    async def serve_current(scope: Any, receive: Any, send: Any) -> None:
        await current(scope, receive, send)

    config = uvicorn.Config(serve_current, port=0, lifespan="off", log_level="critical")
    server = uvicorn.Server(config)
    socket = config.bind_socket()

    def listen() -> None:
        nonlocal current
        sys.stdout.write(f"Shop on http://127.0.0.1:{socket.getsockname()[1]}\n")
        sys.stdout.flush()
        for line in sys.stdin:
            current = create_app(line.strip())
            sys.stdout.write("ready\n")
            sys.stdout.flush()
        # Its parent has ended.
        server.should_exit = True

    threading.Thread(target=listen, daemon=True).start()
    asyncio.run(server.serve(sockets=[socket]))


if __name__ == "__main__":
    main()
