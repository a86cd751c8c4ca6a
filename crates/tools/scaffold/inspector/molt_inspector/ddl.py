"""The statements that SQLAlchemy itself would execute to make the tables, for each database."""

from __future__ import annotations

import contextlib
import itertools
import re
import sqlite3
from typing import Any

from .report import Report


def statements(report: Report, metadata: Any) -> dict[str, list[dict[str, str]]]:
    """For `postgres` and `sqlite`, in the order of execution: `{"kind": …, "sql": …}`.

    What SQLite cannot have is left out of its list, with a remark.
    """
    from sqlalchemy.dialects.sqlite.base import SQLiteDialect

    from .tables import postgres

    found = {"postgres": emitted(metadata, postgres())}
    found["sqlite"] = []
    with report.attempt("the statements for SQLite"):
        copy = for_sqlite(report, metadata)
        found["sqlite"] = accepted(report, emitted(copy, SQLiteDialect(), has_schemas=False))
    return found


def emitted(metadata: Any, dialect: Any, has_schemas: bool = True) -> list[dict[str, str]]:
    from sqlalchemy.engine.mock import MockConnection

    found: list[dict[str, str]] = []
    schemas = {table.schema for table in metadata.tables.values()} - {None}
    quote = dialect.identifier_preparer.quote_schema
    left_out = [] if has_schemas else [f"{quote(schema)}." for schema in sorted(schemas)]

    def execute(element: Any, *_args: Any, **_kwargs: Any) -> None:
        compiled = element if isinstance(element, str) else element.compile(dialect=dialect)
        kind = "SQL" if isinstance(element, str) else type(element).__name__
        # SQLAlchemy leaves blanks at the ends of lines.
        text = str(compiled).strip()
        for prefix in left_out:
            text = text.replace(prefix, "")
        lines = [line.rstrip().replace("\t", "    ") for line in text.splitlines()]
        found.append({"kind": kind, "sql": "\n".join(lines)})

    metadata.create_all(MockConnection(dialect, execute), checkfirst=False)
    return in_order(found)


def in_order(found: list[dict[str, str]]) -> list[dict[str, str]]:
    """SQLAlchemy keeps a table's indexes in a set: theirs is another order at each run."""
    ordered: list[dict[str, str]] = []
    for is_index, group in itertools.groupby(found, lambda one: one["kind"] == "CreateIndex"):
        statements = list(group)
        if is_index:
            statements.sort(key=lambda one: one["sql"])
        ordered += statements
    return ordered


def for_sqlite(report: Report, metadata: Any) -> Any:
    """A copy of the metadata without arrays and other things that SQLite lacks."""
    import warnings

    from sqlalchemy import JSON, Identity, MetaData, Text
    from sqlalchemy.dialects.sqlite.base import SQLiteDialect

    dialect = SQLiteDialect()
    copy = MetaData(naming_convention=metadata.naming_convention)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for table in metadata.tables.values():
            if table.schema is not None:
                report.remark(f"table {table.fullname}", "its schema is left out for SQLite")
            table.to_metadata(copy)
    for table in copy.tables.values():
        order_constraints(table, dialect)
        for column in table.columns:
            about = f"column {table.name}.{column.name}"
            is_list = hasattr(column.type, "item_type")
            try:
                column.type.compile(dialect=dialect)
            except Exception:
                is_document = is_list or "JSON" in str(type(column.type))
                column.type = JSON() if is_document else Text()
                report.remark(about, f"is {column.type} in SQLite, which lacks its type")
            if isinstance(getattr(column, "identity", None), Identity):
                column.identity = column.server_default = None
                report.remark(about, "is no identity in SQLite")
            if getattr(column.default, "is_sequence", False):
                column.default = column.server_default = None
                report.remark(about, "has no sequence in SQLite")
            keep_default(report, column, dialect, is_list)
        for index in list(table.indexes):
            options: Any = index.dialect_options.get("postgresql") or {}
            if options.get("where") is not None:
                index.dialect_options["sqlite"]["where"] = options["where"]
            if options.get("using") or options.get("include"):
                table.indexes.discard(index)
                report.remark(f"index {index.name}", "is left out for SQLite")
        for constraint in list(table.constraints):
            if type(constraint).__name__ == "ExcludeConstraint":
                table.constraints.discard(constraint)
                report.remark(f"table {table.name}", "an exclusion is left out for SQLite")
    return copy


def keep_default(report: Report, column: Any, dialect: Any, is_list: bool) -> None:
    """The server default if SQLite knows it, without the casts of PostgreSQL; else none."""
    from sqlalchemy import DefaultClause, text

    if column.server_default is None or getattr(column, "computed", None) is not None:
        return
    default = dialect.ddl_compiler(dialect, None).get_column_default_string(column)
    known = None if default is None else re.sub(r"::[\w\s]+(\[\])?", "", default)
    if is_list and known == "'{}'":
        known = "'[]'"
    try:
        with contextlib.closing(sqlite3.connect(":memory:")) as connection:
            connection.execute(f"SELECT ({known})")
    except sqlite3.Error:
        known = None
    if known is None:
        column.server_default = None
        report.remark(f"column {column.table.name}.{column.name}", "has no default in SQLite")
    elif known != default:
        column.server_default = DefaultClause(text(known))


def order_constraints(table: Any, dialect: Any) -> None:
    """A copy's constraints stand in the order of their columns: else it is another at each run."""
    from sqlalchemy import util

    position = {column.name: index for index, column in enumerate(table.columns)}

    def written(condition: Any) -> str:
        # A construct of the application's own may be known to some databases only.
        try:
            return "" if condition is None else str(condition.compile(dialect=dialect))
        except Exception:
            return type(condition).__name__

    def key(constraint: Any) -> tuple[Any, ...]:
        names = [column.name for column in getattr(constraint, "columns", [])]
        return (
            sorted(position.get(name, 0) for name in names),
            type(constraint).__name__,
            written(getattr(constraint, "sqltext", None)),
        )

    for constraint in sorted(table.constraints, key=key):
        util.set_creation_order(constraint)


def accepted(report: Report, found: list[dict[str, str]]) -> list[dict[str, str]]:
    """Those that a SQLite in memory executes."""
    kept = []
    with contextlib.closing(sqlite3.connect(":memory:")) as connection:
        for statement in found:
            try:
                connection.execute(statement["sql"])
            except sqlite3.Error as error:
                first = statement["sql"].splitlines()[0]
                report.remark(f"SQLite: {first}", f"is left out: {error}")
            else:
                kept.append(statement)
    return kept
