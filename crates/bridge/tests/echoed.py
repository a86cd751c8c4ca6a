"""A Python application with the example of `asgi-bridge` in its process; PLAN is the plan."""

import os

from fastapi import FastAPI, Request, WebSocket
from fastapi.responses import PlainTextResponse
from molt_bridge import Strangler

python = FastAPI()


@python.get("/who", response_class=PlainTextResponse)
async def who() -> str:
    return "python"


@python.get("/pid", response_class=PlainTextResponse)
async def pid() -> str:
    return str(os.getpid())


@python.post("/only-python", response_class=PlainTextResponse)
async def only_python(request: Request) -> str:
    return str(sum([len(chunk) async for chunk in request.stream()]))


@python.get("/fails")
async def fails() -> None:
    raise ValueError("on purpose")


@python.websocket("/socket")
async def socket(websocket: WebSocket) -> None:
    await websocket.accept()
    await websocket.send_text(await websocket.receive_text() + " back")
    await websocket.close()


app = Strangler(python, plan=os.environ.get("PLAN"))
