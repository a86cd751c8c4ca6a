"""Imports items from a CSV file: `python -m app.imports items.csv --owner admin@example.com`.

Where the wheel `molt-bridge` is installed, its Rust reads the file.
"""

import argparse
import csv
import io
import sys
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pydantic import ValidationError
from sqlalchemy import insert
from sqlalchemy.orm import Session

from app.crud import get_user_by_email
from app.db import engine
from app.models import Item
from app.schemas import ItemCreate

HEADERS = (["title"], ["title", "description"])
MAX_FIELD = 131_072

Row = tuple[str, str | None]
Errors = list[dict[str, Any]]


def read_items_in_python(text: str) -> tuple[list[Row], Errors]:
    """The items of a CSV file, and what is wrong with the rows that are none.

    An empty description is none. Of rows with the same title the first one counts. Raises
    ValueError when the file has another header, or a field that is too long.
    """
    items: list[Row] = []
    errors: Errors = []
    first: dict[str, int] = {}
    rows = _rows(text)
    header = next(rows, [])
    if header not in HEADERS:
        raise ValueError("the first row has to be `title` or `title,description`")
    for number, row in enumerate(rows, start=1):
        if len(row) != len(header):
            fields = len(row)
            errors.append(
                {
                    "row": number,
                    "type": "row_length",
                    "loc": (),
                    "msg": f"Row should have as many fields as the header, not {fields}",
                    "input": ",".join(row),
                    "ctx": {"fields": fields},
                }
            )
            continue
        # The header has one column or two.
        title, description = (*row, "")[:2]
        try:
            item = ItemCreate.model_validate({"title": title, "description": description or None})
        except ValidationError as error:
            details = error.errors(include_url=False)
            errors.extend({"row": number, **detail} for detail in details)
            continue
        if item.title in first:
            errors.append(
                {
                    "row": number,
                    "type": "duplicate",
                    "loc": ("title",),
                    "msg": f"Row {first[item.title]} has the same title",
                    "input": item.title,
                    "ctx": {"first": first[item.title]},
                }
            )
            continue
        first[item.title] = number
        items.append((item.title, item.description))
    return items, errors


def _rows(text: str) -> Iterator[list[str]]:
    try:
        yield from (row for row in csv.reader(io.StringIO(text, newline="")) if row)
    except csv.Error:
        raise ValueError(f"a field has more than {MAX_FIELD} characters") from None


try:
    from molt_bridge.functions import read_items
except ImportError:
    read_items = read_items_in_python


def main() -> None:
    parser = argparse.ArgumentParser(prog="app.imports", description=__doc__)
    parser.add_argument("file", type=Path, help="UTF-8, with the header `title,description`")
    parser.add_argument("--owner", required=True, help="e-mail address of the items' owner")
    arguments = parser.parse_args()
    try:
        items, errors = read_items(arguments.file.read_bytes().decode("utf-8-sig"))
    except (OSError, ValueError) as error:
        sys.exit(f"{arguments.file}: {error}")
    if errors:
        shown = [f"  row {error['row']}: {error['msg']}" for error in errors[:20]]
        sys.exit(f"{arguments.file}: nothing is imported:\n" + "\n".join(shown))
    with Session(engine) as session:
        owner = get_user_by_email(session, arguments.owner)
        if owner is None:
            sys.exit(f"no user has the address {arguments.owner}")
        if items:
            session.execute(
                insert(Item),
                [
                    {"id": uuid.uuid4(), "title": title, "description": text, "owner_id": owner.id}
                    for title, text in items
                ],
            )
        session.commit()
    sys.stdout.write(f"{len(items)} items were imported\n")


if __name__ == "__main__":
    main()
