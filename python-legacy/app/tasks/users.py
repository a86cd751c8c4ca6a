from typing import TypedDict

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.celery import celery
from app.db import engine
from app.models import User


class Usage(TypedDict):
    users: int


@celery.task
def report_usage() -> Usage:
    """Count the users, each hour."""
    with Session(engine) as session:
        return {"users": session.scalar(select(func.count()).select_from(User)) or 0}
