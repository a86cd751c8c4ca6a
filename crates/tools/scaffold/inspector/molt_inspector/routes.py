"""Routes, mounts and WebSockets, in the order in which they are matched."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from .dependencies import describe_dependant
from .handlers import describe_handler
from .report import Report, annotation_text, plain_function, qualified

#: What of a route is given as it is.
OPTIONS = (
    "summary",
    "description",
    "response_description",
    "deprecated",
    "response_model_by_alias",
    "response_model_exclude_unset",
    "response_model_exclude_defaults",
    "response_model_exclude_none",
    "max_body_size",
)


def describe_routes(
    report: Report, routes: Any, prefix: str = "", app: Any = None
) -> list[dict[str, Any]]:
    """All routes of an application or router, those below mounts in their mounts."""
    found: list[dict[str, Any]] = []
    for route in effective_routes(report, routes):
        path = prefix + (getattr(route, "path", None) or "")
        about = f"route {path}"
        entry: dict[str, Any] = {"kind": "unknown", "path": path}
        found.append(entry)
        with report.attempt(about):
            original = getattr(route, "original_route", route)
            entry["class"] = qualified(type(original))
            entry["kind"] = kind_of(original)
            describe_route(report, route, entry, prefix)
            if entry["kind"] == "operation":
                entry["handler"] = describe_handler(report, route, app)
            if entry["kind"] == "unknown":
                report.remark(about, f"a route of the class {entry['class']}, which is not known")
    return found


def effective_routes(report: Report, routes: Any) -> Iterator[Any]:
    """Routers that are included lazily (newer FastAPI) give their routes in their places."""
    iterate = None
    with report.attempt("routes"):
        from fastapi import routing

        iterate = getattr(routing, "iter_route_contexts", None)
    if iterate is None:
        yield from routes
        return
    for route in routes:
        contexts: list[Any] = []
        with report.attempt(f"route {getattr(route, 'path', '?')}"):
            contexts = list(iterate([route]))
        yield from contexts or [route]


def kind_of(route: Any) -> str:
    from starlette.routing import Host, Mount, Route, WebSocketRoute

    if hasattr(route, "dependant") and hasattr(route, "response_model"):
        return "operation"
    if isinstance(route, WebSocketRoute):
        return "websocket"
    if isinstance(route, Mount):
        return "mount"
    if isinstance(route, Host):
        return "host"
    # `/openapi.json`, `/docs`, `app.add_route`: outside of the document.
    if isinstance(route, Route):
        return "route"
    return "unknown"


def describe_route(report: Report, route: Any, entry: dict[str, Any], prefix: str) -> None:
    entry["name"] = getattr(route, "name", None)
    entry["path_format"] = prefix + (getattr(route, "path_format", None) or entry["path"])
    convertors = getattr(route, "param_convertors", None) or {}
    entry["convertors"] = {
        name: {
            "name": convertor_name(convertor),
            "regex": getattr(convertor, "regex", None),
            "class": qualified(type(convertor)),
        }
        for name, convertor in convertors.items()
    }
    methods = getattr(route, "methods", None)
    entry["methods"] = sorted(str(method) for method in methods) if methods else None
    entry["in_document"] = entry["kind"] == "operation" and bool(
        getattr(route, "include_in_schema", True)
    )
    endpoint = getattr(route, "endpoint", None)
    entry["endpoint"] = report.function(endpoint) if endpoint is not None else None
    if entry["kind"] == "operation":
        describe_operation(report, route, entry)
    elif entry["kind"] == "websocket":
        dependant = getattr(route, "dependant", None)
        entry["dependant"] = describe_dependant(report, dependant) if dependant else None
    elif entry["kind"] in ("mount", "host"):
        describe_mount(report, route, entry, prefix)


def convertor_name(convertor: Any) -> str | None:
    """`path` for `{file:path}`."""
    from starlette.convertors import CONVERTOR_TYPES

    for name, known in CONVERTOR_TYPES.items():
        if known is convertor:
            return str(name)
    return None


def describe_operation(report: Report, route: Any, entry: dict[str, Any]) -> None:
    entry["operation_id"] = getattr(route, "operation_id", None)
    entry["unique_id"] = getattr(route, "unique_id", None) or getattr(route, "operation_id", None)
    entry["tags"] = [str(getattr(tag, "value", tag)) for tag in getattr(route, "tags", None) or []]
    for name in OPTIONS:
        entry[name] = getattr(route, name, None)
    for name in ("response_model_include", "response_model_exclude", "openapi_extra"):
        value = getattr(route, name, None)
        entry[name] = None if value is None else report.value(value)
    status = getattr(route, "status_code", None)
    entry["status_code"] = None if status is None else int(status)
    response_class = getattr(route, "response_class", None)
    # A class that is FastAPI's default stands in a placeholder.
    entry["response_class_is_default"] = hasattr(response_class, "value")
    response_class = getattr(response_class, "value", response_class)
    entry["response_class"] = qualified(response_class) if response_class else None
    entry["response_media_type"] = getattr(response_class, "media_type", None)
    model = getattr(route, "response_model", None)
    report.types_of(model)
    entry["response_model"] = None if model is None else annotation_text(model)
    stream = getattr(route, "stream_item_type", None)
    report.types_of(stream)
    entry["stream_item"] = None if stream is None else annotation_text(stream)
    entry["responses"] = {}
    for status, response in (getattr(route, "responses", None) or {}).items():
        other = response.get("model")
        report.types_of(other)
        entry["responses"][str(status)] = None if other is None else annotation_text(other)
    entry["callbacks"] = [
        str(getattr(callback, "path", callback))
        for callback in getattr(route, "callbacks", None) or []
    ]
    entry["dependant"] = describe_dependant(report, route.dependant)
    original = getattr(route, "original_route", route)
    method = getattr(type(original), "get_route_handler", None)
    # Classes of one's own may do anything before and after the endpoint.
    if method is not None and not str(method.__module__).startswith("fastapi."):
        entry["route_handler"] = report.function(method)
        report.remark(f"routes of {entry['class']}", "they have a `get_route_handler` of their own")


def describe_mount(report: Report, route: Any, entry: dict[str, Any], prefix: str) -> None:
    """Another application: its routes too, if it has any."""
    entry["host"] = getattr(route, "host", None)
    app = plain_function(getattr(route, "app", None))
    entry["application"] = qualified(type(app)) if app is not None else None
    for name in ("directory", "packages", "html"):
        if hasattr(app, name):
            entry[name] = str(getattr(app, name))
    entry["routes"] = None
    inner = getattr(app, "routes", None)
    if isinstance(inner, (list, tuple)):
        entry["routes"] = describe_routes(
            report, inner, prefix + (getattr(route, "path", "") or ""), app
        )
    if hasattr(app, "openapi"):
        with report.attempt(f"mount {entry['path']}: its document"):
            entry["openapi"] = app.openapi()
