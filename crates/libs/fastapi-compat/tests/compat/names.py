"""The public names of FastAPI's reference and of pydantic's, as the installed releases have them, one a line:
what a module exports, `Field(gt)` for an argument that may be left out and `Request.state` for a member.
`names.rs` demands a row for each, so that a new release shows what it adds."""

import inspect
import warnings
from collections.abc import Iterator
from importlib import import_module
from types import ModuleType
from typing import Any

warnings.simplefilter("ignore")

import fastapi  # noqa: E402
import pydantic  # noqa: E402
from fastapi import responses, security, sse, staticfiles  # noqa: E402
from fastapi.middleware import cors, gzip, trustedhost  # noqa: E402
from fastapi.openapi import docs, utils  # noqa: E402
from pydantic import functional_validators, types  # noqa: E402

PACKAGES = {"fastapi", "pydantic", "starlette"}

# All that these export is documented.
MODULES = [
    "fastapi",
    "fastapi.background",
    "fastapi.exceptions",
    "fastapi.middleware.cors",
    "fastapi.middleware.gzip",
    "fastapi.middleware.httpsredirect",
    "fastapi.middleware.trustedhost",
    "fastapi.middleware.wsgi",
    "fastapi.requests",
    "fastapi.responses",
    "fastapi.security",
    "fastapi.staticfiles",
    "fastapi.templating",
    "fastapi.testclient",
    "fastapi.websockets",
    "pydantic",
    "pydantic.alias_generators",
    "pydantic.experimental.pipeline",
]

# Of others, these.
NAMES = {
    "fastapi.concurrency": ["run_in_threadpool", "iterate_in_threadpool"],
    "fastapi.encoders": ["jsonable_encoder"],
    "fastapi.exception_handlers": [
        "http_exception_handler",
        "request_validation_exception_handler",
        "websocket_request_validation_exception_handler",
    ],
    "fastapi.middleware": ["Middleware"],
    "fastapi.openapi.docs": [
        "get_redoc_html",
        "get_swagger_ui_html",
        "get_swagger_ui_oauth2_redirect_html",
        "swagger_ui_default_parameters",
    ],
    "fastapi.openapi.utils": ["get_openapi"],
    "fastapi.routing": ["APIRoute", "APIWebSocketRoute"],
    "fastapi.sse": ["EventSourceResponse", "ServerSentEvent"],
    "pydantic.dataclasses": ["dataclass"],
    "pydantic.experimental.missing_sentinel": ["MISSING"],
    "pydantic_core": [
        "PydanticCustomError",
        "PydanticKnownError",
        "PydanticOmit",
        "PydanticUseDefault",
        "from_json",
        "to_json",
        "to_jsonable_python",
    ],
}

# Their arguments count, by the name that stands before the parenthesis.
CALLED: dict[str, list[Any]] = {
    "FastAPI": [fastapi.FastAPI],
    "APIRouter": [fastapi.APIRouter],
    "include_router": [fastapi.FastAPI.include_router, fastapi.APIRouter.include_router],
    "operation": [fastapi.FastAPI.get, fastapi.FastAPI.api_route],
    "websocket": [fastapi.FastAPI.websocket],
    "frontend": [getattr(fastapi.FastAPI, "frontend", lambda: None)],
    "parameter": [fastapi.Path, fastapi.Query, fastapi.Header, fastapi.Cookie],
    "Body": [fastapi.Body, fastapi.Form, fastapi.File],
    "Depends": [fastapi.Depends],
    "Security": [fastapi.Security],
    "HTTPException": [fastapi.HTTPException],
    "WebSocketException": [fastapi.WebSocketException],
    "security": [
        security.APIKeyHeader,
        security.HTTPBasic,
        security.HTTPBearer,
        security.HTTPDigest,
        security.OAuth2,
        security.OAuth2PasswordBearer,
        security.OAuth2AuthorizationCodeBearer,
        security.OpenIdConnect,
    ],
    "OAuth2PasswordRequestForm": [security.OAuth2PasswordRequestForm],
    "Response": [responses.Response],
    "set_cookie": [responses.Response.set_cookie],
    "delete_cookie": [responses.Response.delete_cookie],
    "FileResponse": [responses.FileResponse],
    "RedirectResponse": [responses.RedirectResponse],
    "StreamingResponse": [responses.StreamingResponse],
    "ServerSentEvent": [sse.ServerSentEvent],
    "StaticFiles": [staticfiles.StaticFiles],
    "CORSMiddleware": [cors.CORSMiddleware],
    "GZipMiddleware": [gzip.GZipMiddleware],
    "TrustedHostMiddleware": [trustedhost.TrustedHostMiddleware],
    "get_openapi": [utils.get_openapi],
    "get_swagger_ui_html": [docs.get_swagger_ui_html],
    "get_redoc_html": [docs.get_redoc_html],
    "Field": [pydantic.Field],
    "ConfigDict": [pydantic.ConfigDict],
    "PrivateAttr": [pydantic.PrivateAttr],
    "computed_field": [pydantic.computed_field],
    "field_serializer": [pydantic.field_serializer],
    "field_validator": [pydantic.field_validator],
    "model_serializer": [pydantic.model_serializer],
    "model_validator": [pydantic.model_validator],
    "AfterValidator": [pydantic.AfterValidator],
    "PlainValidator": [pydantic.PlainValidator],
    "PlainSerializer": [pydantic.PlainSerializer, pydantic.WrapSerializer],
    "AliasGenerator": [pydantic.AliasGenerator],
    "Discriminator": [pydantic.Discriminator],
    "StringConstraints": [pydantic.StringConstraints],
    "UrlConstraints": [pydantic.UrlConstraints],
    "constrained": [
        types.conint,
        types.confloat,
        types.condecimal,
        types.condate,
        types.conlist,
        types.conset,
        types.confrozenset,
        types.conbytes,
        types.constr,
    ],
    "create_model": [pydantic.create_model],
}

# Their public members count.
USED: list[Any] = [
    fastapi.FastAPI,
    fastapi.APIRouter,
    fastapi.BackgroundTasks,
    fastapi.UploadFile,
    fastapi.Request,
    fastapi.WebSocket,
    responses.Response,
    security.SecurityScopes,
    pydantic.BaseModel,
    pydantic.TypeAdapter,
    pydantic.ValidationInfo,
    functional_validators.ModelWrapValidatorHandler,
]


def exported(module: ModuleType) -> Iterator[str]:
    """What a module says it exports, or what it has of the two packages and of Starlette."""
    names = getattr(module, "__all__", None)
    if names is not None:
        yield from names
        return
    for name, value in vars(module).items():
        origin = getattr(value, "__module__", "").split(".")[0]
        if not name.startswith("_") and origin in PACKAGES and callable(value):
            yield name


def arguments(called: Any) -> Iterator[str]:
    """Those that may be left out: the others stand wherever it is called."""
    if called is pydantic.ConfigDict:
        yield from called.__annotations__
        return
    for name, parameter in inspect.signature(called).parameters.items():
        variadic = parameter.kind in {parameter.VAR_KEYWORD, parameter.VAR_POSITIONAL}
        is_optional = parameter.default is not parameter.empty
        if is_optional and not variadic and not name.startswith("_"):
            yield name


def names() -> Iterator[str]:
    for module in MODULES:
        yield from exported(import_module(module))
    for module, own in NAMES.items():
        yield from (name for name in own if hasattr(import_module(module), name))
    for name, all_called in CALLED.items():
        for called in all_called:
            yield from (f"{name}({argument})" for argument in arguments(called))
    for used in USED:
        # What is inherited from a plain collection is no feature of these.
        kinds = [kind for kind in used.__mro__ if kind.__module__.split(".")[0] in PACKAGES]
        own = {name for kind in kinds for name in vars(kind)}
        yield from (f"{used.__name__}.{name}" for name in own if not name.startswith("_"))


if __name__ == "__main__":
    print("\n".join(sorted(set(names()))))
