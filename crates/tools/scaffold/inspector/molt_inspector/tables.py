"""Tables of SQLAlchemy's metadata: columns, types, keys, constraints, indexes."""

from __future__ import annotations

import contextlib
from typing import Any

from .ddl import statements
from .metadata import find_metadata, mappers_of
from .relationships import describe_mappers
from .report import Report, qualified

CONSTRAINTS = {
    "PrimaryKeyConstraint": "primary key",
    "ForeignKeyConstraint": "foreign key",
    "UniqueConstraint": "unique",
    "CheckConstraint": "check",
    "ExcludeConstraint": "exclude",
}


def describe_metadata(report: Report, names: list[str]) -> list[dict[str, Any]]:
    found = []
    for name, metadata in find_metadata(report, names):
        entry: dict[str, Any] = {"name": name, "schema": metadata.schema}
        found.append(entry)
        with report.attempt(f"mappers of {name}"):
            from sqlalchemy.orm import configure_mappers

            configure_mappers()
        entry["naming_convention"] = {
            str(key): value if isinstance(value, str) else report.value(value)
            for key, value in dict(metadata.naming_convention).items()
        }
        entry["tables"] = []
        for table in sorted_tables(report, metadata):
            with report.attempt(f"table {table.fullname}"):
                entry["tables"].append(describe_table(report, table))
        entry["classes"] = []
        with report.attempt(f"mapped classes of {name}"):
            entry["classes"] = describe_mappers(report, mappers_of(metadata))
        entry["ddl"] = {}
        with report.attempt(f"the statements of {name}"):
            entry["ddl"] = statements(report, metadata)
    return found


def sorted_tables(report: Report, metadata: Any) -> list[Any]:
    """A table stands after those that it refers to, as far as they are not in a circle."""
    import warnings

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with report.attempt("order of tables"):
            return list(metadata.sorted_tables)
    return list(metadata.tables.values())


def postgres() -> Any:
    from sqlalchemy.dialects.postgresql.base import PGDialect

    # The paramstyle: with the usual one a `%` would be doubled.
    dialect: Any = PGDialect
    return dialect(paramstyle="named")


def text_of(expression: Any, dialect: Any) -> str:
    return str(
        expression.compile(dialect=dialect, compile_kwargs={"literal_binds": True})
        if hasattr(expression, "compile")
        else expression
    )


def describe_table(report: Report, table: Any) -> dict[str, Any]:
    dialect = postgres()
    generated = getattr(table, "_autoincrement_column", None)
    columns = []
    for column in table.columns:
        with report.attempt(f"column {table.fullname}.{column.name}"):
            columns.append(describe_column(report, column, dialect, column is generated))
    constraints = []
    for constraint in sorted(table.constraints, key=lambda one: one._creation_order):
        with report.attempt(f"a constraint of {table.fullname}"):
            constraints.append(describe_constraint(constraint, dialect))
    indexes = []
    for index in sorted(table.indexes, key=lambda one: str(one.name)):
        with report.attempt(f"index {index.name}"):
            indexes.append(describe_index(index, dialect))
    return {
        "name": table.name,
        "schema": table.schema,
        "comment": table.comment,
        "info": {str(key): report.value(value, str(key)) for key, value in table.info.items()},
        "columns": columns,
        "constraints": constraints,
        "indexes": indexes,
    }


def describe_column(
    report: Report, column: Any, dialect: Any, is_generated: bool
) -> dict[str, Any]:
    found: dict[str, Any] = {
        "name": column.name,
        "key": column.key,
        "nullable": bool(column.nullable),
        "primary_key": bool(column.primary_key),
        "comment": column.comment,
        # The database counts: serial in PostgreSQL.
        "autoincrement": is_generated and column.server_default is None,
        "type": describe_type(report, column.type, dialect, f"{column.table.name}.{column.name}"),
        "server_default": None,
        "identity": None,
        "computed": None,
        "default": None,
        "onupdate": None,
        "server_onupdate": column.server_onupdate is not None,
    }
    identity = getattr(column, "identity", None)
    computed = getattr(column, "computed", None)
    if identity is not None:
        names = ("always", "start", "increment", "minvalue", "maxvalue", "cycle", "cache")
        found["identity"] = {name: getattr(identity, name, None) for name in names}
        found["autoincrement"] = False
    elif computed is not None:
        found["computed"] = {
            "expression": text_of(computed.sqltext, dialect),
            "persisted": computed.persisted,
        }
        found["autoincrement"] = False
    elif column.server_default is not None:
        compiler = dialect.ddl_compiler(dialect, None)
        found["server_default"] = compiler.get_column_default_string(column)
        if found["server_default"] is None:
            report.remark(
                f"column {column.table.name}.{column.name}", "its server default is not readable"
            )
            found["server_default"] = ""
    for name in ("default", "onupdate"):
        default = getattr(column, name)
        if default is not None:
            found[name] = describe_default(report, default)
    if found["default"] and "sequence" in found["default"]:
        found["autoincrement"] = False
    return found


def describe_default(report: Report, default: Any) -> dict[str, Any]:
    """What SQLAlchemy fills in by itself: a value, a function, an expression or a sequence."""
    if type(default).__name__ == "Sequence" or getattr(default, "is_sequence", False):
        return {"sequence": default.name}
    argument = getattr(default, "arg", None)
    if callable(argument) and not hasattr(argument, "compile"):
        # SQLAlchemy wraps functions without parameters.
        return {"factory": report.function(argument)}
    if hasattr(argument, "compile"):
        return {"expression": str(argument)}
    return report.value(argument)


def describe_type(report: Report, type_: Any, dialect: Any, about: str) -> dict[str, Any]:
    """How the column is declared in PostgreSQL, and what its class says."""
    found: dict[str, Any] = {"class": qualified(type(type_)), "postgres": None, "python": None}
    with report.attempt(f"type of {about}"):
        found["postgres"] = type_.compile(dialect=dialect)
    with contextlib.suppress(Exception):
        found["python"] = qualified(type_.python_type)
    inner = type_
    with contextlib.suppress(Exception):
        # Below decorators and variants.
        inner = type_.dialect_impl(dialect)
        for _ in range(10):
            below = getattr(inner, "impl", None)
            if not hasattr(inner, "process_bind_param") or below is None:
                break
            inner = getattr(below, "dialect_impl", lambda _dialect, same=below: same)(dialect)
    if hasattr(type_, "process_bind_param"):
        found["decorator"] = report.function(type(type_))
    for name in ("length", "precision", "scale", "timezone", "asdecimal", "collation"):
        value = getattr(inner, name, None)
        if value is not None and isinstance(value, (bool, int, str)):
            found[name] = value
    item = getattr(inner, "item_type", None)
    if item is not None:
        found["item"] = describe_type(report, item, dialect, about)
    if isinstance(getattr(inner, "enums", None), (list, tuple)):
        cls = getattr(inner, "enum_class", None)
        found["enum"] = {
            "name": inner.name,
            "schema": inner.schema,
            "values": list(inner.enums),
            "native": bool(getattr(inner, "native_enum", True)),
            "class": qualified(cls) if cls is not None else None,
        }
    return found


def constraint_name(constraint: Any, dialect: Any) -> str | None:
    if constraint.name is None:
        return None
    formatted = dialect.identifier_preparer.format_constraint(constraint)
    return None if formatted is None else str(formatted).strip('"')


def describe_constraint(constraint: Any, dialect: Any) -> dict[str, Any]:
    names = [one.__name__ for one in type(constraint).__mro__]
    kinds = [CONSTRAINTS[name] for name in names if name in CONSTRAINTS]
    found: dict[str, Any] = {
        "kind": kinds[0] if kinds else qualified(type(constraint)),
        # With the naming convention; null if the database chooses a name.
        "name": constraint_name(constraint, dialect),
        "columns": [column.name for column in getattr(constraint, "columns", [])],
    }
    if found["kind"] == "foreign key":
        elements = list(constraint.elements)
        with contextlib.suppress(Exception):
            found["table"] = constraint.referred_table.name
            found["schema"] = constraint.referred_table.schema
        if "table" not in found:
            found["table"], found["schema"] = elements[0].target_fullname.split(".")[-2], None
        found["targets"] = [one.target_fullname.split(".")[-1] for one in elements]
        for name in ("ondelete", "onupdate", "deferrable", "initially", "use_alter", "match"):
            found[name] = getattr(constraint, name, None)
    if found["kind"] == "check":
        found["expression"] = text_of(constraint.sqltext, dialect)
        # A check that belongs to the type of a column: its enumeration or boolean.
        found["of_type"] = bool(getattr(constraint, "_type_bound", False))
    return found


def describe_index(index: Any, dialect: Any) -> dict[str, Any]:
    from sqlalchemy import Column
    from sqlalchemy.schema import CreateIndex

    options = {}
    for name, value in (index.dialect_options.get("postgresql") or {}).items():
        if value is not None and value is not False and value != {} and value != []:
            options[name] = value if isinstance(value, (bool, int, str)) else str(value)
    columns = [one.name if isinstance(one, Column) else None for one in index.expressions]
    return {
        "name": index.name,
        "unique": bool(index.unique),
        # Null where an expression stands.
        "columns": columns,
        "options": options,
        "statement": str(CreateIndex(index).compile(dialect=dialect)).strip(),
    }
