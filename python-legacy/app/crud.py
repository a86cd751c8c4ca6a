from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from app import security
from app.models import User


class EmailTaken(Exception):
    """Another user has this e-mail address."""


def get_user_by_email(session: Session, email: str) -> User | None:
    if "\0" in email:  # PostgreSQL refuses it in a query
        return None
    return session.scalar(select(User).where(User.email == email))


def authenticate(session: Session, email: str, password: str) -> User | None:
    user = get_user_by_email(session, email)
    if user is None:
        security.verify_password(password, security.UNKNOWN_USER_HASH)
        return None
    verified, new_hash = security.verify_password(password, user.hashed_password)
    if not verified:
        return None
    if new_hash is not None:
        user.hashed_password = new_hash
        session.commit()
    return user


def save_user(session: Session, user: User) -> None:
    """Store a new or changed user; the unique index decides who of two gets an e-mail address."""
    session.add(user)
    try:
        session.commit()
    except IntegrityError as error:
        session.rollback()
        raise EmailTaken from error
