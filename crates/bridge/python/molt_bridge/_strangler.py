"""The ASGI side: which requests go to Rust, and how their messages pass.

Rust is called a few times for each request and works without the interpreter; its results come
back as futures of asyncio.
"""

from __future__ import annotations

import asyncio
import logging
import os
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from molt_bridge._native import ApplicationCall, Exchange, bridge

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Application = Callable[[Scope, Receive, Send], Awaitable[None]]

# How long Rust may take, in seconds, before a disconnect of the client is watched for: that costs
# more than most answers take.
WATCH_AFTER = 0.05

log = logging.getLogger("molt_bridge")


class Strangler:
    """An ASGI application whose operations are answered by Rust or by `app`, as the plan says.

    `plan` is the file of a plan as the strangler has it (`default: legacy`, `operations: …`), which
    is read again when it changes; without one, STRANGLER_PLAN names it, or everything is left to
    `app`. The settings of the Rust service are those of its program: environment variables and
    `.env`.

    Nothing is started before the server's lifespan, or the first request where there is none: until
    then the process can be forked. After that, a forked process answers nothing: its first request
    raises RuntimeError.

    Raises ValueError when the plan or a setting is wrong.
    """

    def __init__(self, app: Application, plan: str | os.PathLike[str] | None = None) -> None:
        self._app = app
        self._bridge = bridge(None if plan is None else os.fspath(plan))
        self._starting: asyncio.Lock | None = None
        self._calls: set[asyncio.Task[None]] = set()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answers one request, or passes it on; the lifespan of the server is that of Rust too."""
        if scope["type"] == "http":
            if not self._bridge.is_started():
                await self.start()
            if self._bridge.serves(scope):
                await self._answer(scope, receive, send)
                return
        elif scope["type"] == "lifespan":
            await self._lifespan(scope, receive, send)
            return
        await self._app(scope, receive, send)

    async def start(self) -> None:
        """Starts Rust on this event loop, unless it is started.

        Raises RuntimeError when that is not possible: without a database, say, or after a fork.
        """
        if self._starting is None:
            self._starting = asyncio.Lock()
        async with self._starting:
            if not self._bridge.is_started():
                await self._bridge.start(asyncio.get_running_loop(), self._run)

    async def stop(self) -> None:
        """Stops Rust: requests whose client has left are finished, e-mails are sent.

        It takes twice the timeout of a request at most.
        """
        await self._bridge.stop(asyncio.get_running_loop())

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        loop = asyncio.get_running_loop()
        exchange = self._bridge.call(scope, loop)
        reader: asyncio.Task[None] | None = None

        def watch() -> None:
            nonlocal reader
            reader = loop.create_task(_read(exchange, receive))

        timer: asyncio.TimerHandle | None = None
        if exchange.has_body:
            watch()
        else:
            timer = loop.call_later(WATCH_AFTER, watch)
        try:
            while not exchange.is_done:
                for message in await exchange.response():
                    await send(message)
        except OSError:
            # How servers report since ASGI 2.4 that the client has disconnected.
            pass
        finally:
            exchange.close()
            if timer is not None:
                timer.cancel()
            if reader is not None:
                reader.cancel()

    def _run(self, call: ApplicationCall) -> None:
        """Lets the application answer a request that comes from Rust."""
        task = asyncio.get_running_loop().create_task(self._call(call))
        # asyncio itself keeps no reference.
        self._calls.add(task)
        task.add_done_callback(self._calls.discard)

    async def _call(self, call: ApplicationCall) -> None:
        async def receive() -> Message:
            return await call.receive()

        async def send(message: Message) -> None:
            room = call.send(message)
            if room is not None:
                await room

        try:
            await self._app(call.scope, receive, send)
        except Exception:
            log.exception("Exception in ASGI application")
        finally:
            call.end()

    async def _lifespan(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Starts Rust once the application has started, and stops it once that has stopped."""
        is_received = is_answered = False

        async def received() -> Message:
            nonlocal is_received
            message = await receive()
            is_received = True
            return message

        async def answer(message: Message) -> None:
            nonlocal is_answered
            kind = message["type"]
            if kind == "lifespan.startup.complete":
                # An error is raised into the application, which reports it as its own.
                await self.start()
            elif kind.startswith("lifespan.shutdown."):
                await self.stop()
            is_answered = True
            await send(message)

        try:
            await self._app(scope, received, answer)
        except Exception:
            if is_answered:
                await self.stop()
                raise
        if is_answered:
            return
        # The application has no lifespan, which servers accept.
        if not is_received:
            await receive()
        try:
            await self.start()
        except RuntimeError as error:
            await send({"type": "lifespan.startup.failed", "message": str(error)})
            return
        await send({"type": "lifespan.startup.complete"})
        await receive()
        await self.stop()
        await send({"type": "lifespan.shutdown.complete"})


async def _read(exchange: Exchange, receive: Receive) -> None:
    """Passes the body of a request to Rust, and then waits until its client disconnects."""
    while (message := await receive())["type"] == "http.request":
        room = exchange.push(message.get("body", b""), message.get("more_body", False))
        if room is not None:
            await room
    exchange.close()
