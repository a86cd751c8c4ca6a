"""Calls an ASGI application as a server does, message by message."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Any

Message = dict[str, Any]


def scope(method: str, path: str, **more: Any) -> dict[str, Any]:
    path, _, query = path.partition("?")
    return {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.4"},
        "http_version": "1.1",
        "method": method,
        "scheme": "http",
        "path": path,
        "raw_path": path.encode(),
        "query_string": query.encode(),
        "root_path": "",
        "headers": [(b"host", b"test")],
        "client": ("192.0.2.1", 4000),
        "server": ("192.0.2.2", 80),
        "extensions": {},
        "state": {},
        **more,
    }


async def call(
    app: Any,
    method: str,
    path: str,
    body: Sequence[bytes] = (),
    *,
    is_complete: bool = True,
    disconnects_after: float | None = None,
    on_message: Callable[[Message], None] = lambda _: None,
    **more: Any,
) -> list[Message]:
    """The messages of the response.

    Without `is_complete` the body has no end; a disconnect comes only if it is asked for, in
    seconds after the body.
    """
    messages: list[Message] = []
    chunks = list(body)
    if body:
        length = [(b"content-length", str(sum(map(len, chunks))).encode())]
        framing = length if is_complete else [(b"transfer-encoding", b"chunked")]
        more.setdefault("headers", [(b"host", b"test"), *framing])
    is_sent = not body

    async def receive() -> Message:
        nonlocal is_sent
        if chunks:
            chunk = chunks.pop(0)
            is_sent = not chunks and is_complete
            return {"type": "http.request", "body": chunk, "more_body": not is_sent}
        if is_sent and not body:
            is_sent = False
            return {"type": "http.request", "body": b"", "more_body": False}
        if disconnects_after is None:
            await asyncio.Event().wait()
        await asyncio.sleep(disconnects_after or 0)
        return {"type": "http.disconnect"}

    async def send(message: Message) -> None:
        messages.append(message)
        on_message(message)

    await app(scope(method, path, **more), receive, send)
    return messages


def status(messages: list[Message]) -> int:
    return messages[0]["status"]


def text(messages: list[Message]) -> str:
    bodies = [message for message in messages if message["type"] == "http.response.body"]
    assert [message["more_body"] for message in bodies] == [True] * (len(bodies) - 1) + [False]
    return b"".join(message["body"] for message in bodies).decode()


@asynccontextmanager
async def lifespan(app: Any) -> AsyncIterator[list[Message]]:
    """Runs the application's lifespan around a block, which gets its answer to the startup."""
    received: asyncio.Queue[Message] = asyncio.Queue()
    sent: asyncio.Queue[Message] = asyncio.Queue()
    task = asyncio.ensure_future(app({"type": "lifespan", "state": {}}, received.get, sent.put))
    await received.put({"type": "lifespan.startup"})
    try:
        answer = await asyncio.wait_for(sent.get(), 60)
        yield [answer]
        if answer["type"] == "lifespan.startup.complete":
            await received.put({"type": "lifespan.shutdown"})
            assert (await asyncio.wait_for(sent.get(), 60))["type"] == "lifespan.shutdown.complete"
            await asyncio.wait_for(task, 60)
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
