"""What an expert would write without leaving Python: async, asyncpg, orjson, no ORM, SQL by hand.

Three operations of the service, with the same answers for valid requests; the caller and the row
come in one statement, as in the Rust service.
"""

import os
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Annotated, Any

import asyncpg
import jwt
import orjson
from fastapi import Depends, FastAPI, HTTPException, Query, Request, Response
from fastapi.security import OAuth2PasswordBearer
from pydantic import BaseModel, Field

oauth2 = OAuth2PasswordBearer(tokenUrl="/api/v1/login/access-token")


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncIterator[None]:
    async with asyncpg.create_pool(os.environ["DATABASE_URL"], min_size=16, max_size=16) as pool:
        app.state.pool = pool
        yield


app = FastAPI(lifespan=lifespan, openapi_url=None)


def caller(token: Annotated[str, Depends(oauth2)]) -> uuid.UUID:
    try:
        claims = jwt.decode(token, os.environ["SECRET_KEY"], ["HS256"])
        return uuid.UUID(claims["sub"])
    except (jwt.InvalidTokenError, KeyError, ValueError):
        raise HTTPException(403, "Could not validate credentials") from None


CallerId = Annotated[uuid.UUID, Depends(caller)]


class ItemCreate(BaseModel):
    title: Annotated[str, Field(min_length=1, max_length=255)]
    description: Annotated[str, Field(max_length=255)] | None = None


def item(row: Any) -> dict[str, Any]:
    return {
        "title": row["title"],
        "description": row["description"],
        "id": str(row["id"]),
        "owner_id": str(row["owner_id"]),
        "created_at": row["created_at"].isoformat().replace("+00:00", "Z"),
    }


def json(value: Any) -> Response:
    return Response(orjson.dumps(value), media_type="application/json")


def check(row: Any) -> None:
    if row is None:
        raise HTTPException(404, "User not found")
    if not row["is_active"]:
        raise HTTPException(400, "Inactive user")


@app.get("/api/v1/utils/health-check/")
async def health_check() -> bool:
    return True


@app.get("/api/v1/items/{id}")
async def read_item(request: Request, caller_id: CallerId, id: uuid.UUID) -> Response:
    row = await request.app.state.pool.fetchrow(
        'SELECT is_active, is_superuser, item.* FROM "user" AS caller'
        " LEFT JOIN item ON item.id = $2 WHERE caller.id = $1",
        caller_id,
        id,
    )
    check(row)
    if row["id"] is None:
        raise HTTPException(404, "Item not found")
    if row["owner_id"] != caller_id and not row["is_superuser"]:
        raise HTTPException(403, "Not enough permissions")
    return json(item(row))


@app.get("/api/v1/items/")
async def read_items(
    request: Request,
    caller_id: CallerId,
    skip: Annotated[int, Query(ge=0)] = 0,
    limit: Annotated[int, Query(ge=0, le=1000)] = 100,
) -> Response:
    async with request.app.state.pool.acquire() as connection:
        user = await connection.fetchrow(
            'SELECT is_active, is_superuser FROM "user" WHERE id = $1', caller_id
        )
        check(user)
        where, owner = ("", []) if user["is_superuser"] else ("WHERE owner_id = $3", [caller_id])
        count = await connection.fetchval(
            f"SELECT count(*) FROM item {where.replace('$3', '$1')}", *owner
        )
        rows = await connection.fetch(
            f"SELECT * FROM item {where} ORDER BY created_at DESC, id OFFSET $1 LIMIT $2",
            skip,
            limit,
            *owner,
        )
    return json({"data": [item(row) for row in rows], "count": count})


@app.post("/api/v1/items/")
async def create_item(request: Request, caller_id: CallerId, body: ItemCreate) -> Response:
    new = {
        "id": uuid.uuid4(),
        "title": body.title,
        "description": body.description,
        "owner_id": caller_id,
        "created_at": datetime.now(UTC),
    }
    user = await request.app.state.pool.fetchrow(
        'WITH caller AS (SELECT id, is_active FROM "user" WHERE id = $4), created AS ('
        " INSERT INTO item (id, title, description, owner_id, created_at)"
        " SELECT $1, $2, $3, id, $5 FROM caller WHERE is_active)"
        " SELECT is_active FROM caller",
        new["id"],
        new["title"],
        new["description"],
        caller_id,
        new["created_at"],
    )
    check(user)
    return json(item(new))
