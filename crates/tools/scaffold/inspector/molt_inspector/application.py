"""The application itself: versions, settings, middlewares, exception handlers, its document."""

from __future__ import annotations

import sys
from typing import Any

from .report import Report, own_function, qualified

PACKAGES = (
    "fastapi",
    "starlette",
    "pydantic",
    "pydantic_core",
    "pydantic_settings",
    "sqlalchemy",
    "sqlmodel",
    "alembic",
)

SETTINGS = (
    "title",
    "version",
    "summary",
    "description",
    "openapi_version",
    "openapi_url",
    "docs_url",
    "redoc_url",
    "swagger_ui_oauth2_redirect_url",
    "root_path",
    "root_path_in_servers",
    "servers",
    "debug",
    "separate_input_output_schemas",
    "strict_content_type",
)


def versions() -> dict[str, str | None]:
    """Of Python and of the packages that decide about behaviour; null if one is not installed."""
    from importlib import metadata

    found: dict[str, str | None] = {"python": ".".join(str(part) for part in sys.version_info[:3])}
    for package in PACKAGES:
        try:
            found[package] = metadata.version(package.replace("_", "-"))
        except metadata.PackageNotFoundError:
            found[package] = None
    return found


def describe_application(report: Report, app: Any) -> dict[str, Any]:
    found: dict[str, Any] = {"class": qualified(type(app)), "settings": {}}
    for name in SETTINGS:
        if hasattr(app, name):
            found["settings"][name] = report.value(getattr(app, name), name)
    router = getattr(app, "router", None)
    found["settings"]["redirect_slashes"] = report.value(getattr(router, "redirect_slashes", None))
    default = getattr(router, "default_response_class", None)
    default = getattr(default, "value", default)
    found["default_response_class"] = qualified(default) if default else None
    identify = getattr(router, "generate_unique_id_function", None)
    identify = getattr(identify, "value", identify)
    found["generate_unique_id_function"] = report.function(identify) if identify else None
    found["middlewares"] = middlewares(report, app)
    found["exception_handlers"] = exception_handlers(report, app)
    found["lifespan"] = lifespan(report, router)
    overrides = getattr(app, "dependency_overrides", None) or {}
    found["dependency_overrides"] = {
        report.function(call): report.function(other) for call, other in overrides.items()
    }
    if type(app).__module__.split(".")[0] not in ("fastapi", "starlette"):
        found["source"] = report.function(type(app))
    return found


def document(report: Report, app: Any) -> Any:
    """The OpenAPI document; null, with a remark, if the application fails to make it."""
    if not hasattr(app, "openapi"):
        report.remark("document", f"{qualified(type(app))} has no OpenAPI document")
        return None
    with report.attempt("document"):
        return app.openapi()
    return None


def middlewares(report: Report, app: Any) -> list[dict[str, Any]]:
    """The outermost first, with the options that they were added with."""
    found = []
    for middleware in getattr(app, "user_middleware", None) or []:
        with report.attempt("a middleware"):
            cls = middleware.cls
            options = getattr(middleware, "kwargs", None)
            if options is None:
                # Starlette before 0.35
                options = getattr(middleware, "options", {})
            entry = {
                "class": qualified(cls),
                "builtin": cls.__module__.split(".")[0] in ("fastapi", "starlette"),
                "call": report.function(cls),
                "args": [report.value(one) for one in getattr(middleware, "args", ())],
                "options": report.options(options),
            }
            found.append(entry)
    return found


def exception_handlers(report: Report, app: Any) -> list[dict[str, Any]]:
    found = []
    for key, handler in (getattr(app, "exception_handlers", None) or {}).items():
        with report.attempt(f"the exception handler of {key}"):
            module = getattr(handler, "__module__", "") or ""
            found.append(
                {
                    "exception": key if isinstance(key, int) else qualified(key),
                    "call": report.function(handler),
                    "builtin": module.split(".")[0] in ("fastapi", "starlette"),
                }
            )
    return found


def lifespan(report: Report, router: Any) -> dict[str, Any]:
    """What runs at start and stop; it is named, never run."""
    found: dict[str, Any] = {"startup": [], "shutdown": [], "context": None}
    for name in ("startup", "shutdown"):
        for handler in getattr(router, f"on_{name}", None) or []:
            with report.attempt(f"the {name} handlers"):
                found[name].append(report.function(handler))
    with report.attempt("the lifespan"):
        context = own_function(getattr(router, "lifespan_context", None))
        found["context"] = report.function(context) if context is not None else None
    return found
