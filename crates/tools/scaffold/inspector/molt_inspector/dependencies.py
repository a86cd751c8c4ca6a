"""Parameters, dependencies and security schemes of one operation."""

from __future__ import annotations

import contextlib
import inspect
from typing import Any

from .report import Report, annotation_text, call_kind, default_of, plain_function, qualified

#: Where FastAPI keeps the parameters of a `Dependant`, and what they are called here.
PARAMETER_LISTS = (
    ("path_params", "path"),
    ("query_params", "query"),
    ("header_params", "header"),
    ("cookie_params", "cookie"),
    ("body_params", "body"),
)

#: Parameters that FastAPI fills by itself.
SPECIAL = (
    ("request_param_name", "request"),
    ("websocket_param_name", "websocket"),
    ("http_connection_param_name", "connection"),
    ("response_param_name", "response"),
    ("background_tasks_param_name", "background_tasks"),
    ("security_scopes_param_name", "security_scopes"),
)

#: Attributes of a parameter that are given as they are, unless they are None.
PARAMETER_OPTIONS = (
    "title",
    "description",
    "deprecated",
    "include_in_schema",
    "convert_underscores",
    "embed",
    "media_type",
    "discriminator",
    "strict",
    "regex",
    "gt",
    "ge",
    "lt",
    "le",
    "min_length",
    "max_length",
)


def describe_dependant(
    report: Report, dependant: Any, parents: tuple[int, ...] = ()
) -> dict[str, Any]:
    """A callable with its parameters and dependencies, each in the order of its signature.

    Dependencies without a name are those of the route, router or application: they come first.
    """
    call = getattr(dependant, "call", None)
    about = qualified(plain_function(call)) if call is not None else "dependency"
    found: dict[str, Any] = {
        "name": getattr(dependant, "name", None),
        "call": report.function(call) if call is not None else None,
        "kind": call_kind(call) if call is not None else None,
        "yields": call is not None and "generator" in call_kind(call),
        "use_cache": getattr(dependant, "use_cache", True),
        "scope": getattr(dependant, "scope", None),
        "security_scopes": security_scopes(dependant),
        "scheme": None,
        "special": {},
        "parameters": [],
        "dependencies": [],
        "order": [],
    }
    for attribute, kind in SPECIAL:
        name = getattr(dependant, attribute, None)
        if name:
            found["special"][name] = kind
    with report.attempt(f"{about}: its security scheme"):
        found["scheme"] = security_scheme(report, call)
    for attribute, location in PARAMETER_LISTS:
        for field in getattr(dependant, attribute, None) or []:
            with report.attempt(f"{about}: parameter {getattr(field, 'name', '?')}"):
                found["parameters"].append(describe_parameter(report, field, location))
    for sub in getattr(dependant, "dependencies", None) or []:
        if id(sub) in parents or len(parents) > 50:
            report.remark(about, "depends on itself")
            continue
        found["dependencies"].append(describe_dependant(report, sub, (*parents, id(sub))))
    sort_by_signature(found, call)
    return found


def sort_by_signature(found: dict[str, Any], call: Any) -> None:
    order: list[str] = []
    with contextlib.suppress(Exception):
        order = list(inspect.signature(call).parameters)
    rank = {name: index for index, name in enumerate(order)}
    found["parameters"].sort(key=lambda one: rank.get(one["name"], len(rank)))
    names = {one["name"] for one in found["parameters"]} | set(found["special"])
    names |= {one["name"] for one in found["dependencies"]}
    found["order"] = [name for name in order if name in names]


def security_scopes(dependant: Any) -> list[str]:
    scopes: list[str] = []
    names = ("parent_oauth_scopes", "own_oauth_scopes", "oauth_scopes", "security_scopes")
    for name in names:
        for scope in getattr(dependant, name, None) or []:
            if scope not in scopes:
                scopes.append(str(scope))
    return scopes


def security_scheme(report: Report, call: Any) -> dict[str, Any] | None:
    """The scheme, if the callable is one of FastAPI's security classes or of a class below them."""
    from fastapi.security.base import SecurityBase

    scheme = plain_function(call)
    if not isinstance(scheme, SecurityBase):
        return None
    found: dict[str, Any] = {
        "class": qualified(type(scheme)),
        "builtin": type(scheme).__module__.startswith("fastapi."),
        "name": getattr(scheme, "scheme_name", None),
        "auto_error": getattr(scheme, "auto_error", None),
        "model": None,
    }
    if not found["builtin"]:
        found["call"] = report.function(type(scheme))
    model = scheme.model
    if hasattr(model, "model_dump"):
        found["model"] = model.model_dump(mode="json", by_alias=True, exclude_none=True)
    else:
        import json

        found["model"] = json.loads(model.json(by_alias=True, exclude_none=True))
    return found


def describe_parameter(report: Report, field: Any, location: str) -> dict[str, Any]:
    """Where a parameter comes from, its type, its default even where the document has none."""
    info = getattr(field, "field_info", field)
    annotation = getattr(info, "annotation", None)
    if annotation is None:
        # pydantic 1
        annotation = getattr(field, "outer_type_", None) or getattr(field, "type_", None)
    report.types_of(annotation)
    kind = type(info).__name__
    of_body = {"Form": "form", "File": "file"}
    found: dict[str, Any] = {
        "name": field.name,
        "in": of_body.get(kind, location) if location == "body" else location,
        "alias": getattr(field, "alias", field.name),
        "annotation": annotation_text(annotation),
        "required": is_required(field),
        "default": default_of(report, info),
        # `q: str = None`: optional for the caller, not nullable in the document.
        "none_is_default": getattr(info, "default", ...) is None,
        "model": is_model(annotation),
        "options": {},
        "constraints": [],
    }
    for name in PARAMETER_OPTIONS:
        option = getattr(info, name, None)
        if option is not None:
            found["options"][name] = report.value(option)["json" if is_plain(option) else "python"]
    for name in ("validation_alias", "serialization_alias"):
        alias = getattr(info, name, None)
        if alias is not None:
            found["options"][name] = alias if isinstance(alias, str) else repr(alias)
    for constraint in getattr(info, "metadata", None) or []:
        found["constraints"].append(describe_constraint(report, constraint))
    found["inner_constraints"] = inner_constraints(report, annotation)
    return found


def inner_constraints(report: Report, annotation: Any, depth: int = 0) -> list[dict[str, Any]]:
    """What stands within a type: `Annotated[str, AfterValidator(f)] | None`, items of lists."""
    found: list[dict[str, Any]] = []
    if depth > 10:
        return found
    for constraint in getattr(annotation, "__metadata__", None) or ():
        nested = getattr(constraint, "metadata", None)
        for one in nested if isinstance(nested, list) else [constraint]:
            found.append(describe_constraint(report, one))
    inner = [getattr(annotation, name, None) for name in ("__origin__", "__value__")]
    arguments = getattr(annotation, "__args__", None)
    if isinstance(arguments, tuple):
        inner.extend(arguments)
    for one in inner:
        if one is not None and not isinstance(one, type):
            found.extend(inner_constraints(report, one, depth + 1))
    return found


def is_plain(value: Any) -> bool:
    return isinstance(value, (bool, int, float, str))


def is_required(field: Any) -> bool:
    info: Any = getattr(field, "field_info", None)
    if hasattr(info, "is_required"):
        return bool(info.is_required())
    return bool(getattr(field, "required", False))


def is_model(annotation: Any) -> bool:
    return isinstance(annotation, type) and hasattr(annotation, "__fields__")


def describe_constraint(report: Report, constraint: Any) -> dict[str, Any]:
    """`Ge(ge=0)`, a strictness, or a validator with its function."""
    found: dict[str, Any] = {"class": qualified(type(constraint))}
    function = getattr(constraint, "func", None)
    if callable(function) and "Validator" in type(constraint).__name__:
        found["function"] = report.function(function)
    else:
        values = {
            name: getattr(constraint, name)
            for name in getattr(constraint, "__slots__", None) or vars_of(constraint)
            if not name.startswith("_") and getattr(constraint, name, None) is not None
        }
        found["options"] = report.options(values)
    return found


def vars_of(value: Any) -> list[str]:
    names = getattr(type(value), "__dataclass_fields__", None)
    if names:
        return list(names)
    return list(getattr(value, "__dict__", {}))
