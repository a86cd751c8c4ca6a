import os
from collections.abc import Callable, Generator
from dataclasses import dataclass
from itertools import count

# Before the application reads its settings.
os.environ.update(
    DATABASE_URL=os.environ.get("TEST_DATABASE_URL", "sqlite://"),
    SMTP_HOST="",
    EMAILS_FROM_EMAIL="",
)

import pytest
from fastapi.testclient import TestClient
from sqlalchemy.orm import Session

from app import crud, emails
from app.config import settings
from app.db import create_first_superuser, engine
from app.main import app
from app.models import Base, User
from app.security import create_access_token, hash_password

PASSWORD = "a good password"
_hashed_password = hash_password(PASSWORD)
_numbers = count(1)


@pytest.fixture(autouse=True)
def database() -> Generator[None, None, None]:
    Base.metadata.create_all(engine)
    with Session(engine) as session:
        create_first_superuser(session)
    yield
    Base.metadata.drop_all(engine)


@pytest.fixture
def session() -> Generator[Session, None, None]:
    with Session(engine) as session:
        yield session


@pytest.fixture
def client() -> TestClient:
    return TestClient(app, base_url="http://testserver/api/v1")


@dataclass
class Account:
    """A user with the header of a signed-in request."""

    id: str
    email: str
    headers: dict[str, str]


MakeAccount = Callable[..., Account]


@pytest.fixture
def make_account(session: Session) -> MakeAccount:
    def make(**fields: object) -> Account:
        email = fields.pop("email", f"user{next(_numbers)}@example.com")
        user = User(email=email, hashed_password=_hashed_password, **fields)
        crud.save_user(session, user)
        headers = {"Authorization": f"Bearer {create_access_token(user.id)}"}
        return Account(str(user.id), user.email, headers)

    return make


@pytest.fixture
def alice(make_account: MakeAccount) -> Account:
    return make_account(full_name="Alice")


@pytest.fixture
def superuser(make_account: MakeAccount) -> Account:
    return make_account(is_superuser=True)


@pytest.fixture
def eager() -> Generator[None, None, None]:
    """Tasks run where they are sent, through the same serialization."""
    from app.celery import celery

    eager = {"task_always_eager": True, "task_eager_propagates": True}
    celery.conf.update(eager)
    yield
    celery.conf.update(dict.fromkeys(eager, False))


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, emails.Email]]:
    """E-mail is enabled; what would be sent is kept here."""
    outbox: list[tuple[str, emails.Email]] = []
    monkeypatch.setattr(settings, "SMTP_HOST", "mail.example.com")
    monkeypatch.setattr(settings, "EMAILS_FROM_EMAIL", "molt@example.com")
    monkeypatch.setattr(emails, "send_email", lambda to, email: outbox.append((to, email)))
    return outbox
