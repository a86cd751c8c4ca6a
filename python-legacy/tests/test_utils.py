import json
import smtplib
from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from pydantic import ValidationError

from app import emails
from app.config import Settings, settings
from tests.conftest import Account


def test_the_service_is_up(client: TestClient) -> None:
    assert client.get("/utils/health-check/").json() is True


def test_a_superuser_sends_a_test_email(
    client: TestClient, superuser: Account, sent: list[tuple[str, emails.Email]]
) -> None:
    url = "/utils/test-email/?email_to=someone@example.com"
    assert client.post(url, headers=superuser.headers).status_code == 201
    [(to, email)] = sent
    assert (to, email.subject) == ("someone@example.com", "Molt - Test email")


def test_others_send_no_test_email(client: TestClient, alice: Account) -> None:
    url = "/utils/test-email/?email_to=someone@example.com"
    assert client.post(url, headers=alice.headers).status_code == 403


def test_a_mail_server_that_fails_fails_no_request(
    client: TestClient, superuser: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise ConnectionRefusedError

    monkeypatch.setattr(settings, "SMTP_HOST", "mail.example.com")
    monkeypatch.setattr(settings, "EMAILS_FROM_EMAIL", "molt@example.com")
    monkeypatch.setattr(smtplib, "SMTP", refuse)
    url = "/utils/test-email/?email_to=someone@example.com"
    assert client.post(url, headers=superuser.headers).status_code == 201


def test_what_stands_in_an_email_is_escaped() -> None:
    email = emails.new_account_email("a@b.co", "<b>'\"&")
    assert "&lt;b&gt;&#39;&#34;&amp;" in email.html


def test_an_allowed_origin_gets_its_header(client: TestClient) -> None:
    headers = {"Origin": "http://localhost:5173"}
    response = client.get("/utils/health-check/", headers=headers)
    assert response.headers["access-control-allow-origin"] == "http://localhost:5173"


@pytest.mark.parametrize(
    ("given", "url"),
    [
        ("sqlite:///./molt.db", "sqlite:///./molt.db"),
        ("sqlite:molt.db", "sqlite:///molt.db"),
        ("sqlite://molt.db?mode=rwc", "sqlite:///molt.db"),
        ("sqlite:////var/molt.db", "sqlite:////var/molt.db"),
        ("sqlite::memory:", "sqlite://"),
        ("postgres://u:p@h/d", "postgresql+psycopg://u:p@h/d"),
        ("postgresql+psycopg://u:p@h/d", "postgresql+psycopg://u:p@h/d"),
        ("postgresql+psycopg2://u:p@h/d", "postgresql+psycopg://u:p@h/d"),
        ("postgresql+asyncpg://h/d?ssl=true", "postgresql+psycopg://h/d?sslmode=require"),
        ("sqlite+aiosqlite:///molt.db", "sqlite:///molt.db"),
    ],
)
def test_database_urls_are_understood_in_both_dialects(given: str, url: str) -> None:
    assert Settings(DATABASE_URL=given).sqlalchemy_url == url


@pytest.mark.parametrize(
    "bad",
    [
        {"DATABASE_URL": "mysql://h/d"},
        {"DATABASE_URL": "sqlite:///molt.db?mode=ro"},
        {"BACKEND_CORS_ORIGINS": "not an origin"},
        {"PORT": 70000},
        {"ENVIRONMENT": "elsewhere"},
        {"ENVIRONMENT": "production"},
    ],
)
def test_bad_settings_are_refused(bad: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        Settings(**bad)  # type: ignore[arg-type]


def test_the_documentation_is_there(client: TestClient) -> None:
    page = client.get("http://testserver/docs")
    assert "Molt - Swagger UI" in page.text
    assert client.get("/openapi.json").json()["info"]["title"] == "Molt"


def test_the_document_is_the_one_in_the_repository(client: TestClient) -> None:
    exported = Path(__file__).parents[2] / "openapi" / "openapi.json"
    assert client.get("/openapi.json").json() == json.loads(exported.read_text()), "make openapi"
