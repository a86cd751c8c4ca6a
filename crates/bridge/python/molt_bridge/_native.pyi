"""The extension module: what Rust offers to `molt_bridge`."""

import asyncio
import os
from collections.abc import Callable, MutableMapping
from typing import Any, final

__all__ = ["ApplicationCall", "Bridge", "Exchange", "bridge", "read_items"]

_Message = MutableMapping[str, Any]

@final
class Bridge:
    """A service in this process. Making one starts nothing."""

    def is_started(self) -> bool: ...
    def start(
        self, event_loop: asyncio.AbstractEventLoop, run: Callable[[ApplicationCall], None]
    ) -> asyncio.Future[None]: ...
    def serves(self, scope: MutableMapping[str, Any]) -> bool: ...
    def call(
        self, scope: MutableMapping[str, Any], event_loop: asyncio.AbstractEventLoop
    ) -> Exchange: ...
    def stop(self, event_loop: asyncio.AbstractEventLoop) -> asyncio.Future[None]: ...

@final
class Exchange:
    """One request that Rust answers."""

    @property
    def has_body(self) -> bool: ...
    def push(self, body: bytes, more_body: bool) -> asyncio.Future[None] | None: ...
    @property
    def is_done(self) -> bool: ...
    def response(self) -> asyncio.Future[list[_Message]]: ...
    def close(self) -> None: ...

@final
class ApplicationCall:
    """One request that the Python application answers for Rust."""

    @property
    def scope(self) -> MutableMapping[str, Any]: ...
    def receive(self) -> asyncio.Future[_Message]: ...
    def send(self, message: _Message) -> asyncio.Future[None] | None: ...
    def end(self) -> None: ...

def bridge(plan: str | os.PathLike[str] | None = None) -> Bridge:
    """The service with the settings of the environment. Raises ValueError when one is wrong."""

def read_items(text: str) -> tuple[list[tuple[str, str | None]], list[dict[str, Any]]]:
    """The items of a CSV file, and what is wrong with the rows that are none.

    Gives what `app.imports.read_items` of python-legacy gives, and raises ValueError where it does.
    """
