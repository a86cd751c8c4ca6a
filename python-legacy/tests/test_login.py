import re
from datetime import UTC, datetime, timedelta

import bcrypt
import jwt
import pytest
from fastapi.testclient import TestClient
from sqlalchemy.orm import Session

from app import crud
from app.config import settings
from app.emails import Email
from app.models import User
from app.routes.login import header_text
from app.security import create_password_reset_token
from tests.conftest import PASSWORD, Account, MakeAccount


def sign_in(client: TestClient, email: str, password: str = PASSWORD) -> int:
    form = {"username": email, "password": password}
    response = client.post("/login/access-token", data=form)
    return int(response.status_code)


def test_the_first_superuser_signs_in(client: TestClient) -> None:
    form = {"username": settings.FIRST_SUPERUSER, "password": settings.FIRST_SUPERUSER_PASSWORD}
    token = client.post("/login/access-token", data=form).json()
    assert token["token_type"] == "bearer"
    headers = {"Authorization": f"Bearer {token['access_token']}"}
    assert client.get("/users/me", headers=headers).json()["is_superuser"] is True


@pytest.mark.parametrize("password", ["wrong", "", "A GOOD PASSWORD"])
def test_a_wrong_password_is_refused(client: TestClient, alice: Account, password: str) -> None:
    assert sign_in(client, alice.email, password) in (400, 422)


def test_unknown_and_wrong_get_the_same_answer(client: TestClient, alice: Account) -> None:
    forms = [
        {"username": alice.email, "password": "wrong password"},
        {"username": "unknown@example.com", "password": PASSWORD},
    ]
    first, second = (client.post("/login/access-token", data=form) for form in forms)
    assert first.status_code == second.status_code == 400
    assert first.json() == second.json() == {"detail": "Incorrect email or password"}


def test_an_inactive_user_cannot_sign_in(client: TestClient, make_account: MakeAccount) -> None:
    account = make_account(is_active=False)
    form = {"username": account.email, "password": PASSWORD}
    response = client.post("/login/access-token", data=form)
    assert (response.status_code, response.json()) == (400, {"detail": "Inactive user"})


def test_a_bcrypt_hash_is_upgraded_on_sign_in(client: TestClient, session: Session) -> None:
    old = bcrypt.hashpw(PASSWORD.encode(), bcrypt.gensalt(4)).decode()
    user = User(email="old@example.com", hashed_password=old)
    crud.save_user(session, user)
    assert sign_in(client, user.email, "wrong password") == 400
    session.refresh(user)
    assert user.hashed_password == old
    assert sign_in(client, user.email) == 200
    session.refresh(user)
    assert user.hashed_password.startswith("$argon2id$v=19$m=65536,t=3,p=4$")
    assert sign_in(client, user.email) == 200


def test_a_password_too_long_for_bcrypt_is_wrong(client: TestClient, session: Session) -> None:
    old = bcrypt.hashpw(b"x" * 72, bcrypt.gensalt(4)).decode()
    crud.save_user(session, User(email="old@example.com", hashed_password=old))
    assert sign_in(client, "old@example.com", "x" * 73) == 400


def test_a_token_tells_whose_it_is(client: TestClient, alice: Account) -> None:
    response = client.post("/login/test-token", headers=alice.headers)
    assert response.json()["email"] == alice.email


def test_a_request_needs_a_token(client: TestClient) -> None:
    response = client.post("/login/test-token")
    assert response.status_code == 401
    assert response.headers["www-authenticate"] == "Bearer"


def token(**claims: object) -> dict[str, str]:
    encoded = jwt.encode(claims, settings.SECRET_KEY, "HS256")
    return {"Authorization": f"Bearer {encoded}"}


IN_AN_HOUR = datetime.now(UTC) + timedelta(hours=1)
AN_HOUR_AGO = datetime.now(UTC) - timedelta(hours=1)


@pytest.mark.parametrize(
    "claims",
    [
        {"exp": IN_AN_HOUR},
        {"sub": "00000000-0000-0000-0000-000000000000"},
        {"exp": AN_HOUR_AGO, "sub": "00000000-0000-0000-0000-000000000000"},
        {"exp": IN_AN_HOUR, "sub": "not an id"},
        {"exp": "soon", "sub": "00000000-0000-0000-0000-000000000000"},
    ],
)
def test_a_bad_token_is_refused(client: TestClient, claims: dict[str, object]) -> None:
    response = client.post("/login/test-token", headers=token(**claims))
    assert response.status_code == 403
    assert response.json() == {"detail": "Could not validate credentials"}


def test_a_token_of_another_key_is_refused(client: TestClient, alice: Account) -> None:
    forged = jwt.encode({"exp": IN_AN_HOUR, "sub": alice.id}, "another key", "HS256")
    headers = {"Authorization": f"Bearer {forged}"}
    assert client.post("/login/test-token", headers=headers).status_code == 403


def test_the_user_of_a_token_may_be_gone(client: TestClient) -> None:
    headers = token(exp=IN_AN_HOUR, sub="00000000-0000-0000-0000-000000000000")
    response = client.post("/login/test-token", headers=headers)
    assert (response.status_code, response.json()) == (404, {"detail": "User not found"})


def test_a_reset_token_is_no_access_token(client: TestClient, make_account: MakeAccount) -> None:
    account = make_account()
    make_account(email=account.id)  # an address that looks like an id
    headers = {"Authorization": f"Bearer {create_password_reset_token(account.id)}"}
    assert client.post("/login/test-token", headers=headers).status_code == 403


def test_an_access_token_is_no_reset_token(client: TestClient, alice: Account) -> None:
    access_token = alice.headers["Authorization"].removeprefix("Bearer ")
    body = {"token": access_token, "new_password": "another password"}
    response = client.post("/reset-password/", json=body)
    assert (response.status_code, response.json()) == (400, {"detail": "Invalid token"})


def test_recovery_answers_the_same_for_every_email(
    client: TestClient, alice: Account, sent: list[tuple[str, Email]]
) -> None:
    answers = [
        client.post(f"/password-recovery/{email}").json()
        for email in (alice.email, "unknown@example.com")
    ]
    assert answers[0] == answers[1]
    assert [to for to, _ in sent] == [alice.email]


def test_the_recovery_email_resets_the_password(
    client: TestClient, alice: Account, sent: list[tuple[str, Email]]
) -> None:
    client.post(f"/password-recovery/{alice.email}")
    [(_, email)] = sent
    found = re.search(r"reset-password\?token=([\w.-]+)", email.html)
    assert found
    body = {"token": found[1], "new_password": "another password"}
    assert client.post("/reset-password/", json=body).status_code == 200
    assert sign_in(client, alice.email) == 400
    assert sign_in(client, alice.email, "another password") == 200


def test_the_password_of_an_inactive_user_stays(
    client: TestClient, make_account: MakeAccount
) -> None:
    account = make_account(is_active=False)
    body = {"token": create_password_reset_token(account.email), "new_password": "new password"}
    response = client.post("/reset-password/", json=body)
    assert (response.status_code, response.json()) == (400, {"detail": "Inactive user"})


def test_a_superuser_sees_the_recovery_email(
    client: TestClient, superuser: Account, alice: Account
) -> None:
    url = f"/password-recovery-html-content/{alice.email}"
    response = client.post(url, headers=superuser.headers)
    assert response.headers["content-type"] == "text/html; charset=utf-8"
    assert response.headers["subject"] == f"Molt - Password recovery for {alice.email}"
    assert client.post(url, headers=alice.headers).status_code == 403


def test_the_recovery_email_of_an_unknown_user(client: TestClient, superuser: Account) -> None:
    url = "/password-recovery-html-content/unknown@example.com"
    assert client.post(url, headers=superuser.headers).status_code == 404


def test_a_header_carries_latin_1_only() -> None:
    assert header_text("日é\r\n\x80 b") == "?é??? b"
