"""What the expressions of a function are known to be."""

from __future__ import annotations

from typing import Any

from .mapped import Mapped


class Select:
    """A query of the rows of one class."""

    def __init__(self, mapped: Mapped) -> None:
        self.mapped = mapped
        self.where: list[dict[str, Any]] = []
        self.order: list[dict[str, Any]] = []
        self.offset: Any = None
        self.limit: Any = None


class Result:
    """What a session gives for a query; `session` for one that needs no more words."""

    def __init__(self, select: Select, form: str) -> None:
        self.select = select
        self.form = form


class Row:
    """A row that may be missing."""

    def __init__(self, select: Select) -> None:
        self.mapped = select.mapped
        self.where = select.where
        self.missing: Any = None


class Rows:
    def __init__(self, select: Select) -> None:
        self.select = select


class Dump:
    """`body.model_dump()`"""

    def __init__(self, body: str, is_unset_left_out: bool) -> None:
        self.body = body
        self.is_unset_left_out = is_unset_left_out


class New:
    """An object that is to be stored, with the values of its attributes."""

    def __init__(self, mapped: Mapped, given: dict[str, Any]) -> None:
        self.mapped = mapped
        self.given = given


class Name:
    """Something that is given to the function: `session`, `parameter`, `body` or `caller`."""

    def __init__(self, kind: str, name: str, value: Any = None) -> None:
        self.kind = kind
        self.name = name
        self.value = value
