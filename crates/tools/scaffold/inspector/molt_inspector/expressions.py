"""What the expressions of an endpoint's function mean, as far as their few forms are known.

Nothing is guessed: what is not understood to the last word is not recognised.
"""

from __future__ import annotations

import ast
from typing import Any

from .mapped import Mapped, NotRecognised, constant, function, path, plain_fields, rules
from .report import Report, plain_function
from .sessions import caller, literal, names_of, pairs, parsed, session_kind
from .values import Dump, Name, New, Result, Row, Rows, Select


def check_number(name: str, field: Any) -> None:
    """Fails for decimals of any length, which the database rounds in its own way."""
    is_decimal = "Decimal" in repr(field.annotation)
    digits = [getattr(one, "max_digits", None) for one in field.metadata]
    if is_decimal and not any(isinstance(one, int) and one <= 28 for one in digits):
        raise NotRecognised(f"`{name}` is a decimal of any length")


def is_scheme(call: Any) -> bool:
    """One of FastAPI's own security classes."""
    from fastapi.security.base import SecurityBase

    return isinstance(call, SecurityBase) and type(call).__module__.startswith("fastapi.")


def uses(tree: Any, name: str) -> bool:
    return any(isinstance(one, ast.Name) and one.id == name for one in ast.walk(tree))


class Expressions:
    """What a function is given, and what it makes of that."""

    def __init__(self, report: Report, route: Any) -> None:
        self.report = report
        self.route = route
        self.function = plain_function(route.endpoint)
        self.tree = parsed(self.function)
        self.names = names_of(self.function)
        self.is_async = isinstance(self.tree, ast.AsyncFunctionDef)
        self.own: dict[str, Any] = {}
        self.effects: list[tuple[str, Any]] = []
        self.changes: list[Any] = []
        self.callers: list[dict[str, Any]] = []
        self.body: Any = None
        self.returned: Any = None
        self.has_returned = False

    # What is given

    def given(self) -> None:
        dependant = self.route.dependant
        special = (
            "request",
            "websocket",
            "response",
            "background_tasks",
            "http_connection",
        )
        if any(getattr(dependant, f"{name}_param_name", None) for name in special):
            raise NotRecognised("it takes the request or the response itself")
        if dependant.header_params or dependant.cookie_params:
            raise NotRecognised("it takes headers or cookies itself")
        for sub in dependant.dependencies:
            kind = session_kind(sub.call)
            value: Any = kind
            if kind is None and is_scheme(sub.call):
                # What a client has to show is drafted; what is done with it is not.
                if sub.name and uses(self.tree, sub.name):
                    raise NotRecognised("it reads the credentials itself")
                continue
            if kind is None:
                described = caller(sub)
                described["call"] = self.report.function(described["call"])
                self.callers.append(described)
                value = described
            elif sub.dependencies or sub.query_params or sub.header_params:
                raise NotRecognised("its session depends on the request")
            if sub.name:
                self.own[sub.name] = Name("session" if kind else "caller", sub.name, value)
        for field in [*dependant.path_params, *dependant.query_params]:
            self.own[field.name] = Name("parameter", field.name)
        if len(dependant.body_params) > 1:
            raise NotRecognised("it takes several bodies")
        for field in dependant.body_params:
            model = field.field_info.annotation
            plain_fields(model)
            if type(field.field_info).__name__ != "Body" or getattr(
                field.field_info, "embed", None
            ):
                raise NotRecognised("its body is no JSON of one model")
            self.body = model
            self.own[field.name] = Name("body", field.name, model)

    # Expressions

    def value(self, node: Any, awaited: bool = False) -> Any:
        if isinstance(node, ast.Await):
            return self.value(node.value, True)
        if isinstance(node, ast.Name):
            if node.id in self.own:
                return self.own[node.id]
            raise NotRecognised(f"it uses `{node.id}`")
        if isinstance(node, ast.Call):
            return self.call(node, awaited)
        if isinstance(node, ast.Attribute):
            inner = self.own.get(node.value.id) if isinstance(node.value, ast.Name) else None
            if isinstance(inner, Name) and inner.kind in ("caller", "body"):
                return Name(f"{inner.kind} attribute", node.attr, inner)
        raise NotRecognised(f"line {self.line(node)} is not recognised")

    def line(self, node: Any) -> int:
        return int(getattr(node, "lineno", 1)) + int(self.function.__code__.co_firstlineno) - 1

    def unknown(self, node: Any) -> NotRecognised:
        return NotRecognised(f"line {self.line(node)} is not recognised")

    def call(self, node: Any, awaited: bool) -> Any:
        called = path(node.func, self.names)
        if isinstance(node.func, ast.Name) and node.func.id not in self.own:
            return self.plain_call(node, called)
        if not isinstance(node.func, ast.Attribute):
            raise self.unknown(node)
        # `Model.model_validate(body)`
        if isinstance(node.func.value, ast.Name) and node.func.value.id not in self.own:
            cls = self.names.get(node.func.value.id)
            if node.func.attr in ("model_validate", "from_orm") and isinstance(cls, type):
                return self.validated(node, cls)
            return self.plain_call(node, called)
        inner = self.value(node.func.value)
        method = node.func.attr
        if isinstance(inner, Name) and inner.kind == "session":
            return self.of_session(node, inner, method, awaited)
        if isinstance(inner, Name) and inner.kind == "body":
            return self.dumped(node, inner, method)
        if isinstance(inner, Select):
            return self.of_select(node, inner, method)
        if isinstance(inner, Result):
            return self.of_result(node, inner, method)
        raise self.unknown(node)

    def plain_call(self, node: Any, called: Any) -> Any:
        module = str(getattr(called, "__module__", "")).split(".")[0]
        name = getattr(called, "__name__", "")
        if module in ("sqlalchemy", "sqlmodel") and name == "select" and len(node.args) == 1:
            if node.keywords:
                raise self.unknown(node)
            return Select(self.mapped(node.args[0]))
        if called is list and len(node.args) == 1 and not node.keywords:
            rows = self.value(node.args[0])
            if isinstance(rows, Rows):
                return rows
        if isinstance(called, type) and hasattr(called, "__mapper__"):
            return self.made(node, called)
        raise self.unknown(node)

    def mapped(self, node: Any) -> Mapped:
        cls = path(node, self.names)
        if not isinstance(cls, type):
            raise self.unknown(node)
        return Mapped(cls)

    def of_session(self, node: Any, session: Name, method: str, awaited: bool) -> Any:
        waits = method not in ("add", "query")
        if awaited != (waits and session.value == "async"):
            raise self.unknown(node)
        if node.keywords:
            raise self.unknown(node)
        if method == "query" and session.value == "sync" and len(node.args) == 1:
            return Result(Select(self.mapped(node.args[0])), "query")
        if method == "get" and len(node.args) == 2:
            select = Select(self.mapped(node.args[0]))
            if len(select.mapped.key) != 1:
                raise NotRecognised(f"`{select.mapped.name}` has a key of several columns")
            value = self.compared(node.args[1])
            select.where.append({"column": select.mapped.key[0], "value": value})
            return Row(select)
        if method in ("exec", "execute", "scalars", "scalar") and len(node.args) == 1:
            select = self.value(node.args[0])
            if isinstance(select, Select):
                if method == "scalar":
                    return self.one(select)
                return Result(select, method)
        if method in ("add", "delete", "refresh") and len(node.args) == 1:
            self.effects.append((method, self.value(node.args[0])))
            return None
        if method in ("commit", "flush") and not node.args:
            self.effects.append((method, None))
            return None
        raise self.unknown(node)

    def of_result(self, node: Any, result: Result, method: str) -> Any:
        select = result.select
        if result.form == "query" and method not in ("all", "first", "one_or_none"):
            self.of_select(node, select, method)
            return result
        if node.args or node.keywords:
            raise self.unknown(node)
        if result.form == "execute":
            if method == "scalars":
                return Result(select, "scalars")
            if method == "scalar_one_or_none":
                return self.one(select)
        elif method == "all":
            return Rows(select)
        elif method in ("first", "one_or_none"):
            return self.one(select)
        raise self.unknown(node)

    def one(self, select: Select) -> Row:
        columns = [one["column"] for one in select.where]
        if select.offset is not None or select.limit is not None:
            raise NotRecognised("it reads one row of a part of a list")
        if not select.mapped.unique(columns):
            raise NotRecognised("it reads one of several rows")
        return Row(select)

    def of_select(self, node: Any, select: Select, method: str) -> Select:
        if method in ("where", "filter") and not node.keywords:
            for condition in node.args:
                select.where.append(self.condition(condition, select.mapped))
        elif method == "filter_by" and not node.args:
            for one in node.keywords:
                column = select.mapped.column(str(one.arg)).name
                select.where.append({"column": column, "value": self.compared(one.value)})
        elif method == "order_by" and not node.keywords:
            select.order.extend(self.order(one, select.mapped) for one in node.args)
        elif method in ("offset", "limit") and len(node.args) == 1 and not node.keywords:
            if getattr(select, method) is not None:
                raise self.unknown(node)
            setattr(select, method, self.paging(node.args[0]))
        else:
            raise self.unknown(node)
        names = [one["column"] for one in select.where]
        if len(set(names)) < len(names):
            raise NotRecognised("it compares a column twice")
        return select

    def condition(self, node: Any, mapped: Mapped) -> dict[str, Any]:
        """`Model.column == value`"""
        if isinstance(node, ast.Compare) and len(node.ops) == 1 and isinstance(node.ops[0], ast.Eq):
            for one, other in (
                (node.left, node.comparators[0]),
                (node.comparators[0], node.left),
            ):
                column = self.column(one, mapped)
                if column is not None:
                    return {"column": column, "value": self.compared(other)}
        raise self.unknown(node)

    def column(self, node: Any, mapped: Mapped) -> str | None:
        """The column of `Model.attribute`, or of SQLModel's `col(Model.attribute)`."""
        if isinstance(node, ast.Call) and len(node.args) == 1 and not node.keywords:
            called = path(node.func, self.names)
            if getattr(called, "__name__", "") == "col" and "sqlmodel" in str(
                getattr(called, "__module__", "")
            ):
                node = node.args[0]
        if not isinstance(node, ast.Attribute) or not isinstance(node.value, ast.Name):
            return None
        if node.value.id in self.own or self.names.get(node.value.id) is not mapped.cls:
            return None
        return str(mapped.column(node.attr).name)

    def order(self, node: Any, mapped: Mapped) -> dict[str, Any]:
        """`Model.column`, `Model.column.desc()`, `desc(Model.column)`"""
        is_descending = False
        if isinstance(node, ast.Call) and not node.keywords and self.column(node, mapped) is None:
            called = path(node.func, self.names)
            name = getattr(called, "__name__", "")
            module = str(getattr(called, "__module__", "")).split(".")[0]
            if len(node.args) == 1 and module in ("sqlalchemy", "sqlmodel"):
                node = node.args[0]
            elif not node.args and isinstance(node.func, ast.Attribute):
                name, node = node.func.attr, node.func.value
            if name not in ("asc", "desc"):
                raise self.unknown(node)
            is_descending = name == "desc"
        column = self.column(node, mapped)
        if column is None:
            raise self.unknown(node)
        return {"column": column, "descending": is_descending}

    def compared(self, node: Any) -> dict[str, Any]:
        """What a column is compared with: a parameter, or who calls."""
        value = self.value(node)
        if isinstance(value, Name) and value.kind == "parameter":
            return {"parameter": value.name}
        return self.of_caller(value, node)

    def of_caller(self, value: Any, node: Any) -> dict[str, Any]:
        kind = value.kind if isinstance(value, Name) else ""
        if kind == "caller" and value.value["attribute"] is None:
            return {"caller": value.value["call"]}
        if kind == "caller attribute" and value.name == value.value.value["attribute"]:
            return {"caller": value.value.value["call"]}
        raise self.unknown(node)

    def paging(self, node: Any) -> dict[str, Any]:
        number = literal(node, {})
        if type(number) is int and 0 <= number < 2**31:
            return {"json": number}
        value = self.value(node)
        if isinstance(value, Name) and value.kind == "parameter":
            return {"parameter": value.name}
        raise self.unknown(node)

    def dumped(self, node: Any, body: Name, method: str) -> Dump:
        options = {str(one.arg): literal(one.value, {}) for one in node.keywords}
        if method not in ("model_dump", "dict") or node.args or set(options) - {"exclude_unset"}:
            raise self.unknown(node)
        if options.get("exclude_unset", False) not in (True, False):
            raise self.unknown(node)
        return Dump(body.name, options.get("exclude_unset") is True)

    # New rows

    def validated(self, node: Any, cls: Any) -> New:
        """`Model.model_validate(body, update={"owner_id": user.id})`, of SQLModel."""
        mapped = Mapped(cls)
        if not mapped.is_sqlmodel or len(node.args) != 1:
            raise self.unknown(node)
        body = self.value(node.args[0])
        if not (isinstance(body, Name) and body.kind == "body"):
            raise self.unknown(node)
        given = {
            name: {"body": name} for name in plain_fields(body.value) if name in mapped.columns
        }
        own = cls.model_fields
        for name in given:
            ours, theirs = own.get(name), body.value.model_fields[name]
            check_number(name, theirs)
            if ours is None or ours.annotation != theirs.annotation:
                raise NotRecognised(f"`{mapped.name}.{name}` has another type than in the body")
            if set(rules(ours)) - set(rules(theirs)):
                raise NotRecognised(f"`{mapped.name}.{name}` has rules that the body has not")
        for option in node.keywords:
            if option.arg != "update" or not isinstance(option.value, ast.Dict):
                raise self.unknown(node)
            for key, value in pairs(option.value.keys, option.value.values):
                name = literal(key, {})
                if type(name) is not str or name not in mapped.columns:
                    raise self.unknown(node)
                given[name] = self.stored(value)
        self.check_relationships(mapped, body.value)
        return New(mapped, given)

    def made(self, node: Any, cls: Any) -> New:
        """`Model(**body.model_dump(), owner_id=user.id)`, `Model(title=body.title)`"""
        mapped = Mapped(cls)
        given: dict[str, Any] = {}
        if node.args:
            raise self.unknown(node)
        for one in node.keywords:
            if one.arg is not None:
                mapped.column(one.arg)
                given[one.arg] = self.stored(one.value)
                continue
            dump = self.value(one.value)
            if not isinstance(dump, Dump) or dump.is_unset_left_out:
                raise self.unknown(node)
            for name, field in plain_fields(self.body).items():
                check_number(name, field)
                if name not in mapped.columns and mapped.is_sqlmodel:
                    continue
                mapped.column(name)
                if name in given:
                    raise NotRecognised(f"it gives `{name}` twice")
                given[name] = {"body": name}
            self.check_relationships(mapped, self.body)
        return New(mapped, given)

    def check_relationships(self, mapped: Mapped, body: Any) -> None:
        for name in plain_fields(body):
            if name in mapped.mapper.relationships:
                raise NotRecognised(f"`{mapped.name}.{name}` is a relationship")

    def stored(self, node: Any) -> dict[str, Any]:
        if isinstance(node, ast.Constant):
            return constant(node.value, f"line {self.line(node)}")
        if isinstance(node, ast.Call):
            called = path(node.func, self.names)
            if called is not None and not node.args and not node.keywords:
                return {"function": function(called, f"line {self.line(node)}")}
        value = self.value(node)
        kind = value.kind if isinstance(value, Name) else ""
        if kind == "body attribute" and value.name in plain_fields(self.body):
            return {"body": value.name}
        if kind == "parameter":
            return {"parameter": value.name}
        return self.of_caller(value, node)

    def values(self, new: New) -> list[dict[str, Any]]:
        """The value of each column of a new row."""
        found = []
        for attribute, column in new.mapped.columns.items():
            new.mapped.column(attribute)
            default = new.mapped.column_default(attribute)
            source = new.given.get(attribute)
            if source is None and new.mapped.is_sqlmodel:
                field = new.mapped.cls.model_fields.get(attribute)
                if field is not None and field.default_factory is not None:
                    source = new.mapped.value(field.default_factory, attribute)
                elif field is not None and not field.is_required():
                    source = new.mapped.value(field.default, attribute)
                elif field is not None:
                    raise NotRecognised(f"it does not set `{new.mapped.name}.{attribute}`")
            # SQLAlchemy takes None for nothing.
            if source in (None, {"json": None}):
                source = default or {"database": True}
                default = None
            found.append({"column": column.name, "value": source, "default": default})
        return found
