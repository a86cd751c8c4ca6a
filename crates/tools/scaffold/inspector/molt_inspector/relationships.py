"""Classes that are mapped to tables, and the relationships between them."""

from __future__ import annotations

from typing import Any

from .report import Report, qualified


def describe_mappers(report: Report, mappers: list[Any]) -> list[dict[str, Any]]:
    found = []
    for mapper in mappers:
        about = f"class {qualified(mapper.class_)}"
        with report.attempt(about):
            table = mapper.local_table
            entry: dict[str, Any] = {
                "class": qualified(mapper.class_),
                "table": getattr(table, "name", None),
                "schema": getattr(table, "schema", None),
                "inherits": qualified(mapper.inherits.class_) if mapper.inherits else None,
                "polymorphic_on": getattr(mapper.polymorphic_on, "name", None),
                "polymorphic_identity": report.value(mapper.polymorphic_identity),
                "attributes": {},
                "hybrids": [],
                "relationships": [],
                **report.source(mapper.class_),
            }
            found.append(entry)
            for attribute in mapper.column_attrs:
                column = attribute.columns[0]
                if getattr(column, "table", None) is table:
                    entry["attributes"][attribute.key] = column.name
            for name, descriptor in mapper.all_orm_descriptors.items():
                if type(descriptor).__name__ == "hybrid_property":
                    entry["hybrids"].append(
                        {"name": name, "call": report.function(descriptor.fget)}
                    )
            for relationship in mapper.relationships:
                with report.attempt(f"{about}: relationship {relationship.key}"):
                    entry["relationships"].append(describe_relationship(relationship))
    return found


def describe_relationship(relationship: Any) -> dict[str, Any]:
    secondary = relationship.secondary
    target = relationship.mapper
    return {
        "name": relationship.key,
        "target": qualified(target.class_),
        "table": getattr(target.local_table, "name", None),
        "schema": getattr(target.local_table, "schema", None),
        "direction": relationship.direction.name,
        "list": bool(relationship.uselist),
        "viewonly": bool(relationship.viewonly),
        "back_populates": relationship.back_populates,
        "cascade": sorted(relationship.cascade),
        "passive_deletes": bool(relationship.passive_deletes),
        "order_by": [str(one) for one in relationship.order_by or []],
        # Columns that must be equal; with a secondary table those on each side of it.
        "pairs": names(
            relationship.synchronize_pairs
            if secondary is not None
            else relationship.local_remote_pairs
        ),
        "secondary": None
        if secondary is None
        else {
            "table": getattr(secondary, "name", None),
            "schema": getattr(secondary, "schema", None),
            "pairs": names(relationship.secondary_synchronize_pairs),
        },
        # Whether the condition is that and no more.
        "simple": is_simple(relationship),
    }


def names(pairs: Any) -> list[list[str]]:
    return [[local.name, remote.name] for local, remote in pairs]


def is_value(element: Any) -> bool:
    return type(element).__name__ in ("BindParameter", "Function", "Select")


def is_simple(relationship: Any) -> bool:
    """Whether the join compares the columns of its pairs for equality, and nothing else."""
    from sqlalchemy.sql import operators, visitors

    count = 0
    for join in (relationship.primaryjoin, relationship.secondaryjoin):
        if join is None:
            continue
        for element in visitors.iterate(join):
            operator = getattr(element, "operator", None)
            if operator is operators.eq:
                count += 1
            elif operator not in (None, operators.and_) or is_value(element):
                return False
    expected = len(relationship.local_remote_pairs)
    if relationship.secondary is not None:
        expected = len(relationship.synchronize_pairs)
        expected += len(relationship.secondary_synchronize_pairs)
    plain = relationship.mapper.inherits is None and relationship.parent.inherits is None
    return count == expected and plain
