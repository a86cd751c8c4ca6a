import sys
from pathlib import Path

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.config import settings
from app.imports import main, read_items_in_python
from app.models import Item


def run(monkeypatch: pytest.MonkeyPatch, file: Path, owner: str) -> None:
    monkeypatch.setattr(sys, "argv", ["imports", str(file), "--owner", owner])
    main()


def test_items_of_a_file_are_stored(
    session: Session,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    file = tmp_path / "items.csv"
    file.write_text('\ufefftitle,description\r\n"a, b",\r\n\r\nc,"d\r\ne"\r\n', newline="")
    before = session.scalar(select(func.count()).select_from(Item)) or 0
    run(monkeypatch, file, settings.FIRST_SUPERUSER)
    assert capsys.readouterr().out == "2 items were imported\n"
    assert session.scalar(select(func.count()).select_from(Item)) == before + 2
    assert session.scalar(select(Item.description).where(Item.title == "c")) == "d\r\ne"


def test_a_file_with_errors_stores_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "items.csv"
    file.write_text("title\na\n" + "x" * 256 + "\n")
    with pytest.raises(SystemExit, match="row 2: String should have at most 255 characters"):
        run(monkeypatch, file, settings.FIRST_SUPERUSER)
    file.write_text("name\na\n")
    with pytest.raises(SystemExit, match="the first row has to be"):
        run(monkeypatch, file, settings.FIRST_SUPERUSER)
    file.write_text("title\na\n")
    with pytest.raises(SystemExit, match="no user"):
        run(monkeypatch, file, "unknown@example.com")


def test_each_row_has_its_errors() -> None:
    text = "title,description\na,b\na,c\n,\nd\n" + "x" * 256 + ",\0\n"
    items, errors = read_items_in_python(text)
    assert items == [("a", "b")]
    assert [(error["row"], error["type"], error["loc"]) for error in errors] == [
        (2, "duplicate", ("title",)),
        (3, "string_too_short", ("title",)),
        (4, "row_length", ()),
        (5, "string_too_long", ("title",)),
        (5, "string_nul", ("description",)),
    ]
