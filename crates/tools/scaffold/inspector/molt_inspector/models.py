"""Models of pydantic 1 and 2, dataclasses, enumerations and types with validation of their own."""

from __future__ import annotations

import contextlib
import dataclasses
import enum
import typing
from typing import Any

from .dependencies import describe_constraint, inner_constraints
from .report import Report, annotation_text, default_of, own_function, qualified

#: Attributes of a field of pydantic 2 that are given as they are, unless they are None.
FIELD_OPTIONS = (
    "title",
    "description",
    "exclude",
    "frozen",
    "discriminator",
    "validate_default",
    "repr",
    "init",
    "kw_only",
    "deprecated",
    "examples",
)

#: The settings of pydantic 1 that change what is accepted or written.
CONFIG_1 = (
    "title",
    "extra",
    "allow_population_by_field_name",
    "use_enum_values",
    "anystr_strip_whitespace",
    "anystr_lower",
    "anystr_upper",
    "min_anystr_length",
    "max_anystr_length",
    "validate_all",
    "validate_assignment",
    "allow_mutation",
    "frozen",
    "orm_mode",
    "smart_union",
    "allow_inf_nan",
    "arbitrary_types_allowed",
    "alias_generator",
    "json_encoders",
    "schema_extra",
    "fields",
)


def describe_models(report: Report) -> dict[str, Any]:
    """Every class that an operation names, and what these name, by module and name."""
    found: dict[str, Any] = {}
    done: set[int] = set()
    while True:
        todo = [cls for cls in report.classes.values() if id(cls) not in done]
        if not todo:
            return found
        for cls in todo:
            done.add(id(cls))
            name = qualified(cls)
            with report.attempt(f"model {name}"):
                entry = describe_class(report, cls)
                if entry is None:
                    continue
                while name in found:
                    name += "'"
                found[name] = entry


def describe_class(report: Report, cls: type) -> dict[str, Any] | None:
    if hasattr(cls, "model_fields") and hasattr(cls, "model_config"):
        entry = describe_model_2(report, cls)
    elif hasattr(cls, "__fields__") and hasattr(cls, "__config__"):
        entry = describe_model_1(report, cls)
    elif issubclass(cls, enum.Enum):
        values = [{"name": one.name, **report.value(one.value)} for one in cls]
        bases = [qualified(base) for base in cls.__bases__]
        return {"kind": "enum", "bases": bases, "values": values, **report.source(cls)}
    elif dataclasses.is_dataclass(cls):
        entry = describe_dataclass(report, cls)
    else:
        for name in ("__get_pydantic_core_schema__", "__get_validators__"):
            module = cls.__module__.split(".")[0]
            if hasattr(cls, name) and module not in ("pydantic", "fastapi", "starlette"):
                return {"kind": "custom type", "hook": name, **report.source(cls)}
        return None
    entry["module"] = cls.__module__
    entry["name"] = cls.__name__
    entry["description"] = cls.__dict__.get("__doc__")
    entry["bases"] = [qualified(base) for base in cls.__bases__]
    entry.update(report.source(cls))
    return entry


def describe_model_2(report: Report, cls: Any) -> dict[str, Any]:
    report.types_of(getattr(cls, "__pydantic_generic_metadata__", {}).get("args"))
    fields = {}
    for name, field in (
        cls.__pydantic_fields__.items()
        if hasattr(cls, "__pydantic_fields__")
        else cls.model_fields.items()
    ):
        with report.attempt(f"{qualified(cls)}.{name}"):
            fields[name] = describe_field_2(report, field)
    found: dict[str, Any] = {
        "kind": "root model" if "root" in fields and is_root(cls) else "model",
        "config": report.options(
            {
                name: value
                for name, value in dict(cls.model_config).items()
                if type(value).__name__ != "PydanticUndefinedType"
            }
        ),
        "fields": fields,
        "validators": [],
        "serializers": [],
        "computed_fields": {},
    }
    decorators = getattr(cls, "__pydantic_decorators__", None)
    for kind in ("validators", "field_validators", "root_validators", "model_validators"):
        for name, one in (getattr(decorators, kind, None) or {}).items():
            found["validators"].append(describe_decorator(report, cls, kind, name, one))
    for kind in ("field_serializers", "model_serializers"):
        for name, one in (getattr(decorators, kind, None) or {}).items():
            found["serializers"].append(describe_decorator(report, cls, kind, name, one))
    for name, one in (getattr(decorators, "computed_fields", None) or {}).items():
        with report.attempt(f"{qualified(cls)}.{name}"):
            info = one.info
            report.types_of(info.return_type)
            found["computed_fields"][name] = {
                "annotation": annotation_text(info.return_type),
                "alias": info.alias,
                "call": report.function(getter(info.wrapped_property)),
            }
    return found


def is_root(cls: Any) -> bool:
    return any(base.__name__ == "RootModel" for base in cls.__mro__)


def getter(wrapped: Any) -> Any:
    """The function below a `property` or `cached_property`."""
    return getattr(wrapped, "fget", None) or getattr(wrapped, "func", None) or wrapped


def describe_field_2(report: Report, field: Any) -> dict[str, Any]:
    report.types_of(field.annotation)
    report.types_of(tuple(field.metadata))
    found: dict[str, Any] = {
        "annotation": annotation_text(field.annotation),
        "required": field.is_required(),
        "default": default_of(report, field),
        "alias": field.alias,
        "validation_alias": alias_path(field.validation_alias),
        "serialization_alias": field.serialization_alias,
        "constraints": [describe_constraint(report, one) for one in field.metadata],
        "inner_constraints": inner_constraints(report, field.annotation),
        "options": {},
    }
    for name in FIELD_OPTIONS:
        option = getattr(field, name, None)
        if option is not None:
            found["options"][name] = report.value(option)
    return found


def alias_path(alias: Any) -> Any:
    """A text, a path into the input (a list), or choices of these (`{"choices": […]}`)."""
    if alias is None or isinstance(alias, str):
        return alias
    if hasattr(alias, "choices"):
        return {"choices": [alias_path(choice) for choice in alias.choices]}
    if hasattr(alias, "path"):
        return list(alias.path)
    return repr(alias)


def describe_decorator(
    report: Report, cls: Any, kind: str, name: str, decorator: Any
) -> dict[str, Any]:
    info = decorator.info
    function = getattr(decorator, "func", None)
    return {
        "name": name,
        "kind": kind[:-1].replace("_", " "),
        "mode": getattr(info, "mode", None),
        "fields": [str(field) for field in getattr(info, "fields", ())],
        "defined_in": next(
            (qualified(base) for base in cls.__mro__ if name in base.__dict__), qualified(cls)
        ),
        "call": report.function(own_function(function) or function) if function else None,
    }


def describe_model_1(report: Report, cls: Any) -> dict[str, Any]:
    config = {}
    for name in CONFIG_1:
        value = getattr(cls.__config__, name, None)
        if value is not None and value is not False and value != {}:
            config[name] = report.value(value)
    hints: dict[str, Any] = {}
    with contextlib.suppress(Exception):
        # As written: a text with a length is a class of its own in `__fields__`.
        hints = typing.get_type_hints(cls)
    fields = {}
    for name, field in cls.__fields__.items():
        with report.attempt(f"{qualified(cls)}.{name}"):
            fields[name] = describe_field_1(report, field, hints.get(name))
    found: dict[str, Any] = {
        "kind": "root model" if "__root__" in fields else "model",
        "config": config,
        "fields": fields,
        "validators": [],
        "serializers": [],
        "computed_fields": {},
    }
    for field, validators in (getattr(cls, "__validators__", None) or {}).items():
        for one in validators:
            entry = {
                "name": one.func.__name__,
                "kind": "validator",
                "mode": "before" if one.pre else "after",
                "fields": [field],
                "each_item": one.each_item,
                "always": one.always,
                "defined_in": one.func.__qualname__.rpartition(".")[0],
                "call": report.function(one.func),
            }
            found["validators"].append(entry)
    roots = [("before", one) for one in getattr(cls, "__pre_root_validators__", [])]
    roots += [("after", one) for _, one in getattr(cls, "__post_root_validators__", [])]
    for mode, function in roots:
        entry = {
            "name": function.__name__,
            "kind": "root validator",
            "mode": mode,
            "fields": [],
            "defined_in": function.__qualname__.rpartition(".")[0],
            "call": report.function(function),
        }
        found["validators"].append(entry)
    return found


def describe_field_1(report: Report, field: Any, hint: Any) -> dict[str, Any]:
    info = field.field_info
    report.types_of(getattr(field, "annotation", None))
    report.types_of(field.outer_type_)
    options = {}
    for name in info.__slots__:
        option = getattr(info, name, None)
        if name not in ("default", "default_factory", "alias", "extra") and option is not None:
            options[name] = report.value(option)
    options.update(report.options(info.extra))
    return {
        "annotation": annotation_text(hint if hint is not None else field.outer_type_),
        "required": bool(field.required),
        "nullable": bool(field.allow_none),
        "default": None if field.required else default_of(report, field),
        "alias": field.alias if field.has_alias else None,
        "validation_alias": field.alias if field.has_alias else None,
        "serialization_alias": field.alias if field.has_alias else None,
        "constraints": [],
        "options": options,
    }


def describe_dataclass(report: Report, cls: Any) -> dict[str, Any]:
    fields = {}
    for field in dataclasses.fields(cls):
        report.types_of(field.type)
        missing = field.default is dataclasses.MISSING
        default = None if missing else report.value(field.default)
        if field.default_factory is not dataclasses.MISSING:
            default = {"factory": report.function(field.default_factory)}
        fields[field.name] = {
            "annotation": annotation_text(field.type),
            "required": default is None,
            "default": default,
        }
    return {"kind": "dataclass", "fields": fields}
