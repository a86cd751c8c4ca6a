import smtplib

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app import emails
from app.celery import celery
from app.config import settings
from app.models import User
from app.tasks.emails import send_email
from app.tasks.users import report_usage
from tests.conftest import Account

pytestmark = pytest.mark.usefixtures("eager")


@pytest.fixture
def delivered(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, emails.Email]]:
    """E-mail and a broker are configured; what would be delivered is kept here."""
    outbox: list[tuple[str, emails.Email]] = []
    monkeypatch.setattr(settings, "SMTP_HOST", "mail.example.com")
    monkeypatch.setattr(settings, "EMAILS_FROM_EMAIL", "molt@example.com")
    monkeypatch.setattr(settings, "CELERY_BROKER_URL", "memory://")
    monkeypatch.setattr(emails, "deliver", lambda to, email: outbox.append((to, email)))
    return outbox


def test_with_a_broker_emails_are_sent_by_a_task(
    client: TestClient,
    superuser: Account,
    delivered: list[tuple[str, emails.Email]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    sent: list[tuple[str, ...]] = []
    monkeypatch.setattr(send_email, "delay", lambda *args: sent.append(args))
    url = "/utils/test-email/?email_to=someone@example.com"
    assert client.post(url, headers=superuser.headers).status_code == 201
    assert sent == [
        ("someone@example.com", "Molt - Test email", emails.test_email("someone@example.com").html)
    ]
    assert delivered == []


def test_a_broker_that_is_unavailable_fails_no_request(
    client: TestClient,
    superuser: Account,
    delivered: list[tuple[str, emails.Email]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def refuse(*_: object) -> None:
        raise ConnectionRefusedError

    monkeypatch.setattr(send_email, "delay", refuse)
    url = "/utils/test-email/?email_to=someone@example.com"
    assert client.post(url, headers=superuser.headers).status_code == 201
    assert delivered == []


def test_an_email_that_the_mail_server_refuses_is_tried_again(
    delivered: list[tuple[str, emails.Email]], monkeypatch: pytest.MonkeyPatch
) -> None:
    answers = iter([smtplib.SMTPServerDisconnected(), ConnectionRefusedError(), None])

    def deliver(to: str, email: emails.Email) -> None:
        answer = next(answers)
        if answer is not None:
            raise answer
        delivered.append((to, email))

    monkeypatch.setattr(emails, "deliver", deliver)
    # Else what ends each attempt, `Retry`, is raised here.
    celery.conf.update(task_eager_propagates=False)
    send_email.delay("a@b.co", "subject", "<b>text</b>")
    assert delivered == [("a@b.co", emails.Email(subject="subject", html="<b>text</b>"))]


def test_usage_is_counted(session: Session) -> None:
    count = session.scalar(select(func.count()).select_from(User))
    assert report_usage.delay().get() == {"users": count}
