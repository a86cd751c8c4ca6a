"""Mapped classes, as far as what SQLAlchemy does with their rows is known from their columns."""

from __future__ import annotations

import dataclasses
import datetime
import decimal
import enum
import uuid
from typing import Any

from .report import is_json, qualified


class NotRecognised(Exception):
    """Why a handler is left to a person."""


#: Events of a mapper that may change a row.
EVENTS = (
    "before_insert",
    "after_insert",
    "before_update",
    "after_update",
    "before_delete",
    "after_delete",
)

#: Types of fields that are the same in Python, in the database and in JSON.
PLAIN = (
    bool,
    int,
    float,
    str,
    decimal.Decimal,
    uuid.UUID,
    datetime.datetime,
    datetime.date,
    datetime.time,
)

#: Settings of a model that neither change a value nor the names of fields.
HARMLESS = {
    "arbitrary_types_allowed",
    "extra",
    "from_attributes",
    "frozen",
    "json_schema_extra",
    "orm_mode",
    "populate_by_name",
    "read_from_attributes",
    "read_with_orm_mode",
    "registry",
    "table",
    "title",
}


class Mapped:
    """A class whose rows are what its columns say: no event, validator or type changes them."""

    def __init__(self, cls: Any) -> None:
        from sqlalchemy import inspect

        self.cls = cls
        self.name = qualified(cls)
        mapper = inspect(cls, raiseerr=False)
        if mapper is None or not hasattr(mapper, "column_attrs"):
            raise NotRecognised(f"`{self.name}` is no mapped class")
        self.mapper = mapper
        self.table = mapper.local_table
        about = f"`{self.name}` "
        if mapper.inherits is not None or mapper.polymorphic_on is not None:
            raise NotRecognised(about + "inherits from another mapped class, or has such below it")
        if mapper.version_id_col is not None:
            raise NotRecognised(about + "has a column for its version")
        if dict(mapper.validators):
            raise NotRecognised(about + "has validators of SQLAlchemy")
        if any(list(getattr(mapper.dispatch, name, ())) for name in EVENTS):
            raise NotRecognised(about + "has listeners for the events of its rows")
        if list(getattr(mapper.class_manager.dispatch, "load", ())):
            raise NotRecognised(about + "has a listener for rows that are read")
        if hasattr(cls, "__bool__") or hasattr(cls, "__len__"):
            raise NotRecognised(about + "says itself whether it is true")
        init = getattr(mapper.class_manager, "original_init", None) or cls.__init__
        module = str(getattr(init, "__module__", "")).split(".")[0]
        if module not in ("sqlalchemy", "sqlmodel", "pydantic", ""):
            raise NotRecognised(about + "has an `__init__` of its own")
        self.columns: dict[str, Any] = {}
        for attribute in mapper.column_attrs:
            column = attribute.columns[0]
            if len(attribute.columns) != 1 or getattr(column, "table", None) is not self.table:
                raise NotRecognised(about + f"computes `{attribute.key}`")
            self.columns[attribute.key] = column
        self.key = [column.name for column in mapper.primary_key]

    @property
    def is_sqlmodel(self) -> bool:
        return any(base.__module__.split(".")[0] == "sqlmodel" for base in self.cls.__mro__)

    def column(self, attribute: str) -> Any:
        """The column of an attribute, whose values are stored as they are."""
        column = self.columns.get(attribute)
        if column is None:
            raise NotRecognised(f"`{self.name}.{attribute}` is no column")
        if column.name != attribute:
            raise NotRecognised(f"the column of `{self.name}.{attribute}` has another name")
        if hasattr(column.type, "process_bind_param"):
            kind = type(column.type).__name__
            if kind not in ("AutoString",):
                raise NotRecognised(
                    f"`{self.name}.{attribute}` has a type with code of its own, `{kind}`"
                )
        return column

    def unique(self, columns: list[str]) -> bool:
        """Whether at most one row has these values."""
        keys = [set(self.key)]
        keys += [
            {column.name for column in one.columns}
            for one in self.table.constraints
            if type(one).__name__ == "UniqueConstraint"
        ]
        keys += [
            {column.name for column in one.columns}
            for one in self.table.indexes
            if one.unique and not one.dialect_options["postgresql"].get("where") is not None
        ]
        return any(key and key <= set(columns) for key in keys)

    def check_delete(self) -> None:
        """Fails where SQLAlchemy itself changes other rows when one is deleted."""
        for relationship in self.mapper.relationships:
            owns = relationship.cascade.delete or relationship.cascade.delete_orphan
            if relationship.viewonly or (relationship.direction.name == "MANYTOONE" and not owns):
                continue
            if relationship.passive_deletes == "all":
                continue
            raise NotRecognised(
                f"`{self.name}.{relationship.key}`: a deletion changes other rows in Python"
            )

    def check_update(self) -> None:
        for column in self.columns.values():
            if column.onupdate is not None or column.server_onupdate is not None:
                raise NotRecognised(f"`{self.name}.{column.name}` is set at every update")

    def column_default(self, attribute: str) -> dict[str, Any] | None:
        """What SQLAlchemy fills in where an object has nothing; None if the database does."""
        column = self.column(attribute)
        default = column.default
        if default is None:
            return None
        argument = getattr(default, "arg", None)
        if getattr(default, "is_sequence", False) or hasattr(argument, "compile"):
            raise NotRecognised(f"the default of `{self.name}.{attribute}` is one of SQL")
        return self.value(argument, attribute)

    def value(self, argument: Any, attribute: str) -> dict[str, Any]:
        """A value, or a function that makes one, of those that Rust has too."""
        about = f"the default of `{self.name}.{attribute}`"
        if callable(argument):
            return {"function": function(argument, about)}
        return constant(argument, about)


def constant(value: Any, about: str) -> dict[str, Any]:
    if isinstance(value, enum.Enum):
        return {"member": value.name}
    if isinstance(value, decimal.Decimal) and value.is_finite():
        return {"decimal": str(value)}
    if is_json(value) and not isinstance(value, (list, dict)):
        return {"json": value}
    raise NotRecognised(f"{about} is no plain value")


def function(call: Any, about: str) -> str:
    """`uuid4` or `now`: a function of Python, or one of the application that only calls it."""
    import ast
    import inspect
    import textwrap

    # SQLAlchemy wraps functions without parameters.
    inner = getattr(call, "__wrapped__", call)
    if inner is uuid.uuid4:
        return "uuid4"
    if inner in (dict, list):
        return str(inner.__name__)
    code = getattr(inner, "__code__", None)
    if code is not None:
        source = ""
        try:
            source = textwrap.dedent(inspect.getsource(inner))
            tree = ast.parse(source).body[0]
        except (OSError, TypeError, SyntaxError, ValueError, IndexError):
            tree = ast.Pass()
        body = getattr(tree, "body", [])
        if isinstance(body, list) and len(body) == 1 and isinstance(body[0], ast.Return):
            made = body[0].value
            if isinstance(made, ast.Call):
                names = dict(inner.__globals__)
                if is_now(made, names):
                    return "now"
                if path(made.func, names) is uuid.uuid4 and not made.args and not made.keywords:
                    return "uuid4"
    raise NotRecognised(f"{about} is made by `{qualified(inner)}`")


def is_now(call: Any, names: dict[str, Any]) -> bool:
    """`datetime.now(UTC)`"""
    made = path(call.func, names)
    arguments = [path(one, names) for one in call.args]
    arguments += [path(one.value, names) for one in call.keywords if one.arg == "tz"]
    return (
        getattr(made, "__self__", None) is datetime.datetime
        and getattr(made, "__name__", "") == "now"
        and arguments == [datetime.UTC]
        and len(call.args) + len(call.keywords) == 1
    )


def path(node: Any, names: dict[str, Any]) -> Any:
    """The object of `name` or `name.name`; None if there is none."""
    import ast

    if isinstance(node, ast.Name):
        return names.get(node.id)
    if isinstance(node, ast.Attribute):
        inner = path(node.value, names)
        return None if inner is None else getattr(inner, node.attr, None)
    return None


def plain_type(annotation: Any) -> bool:
    """A type of which pydantic makes no other value: `int`, `str | None`, an enumeration."""
    if annotation in PLAIN:
        return True
    if isinstance(annotation, type):
        return issubclass(annotation, enum.Enum)
    arguments = getattr(annotation, "__args__", None) or ()
    kind = str(getattr(annotation, "__origin__", type(annotation)))
    if "Union" not in kind:
        return False
    inner = [one for one in arguments if one is not type(None)]
    return len(inner) == 1 and len(arguments) == 2 and plain_type(inner[0])


def bare(annotation: Any) -> Any:
    """What is optional in `T | None`."""
    inner = [one for one in getattr(annotation, "__args__", ()) if one is not type(None)]
    return inner[0] if len(inner) == 1 and not isinstance(annotation, type) else annotation


def rules(field: Any) -> list[str]:
    """Those of a field of pydantic; SQLModel's are about its column."""
    return [repr(one) for one in field.metadata if not type(one).__module__.startswith("sqlmodel")]


def plain_fields(model: Any) -> dict[str, Any]:
    """The fields of a model of pydantic 2 that neither renames nor changes a value."""
    about = f"`{qualified(model)}` "
    if not isinstance(model, type) or not hasattr(model, "__pydantic_decorators__"):
        raise NotRecognised(about + "is no model of pydantic 2")
    decorators: Any = getattr(model, "__pydantic_decorators__", None)
    for field in dataclasses.fields(decorators):
        if getattr(decorators, field.name):
            raise NotRecognised(about + "has validators, serializers or computed fields")
    others = set(getattr(model, "model_config", {})) - HARMLESS
    if others:
        raise NotRecognised(about + f"has the settings {', '.join(sorted(others))}")
    fields: dict[str, Any] = dict(getattr(model, "__pydantic_fields__", None) or {})
    for name, field in fields.items():
        if field.alias or field.validation_alias or field.serialization_alias or field.exclude:
            raise NotRecognised(about + f"has another name for `{name}`, or leaves it out")
        if not plain_type(field.annotation):
            raise NotRecognised(about + f"has a field of another type than a plain one, `{name}`")
        for one in field.metadata:
            module = type(one).__module__.split(".")[0]
            if "Validator" in type(one).__name__ or "Serializer" in type(one).__name__:
                raise NotRecognised(about + f"has a validator of `{name}`")
            if module not in ("annotated_types", "pydantic", "sqlmodel"):
                raise NotRecognised(about + f"has a rule of its own for `{name}`")
    return fields
