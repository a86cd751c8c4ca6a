"""Endpoints that read, list, store, change or delete rows of one table, and do nothing else.

The few forms of a function that are known here are described without Python; for any other
function there is a reason. Nothing is guessed: what is not understood to the last word is left out.
"""

from __future__ import annotations

import ast
from typing import Any

from .expressions import Expressions, check_number
from .mapped import Mapped, NotRecognised, bare, path, plain_fields
from .report import Report, is_json, qualified
from .sessions import Missing, statements, tested
from .values import Dump, Name, New, Row, Rows

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
        return Handler(report, route).described()
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


class Handler(Expressions):
    """What a function does with the rows of a table, statement by statement."""

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
