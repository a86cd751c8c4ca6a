"""What has been found so far: remarks, and the functions and classes that other parts name."""

from __future__ import annotations

import contextlib
import enum
import functools
import inspect
import math
import os
import re
from collections.abc import Iterator
from typing import Any

#: Longer representations of values, and longer sources, are cut.
MAX_REPR = 500
MAX_SOURCE = 20_000

#: Options that must not leave the process.
SECRET = re.compile(r"secret|passw|token$|api_?key|credential|private", re.IGNORECASE)


def qualified(thing: Any) -> str:
    """The name of a class or function with its module, `app.models.Item`."""
    name = getattr(thing, "__qualname__", None) or getattr(thing, "__name__", None)
    if not isinstance(name, str):
        return qualified(type(thing))
    module = getattr(thing, "__module__", None)
    return f"{module}.{name}" if isinstance(module, str) and module != "builtins" else name


def annotation_text(annotation: Any) -> str | None:
    """A type as Python writes it, with the modules of its classes."""
    if annotation is inspect.Signature.empty:
        return None
    if isinstance(annotation, str):
        return annotation
    if isinstance(annotation, type) and not getattr(annotation, "__args__", None):
        return qualified(annotation)
    return representation(annotation)


def representation(value: Any) -> str:
    try:
        text = repr(value)
    except Exception as error:
        return f"<{qualified(type(value))}, whose repr fails: {type(error).__name__}>"
    # Addresses differ from run to run.
    text = re.sub(r" at 0x[0-9a-fA-F]+", "", text)
    return text if len(text) <= MAX_REPR else text[:MAX_REPR] + "…"


def is_json(value: Any) -> bool:
    if value is None or type(value) in (bool, int, str):
        return True
    if type(value) is float:
        return math.isfinite(value)
    if type(value) is list:
        return all(is_json(item) for item in value)
    if type(value) is dict:
        return all(type(key) is str and is_json(item) for key, item in value.items())
    return False


def plain_function(call: Any) -> Any:
    """The function below partials, bound methods and decorators."""
    for _ in range(50):
        if isinstance(call, functools.partial):
            call = call.func
        elif inspect.ismethod(call):
            call = call.__func__
        elif hasattr(call, "__wrapped__"):
            call = call.__wrapped__
        else:
            break
    return call


#: They wrap the functions of an application in their own.
LIBRARIES = ("fastapi", "starlette", "pydantic", "pydantic_core", "contextlib")


def own_function(call: Any, depth: int = 0) -> Any:
    """The application's function, below what its libraries put around it; else None."""
    if call is None or depth > 10:
        return None
    function = plain_function(call)
    module = getattr(function, "__module__", "") or ""
    if inspect.isroutine(function) and module.split(".")[0] not in LIBRARIES:
        return function
    for cell in getattr(function, "__closure__", None) or ():
        if callable(cell.cell_contents):
            found = own_function(cell.cell_contents, depth + 1)
            if found is not None:
                return found
    return None


def call_kind(call: Any) -> str:
    """`function`, `coroutine`, `generator`, `async generator`, `class` or `instance`."""
    function = plain_function(call)
    if inspect.isclass(function):
        return "class"
    kind = ""
    if not inspect.isroutine(function):
        kind, function = " instance", plain_function(type(function).__call__)
    if inspect.isasyncgenfunction(function):
        return "async generator" + kind
    if inspect.isgeneratorfunction(function):
        return "generator" + kind
    if inspect.iscoroutinefunction(function):
        return "coroutine" + kind
    return kind.strip() or "function"


class Report:
    """Collects what every part finds."""

    def __init__(self, directory: str) -> None:
        self.directory = os.path.abspath(directory)
        self.remarks: list[dict[str, str]] = []
        self.callables: dict[str, dict[str, Any]] = {}
        #: The object that each key stands for: two functions may have one name.
        self._known: dict[str, Any] = {}
        #: Classes that parameters, bodies and answers name, in the order in which they are found.
        self.classes: dict[int, type] = {}

    def remark(self, about: str, what: str) -> None:
        remark = {"about": about, "what": what}
        if remark not in self.remarks:
            self.remarks.append(remark)

    @contextlib.contextmanager
    def attempt(self, about: str) -> Iterator[None]:
        """Turns a failure to read something into a remark."""
        try:
            yield
        except Exception as error:
            self.remark(about, f"cannot be read: {type(error).__name__}: {error}"[:MAX_REPR])

    def function(self, call: Any) -> str:
        """Notes a function, class or callable object, and gives its key in `callables`."""
        function = plain_function(call)
        named: Any = function
        if not inspect.isroutine(function) and not inspect.isclass(function):
            named = type(function)
        base = key = qualified(named)
        count = 1
        while key in self._known and self._known[key] is not function:
            count += 1
            key = f"{base}#{count}"
        if key in self._known:
            return key
        self._known[key] = function
        entry: dict[str, Any] = {"name": base, "kind": call_kind(call)}
        self.callables[key] = entry
        if isinstance(call, functools.partial):
            entry["partial"] = {
                "args": [self.value(argument) for argument in call.args],
                "kwargs": self.options(call.keywords),
            }
        entry.update(self.source(named))
        return key

    def source(self, thing: Any) -> dict[str, Any]:
        """The file (relative to the application's directory if it is below it), line and text."""
        location: dict[str, Any] = {"file": None, "line": None, "source": None}
        with contextlib.suppress(Exception):
            path = os.path.abspath(inspect.getsourcefile(thing) or "")
            inside = path.startswith(self.directory + os.sep)
            location["file"] = os.path.relpath(path, self.directory) if inside else path
            lines, location["line"] = inspect.getsourcelines(thing)
            # Libraries' sources are known: their name is enough.
            if "site-packages" not in path and "dist-packages" not in path:
                location["source"] = inspect.cleandoc("\n" + "".join(lines))[:MAX_SOURCE]
        return location

    def value(self, value: Any, name: str = "") -> dict[str, Any]:
        """A value: `json` where JSON can say it, else `python`; functions by their keys."""
        if SECRET.search(name) and value is not None and not isinstance(value, bool):
            return {"redacted": True, "type": qualified(type(value))}
        if isinstance(value, enum.Enum):
            found = self.value(value.value)
            return {**found, "python": f"{qualified(type(value))}.{value.name}"}
        if is_json(value):
            return {"json": value}
        if isinstance(value, (tuple, set, frozenset)):
            items = list(value) if isinstance(value, tuple) else sorted(value, key=repr)
            if is_json(items):
                return {"json": items, "type": qualified(type(value))}
        if inspect.isroutine(value) or inspect.isclass(value):
            return {"callable": self.function(value)}
        found = {"python": representation(value), "type": qualified(type(value))}
        for dump in ("model_dump_json", "json"):
            if hasattr(type(value), "__fields__") and hasattr(type(value), dump):
                with contextlib.suppress(Exception):
                    import json

                    found["json"] = json.loads(getattr(value, dump)())
                    break
        return found

    def options(self, options: dict[str, Any]) -> dict[str, Any]:
        return {str(name): self.value(value, str(name)) for name, value in options.items()}

    def types_of(self, annotation: Any, depth: int = 0) -> None:
        """Notes the classes that a type names."""
        if depth > 30 or annotation is None or isinstance(annotation, (str, bytes)):
            return
        if isinstance(annotation, (list, tuple)):
            for one in annotation:
                self.types_of(one, depth + 1)
            return
        if isinstance(annotation, type) and id(annotation) not in self.classes:
            self.classes[id(annotation)] = annotation
        for name in ("__args__", "__metadata__"):
            arguments = getattr(annotation, name, None)
            if isinstance(arguments, tuple):
                self.types_of(arguments, depth + 1)
        for name in ("__origin__", "__value__", "__supertype__"):
            inner = getattr(annotation, name, None)
            if inner is not None and inner is not annotation:
                self.types_of(inner, depth + 1)


def default_of(report: Report, field: Any) -> dict[str, Any] | None:
    """The default of a field of pydantic 1 or 2: a value, a named factory, or None if required."""
    factory = getattr(field, "default_factory", None)
    if factory is not None:
        return {"factory": report.function(factory)}
    default = getattr(field, "default", ...)
    if default is ... or type(default).__name__ in ("PydanticUndefinedType", "UndefinedType"):
        return None
    return report.value(default)
