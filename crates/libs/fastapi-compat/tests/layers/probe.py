"""Asks FastAPI's routing and Starlette's and uvicorn's middleware what they do: a JSON value per line in, one out."""

import asyncio
import json
import sys
from urllib.parse import unquote

from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse
from starlette.middleware.cors import CORSMiddleware
from starlette.routing import compile_path
from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware


def encode(headers):
    return [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in headers]


def decode(headers):
    return [(name.decode("latin-1"), value.decode("latin-1")) for name, value in headers]


async def cors(case):
    answer = case["answer"]

    async def app(scope, receive, send):
        start = {"type": "http.response.start", "status": answer["status"]}
        await send({**start, "headers": encode(answer["headers"])})
        await send({"type": "http.response.body", "body": b"the application's"})

    sent = []

    async def send(message):
        sent.append(message)

    request = case["request"]
    scope = {"type": "http", "method": request["method"], "headers": encode(request["headers"])}
    await CORSMiddleware(app, **case["options"])(scope, None, send)
    body = b"".join(message.get("body", b"") for message in sent)
    start = sent[0]
    headers = decode(start["headers"])
    return {"status": start["status"], "headers": headers, "body": body.decode("latin-1")}


async def proxies(case):
    seen = {}

    async def app(scope, receive, send):
        seen.update(scheme=scope["scheme"], client=scope["client"])

    headers = encode(case["headers"])
    scope = {"type": "http", "scheme": "http", "client": (case["peer"], 4711), "headers": headers}
    await ProxyHeadersMiddleware(app, trusted_hosts=case["trusted"])(scope, None, None)
    return seen


def route(app, position, method, path):
    regex = compile_path(path)[0]

    async def endpoint(request: Request) -> JSONResponse:
        values = regex.match(request.scope["path"]).groupdict()
        return JSONResponse([position, list(values.values())])

    app.add_api_route(path, endpoint, methods=[method])


async def routes(case):
    app = FastAPI(openapi_url=None)
    for position, (method, path) in enumerate(case["routes"]):
        route(app, position, method, path)
    answers = []
    for method, path in case["requests"]:
        sent = []

        async def send(message, sent=sent):
            sent.append(message)

        async def receive():
            return {"type": "http.request"}

        scope = {"type": "http", "method": method, "path": unquote(path), "raw_path": path.encode()}
        scope |= {"scheme": "http", "query_string": b"", "headers": [(b"host", b"h")]}
        await app(scope, receive, send)
        headers = dict(decode(sent[0]["headers"]))
        body = b"".join(message.get("body", b"") for message in sent)
        answers.append([sent[0]["status"], headers.get("allow"), headers.get("location"), body.decode()])
    return answers


for line in sys.stdin:
    case = json.loads(line)
    asked = {"cors": cors, "proxies": proxies, "routes": routes}[case["middleware"]]
    result = asyncio.run(asked(case))
    print(json.dumps(result), flush=True)
