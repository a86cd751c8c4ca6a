import csv
import io
import uuid
from typing import TypedDict

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError, OperationalError
from sqlalchemy.orm import Session

from app.celery import celery
from app.db import engine
from app.models import Item, User

EXPORT_LIMIT = 10_000


class TooManyItems(Exception):
    """An export has a limit: its result is one message."""


class UnknownOwner(Exception):
    """Only active users have items."""


class Export(TypedDict):
    rows: int
    csv: str


class ImportedItem(TypedDict):
    id: str
    title: str
    description: str | None


def active_user(session: Session, user_id: str) -> User:
    user = session.get(User, uuid.UUID(user_id))
    if user is None or not user.is_active:
        raise UnknownOwner(user_id)
    return user


@celery.task
def export_items(user_id: str) -> Export:
    """All items that a user can see, the newest first, as CSV."""
    newest_first = select(Item).order_by(Item.created_at.desc(), Item.id)
    with Session(engine) as session:
        user = active_user(session, user_id)
        if not user.is_superuser:
            newest_first = newest_first.where(Item.owner_id == user.id)
        items = session.scalars(newest_first.limit(EXPORT_LIMIT + 1)).all()
    if len(items) > EXPORT_LIMIT:
        raise TooManyItems(f"more than {EXPORT_LIMIT}")
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(["id", "title", "description"])
    writer.writerows([item.id, item.title, item.description] for item in items)
    return {"rows": len(items), "csv": text.getvalue()}


@celery.task(autoretry_for=(OperationalError,), max_retries=5, retry_backoff=1)
def import_items(user_id: str, items: list[ImportedItem]) -> int:
    """Store items whose ids the caller has made; gives how many were new."""
    created = 0
    with Session(engine) as session:
        owner_id = active_user(session, user_id).id
        for item in items:
            title, description = item["title"], item["description"]
            id = uuid.UUID(item["id"])
            session.add(Item(id=id, title=title, description=description, owner_id=owner_id))
            try:
                session.commit()
            except IntegrityError:
                session.rollback()  # It is there already: this message came before.
            else:
                created += 1
    return created
