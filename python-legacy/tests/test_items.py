import pytest
from fastapi.testclient import TestClient

from tests.conftest import Account, MakeAccount

NOWHERE = "/items/00000000-0000-4000-8000-000000000000"


def create(client: TestClient, owner: Account, title: str = "a title") -> str:
    response = client.post("/items/", headers=owner.headers, json={"title": title})
    assert response.status_code == 200
    return f"/items/{response.json()['id']}"


def test_an_item_is_created(client: TestClient, alice: Account) -> None:
    body = {"title": "é <&>", "description": "d"}
    item = client.post("/items/", headers=alice.headers, json=body).json()
    assert (item["title"], item["description"]) == ("é <&>", "d")
    assert item["owner_id"] == alice.id
    assert item["created_at"].endswith("Z")


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        ({}, "missing"),
        ({"title": ""}, "string_too_short"),
        ({"title": "x" * 256}, "string_too_long"),
        ({"title": None}, "string_type"),
        ({"title": "a\0"}, "string_nul"),
        ({"title": "a", "description": "x" * 256}, "string_too_long"),
    ],
)
def test_an_invalid_item_is_refused(
    client: TestClient, alice: Account, body: dict[str, object], kind: str
) -> None:
    response = client.post("/items/", headers=alice.headers, json=body)
    assert response.status_code == 422
    assert response.json()["detail"][0]["type"] == kind


def test_lengths_are_counted_in_characters(client: TestClient, alice: Account) -> None:
    create(client, alice, "😀" * 255)


def test_items_are_ones_own(client: TestClient, alice: Account, make_account: MakeAccount) -> None:
    create(client, alice)
    create(client, make_account())
    items = client.get("/items/", headers=alice.headers).json()
    assert items["count"] == len(items["data"]) == 1


def test_a_superuser_sees_all_items(client: TestClient, alice: Account, superuser: Account) -> None:
    paths = [create(client, alice), create(client, superuser)]
    items = client.get("/items/", headers=superuser.headers).json()
    assert [f"/items/{item['id']}" for item in items["data"]] == paths[::-1]


def test_items_come_by_page(client: TestClient, alice: Account) -> None:
    paths = [create(client, alice) for _ in range(4)]
    page = client.get("/items/?skip=1&limit=2", headers=alice.headers).json()
    assert [f"/items/{item['id']}" for item in page["data"]] == [paths[2], paths[1]]
    assert page["count"] == 4


@pytest.mark.parametrize("query", ["skip=-1", "limit=-1", "limit=1001", "skip=x", f"skip={2**63}"])
def test_an_invalid_page_is_refused(client: TestClient, alice: Account, query: str) -> None:
    assert client.get(f"/items/?{query}", headers=alice.headers).status_code == 422


def test_the_limits_of_a_page(client: TestClient, alice: Account) -> None:
    url = f"/items/?skip={2**63 - 1}&limit=1000"
    assert client.get(url, headers=alice.headers).json() == {"data": [], "count": 0}


@pytest.mark.parametrize("method", ["get", "put", "delete"])
def test_an_item_of_another(
    client: TestClient, alice: Account, make_account: MakeAccount, method: str
) -> None:
    path = create(client, make_account())
    body: dict[str, str] | None = {} if method == "put" else None
    response = client.request(method, path, headers=alice.headers, json=body)
    assert (response.status_code, response.json()) == (403, {"detail": "Not enough permissions"})


@pytest.mark.parametrize("method", ["get", "put", "delete"])
def test_an_item_that_is_not_there(client: TestClient, alice: Account, method: str) -> None:
    body: dict[str, str] | None = {} if method == "put" else None
    response = client.request(method, NOWHERE, headers=alice.headers, json=body)
    assert (response.status_code, response.json()) == (404, {"detail": "Item not found"})


def test_a_superuser_may_touch_any_item(
    client: TestClient, alice: Account, superuser: Account
) -> None:
    path = create(client, alice)
    assert client.get(path, headers=superuser.headers).status_code == 200
    assert client.put(path, headers=superuser.headers, json={}).json()["owner_id"] == alice.id
    assert client.delete(path, headers=superuser.headers).status_code == 200


def test_an_item_is_changed_by_what_the_request_names(client: TestClient, alice: Account) -> None:
    path = create(client, alice)

    def change(body: dict[str, object]) -> tuple[str, str | None]:
        item = client.put(path, headers=alice.headers, json=body).json()
        return item["title"], item["description"]

    assert change({"description": "d"}) == ("a title", "d")
    assert change({"title": None}) == ("a title", "d")
    assert change({"description": None}) == ("a title", None)
    assert change({"title": "b", "unknown": 1}) == ("b", None)


def test_a_deleted_item_is_gone(client: TestClient, alice: Account) -> None:
    path = create(client, alice)
    assert client.delete(path, headers=alice.headers).status_code == 200
    assert client.get(path, headers=alice.headers).status_code == 404


def test_an_id_must_be_one(client: TestClient, alice: Account) -> None:
    error = client.get("/items/zz", headers=alice.headers).json()["detail"][0]
    assert (error["type"], error["loc"]) == ("uuid_parsing", ["path", "id"])
