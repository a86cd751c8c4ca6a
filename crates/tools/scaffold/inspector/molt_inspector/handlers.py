"""Endpoints that read, list, store, change or delete rows of one table, and do nothing else.

The few forms of a function that are known here are described without Python; for any other
function there is a reason. Nothing is guessed: what is not understood to the last word is left out.
"""

from __future__ import annotations

import ast
from typing import Any

from .mapped import (
    Mapped,
    NotRecognised,
    bare,
    constant,
    function,
    path,
    plain_fields,
    rules,
)
from .report import Report, is_json, plain_function, qualified
from .sessions import (
    Missing,
    caller,
    literal,
    names_of,
    pairs,
    parsed,
    session_kind,
    statements,
    tested,
)

#: What of a response is given otherwise than FastAPI does by itself.
RESPONSE_OPTIONS = (
    "response_model_include",
    "response_model_exclude",
    "response_model_exclude_unset",
    "response_model_exclude_defaults",
    "response_model_exclude_none",
)


def describe_handler(report: Report, route: Any, app: Any) -> dict[str, Any]:
    """What the endpoint of a route does, or `{"reason": …}`."""
    try:
        check_application(app)
        return Reader(report, route).described()
    except NotRecognised as error:
        return {"reason": str(error)}
    except Exception as error:  # a form of code that was not thought of
        return {"reason": f"it cannot be read: {type(error).__name__}: {error}"[:200]}


def check_application(app: Any) -> None:
    """Fails if exceptions are answered otherwise than by FastAPI."""
    for key, handler in (getattr(app, "exception_handlers", None) or {}).items():
        module = str(getattr(handler, "__module__", "")).split(".")[0]
        if module in ("fastapi", "starlette"):
            continue
        names = [base.__name__ for base in getattr(key, "__mro__", ())]
        known = {"HTTPException", "RequestValidationError", "ResponseValidationError"}
        if isinstance(key, int) or key is Exception or known & set(names):
            raise NotRecognised(f"the application answers `{getattr(key, '__name__', key)}` itself")
        if "SQLAlchemyError" in names or "ValueError" in names:
            raise NotRecognised(f"the application answers `{qualified(key)}` itself")


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


class Reader:
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

    # Statements

    def described(self) -> dict[str, Any]:
        self.given()
        for statement in statements(self.tree):
            if self.has_returned:
                raise self.unknown(statement)
            self.statement(statement)
        return self.conclusion()

    def statement(self, node: Any) -> None:
        if isinstance(node, ast.Assign) and len(node.targets) == 1:
            target = node.targets[0]
            if isinstance(target, ast.Name):
                self.own[target.id] = self.value(node.value)
            elif isinstance(target, ast.Attribute):
                self.change(self.value(target.value), target.attr, self.stored(node.value))
            else:
                raise self.unknown(node)
        elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name) and node.value:
            self.own[node.target.id] = self.value(node.value)
        elif isinstance(node, ast.If) and not node.orelse and len(node.body) == 1:
            name, _ = tested(node.test) or ("", "")
            row = self.own.get(name)
            if not isinstance(row, Row) or row.missing or self.effects or self.changes:
                raise self.unknown(node)
            row.missing = Missing(node.body[0], self.names)
        elif isinstance(node, ast.For) and not node.orelse:
            self.loop(node)
        elif isinstance(node, ast.Return):
            self.has_returned = True
            if node.value is not None:
                self.returned = self.answer(node.value)
        elif isinstance(node, ast.Expr):
            self.expression(node.value)
        else:
            raise self.unknown(node)

    def expression(self, node: Any) -> None:
        call: Any = node.value if isinstance(node, ast.Await) else node
        is_update = (
            isinstance(call, ast.Call)
            and isinstance(call.func, ast.Attribute)
            and call.func.attr == "sqlmodel_update"
        )
        if is_update and len(call.args) == 1 and not call.keywords:
            self.change_all(self.value(call.func.value), self.value(call.args[0]), node)
            return
        before = len(self.effects)
        self.value(node)
        if len(self.effects) == before:
            raise self.unknown(node)

    def loop(self, node: Any) -> None:
        """`for key, value in dump.items(): setattr(row, key, value)`"""
        target: Any = node.target
        items: Any = node.iter
        if not (
            isinstance(target, ast.Tuple)
            and len(target.elts) == 2
            and all(isinstance(one, ast.Name) for one in target.elts)
            and isinstance(items, ast.Call)
            and isinstance(items.func, ast.Attribute)
            and items.func.attr == "items"
            and not items.args
            and len(node.body) == 1
            and isinstance(node.body[0], ast.Expr)
            and isinstance(node.body[0].value, ast.Call)
        ):
            raise self.unknown(node)
        call = node.body[0].value
        if path(call.func, self.names) is not setattr or len(call.args) != 3 or call.keywords:
            raise self.unknown(node)
        given = [getattr(one, "id", None) for one in call.args[1:]]
        if given != [getattr(one, "id", "") for one in target.elts]:
            raise self.unknown(node)
        self.change_all(self.value(call.args[0]), self.value(items.func.value), node)

    def change(self, row: Any, attribute: str, source: dict[str, Any]) -> None:
        if not isinstance(row, Row) or not row.missing or self.effects:
            raise NotRecognised("it changes something else than a row that it has read")
        column = row.mapped.column(attribute).name
        self.changes.append((row, {"column": column, "value": source, "unset": False}))

    def change_all(self, row: Any, dump: Any, node: Any) -> None:
        if isinstance(dump, Name) and dump.kind == "body":
            # `row.sqlmodel_update(body)` sets every field.
            dump = Dump(dump.name, False)
        if not isinstance(dump, Dump):
            raise self.unknown(node)
        for name, field in plain_fields(self.body).items():
            check_number(name, field)
            if dump.is_unset_left_out and not field.is_required() and field.default is not None:
                raise NotRecognised(f"`{name}` has a default that is no change")
            self.change(row, name, {"body": name})
            self.changes[-1][1]["unset"] = dump.is_unset_left_out and not field.is_required()

    def answer(self, node: Any) -> Any:
        """What is returned: a row, rows, or a constant."""
        try:
            return {"constant": ast.literal_eval(node)}
        except (ValueError, TypeError, SyntaxError, MemoryError, RecursionError):
            return self.value(node)

    # What it is altogether

    def conclusion(self) -> dict[str, Any]:
        effects, answer = self.effects, self.returned
        words = [word for word, _ in effects]
        objects = [one for _, one in effects if one is not None]
        is_one = all(one is objects[0] for one in objects)
        subject = objects[0] if objects else answer
        found: dict[str, Any]
        if self.changes:
            row = self.changes[0][0]
            is_row = all(one is row for one, _ in self.changes) and answer is row
            if not is_row or not is_one or subject is not row:
                raise NotRecognised("it changes several rows")
            if words not in (["add", "commit", "refresh"], ["commit", "refresh"]):
                raise NotRecognised("it does not change, commit, refresh and return a row")
            row.mapped.check_update()
            changes = [change for _, change in self.changes]
            if len({change["column"] for change in changes}) < len(changes):
                raise NotRecognised("it changes a column twice")
            if any(change["column"] in row.mapped.key for change in changes):
                raise NotRecognised("it changes a key")
            found = {"kind": "update", "where": row.where, "changes": changes}
            found.update(self.of_row(row))
            self.check_answer(row.mapped, False)
        elif not effects and isinstance(answer, Row):
            found = {"kind": "read", "where": answer.where, **self.of_row(answer)}
            self.check_answer(answer.mapped, False)
        elif not effects and isinstance(answer, Rows):
            select = answer.select
            found = {"kind": "list", "where": select.where, "order": select.order}
            found.update({"offset": select.offset, "limit": select.limit})
            found.update(self.of_mapped(select.mapped))
            self.check_answer(select.mapped, True)
        elif isinstance(subject, New) and is_one and answer is subject:
            if words != ["add", "commit", "refresh"]:
                raise NotRecognised("it does not add, commit, refresh and return a row")
            found = {"kind": "create", "values": self.values(subject)}
            found.update(self.of_mapped(subject.mapped))
            self.check_answer(subject.mapped, False)
        elif isinstance(subject, Row) and words == ["delete", "commit"]:
            if answer is not None and not isinstance(answer, dict):
                raise NotRecognised("it deletes, and answers with more than a constant")
            subject.mapped.check_delete()
            found = {"kind": "delete", "where": subject.where, **self.of_row(subject)}
            found["answer"] = self.constant_answer(answer)
        else:
            raise NotRecognised("it is none of read, list, create, update and delete")
        used = [
            one["value"] for name in ("where", "values", "changes") for one in found.get(name, ())
        ]
        found["callers"] = self.callers
        found["body"] = None if self.body is None else qualified(self.body)
        if self.body is not None and not any("body" in one for one in used):
            raise NotRecognised("it does not use its body")
        return found

    def of_mapped(self, mapped: Mapped) -> dict[str, Any]:
        return {
            "class": mapped.name,
            "table": mapped.table.name,
            "schema": mapped.table.schema,
        }

    def of_row(self, row: Row) -> dict[str, Any]:
        if row.missing is None:
            raise NotRecognised("it does not say what is answered where the row is missing")
        return {"missing": row.missing.described(), **self.of_mapped(row.mapped)}

    def check_response(self) -> None:
        for name in RESPONSE_OPTIONS:
            if getattr(self.route, name, None):
                raise NotRecognised(f"its response has `{name}`")
        response = getattr(self.route, "response_class", None)
        response = getattr(response, "value", response)
        if getattr(response, "__name__", "") != "JSONResponse":
            raise NotRecognised("its response is no `JSONResponse`")

    def check_answer(self, mapped: Mapped, is_list: bool) -> None:
        """The response model has fields of the row alone."""
        self.check_response()
        model = getattr(self.route, "response_model", None)
        if is_list:
            if getattr(model, "__origin__", None) is not list:
                raise NotRecognised("its response model is no list")
            [model] = model.__args__  # type: ignore[union-attr]
        if model is None or not isinstance(model, type):
            raise NotRecognised("it has no response model")
        for name, field in plain_fields(model).items():
            column = mapped.column(name)
            # SQLModel's texts are a decorator of SQLAlchemy's.
            kind = column.type.impl if hasattr(column.type, "impl") else column.type
            if bare(field.annotation) is not kind.python_type:
                raise NotRecognised(f"`{name}` is of another type in its table than in the answer")

    def constant_answer(self, answer: Any) -> Any:
        self.check_response()
        value = None if answer is None else answer["constant"]
        status = getattr(self.route, "status_code", None)
        if status in (204, 205, 304):
            if value is not None:
                raise NotRecognised("it answers something where there is no body")
            return {"json": None}
        if getattr(self.route, "response_model", None) is not None:
            raise NotRecognised("it answers a constant by a response model")
        if not is_json(value) or isinstance(value, float):
            raise NotRecognised("it answers another constant than JSON")
        return {"json": value}
