from typing import Any

from sqlalchemy import create_engine, event, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session
from sqlalchemy.pool import StaticPool

from app.config import settings
from app.models import User
from app.security import hash_password


def _engine_options(url: str) -> dict[str, Any]:
    if url == "sqlite://":
        return {"connect_args": {"check_same_thread": False}, "poolclass": StaticPool}
    if url.startswith("sqlite:"):
        return {"connect_args": {"check_same_thread": False}}
    # One connection for each thread that runs endpoints: neither waits for the other.
    return {"pool_size": settings.DATABASE_POOL_SIZE, "max_overflow": 0}


engine = create_engine(settings.sqlalchemy_url, **_engine_options(settings.sqlalchemy_url))

if engine.dialect.name == "sqlite":

    @event.listens_for(engine, "connect")
    def _set_pragmas(connection: Any, _record: object) -> None:
        cursor = connection.cursor()
        cursor.execute("PRAGMA journal_mode = WAL")
        cursor.execute("PRAGMA busy_timeout = 5000")
        cursor.execute("PRAGMA foreign_keys = ON")
        cursor.close()


def create_first_superuser(session: Session) -> None:
    if session.scalar(select(User).where(User.email == settings.FIRST_SUPERUSER)):
        return
    session.add(
        User(
            email=settings.FIRST_SUPERUSER,
            hashed_password=hash_password(settings.FIRST_SUPERUSER_PASSWORD),
            is_superuser=True,
        )
    )
    try:
        session.commit()
    except IntegrityError:  # another worker or the other service was faster
        session.rollback()
