"""Keeps an application that is only imported from connecting and from creating tables."""

from __future__ import annotations

import contextlib
import importlib
import sys
from typing import Any

from .report import Report, representation


class ConnectionNotAllowed(ConnectionRefusedError):
    """The application wanted to connect while it was imported."""


def forbid_connections(report: Report) -> None:
    """Refuses connections to other programs from here on; local SQLite files are only noted."""

    def hook(event: str, args: tuple[Any, ...]) -> None:
        if event in ("socket.connect", "socket.sendto") and len(args) > 1:
            where = representation(args[1])
            report.remark("connections", f"refused a connection to {where}")
            raise ConnectionNotAllowed(f"the inspector refuses a connection to {where}")
        if event == "sqlite3.connect" and args and args[0] not in (":memory:", b":memory:", ""):
            report.remark(
                "connections", f"the import opens the SQLite database {representation(args[0])}"
            )

    sys.addaudithook(hook)
    _forbid_engines(report)
    _forbid_drivers(report)


def forbid_table_creation(report: Report) -> None:
    """`Base.metadata.create_all(engine)` beside the models does nothing from here on."""
    with contextlib.suppress(Exception):
        from sqlalchemy import MetaData

        def skip(name: str) -> Any:
            def skipped(*_args: Any, **_kwargs: Any) -> None:
                report.remark("connections", f"`MetaData.{name}` of the import was not executed")

            return skipped

        for name in ("create_all", "drop_all", "reflect"):
            original = getattr(MetaData, name)
            _ORIGINALS.setdefault(name, original)
            setattr(MetaData, name, skip(name))


_ORIGINALS: dict[str, Any] = {}


def permit_table_creation() -> None:
    """Undoes `forbid_table_creation`: the inspector compiles `create_all` itself."""
    if _ORIGINALS:
        from sqlalchemy import MetaData

        for name, original in _ORIGINALS.items():
            setattr(MetaData, name, original)
        _ORIGINALS.clear()


def _forbid_drivers(report: Report) -> None:
    """The drivers of PostgreSQL that are written in C, where they are used without SQLAlchemy."""

    def refused(*_args: Any, **_kwargs: Any) -> Any:
        report.remark("connections", "refused a connection to PostgreSQL")
        raise ConnectionNotAllowed("the inspector refuses a connection to PostgreSQL")

    for name in ("psycopg", "psycopg2"):
        with contextlib.suppress(Exception):
            module: Any = importlib.import_module(name)
            module.connect = refused
            for connection in ("Connection", "AsyncConnection"):
                if name == "psycopg" and hasattr(module, connection):
                    getattr(module, connection).connect = refused


def _forbid_engines(report: Report) -> None:
    """Drivers in C raise no audit event: engines refuse in their place."""
    with contextlib.suppress(Exception):
        from sqlalchemy.engine import Engine

        connect = Engine.raw_connection

        def raw_connection(self: Any, *args: Any, **kwargs: Any) -> Any:
            if self.dialect.name == "sqlite":
                return connect(self, *args, **kwargs)
            report.remark("connections", f"refused a connection of an engine ({self.dialect.name})")
            raise ConnectionNotAllowed("the inspector refuses a connection of SQLAlchemy")

        Engine.raw_connection = raw_connection  # type: ignore[method-assign]
