"""What FastAPI means to answer where it fails to write it: below `/ledger` the same application has a
writer of JSON that takes everything. The header `x-ledger` names what its own does not take:

- `number`: an infinite number or none, which becomes `null`, as pydantic writes it;
- `text`: a lone surrogate, which becomes U+FFFD for each of its three bytes, as in a key of an answer;
- `bytes`: a body that is no JSON and no UTF-8, in which U+FFFD stands for what is none;
- `depth`: what is nested deeper than Python or pydantic writes;
- `digits`: an integer with more digits than Python reads or writes.
"""

import json
import math
import re
import sys
from collections.abc import Callable, Iterable
from contextvars import ContextVar
from typing import Any

import fastapi.routing
from fastapi import FastAPI
from fastapi.encoders import ENCODERS_BY_TYPE, jsonable_encoder
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel
from pydantic_core import to_jsonable_python
from starlette.convertors import IntegerConvertor
from starlette.responses import JSONResponse

USED: ContextVar[set[str] | None] = ContextVar("used", default=None)
PREFIX = "/ledger"
SURROGATE = re.compile("[\ud800-\udfff]")


def deeply(function: Callable[..., Any], used: set[str]) -> Callable[..., Any]:
    """Calls a function, and again with more room if it recurses too deep."""

    def call(*arguments: Any, **named: Any) -> Any:
        try:
            return function(*arguments, **named)
        except RecursionError:
            used.add("depth")
        limit = sys.getrecursionlimit()
        sys.setrecursionlimit(100_000)
        try:
            return function(*arguments, **named)
        finally:
            sys.setrecursionlimit(limit)

    return call


def exactly(function: Callable[..., Any], used: set[str]) -> Callable[..., Any]:
    """Calls a function, and again without a limit of digits if it met that."""

    def call(*arguments: Any, **named: Any) -> Any:
        try:
            return function(*arguments, **named)
        except ValueError as error:
            if "for integer string conversion" not in str(error):
                raise
            used.add("digits")
        limit = sys.get_int_max_str_digits()
        sys.set_int_max_str_digits(0)
        try:
            return function(*arguments, **named)
        finally:
            sys.set_int_max_str_digits(limit)

    return call


def text(value: str, used: set[str]) -> str:
    replaced = SURROGATE.sub("\N{REPLACEMENT CHARACTER}" * 3, value)
    if replaced != value:
        used.add("text")
    return replaced


class Members(dict[Any, Any]):
    """Members of a model: as JSON it has a name twice that a field and an extra share."""

    def __init__(self, members: Iterable[tuple[Any, Any]]) -> None:
        self.members = list(members)
        super().__init__(self.members)

    def items(self) -> Any:
        return self.members


def plain(value: Any, used: set[str]) -> Any:
    """A value of which JSON can be written."""
    if isinstance(value, str):
        return text(value, used)
    if isinstance(value, float) and not math.isfinite(value):
        used.add("number")
        return None
    if isinstance(value, BaseModel):
        names = type(value).model_fields.items()
        own = {
            field.serialization_alias or name: getattr(value, name)
            for name, field in names
        }
        members = [*own.items(), *(value.__pydantic_extra__ or {}).items()]
        return Members((plain(key, used), plain(item, used)) for key, item in members)
    if isinstance(value, dict):
        return {plain(key, used): plain(item, used) for key, item in value.items()}
    if isinstance(value, (list, tuple, set, frozenset)):
        return [plain(item, used) for item in value]
    if value is None or isinstance(value, (bool, int, float)):
        return value
    return to_jsonable_python(value)


def write(content: Any, used: set[str]) -> bytes:
    def written() -> str:
        return json.dumps(
            plain(content, used), ensure_ascii=False, separators=(",", ":")
        )

    result: str = exactly(deeply(written, used), used)()
    return result.encode()


def mend() -> None:
    """Replaces what writes JSON by what asks for the mode first."""
    render = JSONResponse.render

    def rendered(self: JSONResponse, content: Any) -> bytes:
        used = USED.get()
        return render(self, content) if used is None else write(content, used)

    JSONResponse.render = rendered  # type: ignore[method-assign]

    def encoder(*arguments: Any, **named: Any) -> Any:
        used = USED.get()
        encode = jsonable_encoder if used is None else deeply(jsonable_encoder, used)
        return encode(*arguments, **named)

    fastapi.routing.jsonable_encoder = encoder

    def decoded(value: bytes) -> str:
        used = USED.get()
        if used is None:
            return value.decode()
        text = value.decode(errors="replace")
        if "\N{REPLACEMENT CHARACTER}" in text:
            used.add("bytes")
        return text

    ENCODERS_BY_TYPE[bytes] = decoded

    convert = IntegerConvertor.convert

    def converted(self: IntegerConvertor, value: str) -> int:
        used = USED.get()
        number: int = (convert if used is None else exactly(convert, used))(self, value)
        return number

    IntegerConvertor.convert = converted  # type: ignore[method-assign]

    from fastapi._compat import ModelField

    def serializer(
        function: Callable[..., Any], make: Callable[..., Any]
    ) -> Callable[..., Any]:
        def serialize(self: Any, value: Any, **named: Any) -> Any:
            used = USED.get()
            try:
                return function(self, value, **named)
            except ValueError as error:
                if used is None:
                    raise
                if "depth exceeded" in str(error):
                    used.add("depth")
                return make(value, used)

        return serialize

    for name, make in (
        ("serialize", lambda value, used: deeply(plain, used)(value, used)),
        ("serialize_json", write),
    ):
        if function := getattr(ModelField, name, None):
            setattr(ModelField, name, serializer(function, make))


class Ledger:
    """The application, and below `/ledger` what it means to answer."""

    def __init__(self, app: FastAPI) -> None:
        self.app = app
        handler: Any = app.exception_handlers[RequestValidationError]

        async def invalid(request: Any, error: Any) -> Any:
            used = USED.get()
            if used is None:
                return await handler(request, error)
            errors = deeply(jsonable_encoder, used)(error.errors())
            return JSONResponse(status_code=422, content={"detail": errors})

        app.add_exception_handler(RequestValidationError, invalid)

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if not scope.get("path", "").startswith(PREFIX + "/"):
            await self.app(scope, receive, send)
            return
        scope["path"] = scope["path"][len(PREFIX) :]
        scope["raw_path"] = scope["raw_path"][len(PREFIX) :]
        used: set[str] = set()

        async def noting(message: Any) -> None:
            if message["type"] == "http.response.start":
                rules = ",".join(sorted(used)).encode()
                message["headers"] = [*message["headers"], (b"x-ledger", rules)]
            await send(message)

        token = USED.set(used)
        try:
            await self.app(scope, receive, noting)
        finally:
            USED.reset(token)


mend()
