import uuid
from typing import Any

from fastapi import APIRouter, HTTPException
from sqlalchemy import func, select

from app.deps import CurrentUser, Limit, SessionDep, Skip
from app.models import Item, User
from app.schemas import ItemCreate, ItemPublic, ItemsPublic, ItemUpdate, Message

router = APIRouter(prefix="/items", tags=["items"])


@router.get("/", response_model=ItemsPublic)
def read_items(
    session: SessionDep, current_user: CurrentUser, skip: Skip = 0, limit: Limit = 100
) -> Any:
    """List one's own items, or everybody's for a superuser, the newest first."""
    count = select(func.count()).select_from(Item)
    newest_first = select(Item).order_by(Item.created_at.desc(), Item.id)
    if not current_user.is_superuser:
        count = count.where(Item.owner_id == current_user.id)
        newest_first = newest_first.where(Item.owner_id == current_user.id)
    items = session.scalars(newest_first.offset(skip).limit(limit)).all()
    return {"data": items, "count": session.scalar(count)}


@router.get("/{id}", response_model=ItemPublic)
def read_item(session: SessionDep, current_user: CurrentUser, id: uuid.UUID) -> Any:
    """Show an item."""
    return accessible_item(session, current_user, id)


@router.post("/", response_model=ItemPublic)
def create_item(session: SessionDep, current_user: CurrentUser, body: ItemCreate) -> Any:
    """Create an item of one's own."""
    item = Item(**body.model_dump(), owner_id=current_user.id)
    session.add(item)
    session.commit()
    return item


@router.put("/{id}", response_model=ItemPublic)
def update_item(
    session: SessionDep, current_user: CurrentUser, id: uuid.UUID, body: ItemUpdate
) -> Any:
    """Change an item: the fields that the request names."""
    item = accessible_item(session, current_user, id)
    for field, value in body.model_dump(exclude_unset=True).items():
        if value is not None or field == "description":
            setattr(item, field, value)
    session.commit()
    return item


@router.delete("/{id}")
def delete_item(session: SessionDep, current_user: CurrentUser, id: uuid.UUID) -> Message:
    """Delete an item."""
    session.delete(accessible_item(session, current_user, id))
    session.commit()
    return Message(message="Item deleted successfully")


def accessible_item(session: SessionDep, user: User, id: uuid.UUID) -> Item:
    item = session.get(Item, id)
    if item is None:
        raise HTTPException(404, "Item not found")
    if item.owner_id != user.id and not user.is_superuser:
        raise HTTPException(403, "Not enough permissions")
    return item
