"""Finds the metadata of SQLAlchemy and SQLModel, and the classes that are mapped to its tables."""

from __future__ import annotations

import contextlib
import gc
import importlib
import sys
from typing import Any

from .report import Report


def find_metadata(report: Report, names: list[str]) -> list[tuple[str, Any]]:
    """Each metadata with tables, with the name under which it was found.

    With names (`app.db:Base.metadata`, `app.db:Base`) these and no others, else all that the import
    of the application has left in memory.
    """
    try:
        from sqlalchemy import MetaData
    except ImportError:
        if names:
            report.remark("tables", "SQLAlchemy is not installed for this Python")
        return []
    if names:
        return [(name, of_object(resolve(name), name, MetaData)) for name in names]
    found: list[Any] = []
    for one in gc.get_objects():
        with contextlib.suppress(Exception):
            if issubclass(type(one), MetaData) and one.tables and one not in found:
                found.append(one)
    named = [(name_of(one, MetaData), one) for one in found]
    # SQLAlchemy describes the catalogs of PostgreSQL with tables too.
    return sorted(((name, one) for name, one in named if name is not None), key=lambda one: one[0])


def resolve(name: str) -> Any:
    """The object of `module:attribute.attribute`; fails with a text that says what is missing."""
    module_name, separator, path = name.partition(":")
    if not separator or not path:
        raise LookupError(f"`{name}`: write MODULE:NAME, like app.db:Base.metadata")
    found = importlib.import_module(module_name)
    for attribute in path.split("."):
        if not hasattr(found, attribute):
            raise LookupError(f"`{name}`: {module_name} has no `{path}`")
        found = getattr(found, attribute)
    return found


def of_object(thing: Any, name: str, metadata_class: Any) -> Any:
    """The metadata itself, or that of a base class, a table or a registry."""
    if isinstance(thing, metadata_class):
        return thing
    inner = getattr(thing, "metadata", None)
    if isinstance(inner, metadata_class):
        return inner
    raise LookupError(f"`{name}` is neither metadata nor a class that has it")


def name_of(metadata: Any, metadata_class: Any) -> str | None:
    """Where the application has it: a base class or a variable; None if it is SQLAlchemy's own."""
    candidates: list[tuple[int, str]] = []
    is_of_library = False
    for module_name, module in sorted(sys.modules.items()):
        if module_name.split(".")[0] in ("__main__", "molt_inspector"):
            continue
        for attribute, value in list(getattr(module, "__dict__", {}).items()):
            rank = None
            with contextlib.suppress(Exception):
                if value is metadata:
                    rank, name = 0, f"{module_name}:{attribute}"
                elif (
                    isinstance(value, type)
                    and isinstance(value.__dict__.get("metadata"), metadata_class)
                    and value.__dict__["metadata"] is metadata
                ):
                    name = f"{module_name}:{attribute}.metadata"
                    rank = 1 if value.__module__ == module_name else 2
            if rank is not None:
                if module_name.split(".")[0] in ("sqlalchemy", "alembic"):
                    is_of_library = True
                else:
                    candidates.append((rank, name))
    if candidates:
        return min(candidates)[1]
    return None if is_of_library else "metadata without a name"


def mappers_of(metadata: Any) -> list[Any]:
    """The mappers of classes whose tables belong to the metadata, by the names of the classes."""
    from sqlalchemy.orm import Mapper

    found = []
    for one in gc.get_objects():
        with contextlib.suppress(Exception):
            if issubclass(type(one), Mapper) and one.local_table.metadata is metadata:
                found.append(one)
    return sorted(found, key=lambda one: (one.class_.__module__, one.class_.__qualname__))
