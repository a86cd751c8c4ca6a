import uuid

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.models import Item
from app.tasks.items import UnknownOwner, export_items, import_items
from tests.conftest import Account

pytestmark = pytest.mark.usefixtures("eager")


def items_of(*titles: str) -> list[dict[str, str | None]]:
    return [{"id": str(uuid.uuid4()), "title": title, "description": None} for title in titles]


def test_items_are_imported_once(alice: Account, session: Session) -> None:
    items = items_of("first", "second")
    assert import_items.delay(alice.id, items).get() == 2
    assert import_items.delay(alice.id, [*items, *items_of("third")]).get() == 1
    titles = session.scalars(select(Item.title).where(Item.owner_id == uuid.UUID(alice.id)))
    assert sorted(titles) == ["first", "second", "third"]


def test_an_export_has_all_items(alice: Account) -> None:
    items = items_of('a "quoted", title')
    import_items.delay(alice.id, items)
    export = export_items.delay(alice.id).get()
    expected = f'id,title,description\r\n{items[0]["id"]},"a ""quoted"", title",\r\n'
    assert export == {"rows": 1, "csv": expected}


def test_only_active_users_have_items() -> None:
    with pytest.raises(UnknownOwner):
        export_items.delay(str(uuid.uuid4()))
    with pytest.raises(UnknownOwner):
        import_items.delay(str(uuid.uuid4()), [])
