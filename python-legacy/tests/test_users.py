import uuid

import pytest
from fastapi.testclient import TestClient
from sqlalchemy.orm import Session

from app.emails import Email
from app.models import Item, User
from tests.conftest import PASSWORD, Account, MakeAccount

NEW_USER = {"email": "new@example.com", "password": "a new password"}
UNKNOWN = "00000000-0000-4000-8000-000000000000"


def test_only_superusers_list_users(client: TestClient, alice: Account, superuser: Account) -> None:
    assert client.get("/users/", headers=alice.headers).status_code == 403
    users = client.get("/users/", headers=superuser.headers).json()
    assert users["count"] == len(users["data"]) == 3


def test_users_are_listed_newest_first_and_by_page(
    client: TestClient, superuser: Account, make_account: MakeAccount
) -> None:
    accounts = [make_account() for _ in range(3)]
    page = client.get("/users/?skip=1&limit=2", headers=superuser.headers).json()
    assert [user["id"] for user in page["data"]] == [accounts[1].id, accounts[0].id]
    assert page["count"] == 5


def test_an_answer_never_shows_the_hash(client: TestClient, alice: Account) -> None:
    user = client.get("/users/me", headers=alice.headers).json()
    assert set(user) == {
        "id",
        "email",
        "full_name",
        "is_active",
        "is_superuser",
        "created_at",
    }


def test_a_superuser_creates_a_user(
    client: TestClient, superuser: Account, sent: list[tuple[str, Email]]
) -> None:
    response = client.post("/users/", headers=superuser.headers, json=NEW_USER)
    assert response.status_code == 200
    assert response.json()["full_name"] is None
    [(to, email)] = sent
    assert to == "new@example.com"
    assert email.subject == "Molt - New account for new@example.com"


def test_no_email_is_sent_when_email_is_off(client: TestClient, superuser: Account) -> None:
    assert client.post("/users/", headers=superuser.headers, json=NEW_USER).status_code == 200


def test_others_create_no_users(client: TestClient, alice: Account) -> None:
    assert client.post("/users/", headers=alice.headers, json=NEW_USER).status_code == 403


def test_an_email_belongs_to_one_user(
    client: TestClient, superuser: Account, alice: Account
) -> None:
    body = NEW_USER | {"email": alice.email}
    created = client.post("/users/", headers=superuser.headers, json=body)
    signed_up = client.post("/users/signup", json=body)
    assert created.status_code == signed_up.status_code == 400
    text = "The user with this email already exists in the system"
    assert created.json()["detail"] == f"{text}."
    assert signed_up.json()["detail"] == text


def test_the_domain_of_an_email_is_normalised(client: TestClient) -> None:
    body = NEW_USER | {"email": "Some.Body@EXAMPLE.com"}
    assert client.post("/users/signup", json=body).json()["email"] == "Some.Body@example.com"


@pytest.mark.parametrize(
    ("change", "kind"),
    [
        ({"email": "no address"}, "value_error"),
        ({"email": None}, "string_type"),
        ({"password": "1234567"}, "string_too_short"),
        ({"password": "x" * 129}, "string_too_long"),
        ({"full_name": "x" * 256}, "string_too_long"),
        ({"full_name": "a\0b"}, "string_nul"),
        ({"full_name": 7}, "string_type"),
    ],
)
def test_an_invalid_sign_up_is_refused(
    client: TestClient, change: dict[str, object], kind: str
) -> None:
    response = client.post("/users/signup", json=NEW_USER | change)
    assert response.status_code == 422
    assert [error["type"] for error in response.json()["detail"]] == [kind]


def test_all_errors_are_named_at_once(client: TestClient) -> None:
    response = client.post("/users/signup", json={"email": "x", "password": 1, "full_name": []})
    assert len(response.json()["detail"]) == 3


def test_signing_up_grants_no_privileges(client: TestClient) -> None:
    body = NEW_USER | {"is_superuser": True, "is_active": False}
    user = client.post("/users/signup", json=body).json()
    assert (user["is_superuser"], user["is_active"]) == (False, True)


def test_an_account_is_changed_by_what_the_request_names(
    client: TestClient, alice: Account
) -> None:
    def change(body: dict[str, object]) -> tuple[str, str | None]:
        user = client.patch("/users/me", headers=alice.headers, json=body).json()
        return user["email"], user["full_name"]

    assert change({}) == (alice.email, "Alice")
    assert change({"email": None}) == (alice.email, "Alice")
    assert change({"full_name": None}) == (alice.email, None)
    assert change({"email": "alice@b.co", "full_name": "A."}) == ("alice@b.co", "A.")


def test_an_account_keeps_its_own_email(client: TestClient, alice: Account) -> None:
    body = {"email": alice.email}
    assert client.patch("/users/me", headers=alice.headers, json=body).status_code == 200


def test_the_email_of_another_is_taken(
    client: TestClient, alice: Account, superuser: Account
) -> None:
    body = {"email": superuser.email}
    mine = client.patch("/users/me", headers=alice.headers, json=body)
    theirs = client.patch(f"/users/{alice.id}", headers=superuser.headers, json=body)
    assert mine.status_code == theirs.status_code == 409
    assert mine.json() == theirs.json() == {"detail": "User with this email already exists"}


def test_a_password_is_changed(client: TestClient, alice: Account) -> None:
    def change(current: str, new: str) -> tuple[int, str]:
        body = {"current_password": current, "new_password": new}
        response = client.patch("/users/me/password", headers=alice.headers, json=body)
        return response.status_code, next(iter(response.json().values()))

    assert change("wrong password", "new password") == (400, "Incorrect password")
    same = "New password cannot be the same as the current one"
    assert change(PASSWORD, PASSWORD) == (400, same)
    assert change(PASSWORD, "new password") == (200, "Password updated successfully")
    assert change("new password", PASSWORD) == (200, "Password updated successfully")


def test_an_account_is_deleted_with_all_that_belongs_to_it(
    client: TestClient, session: Session, alice: Account
) -> None:
    # [with items]
    item = client.post("/items/", headers=alice.headers, json={"title": "a"}).json()
    # [end]
    assert client.delete("/users/me", headers=alice.headers).status_code == 200
    assert session.get(User, uuid.UUID(alice.id)) is None
    # [with items]
    assert session.get(Item, uuid.UUID(item["id"])) is None
    # [end]


def test_superusers_do_not_delete_themselves(client: TestClient, superuser: Account) -> None:
    for path in ("me", superuser.id):
        response = client.delete(f"/users/{path}", headers=superuser.headers)
        assert response.status_code == 403
        assert response.json()["detail"] == "Super users are not allowed to delete themselves"


def test_a_user_sees_themselves_only(
    client: TestClient, alice: Account, superuser: Account
) -> None:
    assert client.get(f"/users/{alice.id}", headers=alice.headers).status_code == 200
    assert client.get(f"/users/{superuser.id}", headers=alice.headers).status_code == 403
    assert client.get(f"/users/{UNKNOWN}", headers=alice.headers).status_code == 403


def test_a_superuser_sees_all_users(client: TestClient, alice: Account, superuser: Account) -> None:
    assert client.get(f"/users/{alice.id}", headers=superuser.headers).status_code == 200
    assert client.get(f"/users/{UNKNOWN}", headers=superuser.headers).status_code == 404


def test_a_superuser_changes_a_user(client: TestClient, alice: Account, superuser: Account) -> None:
    body = {"is_active": False, "password": "chosen for you", "full_name": "A."}
    user = client.patch(f"/users/{alice.id}", headers=superuser.headers, json=body).json()
    assert (user["is_active"], user["full_name"]) == (False, "A.")
    response = client.get("/users/me", headers=alice.headers)
    assert (response.status_code, response.json()) == (400, {"detail": "Inactive user"})


def test_a_user_who_is_not_there_is_not_changed(client: TestClient, superuser: Account) -> None:
    response = client.patch(f"/users/{UNKNOWN}", headers=superuser.headers, json={})
    assert response.status_code == 404
    assert response.json()["detail"] == "The user with this id does not exist in the system"


def test_a_superuser_deletes_a_user(client: TestClient, alice: Account, superuser: Account) -> None:
    url = f"/users/{alice.id}"
    assert client.delete(url, headers=alice.headers).status_code == 403
    assert client.delete(url, headers=superuser.headers).status_code == 200
    assert client.delete(url, headers=superuser.headers).status_code == 404


def test_a_private_user_needs_no_address(client: TestClient) -> None:
    body = {"email": "anything", "password": "", "full_name": "N."}
    user = client.post("/private/users/", json=body)
    assert (user.status_code, user.json()["email"]) == (200, "anything")
    assert client.post("/private/users/", json=body).status_code == 400
