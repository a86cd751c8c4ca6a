"""Dependencies that are known from their source: sessions of SQLAlchemy, and who calls."""

from __future__ import annotations

import ast
import dataclasses
import inspect
import textwrap
from typing import Any

from .mapped import NotRecognised, path, plain_type
from .report import plain_function, qualified

#: The sessions that a function may import for itself.
IMPORTED = {
    "sqlalchemy.orm.Session": "sync",
    "sqlmodel.Session": "sync",
    "sqlalchemy.ext.asyncio.AsyncSession": "async",
    "sqlmodel.ext.asyncio.session.AsyncSession": "async",
}


def parsed(function: Any) -> Any:
    """The syntax tree of a function; fails if its source is not to be had."""
    try:
        source = textwrap.dedent(inspect.getsource(function))
        tree: Any = ast.parse(source).body[0]
    except (OSError, TypeError, SyntaxError, ValueError, IndexError) as error:
        raise NotRecognised("its source cannot be read") from error
    if not isinstance(tree, (ast.FunctionDef, ast.AsyncFunctionDef)):
        raise NotRecognised("it is no function")
    return tree


def statements(tree: Any) -> list[Any]:
    """Those of a function without its description."""
    body: list[Any] = list(tree.body)
    first = body[0].value if body and isinstance(body[0], ast.Expr) else None
    if isinstance(first, ast.Constant) and isinstance(first.value, str):
        return body[1:]
    return body


def pairs(one: Any, other: Any) -> list[tuple[Any, Any]]:
    """What stands at the same position in both, as far as both go."""
    return [(one[index], other[index]) for index in range(min(len(one), len(other)))]


def names_of(function: Any) -> dict[str, Any]:
    """What the names in a function stand for, but for its own."""
    import builtins

    names: dict[str, Any] = dict(vars(builtins))
    names.update(getattr(function, "__globals__", {}))
    code = getattr(function, "__code__", None)
    cells = getattr(function, "__closure__", None) or ()
    for name, cell in pairs(getattr(code, "co_freevars", ()), cells):
        try:
            names[name] = cell.cell_contents
        except ValueError:
            continue
    return names


def session_kind(call: Any) -> str | None:
    """`sync` or `async` if a dependency yields a session and does nothing else."""
    function = plain_function(call)
    if not inspect.isroutine(function):
        function = plain_function(type(function).__call__)
    if not inspect.isgeneratorfunction(function) and not inspect.isasyncgenfunction(function):
        return None
    try:
        body = statements(parsed(function))
    except NotRecognised:
        return None
    names = names_of(function)
    imported: dict[str, str] = {}
    while body and isinstance(body[0], ast.ImportFrom) and not body[0].level:
        for one in body[0].names:
            imported[one.asname or one.name] = f"{body[0].module}.{one.name}"
        body = body[1:]
    made: Any = None
    if len(body) == 1 and isinstance(body[0], (ast.With, ast.AsyncWith)):
        # `with Session(engine) as session: yield session`
        items = body[0].items
        if len(items) == 1 and isinstance(items[0].optional_vars, ast.Name):
            made = items[0].context_expr
            if not yields(body[0].body, items[0].optional_vars.id):
                return None
    elif len(body) == 2 and isinstance(body[0], ast.Assign) and isinstance(body[1], ast.Try):
        # `session = Session(engine)`, `try: yield session`, `finally: session.close()`
        target = body[0].targets[0]
        attempt = body[1]
        if not isinstance(target, ast.Name) or attempt.handlers or attempt.orelse:
            return None
        if not yields(attempt.body, target.id) or not closes(attempt.finalbody, target.id):
            return None
        made = body[0].value
    if not isinstance(made, ast.Call):
        return None
    if isinstance(made.func, ast.Name) and made.func.id in imported:
        return IMPORTED.get(imported[made.func.id])
    return kind_of_maker(path(made.func, names))


def yields(body: list[Any], name: str) -> bool:
    if len(body) != 1 or not isinstance(body[0], ast.Expr):
        return False
    value = body[0].value
    return (
        isinstance(value, ast.Yield)
        and isinstance(value.value, ast.Name)
        and value.value.id == name
    )


def closes(body: list[Any], name: str) -> bool:
    if len(body) != 1 or not isinstance(body[0], ast.Expr):
        return False
    value = body[0].value
    if isinstance(value, ast.Await):
        value = value.value
    return (
        isinstance(value, ast.Call)
        and isinstance(value.func, ast.Attribute)
        and isinstance(value.func.value, ast.Name)
        and (value.func.value.id, value.func.attr) == (name, "close")
    )


def kind_of_maker(maker: Any) -> str | None:
    """Of a class of sessions, or a `sessionmaker`: one that is the library's own."""
    cls = maker if isinstance(maker, type) else getattr(maker, "class_", None)
    if not isinstance(cls, type):
        return None
    for base in cls.__mro__:
        module = base.__module__.split(".")[0]
        # A `sessionmaker` makes a class for itself, with nothing in it.
        is_empty = not [name for name in vars(base) if not name.startswith("__")]
        if module not in ("sqlalchemy", "sqlmodel", "builtins", "typing") and not is_empty:
            return None
    names = [base.__name__ for base in cls.__mro__]
    if "AsyncSession" in names:
        return "async"
    return "sync" if "Session" in names else None


class Missing:
    """`raise HTTPException(404, "Item not found")`"""

    def __init__(self, node: Any, names: dict[str, Any]) -> None:
        from http import HTTPStatus

        from starlette.exceptions import HTTPException

        if not isinstance(node, ast.Raise) or node.cause or not isinstance(node.exc, ast.Call):
            raise NotRecognised("what it does where a row is missing is no `raise HTTPException`")
        call = node.exc
        cls = path(call.func, names)
        if not (isinstance(cls, type) and cls.__module__.split(".")[0] in ("fastapi", "starlette")):
            raise NotRecognised("it raises another exception than FastAPI's")
        if not issubclass(cls, HTTPException):
            raise NotRecognised("it raises another exception than FastAPI's")
        given = dict(pairs(("status_code", "detail"), call.args))
        given.update({str(one.arg): one.value for one in call.keywords})
        if set(given) - {"status_code", "detail"} or len(call.args) > 2:
            raise NotRecognised("its `HTTPException` has headers")
        status = literal(given.get("status_code"), names)
        if type(status) is not int or not 400 <= status < 600:
            raise NotRecognised("the status of its `HTTPException` is no constant")
        self.status = int(status)
        detail = HTTPStatus(self.status).phrase
        if "detail" in given:
            detail = literal(given["detail"], names)
        if type(detail) is not str:
            raise NotRecognised("the detail of its `HTTPException` is no constant text")
        self.detail = detail

    def described(self) -> dict[str, Any]:
        return {"status": self.status, "detail": self.detail}


def literal(node: Any, names: dict[str, Any]) -> Any:
    """A constant, or what a name of a module stands for; None for anything else."""
    if isinstance(node, ast.Constant):
        return node.value
    value = path(node, names) if node is not None else None
    return value if type(value) in (int, str, bool) else None


def caller(dependant: Any) -> dict[str, Any]:
    """A dependency that refuses requests without a header, and gives what the header says:
    itself, or in a field of a dataclass."""
    function = plain_function(dependant.call)
    about = f"`{qualified(function)}` "
    if dependant.dependencies or dependant.body_params or dependant.path_params:
        raise NotRecognised(about + "is a dependency that is not recognised")
    fields = [
        (location, field)
        for location in ("header", "query")
        for field in getattr(dependant, f"{location}_params")
    ]
    if len(fields) != 1 or dependant.cookie_params or not inspect.isroutine(function):
        raise NotRecognised(about + "is a dependency that is not recognised")
    location, field = fields[0]
    if not plain_type(field.field_info.annotation):
        raise NotRecognised(about + "has a parameter of another type than a plain one")
    names = names_of(function)
    body = statements(parsed(function))
    missing = None
    if len(body) == 2:
        test = body[0]
        if not isinstance(test, ast.If) or test.orelse or len(test.body) != 1:
            raise NotRecognised(about + "is a dependency that is not recognised")
        if tested(test.test) != (field.name, "none"):
            raise NotRecognised(about + "is a dependency that is not recognised")
        missing = Missing(test.body[0], names).described()
        body = body[1:]
    elif field.field_info.default is None:
        raise NotRecognised(about + "lets in callers without its parameter")
    if len(body) != 1 or not isinstance(body[0], ast.Return):
        raise NotRecognised(about + "is a dependency that is not recognised")
    returned = body[0].value
    attribute = None
    if isinstance(returned, ast.Call):
        cls = path(returned.func, names)
        if not dataclasses.is_dataclass(cls) or hasattr(cls, "__post_init__"):
            raise NotRecognised(about + "gives another thing than its parameter")
        members = [one.name for one in dataclasses.fields(cls)]
        given = dict(pairs(members, returned.args))
        given.update({str(one.arg): one.value for one in returned.keywords})
        if len(members) != 1 or len(given) != 1:
            raise NotRecognised(about + "gives more than its parameter")
        [(attribute, returned)] = given.items()
    if not isinstance(returned, ast.Name) or returned.id != field.name:
        raise NotRecognised(about + "gives another thing than its parameter")
    return {
        "call": function,
        "in": location,
        "parameter": field.name,
        "alias": field.alias,
        "attribute": attribute,
        "missing": missing,
    }


def tested(node: Any) -> tuple[str, str] | None:
    """`("x", "none")` for `x is None`, `("x", "false")` for `not x`."""
    is_not = isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not)
    if is_not and isinstance(node.operand, ast.Name):
        return node.operand.id, "false"
    if isinstance(node, ast.Compare) and isinstance(node.left, ast.Name) and len(node.ops) == 1:
        right = node.comparators[0]
        is_none = isinstance(right, ast.Constant) and right.value is None
        if is_none and isinstance(node.ops[0], (ast.Is, ast.Eq)):
            return node.left.id, "none"
    return None
